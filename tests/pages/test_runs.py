from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.runs import Failure, Run, Runs

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
RUNS = "pages/3_Runs.py"


def choose_row(at: AppTest, name: str) -> AppTest:
    row = list(at.dataframe[0].value["name"]).index(name)
    at.session_state["runs"] = {"selection": {"rows": [row], "columns": [], "cells": []}}
    return at.run()


def button(at: AppTest, label: str) -> Button:
    return next(button for button in at.button if button.label == label)


def confirm(at: AppTest) -> AppTest:
    """Click in the dialog.

    AppTest then reruns the whole page, so the button that opens the dialog is held down too.
    """
    button(at, "Delete").click()
    button(at, "Delete it").click()
    return at.run()


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def test_an_empty_workspace_says_where_to_begin(open_page: OpenPage) -> None:
    at = open_page(RUNS)
    assert not at.exception
    assert at.info[0].value == "Nothing was trained yet."
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_the_table_tells_what_came_of_each_run(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("good", {0: 1})
    make_trained("broken", status="failed", best_epoch=0, metrics={}, recipe="vgg16-digits")
    table = open_page(RUNS).dataframe[0].value.set_index("name")
    assert table.loc["good", "accuracy"] == pytest.approx(97.5)
    assert table.loc["good", "status"] == "finished"
    assert table.loc["good", "epochs"] == "1 of 1"
    assert table.loc["broken", "status"] == "failed"
    assert table.loc["broken", "network"] == "vgg16"
    assert table["accuracy"].isna()["broken"]


def test_without_a_choice_the_page_says_how_to_choose(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained()
    at = open_page(RUNS)
    assert "Choose a row" in at.caption[0].value
    assert "Delete" not in labels(at)


def test_a_chosen_run_is_shown_in_detail(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("<i>chosen</i> *one*")
    make_trained("other")
    at = choose_row(open_page(RUNS), run.name)
    assert not at.exception
    assert at.subheader[-1].value == r"\<i\>chosen\</i\> \*one\*"
    assert at.metric[0].value == "100.00 %"
    assert '"train_images": null' in at.code[0].value
    assert run.id in at.caption[-1].value


def test_a_failed_run_says_why_and_what_to_do(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    error = Failure(kind="work", sentence="There is no disk left.", advice="Make room.")
    make_trained("broken", status="failed", best_epoch=0, metrics={}, error=error)
    at = choose_row(open_page(RUNS), "broken")
    assert at.error[0].value == r"There is no disk left\. Make room\."


def test_a_damaged_run_is_listed_and_hides_no_other(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path
) -> None:
    make_trained("whole")
    at = open_page(RUNS)
    assert not at.exception
    assert list(at.dataframe[0].value["name"]) == ["whole"]
    assert damaged_folder.name in at.warning[0].value.replace("\\", "")
    assert "config.json cannot be read" in at.warning[0].value.replace("\\", "")


def test_a_workspace_of_nothing_but_a_damaged_run_opens(
    open_page: OpenPage, damaged_folder: Path
) -> None:
    at = open_page(RUNS)
    assert not at.exception
    assert len(at.warning) == 1
    assert not at.dataframe


def test_deletion_asks_before_it_deletes(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("doomed *one*")
    at = choose_row(open_page(RUNS), "doomed *one*")
    button(at, "Delete").click()
    at.run()
    assert r"**doomed \*one\***" in at.markdown[-1].value
    assert len(runs.all()) == 1
    assert not confirm(at).exception
    assert runs.all() == []


def test_a_damaged_run_can_be_deleted(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path, runs: Runs
) -> None:
    make_trained("whole")
    at = open_page(RUNS)
    button(at, "Delete").click()
    at.run()
    assert not confirm(at).exception
    assert not damaged_folder.exists()
    assert len(runs.all()) == 1


def test_a_run_at_work_cannot_be_deleted(
    open_page: OpenPage, make_running: Callable[[], Run]
) -> None:
    make_running()
    at = choose_row(open_page(RUNS), "at work")
    delete = button(at, "Delete")
    assert delete.disabled
    assert "stopped first" in delete.help


def test_watching_leads_to_the_run_on_the_train_page(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("watched")
    make_trained("other")
    at = choose_row(open_page(RUNS), "watched")
    button(at, "Watch").click()
    at.run()
    assert at.title[0].value == "Train"
    assert at.query_params["run"] == run.id
