import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core import estimates
from core.choices import settings_of
from core.estimates import Estimate, Machine, PhaseEstimate
from core.metrics import append_event
from core.processes import ProcessIdentity
from core.recipes import RECIPES
from core.run_files import Failure
from core.runs import Run, Runs

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
TRAIN = "pages/2_Train.py"
NETWORK, RUN = ":material/account_tree: Network", ":material/monitoring: Run"


def widgets(at: AppTest) -> list[Any]:
    """All that the page asks for, of whatever kind."""
    return [*at.number_input, *at.text_input, *at.selectbox, *at.toggle]


def setting(at: AppTest, label: str) -> Any:
    """The widget of that label."""
    (found,) = [widget for widget in widgets(at) if widget.label == label]
    return found


def value(at: AppTest, label: str) -> Any:
    return setting(at, label).value


def labels(at: AppTest) -> set[str]:
    return {widget.label for widget in widgets(at)}


def change(at: AppTest, label: str, value: object) -> AppTest:
    setting(at, label).set_value(value)
    return at.run()


def edit(at: AppTest, key: str, *, edited: object = None, added: object = None) -> AppTest:
    """Change cells of a table of layers by row and column, or add rows."""
    changes = {"edited_rows": edited or {}, "added_rows": added or [], "deleted_rows": []}
    at.session_state[key] = changes
    return at.run()


def button(at: AppTest, label: str) -> Button:
    (found,) = [button for button in at.button if button.label == label]
    return found


def click(at: AppTest, label: str) -> AppTest:
    button(at, label).click()
    return at.run()


def look_at(at: AppTest, tab: str) -> AppTest:
    at.session_state["shown"] = tab
    return at.run()


def figures(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def captions(at: AppTest) -> str:
    return " | ".join(caption.value.replace("\\", "") for caption in at.caption)


def changed(at: AppTest) -> list[str]:
    return [c.value.replace("\\", "") for c in at.caption if c.value.startswith("Changed")]


def watched(at: AppTest) -> str:
    return str(value(at, "Run"))


# --- The form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_opens_as_it_is(open_page: OpenPage, recipe: str) -> None:
    at = change(open_page(TRAIN), "Recipe", recipe)
    assert not at.exception
    assert not at.error
    assert changed(at) == []


def test_every_setting_can_be_changed_somewhere(open_page: OpenPage) -> None:
    asked: set[str] = set()
    for recipe in RECIPES:
        at = change(open_page(TRAIN), "Recipe", recipe)
        keys = [str(widget.key) for widget in widgets(at)]
        asked |= {key.removeprefix(f"{recipe}.").removesuffix(".kind") for key in keys}
    in_tables = {f"network.head.{name}" for name in ("dense", "activation", "dropout")}
    in_tables.add("network.blocks")
    only_after_a_choice = {
        *("weight_decay", "decay.epochs", "augmentation.fill", "augmentation.passes"),
        *("nesterov", "early_stopping.monitor"),
    }
    known = set(settings_of(RECIPES["cnn-digits"].config)) - {"recipe", "data.classes"}
    assert known - asked - in_tables <= only_after_a_choice


@pytest.mark.parametrize(
    ("recipe", "counted"),
    [
        ("cnn-digits", {"Parameters": "887,530", "Trained": "887,530"}),
        (
            "vgg16-digits",
            {"Parameters": "14,982,474", "Trained": "267,786", "Frozen": "14,714,688"},
        ),
    ],
)
def test_parameters_are_counted_before_the_launch(
    open_page: OpenPage, recipe: str, counted: dict[str, str]
) -> None:
    at = change(open_page(TRAIN), "Recipe", recipe)
    assert figures(at) == counted


def test_settings_that_were_changed_are_listed(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Epochs", 3)
    at = change(at, "Training images", 1000)
    assert changed(at) == ["Changed: train_images all → 1000; epochs 1 → 3"]


def test_each_recipe_keeps_its_own_changes(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Epochs", 3)
    at = change(at, "Recipe", "vgg16-digits")
    assert value(at, "Epochs") == 1
    at = change(at, "Recipe", "cnn-digits")
    assert value(at, "Epochs") == 3


def test_what_was_set_is_there_again_after_another_page(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    at = change(at, "Epochs", 3)
    at = edit(at, "vgg16-digits.network.head.dense", edited={0: {"units": 64}})
    at.switch_page("pages/3_Runs.py").run()
    at.switch_page(TRAIN).run()
    assert value(at, "Recipe") == "vgg16-digits"
    assert changed(at) == ["Changed: dense 512 → 64; epochs 1 → 3"]


@pytest.mark.parametrize(
    ("optimizer", "shown", "rate"),
    [
        ("sgd", {"Momentum"}, 0.01),
        ("adam", set(), 0.001),
        ("adamw", {"Weight decay"}, 0.001),
        ("rmsprop", set(), 0.003),
    ],
)
def test_each_optimizer_brings_its_settings_and_its_usual_rate(
    open_page: OpenPage, optimizer: str, shown: set[str], rate: float
) -> None:
    at = change(change(open_page(TRAIN), "Optimizer", "adagrad"), "Optimizer", optimizer)
    assert labels(at) & {"Momentum", "Nesterov", "Weight decay"} == shown
    assert value(at, "Learning rate") == rate


def test_nesterov_is_asked_for_with_momentum(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Optimizer", "sgd")
    at = change(change(at, "Momentum", 0.9), "Nesterov", True)
    assert not at.error
    assert "nesterov False → True" in changed(at)[0]


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ("one_cycle", set()),
        ("constant", {"Warm-up epochs"}),
        ("time", {"Warm-up epochs", "Decay per step"}),
        ("step", {"Warm-up epochs", "Falls by the factor", "Epochs per fall"}),
    ],
)
def test_each_schedule_brings_its_settings(
    open_page: OpenPage, schedule: str, shown: set[str]
) -> None:
    at = change(open_page(TRAIN), "Schedule", schedule)
    asked = {"Warm-up epochs", "Decay per step", "Falls by the factor", "Epochs per fall",
             "Patience in epochs", "What must improve", "Lowest rate"}  # fmt: skip
    assert labels(at) & asked == shown


def test_the_learning_rate_is_drawn_where_its_section_is_open(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Schedule", "plateau")
    closed = len(at.get("bidi_component"))
    at.session_state["cnn-digits.Learning-rate schedule"] = True
    at.run()
    assert len(at.get("bidi_component")) == closed + 1
    assert "the most it can be" in captions(at)


def test_another_architecture_makes_a_whole_of_it(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Architecture", "vgg16")
    assert not at.error
    assert value(at, "Transfer mode") == "transfer"
    assert value(at, "Starting weights") == "bundled"
    assert value(at, "Image side in pixels") == 32
    assert "weights ImageNet (bundled)" in at.toast[0].value.replace("\\", "")
    at = change(at, "Transfer mode", "finetune")
    assert value(at, "Frozen layers") == "block4"


@pytest.mark.parametrize(("frozen", "trained"), [("mixed10", "131,786"), (0, "21,900,138")])
def test_frozen_layers_are_those_up_to_a_block(
    open_page: OpenPage, frozen: str | int, trained: str
) -> None:
    at = change(open_page(TRAIN), "Recipe", "inceptionv3-cifar10-finetune")
    assert setting(at, "Frozen layers").options[0] == "the first 250 layers"
    at = change(at, "Frozen layers", frozen)
    assert not at.error
    assert figures(at)["Trained"] == trained


def test_a_missing_weights_file_is_told_before_the_launch(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    at = change(at, "Starting weights", "file")
    assert "Name the weights file" in at.info[0].value
    assert button(at, "Launch").disabled
    at = change(at, "Weights file", "/nowhere/weights.h5")
    assert "which is no file" in at.error[0].value
    assert button(at, "Launch").disabled
    assert value(at, "Weights file") == "/nowhere/weights.h5"


def test_another_runs_weights_can_be_chosen(open_page: OpenPage, make_trained: MakeTrained) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    assert "Another run …" not in setting(at, "Starting weights").options
    source = make_trained("source", recipe="vgg16-digits")
    source.folder.model.mkdir()
    source.folder.weights("best").touch()
    at = change(at.run(), "Starting weights", "run")
    assert not at.error
    assert value(at, "Whose weights") == f"run:{source.id}"
    at = change(change(at, "Starting weights", "file"), "Weights file", "/nowhere/a.npz")
    assert value(change(at, "Starting weights", "run"), "Whose weights") == f"run:{source.id}"


def test_dense_layers_are_a_table(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    layer = {"units": 64, "activation": "tanh", "dropout": 0.1}
    at = edit(at, "vgg16-digits.network.head.dense", edited={0: {"units": 128}}, added=[layer])
    assert not at.exception
    assert changed(at) == [
        "Changed: dense 512 → 128, 64; activation relu → relu, tanh; dropout 0.4 → 0.4, 0.1"
    ]


def test_no_dense_layer_at_all_can_be_trained(open_page: OpenPage) -> None:
    at = open_page(TRAIN)
    gone = {"edited_rows": {}, "added_rows": [], "deleted_rows": [0]}
    at.session_state["cnn-digits.network.head.dense"] = gone
    at.run()
    assert not at.error
    assert not button(at, "Launch").disabled


def test_blocks_of_the_cnn_are_a_table(open_page: OpenPage) -> None:
    block = {"filters": 128, "kernel": 3, "convolutions": 1, "pooling": "max", "dropout": 0.25,
             "batch_normalization": True}  # fmt: skip
    at = edit(open_page(TRAIN), "cnn-digits.network.blocks", added=[block])
    assert not at.exception
    assert not at.error
    assert "blocks" in changed(at)[0]


def test_what_cannot_be_is_told_in_a_sentence_and_nothing_is_lost(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Epochs", 7)
    at = change(at, "Image side in pixels", 3)
    assert at.error[0].value.replace("\\", "").startswith("Side must be at least 4 for cnn, got 3")
    assert button(at, "Launch").disabled
    assert button(at, "Estimate time and memory").disabled
    assert (value(at, "Epochs"), value(at, "Image side in pixels")) == (7, 3)
    at = change(at, "Image side in pixels", 28)
    assert not at.error
    assert not button(at, "Launch").disabled


def test_mirrored_digits_are_warned_of(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Horizontal flip", True)
    assert "wrong digit" in at.warning[0].value
    at = change(at, "Dataset", "fashion_mnist")
    assert not at.warning


def test_the_page_says_how_often_frozen_layers_run(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    assert "run once over each image" in captions(at)
    assert "Variations kept" not in labels(at)
    at = change(at, "Zoom", 0.1)
    assert "run in every epoch" in captions(at)
    at = change(at, "Variations kept", 4)
    assert "once over 4 variations" in captions(at)


def test_features_are_not_varied(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-digits")
    at = change(change(at, "Zoom", 0.1), "Transfer mode", "features")
    assert not at.error
    assert "Zoom" not in labels(at)
    assert "Off in mode features" in captions(at)
    assert value(change(at, "Transfer mode", "transfer"), "Zoom") == 0.1


def test_class_weights_can_be_written_by_hand(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Class weights", "by hand")
    assert value(at, "Weight of each class") == ", ".join("1" * 10)
    at = change(at, "Weight of each class", "1, 2, x")
    assert "must be a number" in at.error[0].value
    at = change(at, "Weight of each class", "1, 2, 1, 1, 1, 1, 1, 1, 1, 1")
    assert not at.error


def test_a_recipe_with_downloads_says_so(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "inceptionv3-cifar10-transfer")
    assert "Keras's download" in captions(at)


# --- A folder of images -------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a picture file of each of three classes in both parts; nobody opens them."""
    for part in ("train", "test"):
        for name in ("cat", "dog", "emu"):
            path = tmp_path / "images" / part / name / "1.png"
            path.parent.mkdir(parents=True)
            path.touch()
    return tmp_path / "images"


def test_a_folder_is_asked_for_first(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Recipe", "mobilenet-folder")
    assert not at.exception
    assert "Name the folder" in at.info[0].value
    assert button(at, "Launch").disabled
    assert "Drawn for 2 classes" in captions(at)


def test_a_folder_that_was_named_counts_its_classes(open_page: OpenPage, folder: Path) -> None:
    at = change(open_page(TRAIN), "Recipe", "mobilenet-folder")
    at = change(at, "Folder of images", str(folder))
    assert not at.error
    assert not button(at, "Launch").disabled
    assert figures(at)["Trained"] == "771"  # (256 + 1) * 3


def test_a_folder_without_images_is_told(open_page: OpenPage, tmp_path: Path) -> None:
    at = change(open_page(TRAIN), "Recipe", "vgg16-folder")
    at = change(at, "Folder of images", str(tmp_path))
    assert "train/CLASS/" in at.error[0].value.replace("\\", "")
    assert button(at, "Launch").disabled


def test_each_phase_can_be_looked_at(open_page: OpenPage, folder: Path) -> None:
    at = change(open_page(TRAIN), "Recipe", "mobilenet-folder")
    at = change(at, "Folder of images", str(folder))
    (phase,) = at.segmented_control
    assert phase.options == ["Phase 1: epochs 1 to 50", "Phase 2: epochs 51 to 100"]
    phase.set_value("Phase 2: epochs 51 to 100")
    at.run()
    assert figures(at)["Trained"] == "213,843"


# --- The estimate -------------------------------------------------------------------------------


@pytest.mark.usefixtures("idle_runner")
def test_an_estimate_is_shown_kept_and_goes_with_the_run(open_page: OpenPage, runs: Runs) -> None:
    at = change(open_page(TRAIN), "Training images", 100)
    at = change(at, "Test images", 100)
    assert "Whole run" not in figures(at)
    button(at, "Estimate time and memory").click()
    at.run(timeout=200)
    assert not at.exception
    assert {"An epoch", "Whole run", "Memory"} <= figures(at).keys()
    at = change(at, "Epochs", 2)
    assert "Whole run" in figures(at)
    assert "Whole run" not in figures(change(at, "Batch size", 50))
    click(change(at, "Batch size", 86), "Launch")
    (run,) = runs.all()
    kept = estimates.kept(run)
    assert kept is not None
    assert kept.phases[0].steps == 2


def test_more_memory_than_there_is_cannot_be_launched(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Image side in pixels", 512)
    at = change(at, "Batch size", 65_536)
    assert "memory" in at.error[0].value
    assert button(at, "Launch").disabled


def test_a_run_says_how_far_off_its_estimate_was(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("estimated", peak_memory=1_100_000_000)
    run.folder.metrics.unlink()
    event = {"event": "epoch", "epoch": 1, "phase": 1, "complete": True, "seconds": 49.0}
    append_event(run.folder.metrics, event)
    phase = PhaseEstimate(epochs=1, batch_size=86, steps=698, evaluated=10_000, seconds=50.0,
                          first=2.0, features_seconds=0.0, cache_bytes=0, not_kept=None,
                          memory=1_000_000_000, batch_memory=500_000_000)  # fmt: skip
    expected = Estimate(created=datetime.now().astimezone(), precision="float32",
                        machine=Machine(cores=2, memory=2**34), train_images=60_000,
                        validation_images=10_000, test_images=10_000, preparation=3.0, mapped=0,
                        phases=(phase,))  # fmt: skip
    estimates.keep(expected, run)
    told = captions(open_page(TRAIN, run=run.id))
    assert "Estimated 52 s an epoch, took 49 s (6 % less); 954 MiB of memory" in told


# --- Launching and watching ---------------------------------------------------------------------


def test_an_empty_workspace_says_what_to_do(open_page: OpenPage) -> None:
    at = open_page(TRAIN)
    assert not at.exception
    assert not button(at, "Launch").disabled
    assert "Launch the recipe as it is" in look_at(at, RUN).info[0].value


@pytest.mark.usefixtures("idle_runner")
def test_launching_queues_a_run_with_the_chosen_settings(open_page: OpenPage, runs: Runs) -> None:
    at = change(open_page(TRAIN), "Epochs", 2)
    at = change(at, "Training images", 300)
    at = change(at, "Watch while training", 0.1)
    at = change(at, "Name", "mine")
    click(at, "Launch")
    assert not at.exception
    (run,) = runs.all()
    assert (run.name, run.status) == ("mine", "queued")
    assert (run.config.epochs, run.config.data.train_images) == (2, 300)
    assert run.config.data.validation == 0.1
    assert watched(at) == run.id
    assert "Waiting" in at.get("progress")[0].proto.text


@pytest.mark.usefixtures("idle_runner")
def test_a_recipe_left_as_it_is_is_launched_as_it_is(open_page: OpenPage, runs: Runs) -> None:
    at = open_page(TRAIN)
    click(at, "Launch")
    (run,) = runs.all()
    assert run.config == RECIPES["cnn-digits"].config


@pytest.mark.usefixtures("idle_runner")
def test_the_launched_run_is_shown_instead_of_the_one_watched(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    earlier = make_trained("earlier")
    at = open_page(TRAIN, run=earlier.id)
    assert watched(at) == earlier.id
    click(at, "Launch")
    (launched,) = [run for run in runs.all() if run.id != earlier.id]
    assert watched(at) == launched.id
    assert at.query_params["run"] == launched.id


@pytest.mark.usefixtures("idle_runner")
def test_a_waiting_run_can_be_stopped(open_page: OpenPage, runs: Runs) -> None:
    at = open_page(TRAIN)
    click(at, "Launch")
    click(at, "Stop")
    assert [run.status for run in runs.all()] == ["stopped"]
    assert "Stop" not in [button.label for button in at.button]


def test_a_name_that_is_taken_is_told_in_a_sentence(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("mine")
    at = change(open_page(TRAIN), "Name", "mine")
    click(at, "Launch")
    assert "already" in at.error[0].value
    assert "Parameters" in figures(at)
    assert len(runs.all()) == 1


def test_the_address_chooses_the_run(open_page: OpenPage, make_trained: MakeTrained) -> None:
    made = [make_trained(name) for name in ("one", "two", "three")]
    for run in made:
        assert watched(open_page(TRAIN, run=run.id)) == run.id


def test_an_unknown_run_in_the_address_is_told(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("one")
    at = open_page(TRAIN, run="../../etc")
    assert not at.exception
    assert "cannot be shown here" in at.warning[0].value
    assert watched(at) == run.id


def test_a_finished_run_shows_its_results(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("done", {0: 1})
    at = open_page(TRAIN, run=run.id)
    assert figures(at)["Test accuracy"] == "97.50 %"
    assert figures(at)["Time"] == "1 min 05 s"
    assert {link.label for link in at.get("page_link")} >= {"Compare it", "Draw for it"}
    assert "Estimated" not in captions(at)


def test_a_run_at_work_shows_how_far_it_is(
    open_page: OpenPage, make_trained: MakeTrained, make_running: Callable[[], Run]
) -> None:
    run = make_running()
    make_trained("newer")
    at = open_page(TRAIN)  # it begins with the run, since one is at work
    assert watched(at) == run.id
    text = at.get("progress")[0].proto.text
    assert text == "Epoch 1 of 1: training, 3 of 698 batches"


def test_epochs_of_both_phases_are_counted(
    open_page: OpenPage, make_running: Callable[[], Run], runs: Runs
) -> None:
    run = make_running()
    two_phases = runs.create(RECIPES["vgg16-folder"].config, "two phases")
    two_phases.write_state(**{key: value for key, value in run.state if key != "queued"})
    text = open_page(TRAIN, run=two_phases.id).get("progress")[0].proto.text
    assert text.startswith("Epoch 1 of 100: training")


def test_what_a_run_remarked_on_is_told_the_latest_first(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    run = make_trained("remarkable")
    for epoch in range(2, 6):
        note = {"event": "note", "epoch": epoch, "text": f"Remark *{epoch}*."}
        append_event(run.folder.metrics, note)
    append_event(run.folder.metrics, {"event": "note", "text": "stopped"})
    at = open_page(TRAIN, run=run.id)
    told = [c.value for c in at.caption if "emark" in c.value or c.value == "stopped"]
    assert told[:2] == ["stopped", r"**After epoch 5** · Remark \*5\*\."]
    assert "Earlier remarks (2)" in [expander.label for expander in at.expander]


def test_stopping_asks_the_worker_to_stop(
    open_page: OpenPage, make_running: Callable[[], Run], runs: Runs
) -> None:
    run = make_running()
    at = open_page(TRAIN, run=run.id)
    click(at, "Stop")
    assert runs.again(run).status == "stopping"
    assert button(at, "Stopping …").disabled


def test_a_failed_run_says_why_and_what_to_do(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    error = Failure(kind="work", sentence="No *weights* here.", advice="Download them.")
    run = make_trained("failed", status="failed", best_epoch=0, metrics={}, error=error)
    run.folder.log.write_text("line 1\nline 2\n")
    at = open_page(TRAIN, run=run.id)
    assert not at.exception
    assert at.error[0].value == r"No \*weights\* here\. Download them\."
    assert "line 2" in at.code[0].value
    assert figures(at)["Test accuracy"] == "–"


def test_a_run_whose_process_is_gone_says_so(
    open_page: OpenPage,
    make_running: Callable[[], Run],
    other_process: tuple[subprocess.Popen[str], ProcessIdentity],
) -> None:
    run = make_running()
    other_process[0].kill()
    other_process[0].wait()
    at = open_page(TRAIN, run=run.id)
    assert not at.exception
    assert "ended without a word" in at.warning[0].value
    assert "Stop" not in [button.label for button in at.button]


def test_a_run_deleted_while_it_is_watched_is_told(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    kept, doomed = make_trained("kept"), make_trained("doomed")
    at = open_page(TRAIN, run=doomed.id)
    runs.delete(doomed)
    at.run()
    assert not at.exception
    assert watched(at) == kept.id
