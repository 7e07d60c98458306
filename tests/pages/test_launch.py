from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

import core.registry.settings
from core.preferences import change_preferences
from core.registry.choices import settings_of
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.training import estimates
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
OpenForm = Callable[..., AppTest]
TRAIN = "pages/2_Train.py"
NETWORK, RUN = ":material/account_tree: Network", ":material/monitoring: Run"
RECIPE, COMMON, EVERYTHING = "Recipe only", "Common settings", "Everything"


MARK = " ●"


def widgets(at: AppTest) -> list[Any]:
    """All that the page asks for, of whatever kind."""
    return [*at.number_input, *at.text_input, *at.text_area, *at.selectbox, *at.toggle]


def setting(at: AppTest, label: str) -> Any:
    """The widget of that label, marked as changed or not."""
    (found,) = [widget for widget in widgets(at) if widget.label.removesuffix(MARK) == label]
    return found


def value(at: AppTest, label: str) -> Any:
    return setting(at, label).value


def labels(at: AppTest) -> set[str]:
    return {widget.label.removesuffix(MARK) for widget in widgets(at)}


def marked(at: AppTest) -> set[str]:
    """What is marked as changed, sections and tables included."""
    told = [widget.label for widget in [*widgets(at), *at.expander]]
    told += [text.value for text in at.markdown]
    return {text.split(MARK)[0].strip("*") for text in told if MARK in text}


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


def reset(at: AppTest, setting: str, recipe: str = "cnn-digits") -> AppTest:
    """Take one change back."""
    at.button(key=f"{recipe}.reset.{setting}").click()
    return at.run()


def look_at(at: AppTest, tab: str) -> AppTest:
    at.session_state["shown"] = tab
    return at.run()


def show(at: AppTest, level: str) -> AppTest:
    """Show as many settings as a level has."""
    (levels,) = [control for control in at.segmented_control if control.label == "Settings"]
    levels.set_value(level)
    return at.run()


def figures(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def plain(text: str) -> str:
    return text.replace("\\", "")


def captions(at: AppTest) -> str:
    return " | ".join(plain(caption.value) for caption in at.caption)


def changed(at: AppTest) -> list[str]:
    """The changes that are listed."""
    told = [plain(text.value).replace("*", "") for text in at.markdown if " → " in text.value]
    return [text.removeprefix(":small[").removesuffix("]") for text in told]


def watched(at: AppTest) -> str:
    return str(value(at, "Run"))


@pytest.fixture
def form(open_page: OpenPage) -> OpenForm:
    """A function that opens Train with every setting shown, or those of another level."""

    def open_(level: str = EVERYTHING, **parameters: str) -> AppTest:
        return show(open_page(TRAIN, **parameters), level)

    return open_


# --- The form -----------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_opens_as_it_is(form: OpenForm, recipe: str) -> None:
    at = change(form(), "Recipe", recipe)
    assert not at.exception
    assert not at.error
    assert changed(at) == []


def test_every_setting_can_be_changed_somewhere(form: OpenForm) -> None:
    asked: set[str] = set()
    at = form()
    for recipe in RECIPES:
        at = change(at, "Recipe", recipe)
        keys = [str(widget.key) for widget in widgets(at)]
        asked |= {key.removeprefix(f"{recipe}.").removesuffix(".kind") for key in keys}
    in_tables = {f"network.head.{name}" for name in ("dense", "activation", "dropout")}
    in_tables.add("network.blocks")
    only_after_a_choice = {
        *("weight_decay", "decay.epochs", "augmentation.fill", "augmentation.passes"),
        *("nesterov", "early_stopping.monitor"),
    }
    known = set(settings_of(RECIPES["cnn-digits"].config))
    filled_in = {"recipe", "data.classes", "data.handwriting_samples"}
    filled_in |= {"data.digits", "data.fingerprint"}
    assert known - filled_in - asked - in_tables <= only_after_a_choice


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
    form: OpenForm, recipe: str, counted: dict[str, str]
) -> None:
    at = change(form(), "Recipe", recipe)
    assert figures(at) == counted


DENSE = "Dense layers: 512 relu dropout 0.4 → "


def test_settings_that_were_changed_are_listed(form: OpenForm) -> None:
    at = change(form(), "Epochs", 3)
    at = change(at, "Training images", 1000)
    assert changed(at) == ["Training images: all → 1000", "Epochs: 1 → 3"]


def test_each_recipe_keeps_its_own_changes(form: OpenForm) -> None:
    at = change(form(), "Epochs", 3)
    at = change(at, "Recipe", "vgg16-digits")
    assert value(at, "Epochs") == 1
    at = change(at, "Recipe", "cnn-digits")
    assert value(at, "Epochs") == 3


def test_what_was_set_is_there_again_after_another_page(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    at = change(at, "Epochs", 3)
    at = edit(at, "vgg16-digits.network.head.dense", edited={0: {"units": 64}})
    at.switch_page("pages/3_Runs.py").run()
    at.switch_page(TRAIN).run()
    assert value(at, "Recipe") == "vgg16-digits"
    assert changed(at) == ["Epochs: 1 → 3", DENSE + "64 relu dropout 0.4"]


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
    form: OpenForm, optimizer: str, shown: set[str], rate: float
) -> None:
    at = change(change(form(), "Optimizer", "adagrad"), "Optimizer", optimizer)
    assert labels(at) & {"Momentum", "Nesterov", "Weight decay"} == shown
    assert value(at, "Learning rate") == rate


def test_nesterov_is_asked_for_with_momentum(form: OpenForm) -> None:
    at = change(form(), "Optimizer", "sgd")
    at = change(change(at, "Momentum", 0.9), "Nesterov", True)
    assert not at.error
    assert "Nesterov: off → on" in changed(at)


@pytest.mark.parametrize(
    ("schedule", "shown"),
    [
        ("one_cycle", set()),
        ("constant", {"Warm-up epochs"}),
        ("time", {"Warm-up epochs", "Decay per step"}),
        ("step", {"Warm-up epochs", "Falls by the factor", "Epochs per fall"}),
    ],
)
def test_each_schedule_brings_its_settings(form: OpenForm, schedule: str, shown: set[str]) -> None:
    at = change(form(), "Schedule", schedule)
    asked = {"Warm-up epochs", "Decay per step", "Falls by the factor", "Epochs per fall",
             "Patience in epochs", "What must improve", "Lowest rate"}  # fmt: skip
    assert labels(at) & asked == shown


def test_the_learning_rate_is_drawn_where_its_section_is_open(form: OpenForm) -> None:
    at = change(form(), "Schedule", "plateau")
    closed = len(at.get("bidi_component"))
    at.session_state["cnn-digits.Learning-rate schedule"] = True
    at.run()
    assert len(at.get("bidi_component")) == closed + 1
    assert "the most it can be" in captions(at)


def test_another_architecture_makes_a_whole_of_it(form: OpenForm) -> None:
    at = change(form(), "Architecture", "vgg16")
    assert not at.error
    assert value(at, "Transfer mode") == "transfer"
    assert value(at, "Starting weights") == "bundled"
    assert value(at, "Image side in pixels") == 32
    assert "weights ImageNet (bundled)" in at.toast[0].value.replace("\\", "")
    at = change(at, "Transfer mode", "finetune")
    assert value(at, "Frozen layers") == "block4"


@pytest.mark.parametrize(("frozen", "trained"), [("mixed10", "131,786"), (0, "21,900,138")])
def test_frozen_layers_are_those_up_to_a_block(
    form: OpenForm, frozen: str | int, trained: str
) -> None:
    at = change(form(), "Recipe", "inceptionv3-cifar10-finetune")
    assert setting(at, "Frozen layers").options[0] == "the first 250 layers"
    at = change(at, "Frozen layers", frozen)
    assert not at.error
    assert figures(at)["Trained"] == trained


def test_a_missing_weights_file_is_told_before_the_launch(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    at = change(at, "Starting weights", "file")
    assert "Name the weights file" in at.info[0].value
    assert button(at, "Launch").disabled
    at = change(at, "Weights file", "/nowhere/weights.h5")
    assert "which is no file" in at.error[0].value
    assert button(at, "Launch").disabled
    assert value(at, "Weights file") == "/nowhere/weights.h5"


def test_another_runs_weights_can_be_chosen(form: OpenForm, make_trained: MakeTrained) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    assert "Another run …" not in setting(at, "Starting weights").options
    source = make_trained("source", recipe="vgg16-digits")
    source.folder.model.mkdir()
    source.folder.weights(1).touch()
    at = change(at.run(), "Starting weights", "run")
    assert not at.error
    assert value(at, "Whose weights") == f"run:{source.id}"
    at = change(change(at, "Starting weights", "file"), "Weights file", "/nowhere/a.npz")
    assert value(change(at, "Starting weights", "run"), "Whose weights") == f"run:{source.id}"


def test_dense_layers_are_a_table(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    layer = {"units": 64, "activation": "tanh", "dropout": 0.1}
    at = edit(at, "vgg16-digits.network.head.dense", edited={0: {"units": 128}}, added=[layer])
    assert not at.exception
    assert changed(at) == [DENSE + "128 relu dropout 0.4; 64 tanh dropout 0.1"]
    assert marked(at) == {"Head", "Dense layers"}


def test_no_dense_layer_at_all_can_be_trained(form: OpenForm) -> None:
    at = form()
    gone = {"edited_rows": {}, "added_rows": [], "deleted_rows": [0]}
    at.session_state["cnn-digits.network.head.dense"] = gone
    at.run()
    assert not at.error
    assert not button(at, "Launch").disabled


def test_blocks_of_the_cnn_are_a_table(form: OpenForm) -> None:
    block = {"filters": 128, "kernel": 3, "convolutions": 1, "pooling": "max", "dropout": 0.25,
             "batch_normalization": True}  # fmt: skip
    at = edit(form(), "cnn-digits.network.blocks", added=[block])
    assert not at.exception
    assert not at.error
    assert changed(at)[0].endswith("1 of 128 filters 3×3 normalized max pooling dropout 0.25")


def test_what_cannot_be_is_told_in_a_sentence_and_nothing_is_lost(form: OpenForm) -> None:
    at = change(form(), "Epochs", 7)
    at = change(at, "Image side in pixels", 3)
    assert at.error[0].value.replace("\\", "").startswith("Side must be at least 4 for cnn, got 3")
    assert button(at, "Launch").disabled
    assert button(at, "Estimate time and memory").disabled
    assert (value(at, "Epochs"), value(at, "Image side in pixels")) == (7, 3)
    at = change(at, "Image side in pixels", 28)
    assert not at.error
    assert not button(at, "Launch").disabled


def test_mirrored_digits_are_warned_of(form: OpenForm) -> None:
    at = change(form(), "Horizontal flip", True)
    assert "wrong digit" in at.warning[0].value
    at = change(at, "Dataset", "fashion_mnist")
    assert not at.warning


def test_the_page_says_how_often_frozen_layers_run(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    assert "run once over each image" in captions(at)
    assert "Variations kept" not in labels(at)
    at = change(at, "Zoom", 0.1)
    assert "run in every epoch" in captions(at)
    at = change(at, "Variations kept", 4)
    assert "once over 4 variations" in captions(at)


def test_features_are_not_varied(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    at = change(change(at, "Zoom", 0.1), "Transfer mode", "features")
    assert not at.error
    assert "Zoom" not in labels(at)
    assert "Off in mode features" in captions(at)
    assert value(change(at, "Transfer mode", "transfer"), "Zoom") == 0.1


def test_class_weights_can_be_written_by_hand(form: OpenForm) -> None:
    at = change(form(), "Class weights", "by hand")
    assert value(at, "Weight of each class") == ", ".join("1" * 10)
    at = change(at, "Weight of each class", "1, 2, x")
    assert "must be a number" in at.error[0].value
    at = change(at, "Weight of each class", "1, 2, 1, 1, 1, 1, 1, 1, 1, 1")
    assert not at.error


def test_a_recipe_with_downloads_says_so(form: OpenForm) -> None:
    at = change(form(), "Recipe", "inceptionv3-cifar10-transfer")
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


def test_a_folder_is_asked_for_first(form: OpenForm) -> None:
    at = change(form(), "Recipe", "mobilenet-folder")
    assert not at.exception
    assert "Name the folder" in at.info[0].value
    assert button(at, "Launch").disabled
    assert "Drawn for 2 classes" in captions(at)


def test_a_folder_that_was_named_counts_its_classes(form: OpenForm, folder: Path) -> None:
    at = change(form(), "Recipe", "mobilenet-folder")
    at = change(at, "Folder of images", str(folder))
    assert not at.error
    assert not button(at, "Launch").disabled
    assert figures(at)["Trained"] == "771"  # (256 + 1) * 3


def test_a_folder_without_images_is_told(form: OpenForm, tmp_path: Path) -> None:
    at = change(form(), "Recipe", "vgg16-folder")
    at = change(at, "Folder of images", str(tmp_path))
    assert "train/CLASS/" in at.error[0].value.replace("\\", "")
    assert button(at, "Launch").disabled


def test_each_phase_can_be_looked_at(form: OpenForm, folder: Path) -> None:
    at = change(form(), "Recipe", "mobilenet-folder")
    at = change(at, "Folder of images", str(folder))
    (phase,) = [control for control in at.segmented_control if control.label == "Phase of training"]
    assert phase.options == ["Phase 1: epochs 1 to 50", "Phase 2: epochs 51 to 100"]
    phase.set_value("Phase 2: epochs 51 to 100")
    at.run()
    assert figures(at)["Trained"] == "213,843"


# --- The estimate -------------------------------------------------------------------------------


@pytest.mark.usefixtures("told_dry_runs")
def test_an_estimate_is_shown_kept_and_goes_with_the_run(form: OpenForm, runs: Runs) -> None:
    at = change(form(), "Training images", 100)
    at = change(at, "Test images", 50)
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


def test_more_memory_than_there_is_cannot_be_launched(form: OpenForm) -> None:
    at = change(form(), "Image side in pixels", 512)
    at = change(at, "Batch size", 65_536)
    assert "memory" in at.error[0].value
    assert button(at, "Launch").disabled


# --- Launching ----------------------------------------------------------------------------------


def test_an_empty_workspace_says_what_to_do(form: OpenForm) -> None:
    at = form()
    assert not at.exception
    assert not button(at, "Launch").disabled
    assert "Launch the recipe as it is" in captions(look_at(at, RUN))


def test_launching_queues_a_run_with_the_chosen_settings(form: OpenForm, runs: Runs) -> None:
    at = change(form(), "Epochs", 2)
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


def test_a_recipe_left_as_it_is_is_launched_as_it_is(form: OpenForm, runs: Runs) -> None:
    at = form()
    click(at, "Launch")
    (run,) = runs.all()
    assert run.config == RECIPES["cnn-digits"].config


def test_the_launched_run_is_shown_instead_of_the_one_watched(
    form: OpenForm, make_trained: MakeTrained, runs: Runs
) -> None:
    earlier = make_trained("earlier")
    at = form(RECIPE, run=earlier.id)
    assert watched(at) == earlier.id
    click(at, "Launch")
    (launched,) = [run for run in runs.all() if run.id != earlier.id]
    assert watched(at) == launched.id
    assert at.query_params["run"] == launched.id


def test_a_name_that_is_taken_is_told_before_the_launch(
    form: OpenForm, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("mine")
    at = change(form(RECIPE), "Name", "mine")
    assert "already" in at.error[0].value
    assert button(at, "Launch").disabled
    assert not button(change(at, "Name", "mine too"), "Launch").disabled


def test_name_and_note_go_with_the_run_and_begin_anew(form: OpenForm, runs: Runs) -> None:
    at = change(change(form(RECIPE), "Name", "mine"), "Note", "Does it work?")
    at = click(at, "Launch").run()
    (run,) = runs.all()
    assert (run.name, run.about.note) == ("mine", "Does it work?")
    assert (value(at, "Name"), value(at, "Note")) == ("", "")
    assert not at.error


def test_a_run_without_a_name_is_called_as_the_field_says(
    form: OpenForm, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained()
    at = form(RECIPE)
    promised = setting(at, "Name").placeholder
    click(at, "Launch")
    assert runs.all()[0].name == promised == "cnn-digits 2"


def test_a_run_that_begins_at_once_is_told_nothing_of_a_queue(form: OpenForm) -> None:
    assert "queue" not in captions(form(RECIPE))
    assert "wait" not in captions(form(RECIPE))


def test_a_run_that_has_to_wait_is_told_so_before_its_launch(
    form: OpenForm, make_running: Callable[[], Run], runs: Runs
) -> None:
    make_running()
    assert "will wait its turn: 1 run trains now." in captions(form(RECIPE))
    for _ in range(2):
        runs.create(RECIPES["cnn-digits"].config)
    told = captions(form(RECIPE))
    assert "will wait its turn: 1 run trains now and 2 runs wait before it." in told


def test_a_run_waits_where_the_queue_is_paused(form: OpenForm, workspace: Workspace) -> None:
    change_preferences(workspace, paused=True)
    assert "The queue is paused" in captions(form(RECIPE))
    assert not button(form(RECIPE), "Launch").disabled


# --- Three levels -------------------------------------------------------------------------------

ALWAYS = {"Recipe", "Name", "Note"}
MOST_CHANGED = {
    *("Dataset", "Training images", "Test images", "Epochs", "Batch size", "Optimizer"),
    *("Learning rate", "Image side in pixels", "Augmentation"),
}


@pytest.mark.parametrize(
    ("recipe", "common"),
    [
        ("cnn-digits", MOST_CHANGED),
        ("vgg16-digits", MOST_CHANGED | {"Transfer mode"}),
        (
            "inceptionv3-cifar10-features",
            (MOST_CHANGED | {"Transfer mode"}) - {"Augmentation"},
        ),
        ("mobilenet-folder", MOST_CHANGED | {"Transfer mode", "Folder of images"}),
    ],
)
def test_each_level_shows_what_it_is_for(form: OpenForm, recipe: str, common: set[str]) -> None:
    at = change(form(RECIPE), "Recipe", recipe)
    assert labels(at) - {"Folder of images"} == ALWAYS
    assert labels(show(at, COMMON)) == ALWAYS | common
    everything = labels(show(at, EVERYTHING))
    assert everything >= (ALWAYS | common | {"Seed", "Best epochs to keep"}) - {"Augmentation"}
    assert not at.exception


def test_the_page_begins_with_the_recipe_alone(open_page: OpenPage) -> None:
    assert labels(open_page(TRAIN)) == ALWAYS


def test_the_level_stays_over_other_pages(form: OpenForm) -> None:
    at = form(COMMON)
    at.switch_page("pages/3_Runs.py").run()
    at.switch_page(TRAIN).run()
    assert "Epochs" in labels(at)
    assert "Seed" not in labels(at)


def test_what_was_changed_deeper_stays_in_force_and_is_seen(form: OpenForm, runs: Runs) -> None:
    at = change(form(), "Label smoothing", 0.1)
    for level in (COMMON, RECIPE):
        at = show(at, level)
        assert changed(at) == ["Label smoothing: 0 → 0.1"]
    click(at, "Launch")
    assert runs.all()[0].config.label_smoothing == 0.1
    assert value(show(at, EVERYTHING), "Label smoothing") == 0.1


def test_augmentation_as_a_whole_suits_the_dataset(form: OpenForm) -> None:
    at = change(form(COMMON), "Augmentation", True)
    assert changed(at) == ["Rotation in degrees: 0 → 10", "Zoom: 0 → 0.1", "Shift: 0 → 0.1"]
    assert changed(change(at, "Augmentation", False)) == []
    at = change(change(at, "Dataset", "fashion_mnist"), "Augmentation", True)
    assert "Horizontal flip: off → on" in changed(at)
    assert "Augmentation" in marked(at)


def test_augmentation_comes_back_as_the_recipe_has_it(form: OpenForm) -> None:
    at = change(form(COMMON), "Recipe", "cnn-digits-augmented")
    assert value(at, "Augmentation") is True
    at = change(at, "Augmentation", False)
    assert changed(at)[0] == "Rotation in degrees: 10 → 0"
    assert changed(change(at, "Augmentation", True)) == []


# --- Changes ------------------------------------------------------------------------------------


def test_a_change_is_marked_where_it_was_made_and_says_what_the_recipe_has(form: OpenForm) -> None:
    assert marked(form()) == set()
    at = change(form(), "Epochs", 3)
    assert marked(at) == {"Epochs", "Training"}
    assert setting(at, "Epochs").help.endswith("Changed: the recipe has 1.")
    assert marked(change(at, "Epochs", 1)) == set()


def test_one_change_can_be_taken_back(form: OpenForm) -> None:
    at = change(change(form(), "Epochs", 3), "Batch size", 32)
    at = reset(at, "epochs")
    assert (value(at, "Epochs"), value(at, "Batch size")) == (1, 32)
    assert changed(at) == ["Batch size: 86 → 32"]


def test_what_changed_along_comes_back_along(form: OpenForm) -> None:
    at = change(form(), "Architecture", "vgg16")
    at = reset(at, "network.architecture")
    assert not at.error
    assert value(at, "Transfer mode") == "scratch"
    assert changed(at) == ["Image side in pixels: 28 → 32"]


def test_a_table_can_be_taken_back(form: OpenForm) -> None:
    at = change(form(), "Recipe", "vgg16-digits")
    at = edit(at, "vgg16-digits.network.head.dense", edited={0: {"units": 64}})
    at = reset(at, "network.head.dense", "vgg16-digits")
    assert changed(at) == []
    assert figures(at)["Trained"] == "267,786"


def test_a_change_that_cannot_be_can_be_taken_back_at_any_level(form: OpenForm) -> None:
    at = show(change(form(), "Image side in pixels", 3), RECIPE)
    assert "Side must be at least 4" in at.error[0].value
    at = reset(at, "network.side")
    assert not at.error
    assert not button(at, "Launch").disabled


def test_all_changes_can_be_taken_back_and_that_undone(form: OpenForm) -> None:
    at = change(change(form(COMMON), "Epochs", 3), "Image side in pixels", 32)
    at = click(at, "Reset all")
    assert (value(at, "Epochs"), changed(at)) == (1, [])
    at = click(at, "Undo")
    assert (value(at, "Epochs"), len(changed(at))) == (3, 2)
    assert "Undo" not in [button.label for button in at.button]


# --- The configuration as JSON ------------------------------------------------------------------


def open_json(at: AppTest) -> AppTest:
    at.session_state["json"] = True
    return at.run()


def paste(at: AppTest, text: str) -> AppTest:
    setting(at, PASTED).set_value(text)
    return click(at, "Apply")


PASTED = "Paste a configuration, or some settings"


def test_what_is_copied_can_be_pasted_under_any_recipe(form: OpenForm) -> None:
    at = change(change(form(), "Epochs", 7), "Training images", 500)
    copied = open_json(at).code[0].value
    at = change(form(RECIPE), "Recipe", "vgg16-digits")
    at = paste(open_json(at), copied)
    assert value(at, "Recipe") == "cnn-digits"
    assert changed(at) == ["Training images: all → 500", "Epochs: 1 → 7"]
    assert at.code[0].value == copied
    assert value(at, PASTED) == ""


def test_some_settings_can_be_pasted_over_those_there_are(form: OpenForm) -> None:
    at = open_json(change(form(), "Batch size", 32))
    at = paste(
        at, '{"epochs": 3, "network": {"side": 32}, "head.dropout": 0.2, "optimizer": "sgd"}'
    )
    assert not at.error
    assert (value(at, "Epochs"), value(at, "Image side in pixels")) == (3, 32)
    assert value(at, "Batch size") == 32
    assert value(at, "Learning rate") == 0.01
    assert "Dense layers: 256 relu dropout 0.5 → 256 relu dropout 0.2" in changed(at)
    assert value(click(at, "Undo"), "Epochs") == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"epochs": 3,\n "seed" 4}', "line 2, column 9: Expecting ':' delimiter"),
        ("epochs: 3", "line 1, column 1"),
        ("[3]", 'must be a JSON object such as {"epochs": 3}, got [3]'),
        ('{"epochs": 0}', "Epochs must be at least 1, got 0"),
        ('{"epochs": "many"}', 'Epochs must be a whole number, got "many"'),
        ('{"network": {"sides": 3}}', "did you mean network.side?"),
        ('{"side": 3}', "Side must be at least 4 for cnn, got 3"),
        ('{"optimizer": "lion"}', 'got "lion"'),
        ('{"recipe": "cnn-digit", "epochs": 3}', "did you mean cnn-digits?"),
        ('{"recipe": 3}', "recipe must be the name of one, got 3"),
        ('{"epochs": ' + "9" * 5000 + "}", "a number in it is too long"),
    ],
)
def test_what_cannot_be_pasted_is_told_and_nothing_is_lost(
    form: OpenForm, text: str, sentence: str
) -> None:
    at = open_json(change(form(COMMON), "Batch size", 32))
    at = paste(at, text)
    assert not at.exception
    assert sentence.lower() in plain(at.error[0].value).lower()
    assert "Nothing was changed" in plain(at.error[0].value)
    assert value(at, PASTED) == text
    assert changed(at) == ["Batch size: 86 → 32"]
    assert not paste(at, '{"epochs": 3}').error


def test_a_pasted_setting_without_effect_is_told(form: OpenForm) -> None:
    at = paste(open_json(form(RECIPE)), '{"momentum": 0.9}')
    assert changed(at) == []
    assert "Without effect beside the others: Momentum" in at.toast[0].value


# --- The settings of a run ----------------------------------------------------------------------


def configured(recipe: str = "cnn-digits", **settings: object) -> RunConfig:
    return core.registry.settings.change(RECIPES[recipe].config, settings)


def test_the_form_begins_with_the_settings_of_a_run(form: OpenForm, runs: Runs) -> None:
    config = configured("vgg16-digits", epochs=5, dense=[64, 32], seed=3)
    run = runs.create(config, "first *try*").write_state(status="finished", extra_epochs=2)
    at = form(COMMON, **{"from": run.id})
    assert "Started from the settings of **first *try***." in captions(at)
    assert value(at, "Recipe") == "vgg16-digits"
    assert value(at, "Epochs") == 7
    assert changed(at) == ["Epochs: 1 → 7", "Seed: 0 → 3", DENSE + "64 relu; 32 relu dropout 0.4"]
    assert "from" not in at.query_params
    at = change(at, "Epochs", 2)
    assert value(at, "Epochs") == 2


def test_what_a_runs_settings_replaced_can_be_had_again(form: OpenForm, runs: Runs) -> None:
    run = runs.create(configured(epochs=5))
    at = change(form(COMMON), "Batch size", 32)
    at.query_params["from"] = run.id
    assert value(at.run(), "Epochs") == 5
    at = click(at, "Undo")
    assert changed(at) == ["Batch size: 86 → 32"]
    assert "Started from" not in captions(at)


def test_a_run_that_starts_from_another_run_keeps_doing_so(
    form: OpenForm, make_trained: MakeTrained, runs: Runs
) -> None:
    source = make_trained("source", recipe="vgg16-digits")
    source.folder.model.mkdir()
    source.folder.weights(1).touch()
    later = runs.create(configured("vgg16-digits", weights=f"run:{source.id}"), "later")
    at = form(**{"from": later.id})
    assert value(at, "Whose weights") == f"run:{source.id}"
    click(at, "Launch")
    assert runs.all()[0].config == later.config
    runs.delete(source)
    at.run()
    assert "there is no run" in plain(at.error[0].value)
    assert setting(at, "Whose weights").options == [f"run {source.id} (gone)"]


def test_a_weights_file_stays_that_of_the_run(form: OpenForm, runs: Runs) -> None:
    run = runs.create(configured("vgg16-digits", weights="/nowhere/weights.h5"))
    at = form(**{"from": run.id})
    assert value(at, "Weights file") == "/nowhere/weights.h5"
    assert "which is no file" in at.error[0].value


def test_a_run_of_a_recipe_that_is_gone_goes_by_the_nearest(form: OpenForm, runs: Runs) -> None:
    config = configured(epochs=5).model_copy(update={"recipe": "cnn-of-old"})
    at = form(COMMON, **{"from": runs.create(config).id})
    assert not at.exception
    assert "Its recipe cnn-of-old is not there any more" in captions(at)
    assert (value(at, "Recipe"), value(at, "Epochs")) == ("cnn-digits", 5)


@pytest.mark.parametrize("reference", ["20260101-000000-000000", "../../etc", ""])
def test_a_run_that_is_not_there_gets_a_sentence(form: OpenForm, reference: str) -> None:
    at = form(RECIPE, **{"from": reference})
    assert not at.exception
    assert "it was deleted, or the link is wrong" in at.warning[0].value
    assert changed(at) == []


def test_a_damaged_run_gets_a_sentence(form: OpenForm, damaged_folder: Path) -> None:
    at = form(RECIPE, **{"from": damaged_folder.name})
    assert not at.exception
    assert "is damaged" in at.warning[0].value
