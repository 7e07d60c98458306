from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.feature_cache import FeatureCache
from core.preferences import load_preferences
from core.run_files import Failure
from core.runs import Run, Runs
from core.workspace import Workspace

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
    assert r"\<i\>chosen\</i\> \*one\*" in [heading.value for heading in at.subheader]
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


def keep_features(workspace: Workspace, key: str) -> None:
    """Keep the output of some frozen layers, 1 MiB of it."""
    cache = FeatureCache(workspace.features, 2**30)
    cache.store({"key": key}, [(1, 2**18)], np.float32, [(np.zeros((1, 2**18), np.float32),)])


def stored(at: AppTest) -> str:
    """What the page says of the cache."""
    return str(at.get("progress")[-1].proto.text)


def test_storage_tells_what_is_kept(open_page: OpenPage, workspace: Workspace) -> None:
    assert "nothing yet" in stored(open_page(RUNS))
    assert button(open_page(RUNS), "Clear").disabled
    for key in "ab":
        keep_features(workspace, key)
    assert stored(open_page(RUNS)) == "Output of frozen layers: 2.0 MiB of 20.0 GiB, in 2 parts"


def test_the_limit_of_the_cache_can_be_changed(open_page: OpenPage, workspace: Workspace) -> None:
    keep_features(workspace, "a")
    at = open_page(RUNS)
    at.number_input(key="cache_limit").set_value(0.5)
    at.run()
    assert not at.exception
    assert load_preferences(workspace).cache_limit == 2**29
    assert "of 512.0 MiB" not in stored(at)
    assert "of 512 MiB" in stored(at)


def test_clearing_the_cache_asks_first(open_page: OpenPage, workspace: Workspace) -> None:
    keep_features(workspace, "a")
    at = open_page(RUNS)
    button(at, "Clear").click()
    at.run()
    assert "**1.0 MiB**" in at.markdown[-1].value
    assert "1 part" in stored(at)
    button(at, "Clear").click()
    button(at, "Clear it").click()
    at.run()
    assert not at.exception
    assert list(workspace.features.iterdir()) == []


def test_preferences_that_cannot_be_read_are_told(
    open_page: OpenPage, workspace: Workspace
) -> None:
    workspace.root.mkdir(parents=True)
    workspace.preferences.write_text("{")
    at = open_page(RUNS)
    assert not at.exception
    assert "preferences" in at.error[0].value
