from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry import samples
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.samples import SAMPLED, id_of

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
RUNS, COMPARE, PREDICT = "pages/3_Runs.py", "pages/4_Compare.py", "pages/5_Predict.py"
BRING, REMOVE = "Bring in the sample runs", "Remove the sample runs"


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def click(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    at.run()
    assert not at.exception
    return at


@pytest.mark.parametrize("page", ["app.py", RUNS, COMPARE, PREDICT])
def test_a_page_with_nothing_to_show_offers_the_samples(
    open_page: OpenPage, runs: Runs, page: str
) -> None:
    assert BRING in labels(open_page(page))
    assert runs.all() == []


def test_one_click_brings_them(open_page: OpenPage, runs: Runs) -> None:
    at = click(open_page(COMPARE), BRING)
    assert samples.missing(runs) == []
    assert not at.info


def test_the_runs_page_marks_them_and_removes_them(open_page: OpenPage, runs: Runs) -> None:
    samples.bring(runs)
    at = open_page(RUNS)
    assert [list(tags) for tags in at.dataframe[0].value["tags"]] == [["sample"]] * len(SAMPLED)
    assert BRING not in labels(at)
    click(at, REMOVE)
    assert any("Nothing was trained yet" in text.value for text in at.caption)
    assert runs.all() == []


def test_one_that_was_deleted_can_be_brought_back(open_page: OpenPage, runs: Runs) -> None:
    samples.bring(runs)
    runs.delete(runs.find(id_of("vgg16-digits")))
    at = open_page(RUNS)
    assert {BRING, REMOVE} <= set(labels(at))
    click(at, BRING)
    assert samples.missing(runs) == []


def test_a_workspace_of_ones_own_gets_none_unasked(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    own = make_trained()
    for page in ("app.py", RUNS):
        open_page(page)
    assert [run.id for run in runs.all()] == [own.id]


def test_runs_can_be_filtered_by_being_samples(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("mine")
    samples.bring(runs)
    at = open_page(RUNS, tag="sample")
    assert len(at.dataframe[0].value) == len(SAMPLED)


def test_a_sample_is_told_as_one_and_offers_no_longer_training(
    open_page: OpenPage, runs: Runs
) -> None:
    samples.bring(runs)
    at = open_page(RUNS, run=id_of("cnn-digits"))
    assert not at.exception
    assert "sample]" in " ".join(text.value for text in at.markdown)
    assert "Start from these settings" in labels(at)
    assert "Train on" not in labels(at)


def test_compare_begins_with_the_question_of_the_product(open_page: OpenPage, runs: Runs) -> None:
    samples.bring(runs)
    at = open_page(COMPARE)
    assert not at.exception
    chosen: list[Any] = [box.value for box in at.selectbox[:2]]
    assert chosen == [id_of("cnn-digits"), id_of("vgg16-digits")]


def test_what_keeps_them_away_is_told_in_a_sentence(open_page: OpenPage, runs: Runs) -> None:
    runs.workspace.runs.parent.mkdir(parents=True, exist_ok=True)
    at = open_page(PREDICT)
    (runs.workspace.locks / "naming.lock").mkdir(parents=True)
    click(at, BRING)
    assert "cannot be written" in at.toast[0].value
