import subprocess
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.processes import ProcessIdentity
from core.recipes import RECIPES
from core.runs import Failure, Run, Runs

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
TRAIN = "pages/2_Train.py"


def setting(at: AppTest, label: str) -> object:
    """The widget of that label, of whatever kind."""
    kinds = (at.number_input, at.text_input, at.selectbox, at.segmented_control)
    (found,) = [widget for kind in kinds for widget in kind if widget.label == label]
    return found


def change(at: AppTest, label: str, value: object) -> AppTest:
    setting(at, label).set_value(value)  # type: ignore[attr-defined]
    return at.run()


def button(at: AppTest, label: str) -> Button:
    (found,) = [button for button in at.button if button.label == label]
    return found


def figures(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def changed(at: AppTest) -> list[str]:
    return [c.value.replace("\\", "") for c in at.caption if c.value.startswith("Changed")]


def watched(at: AppTest) -> Run | object:
    return setting(at, "Run").value  # type: ignore[attr-defined]


def test_an_empty_workspace_says_what_to_do(open_page: OpenPage) -> None:
    at = open_page(TRAIN)
    assert not at.exception
    assert "Launch the recipe as it is" in at.info[0].value
    assert not button(at, "Launch").disabled


@pytest.mark.parametrize(
    ("recipe", "counted"),
    [
        ("cnn-digits", {"Parameters trained": "887,530"}),
        ("vgg16-digits", {"Parameters trained": "267,786", "Parameters frozen": "14,714,688"}),
    ],
)
def test_parameters_are_counted_before_the_launch(
    open_page: OpenPage, recipe: str, counted: dict[str, str]
) -> None:
    at = change(open_page(TRAIN), "Recipe", recipe)
    assert figures(at) == counted
    assert changed(at) == []


def test_settings_that_were_changed_are_listed(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Epochs", 3)
    at = change(at, "Training images", 1000)
    at = change(at, "Dense layers", "512, 256")
    assert changed(at) == ["Changed: train_images all → 1000; dense 256 → 512, 256; epochs 1 → 3"]


def test_each_recipe_keeps_its_own_changes(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Epochs", 3)
    at = change(at, "Recipe", "vgg16-digits")
    assert setting(at, "Epochs").value == 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("typed", ["abc", "0", "128, 1.5", "-3", "1 2", "<b>*x*</b>", "²"])
def test_layers_that_cannot_be_are_told_in_a_sentence(open_page: OpenPage, typed: str) -> None:
    at = change(open_page(TRAIN), "Dense layers", typed)
    assert not at.exception
    assert "dense" in at.error[0].value
    assert button(at, "Launch").disabled


def test_no_dense_layer_at_all_can_be_trained(open_page: OpenPage) -> None:
    at = change(open_page(TRAIN), "Dense layers", "")
    assert not at.error
    assert not button(at, "Launch").disabled


@pytest.mark.usefixtures("idle_runner")
def test_launching_queues_a_run_with_the_chosen_settings(open_page: OpenPage, runs: Runs) -> None:
    at = change(open_page(TRAIN), "Epochs", 2)
    at = change(at, "Training images", 300)
    at = change(at, "Watch while training", 0.1)
    at = change(at, "Name", "mine")
    button(at, "Launch").click()
    at.run()
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
    button(at, "Launch").click()
    at.run()
    (run,) = runs.all()
    assert run.config == RECIPES["cnn-digits"].config


@pytest.mark.usefixtures("idle_runner")
def test_the_launched_run_is_shown_instead_of_the_one_watched(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    earlier = make_trained("earlier")
    at = open_page(TRAIN, run=earlier.id)
    assert watched(at) == earlier.id
    button(at, "Launch").click()
    at.run()
    (launched,) = [run for run in runs.all() if run.id != earlier.id]
    assert watched(at) == launched.id
    assert at.query_params["run"] == launched.id


@pytest.mark.usefixtures("idle_runner")
def test_a_waiting_run_can_be_stopped(open_page: OpenPage, runs: Runs) -> None:
    at = open_page(TRAIN)
    button(at, "Launch").click()
    at.run()
    button(at, "Stop").click()
    at.run()
    assert [run.status for run in runs.all()] == ["stopped"]
    assert "Stop" not in [button.label for button in at.button]


def test_a_name_that_is_taken_is_told_in_a_sentence(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    make_trained("mine")
    at = change(open_page(TRAIN), "Name", "mine")
    button(at, "Launch").click()
    at.run()
    assert "already" in at.error[0].value
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


def test_a_run_at_work_shows_how_far_it_is(
    open_page: OpenPage, make_trained: MakeTrained, make_running: Callable[[], Run]
) -> None:
    run = make_running()
    make_trained("newer")
    at = open_page(TRAIN)
    assert watched(at) == run.id
    text = at.get("progress")[0].proto.text
    assert text == "Epoch 1 of 1: training, 3 of 698 batches"


def test_stopping_asks_the_worker_to_stop(
    open_page: OpenPage, make_running: Callable[[], Run], runs: Runs
) -> None:
    run = make_running()
    at = open_page(TRAIN, run=run.id)
    button(at, "Stop").click()
    at.run()
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
