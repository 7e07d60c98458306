import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.preferences import load_preferences
from core.registry.predictions import write_epoch
from core.registry.run import Run
from core.registry.run_files import Failure
from core.registry.runs import Runs
from core.training.feature_cache import FeatureCache
from core.training.metrics import append_event
from core.workspace import PROJECT, Workspace
from ui.runs.queue import Wake
from ui.units import size

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
RUNS = "pages/3_Runs.py"


def choose(at: AppTest, *names: str) -> AppTest:
    """Tick the rows of runs, and no others."""
    shown = list(at.dataframe[0].value["name"])
    rows = [shown.index(name) for name in names]
    at.session_state["runs_table"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return at.run()


def ticked(at: AppTest) -> list[str]:
    """The names of the runs whose rows are ticked."""
    shown = list(at.dataframe[0].value["name"])
    return [shown[row] for row in at.session_state["runs_table"]["selection"]["rows"]]


def names(at: AppTest) -> list[str]:
    """The runs that the table shows, from its top."""
    return list(at.dataframe[0].value["name"])


def button(at: AppTest, label: str, key: str = "") -> Button:
    return next(b for b in at.button if b.label == label and (b.key or "").startswith(key))


def confirm(at: AppTest, opens: str, answer: str) -> AppTest:
    """Click in the dialog.

    AppTest then reruns the whole page, so the button that opens the dialog is held down too.
    """
    button(at, opens).click()
    button(at, answer).click()
    return at.run()


def labels(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def subheaders(at: AppTest) -> list[str]:
    return [heading.value for heading in at.subheader]


# --- the table --------------------------------------------------------------------------------


def test_an_empty_workspace_says_where_to_begin(open_page: OpenPage) -> None:
    at = open_page(RUNS)
    assert not at.exception
    assert any("Nothing was trained yet" in text.value for text in at.caption)
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_the_table_tells_what_came_of_each_run(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    good = make_trained("good", {0: 1}, curve=(2.0, 1.0, 0.5))
    runs.tag(good, ["paper"])
    runs.annotate(good, "with\nless dropout")
    make_trained("broken", status="failed", best_epoch=0, metrics={}, recipe="vgg16-digits")
    table = open_page(RUNS).dataframe[0].value.set_index("name")
    assert table.loc["good", "accuracy"] == pytest.approx(97.5)
    assert table.loc["good", "val_loss"] == pytest.approx(0.0943)
    assert table.loc["good", "epochs"] == "1 of 1"
    assert table.loc["good", "time"].total_seconds() == 65
    assert table.loc["good", "note"] == "with less dropout"
    assert list(table.loc["good", "tags"]) == ["paper"]
    assert list(table.loc["good", "curve"]) == [2.0, 1.0, 0.5]
    assert list(table.loc["good", "status"]) == ["finished"]
    assert list(table.loc["broken", "status"]) == ["failed"]
    assert table.loc["broken", ["architecture", "mode", "dataset"]].tolist() == [
        "vgg16",
        "transfer",
        "mnist",
    ]
    assert table["accuracy"].isna()["broken"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"search": "BASE line"}, ["baseline, second", "baseline, first"]),
        ({"search": "base first"}, ["baseline, first"]),
        ({"search": "paper"}, ["other"]),
        ({"search": "dropout"}, ["other"]),
        ({"search": "vgg16-digits"}, ["other"]),
        ({"status": "stopped"}, ["baseline, second"]),
        ({"network": "vgg16"}, ["other"]),
        ({"dataset": "mnist"}, ["other", "baseline, second", "baseline, first"]),
        ({"tag": "paper"}, ["other"]),
        ({"status": "finished", "network": "cnn"}, ["baseline, first"]),
    ],
    ids=str,
)
def test_runs_are_searched_and_filtered_by_the_address(
    open_page: OpenPage,
    make_trained: MakeTrained,
    runs: Runs,
    parameters: dict[str, str],
    expected: list[str],
) -> None:
    make_trained("baseline, first")
    make_trained("baseline, second", status="stopped")
    other = make_trained("other", recipe="vgg16-digits")
    runs.tag(other, ["paper"])
    runs.annotate(other, "less dropout")
    at = open_page(RUNS, **parameters)
    assert not at.exception
    assert names(at) == expected


def test_where_no_run_fits_all_can_be_had_again(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("one")
    at = open_page(RUNS, search="nothing is called so")
    assert any("No run fits" in text.value for text in at.markdown)
    button(at, "Show all runs").click()
    assert names(at.run()) == ["one"]


def test_without_a_choice_the_page_says_how_to_choose(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained()
    at = open_page(RUNS)
    assert any("Choose a row" in caption.value for caption in at.caption)
    assert "Delete" not in labels(at)


def test_a_link_opens_with_its_runs_chosen(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("linked")
    make_trained("other")
    at = open_page(RUNS, run=run.id)
    assert ticked(at) == ["linked"]
    assert "linked" in subheaders(at)


def test_a_choice_stays_with_its_run_when_rows_move(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("old")
    make_trained("chosen")
    at = choose(open_page(RUNS), "chosen")
    make_trained("newest")
    at.run()
    assert names(at) == ["newest", "chosen", "old"]
    assert ticked(at) == ["chosen"]
    assert "chosen" in subheaders(at)


def test_a_choice_outlasts_a_search_that_hides_it(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    for name in ("first", "second", "third"):
        make_trained(name)
    at = choose(open_page(RUNS), "first", "second")
    at.text_input(key="search").set_value("third")
    at = choose(at.run(), "third")
    assert "3 runs" in subheaders(at)
    at.text_input(key="search").set_value("")
    assert ticked(at.run()) == ["third", "second", "first"]


def test_none_can_be_chosen_at_once(open_page: OpenPage, make_trained: MakeTrained) -> None:
    make_trained("one")
    at = choose(open_page(RUNS), "one")
    button(at, "Choose none").click()
    at.run()
    assert ticked(at) == []
    assert "one" not in subheaders(at)


# --- one run ----------------------------------------------------------------------------------


def test_a_chosen_run_is_shown_in_full(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("<i>chosen</i> *one*")
    make_trained("other")
    at = choose(open_page(RUNS), run.name)
    assert not at.exception
    assert r"\<i\>chosen\</i\> \*one\*" in subheaders(at)
    assert at.metric[0].value == "100.00 %"
    assert any(run.id in caption.value for caption in at.caption)


def test_the_settings_of_a_run_are_listed_with_what_differs_from_its_recipe(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("set otherwise")
    at = choose(open_page(RUNS), run.name)
    folded = len(at.dataframe)
    table = unfold(at, "settings", run).dataframe[folded].value.set_index("Setting")
    assert table.loc["Optimizer", "Value"] == "RMSprop"
    changed = table[table["In the recipe"] != ""]
    assert changed[["Value", "In the recipe"]].to_dict("index") == {
        "Test images": {"Value": "40", "In the recipe": "all"}
    }
    assert any('"train_images": null' in code.value for code in at.code)


def test_a_failed_run_says_why_and_what_to_do(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    error = Failure(kind="work", sentence="There is no disk left.", advice="Make room.")
    make_trained("broken", status="failed", best_epoch=0, metrics={}, error=error)
    at = choose(open_page(RUNS), "broken")
    assert r"There is no disk left\." in at.error[0].value
    assert r"Make room\." in at.error[0].value


def test_a_run_that_somebody_deletes_is_told_and_the_page_goes_on(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    run = make_trained("doomed")
    make_trained("other")
    at = choose(open_page(RUNS), "doomed")
    runs.delete(run)
    at.run()
    assert not at.exception
    assert at.warning[0].value == "Deleted meanwhile: doomed. Choose another run."
    assert names(at) == ["other"]
    at.run()
    assert not at.warning


@pytest.fixture
def with_epochs(make_trained: MakeTrained) -> Run:
    """A run of three epochs, the third the best; 1 and 3 kept weights, 1 and 2 predictions."""
    run = make_trained("several", {0: 1}, epochs_done=3, best_epoch=3)
    write_epoch(run.folder.predictions, 2, np.full((40, 10), 0.1, np.float16))
    for epoch, accuracy in ((2, 0.5), (3, 0.99)):
        event = {"event": "epoch", "epoch": epoch, "val_accuracy": accuracy, "val_loss": 0.5}
        append_event(run.folder.metrics, event)
    run.folder.model.mkdir()
    for epoch in (1, 3):
        run.folder.weights(epoch).write_bytes(b"weights")
    return run


def test_the_epochs_are_listed_with_the_best_first(open_page: OpenPage, with_epochs: Run) -> None:
    at = choose(open_page(RUNS), with_epochs.name)
    table = at.dataframe[1].value
    assert table["epoch"].tolist() == [3, 1, 2]
    assert table["best"].tolist() == ["best", "", ""]
    assert table["weights"].tolist() == [True, True, False]


def test_an_epoch_is_evaluated_from_what_was_stored_after_it(
    open_page: OpenPage, with_epochs: Run
) -> None:
    at = choose(open_page(RUNS), with_epochs.name)
    at.selectbox(key=f"epoch_of_{with_epochs.id}").set_value(1)
    button(at.run(), "Evaluate").click()
    at.run()
    told = at.success[0].value
    assert "Epoch 1: 97.50 %** of 40 test images right" in told
    assert "loss 0.0943" in told
    assert "stored after that epoch" in told


def test_an_epoch_without_stored_predictions_is_evaluated_from_its_weights(
    open_page: OpenPage, trained: Runs
) -> None:
    little = trained.find("little")
    run = trained.create(little.config, "nothing stored")
    try:
        shutil.copytree(little.folder.model, run.folder.model)
        shutil.copy(little.folder.metrics, run.folder.metrics)
        run.write_state(**{key: value for key, value in little.state if key != "queued"})
        at = choose(open_page(RUNS), "nothing stored")
        button(at, "Evaluate").click()
        told = at.run().success[0].value
        assert f"{100 * little.state.metrics['test_accuracy']:.2f} %** of 200 test images" in told
        assert "Computed just now" in told
    finally:
        trained.delete(run)


def test_an_epoch_with_weights_leads_to_predict(open_page: OpenPage, with_epochs: Run) -> None:
    at = choose(open_page(RUNS), with_epochs.name)
    links = {link.proto.label: link.proto for link in at.get("page_link")}
    query = links["Draw for epoch 3 on Predict"].query_string
    assert query == f"run={with_epochs.id}&epoch=3"


def test_name_note_and_tags_can_be_changed(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    run = make_trained("before")
    at = choose(open_page(RUNS), "before")
    next(field for field in at.text_input if field.label == "Name").set_value("after")
    at.text_area[0].set_value("What came of it")
    next(field for field in at.multiselect if field.label == "Tags").set_value(["paper"])
    button(at, "Save").click()
    at.run()
    assert not at.exception
    about = runs.again(run).about
    assert (about.name, about.note, about.tags) == ("after", "What came of it", ("paper",))
    assert names(at) == ["after"]


def test_a_name_that_is_taken_is_told(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("taken")
    run = make_trained("before")
    at = choose(open_page(RUNS), "before")
    next(field for field in at.text_input if field.label == "Name").set_value("taken")
    button(at, "Save").click()
    at.run()
    assert not at.exception
    assert "There is a run named 'taken' already" in at.error[0].value.replace("\\", "")
    assert runs.again(run).name == "before"


def unfold(at: AppTest, part: str, run: Run) -> AppTest:
    at.session_state[f"{part}_{run.id}"] = True
    return at.run()


def test_the_files_of_a_run_are_listed_where_they_are_unfolded(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("filed")
    at = choose(open_page(RUNS), "filed")
    folded = len(at.dataframe)
    table = unfold(at, "files", run).dataframe[folded].value.set_index("Name")
    sizes = [path.stat().st_size for path in run.folder.predictions.iterdir()]
    assert table.loc["predictions"].tolist()[1:] == [len(sizes), size(sum(sizes))]
    assert table.loc["config.json", "For"] == "What was asked for"


def test_the_checkpoint_of_a_finished_run_is_removed_after_a_question(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("large")
    run.folder.checkpoint.mkdir()
    (run.folder.checkpoint / "step-000000001.npz").write_bytes(bytes(2**20))
    at = unfold(choose(open_page(RUNS), "large"), "files", run)
    button(at, "Remove the checkpoint, 1.0 MiB").click()
    at.run()
    assert "can no longer be trained" in at.markdown[-1].value
    assert run.folder.has_checkpoint
    confirm(at, "Remove the checkpoint, 1.0 MiB", "Remove it")
    assert not run.folder.has_checkpoint


def test_the_network_is_drawn_where_it_is_unfolded(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("drawn")
    at = choose(open_page(RUNS), "drawn")
    assert "**All 13 layers**" not in [text.value for text in at.markdown]
    at = unfold(at, "network", run)
    assert not at.exception
    assert any("layers**" in text.value for text in at.markdown)


# --- several runs -----------------------------------------------------------------------------


def test_several_runs_are_laid_over_each_other_with_what_differs(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("cnn")
    make_trained("vgg", recipe="vgg16-digits")
    at = choose(open_page(RUNS), "cnn", "vgg")
    assert not at.exception
    drawn = [element.key for element in at.get("bidi_component")]
    assert {"overlay_loss", "overlay_accuracy"} <= set(drawn)
    table = at.dataframe[1].value
    assert table.columns.tolist() == ["vgg", "cnn"]
    assert table.loc["Recipe"].tolist() == ["vgg16-digits", "cnn-digits"]
    assert table.loc["Architecture"].tolist() == ["VGG16", "CNN"]
    assert "Epochs" not in table.index


def test_two_runs_lead_to_their_comparison(open_page: OpenPage, make_trained: MakeTrained) -> None:
    a, b = make_trained("a"), make_trained("b")
    at = choose(open_page(RUNS), "a", "b")
    links = {link.proto.label: link.proto for link in at.get("page_link")}
    assert links["Compare them"].query_string == f"a={b.id}&b={a.id}"


def test_several_runs_are_tagged_at_once(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    first, second = make_trained("first"), make_trained("second")
    runs.tag(first, ["old", "kept"])
    at = choose(open_page(RUNS), "first", "second")
    button(at, "Tag").click()
    at.run()
    at.multiselect(key="tags_to_add").set_value(["kept"])
    at.multiselect(key="tags_to_take").set_value(["old"])
    confirm(at, "Tag", "Save")
    assert runs.again(first).about.tags == ("kept",)
    assert runs.again(second).about.tags == ("kept",)


def test_several_runs_are_deleted_with_one_question_and_those_that_train_left_out(
    open_page: OpenPage, make_trained: MakeTrained, make_running: Callable[[], Run], runs: Runs
) -> None:
    for name in ("doomed *one*", "doomed two", "kept"):
        make_trained(name)
    make_running()
    at = choose(open_page(RUNS), "doomed *one*", "doomed two", "at work")
    button(at, "Delete").click()
    at.run()
    assert "Left out because it trains: **at work**" in at.warning[0].value
    assert r"**doomed \*one\***" in at.markdown[-1].value
    assert len(runs.all()) == 4
    assert not confirm(at, "Delete", "Delete 2 runs").exception
    assert {run.name for run in runs.all()} == {"kept", "at work"}


def test_a_run_at_work_cannot_be_deleted(
    open_page: OpenPage, make_running: Callable[[], Run]
) -> None:
    make_running()
    at = choose(open_page(RUNS), "at work")
    delete = button(at, "Delete")
    assert delete.disabled
    assert "stopped first" in delete.help


# --- damaged runs -----------------------------------------------------------------------------


def test_a_damaged_run_is_listed_and_hides_no_other(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path
) -> None:
    make_trained("whole")
    at = open_page(RUNS)
    assert not at.exception
    assert names(at) == ["whole"]
    assert damaged_folder.name in at.warning[0].value.replace("\\", "")
    assert "config.json cannot be read" in at.warning[0].value.replace("\\", "")


def test_a_workspace_of_nothing_but_a_damaged_run_opens(
    open_page: OpenPage, damaged_folder: Path
) -> None:
    at = open_page(RUNS)
    assert not at.exception
    assert len(at.warning) == 1
    assert not at.dataframe


def test_a_damaged_run_can_be_deleted(
    open_page: OpenPage, make_trained: MakeTrained, damaged_folder: Path, runs: Runs
) -> None:
    make_trained("whole")
    at = open_page(RUNS)
    button(at, "Delete").click()
    at.run()
    assert not confirm(at, "Delete", "Delete it").exception
    assert not damaged_folder.exists()
    assert len(runs.all()) == 1


# --- the queue --------------------------------------------------------------------------------


@pytest.fixture
def waiting(runs: Runs, config: Any) -> list[Run]:
    """Three runs that wait, in order."""
    return [runs.create(config, name) for name in ("one", "two", "three")]


def queue(runs: Runs) -> list[str]:
    return [run.name for run in runs.queue()]


@pytest.mark.parametrize(
    ("action", "moved", "expected"),
    [
        ("First", "three", ["three", "one", "two"]),
        ("Up", "three", ["one", "three", "two"]),
        ("Down", "one", ["two", "one", "three"]),
        ("Cancel", "two", ["one", "three"]),
    ],
)
def test_the_queue_is_put_in_order_by_buttons(
    open_page: OpenPage,
    waiting: list[Run],
    runs: Runs,
    action: str,
    moved: str,
    expected: list[str],
) -> None:
    at = open_page(RUNS)
    at.button(key=f"queue_{action}_{runs.find(moved).id}").click()
    assert not at.run().exception
    assert queue(runs) == expected


def test_a_run_that_no_longer_waits_cannot_be_moved_and_that_is_told(
    open_page: OpenPage, waiting: list[Run], runs: Runs
) -> None:
    at = open_page(RUNS)
    runs.request_stop(waiting[2])
    at.button(key=f"queue_First_{waiting[2].id}").click()
    at.run()
    assert not at.exception
    assert queue(runs) == ["one", "two"]


def test_the_queue_is_paused_and_goes_on(
    open_page: OpenPage, waiting: list[Run], workspace: Workspace
) -> None:
    at = open_page(RUNS)
    button(at, "Pause the queue").click()
    at.run()
    assert load_preferences(workspace).paused
    assert "The queue is paused" in at.warning[0].value
    button(at, "Go on").click()
    at.run()
    assert not load_preferences(workspace).paused
    assert not at.warning


def test_how_many_train_at_once_can_be_changed(
    open_page: OpenPage, waiting: list[Run], workspace: Workspace
) -> None:
    at = open_page(RUNS)
    at.number_input(key="at_once").set_value(3)
    at.run()
    assert not at.exception
    assert load_preferences(workspace).at_once == 3


@pytest.mark.usefixtures("runners_may_begin")
def test_a_runner_that_does_not_start_is_told_with_what_it_said(
    runs: Runs, config: Any, workspace: Workspace
) -> None:
    runs.create(config, "waits in vain")
    workspace.runner_log.write_text("first\nModuleNotFoundError: No module named 'numpy'\n")
    at = AppTest.from_file(PROJECT / "app.py", default_timeout=200)
    now = time.monotonic()
    at.session_state["_wake"] = Wake(first=now - 100, last=now)
    at.switch_page(RUNS).run()
    assert not at.exception
    said = at.error[0].value.replace("\\", "")
    assert "does not start" in said
    assert "No module named 'numpy'" in said
    assert "Try again" in labels(at)


# --- storage ----------------------------------------------------------------------------------


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
    confirm(at, "Clear", "Clear it")
    assert not at.exception
    assert list(workspace.features.iterdir()) == []


def test_each_kind_of_what_is_kept_is_cleared_by_itself(
    open_page: OpenPage, workspace: Workspace
) -> None:
    keep_features(workspace, "a")
    pixels = np.zeros((1, 2**20), np.uint8)
    FeatureCache(workspace.pictures, 2**30).store({}, [pixels.shape], np.uint8, [(pixels,)])
    at = open_page(RUNS)
    assert "Pictures in the sizes of networks: 1.0 MiB" in [each.value for each in at.markdown]
    at.button(key="clear_pictures").click()
    at.run()
    at.button(key="clear_pictures").click()
    button(at, "Clear it").click()
    at.run()
    assert not at.exception
    assert list(workspace.pictures.iterdir()) == []
    assert len(list(workspace.features.iterdir())) == 1


@pytest.mark.usefixtures("runners_may_begin")
def test_preferences_that_cannot_be_read_are_told(
    open_page: OpenPage, workspace: Workspace
) -> None:
    workspace.root.mkdir(parents=True)
    workspace.preferences.write_text("{")
    at = open_page(RUNS)
    assert not at.exception
    assert "preferences" in at.error[0].value
