from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.runs import Run

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]


def texts(at: AppTest) -> str:
    return "\n".join([*(m.value for m in at.markdown), *(c.value for c in at.caption)])


def test_an_empty_workspace_says_where_to_begin(open_page: OpenPage) -> None:
    at = open_page()
    assert not at.exception
    assert "0 of 2 trained networks" in texts(at)
    assert "Needs one trained network" in texts(at)
    assert "Train a network" in [link.label for link in at.get("page_link")]
    assert not at.metric


@pytest.mark.usefixtures("runners_may_begin")
def test_opening_a_page_makes_no_workspace(open_page: OpenPage, tmp_path: Path) -> None:
    open_page()
    assert list(tmp_path.iterdir()) == []


def test_a_recipe_that_was_trained_is_ticked(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained()
    at = open_page()
    assert ":material/check_circle: cnn-digits" in texts(at)
    assert ":material/circle: vgg16-digits" in texts(at)
    assert "1 of 2 trained networks" in texts(at)


def test_three_results_are_shown_with_their_accuracy(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    for number in range(4):
        make_trained(f"run {number}", {0: 9, 1: 9})
    at = open_page()
    assert [metric.value for metric in at.metric] == ["95.00 %"] * 3
    assert "cnn · 1 min 05 s · 887,530 parameters trained" in texts(at)
    assert "Ready" in texts(at)


def test_a_name_is_shown_as_it_was_typed(open_page: OpenPage, make_trained: MakeTrained) -> None:
    make_trained("<b>**bold**</b> :red[x]")
    assert r"\<b\>\*\*bold\*\*\</b\> \:red\[x\]" in texts(open_page())


def test_a_run_at_work_is_followed(open_page: OpenPage, make_running: Callable[[], Run]) -> None:
    make_running()
    at = open_page()
    assert "Training now" in [header.value for header in at.subheader]
    bar = at.get("progress")[0].proto
    assert "at work" in bar.text
    assert "batch 3 of 698" in bar.text


def test_a_damaged_run_hides_nothing(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path
) -> None:
    make_trained()
    at = open_page()
    assert not at.exception
    assert len(at.metric) == 1
