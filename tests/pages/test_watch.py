import subprocess
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core.preferences import change_preferences
from core.processes import ProcessIdentity
from core.registry.predictions import write_epoch
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import Failure, FailureKind, Gpu, Usage
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import estimates
from core.training.checkpoints import Checkpoint, Checkpoints, Position
from core.training.costs import Estimate, Machine, PhaseEstimate
from core.training.metrics import append_event
from core.workspace import Workspace
from ui.runs.failure import KINDS

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
MakeRunning = Callable[[], Run]
TRAIN = "pages/2_Train.py"
STEPS = 10
"""Steps of an epoch in these tests."""


def watched(at: AppTest) -> str:
    (run,) = [widget for widget in at.selectbox if widget.label == "Run"]
    return str(run.value)


def buttons(at: AppTest) -> list[str]:
    return [button.label for button in at.button]


def button(at: AppTest, label: str) -> Button:
    (found,) = [button for button in at.button if button.label == label]
    return found


def click(at: AppTest, label: str) -> AppTest:
    button(at, label).click()
    return at.run()


def figures(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def captions(at: AppTest) -> str:
    return " | ".join(caption.value.replace("\\", "") for caption in at.caption)


def progress(at: AppTest) -> str:
    return str(at.get("progress")[0].proto.text)


def charts(at: AppTest) -> int:
    return len(at.get("bidi_component"))


def train(run: Run, epochs: int, **values: Any) -> Run:
    """Write what so many epochs of training leave: metrics and a checkpoint."""
    run.folder.metrics.unlink(missing_ok=True)
    for step in range(1, epochs * STEPS + 1):
        epoch, batch = divmod(step - 1, STEPS)
        place = {"epoch": epoch + 1, "batch": batch + 1, "batches": STEPS, "step": step}
        told = {"loss": 1.0, "accuracy": 0.5, "learning_rate": 0.001, "seconds_since_start": step}
        append_event(run.folder.metrics, {"event": "batch", **place, **told})
        if batch + 1 == STEPS:
            metrics = {"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}
            ended = {"event": "epoch", "epoch": epoch + 1, "step": step, "phase": 1}
            append_event(run.folder.metrics, ended | metrics | values)
    position = Position(epoch=epochs, step=epochs * STEPS)
    Checkpoints(run.folder.checkpoint).write(Checkpoint(position, {}, {}))
    return run.write_state(epochs_done=epochs, epoch=epochs)


# --- Which run is watched -----------------------------------------------------------------------


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


def test_a_run_deleted_while_it_is_watched_is_told(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    kept, doomed = make_trained("kept"), make_trained("doomed")
    at = open_page(TRAIN, run=doomed.id)
    runs.delete(doomed)
    at.run()
    assert not at.exception
    assert watched(at) == kept.id


# --- While it trains ----------------------------------------------------------------------------


def test_a_run_at_work_shows_how_far_it_is(
    open_page: OpenPage, make_trained: MakeTrained, make_running: Callable[[], Run]
) -> None:
    run = make_running()
    make_trained("newer")
    at = open_page(TRAIN)  # it begins with the run, since one is at work
    assert watched(at) == run.id
    assert progress(at) == "Epoch 1 of 1 · batch 3 of 698"


def test_epochs_and_phases_are_counted(
    open_page: OpenPage, make_running: Callable[[], Run], runs: Runs
) -> None:
    run = make_running()
    two_phases = runs.create(RECIPES["vgg16-folder"].config, "two phases")
    two_phases.write_state(**{key: value for key, value in run.state if key != "queued"})
    text = progress(open_page(TRAIN, run=two_phases.id))
    assert text == "Epoch 1 of 100 · phase 1 of 2 (head only) · batch 3 of 698"


def test_speed_machine_and_the_best_epoch_are_told(
    open_page: OpenPage, make_running: MakeRunning
) -> None:
    gpu = Gpu(name="one of them", load=0.87, memory=3 * 2**30, total_memory=80 * 2**30)
    usage = Usage(cores=1.86, memory=2**30, free_memory=3 * 2**30, gpus=(gpu,))
    run = make_running().write_state(
        usage=usage, images_per_second=1234.5, seconds_left=75.0, best_epoch=2, epochs_done=2,
        metrics={"val_accuracy": 0.98765},
    )  # fmt: skip
    at = open_page(TRAIN, run=run.id)
    shown = figures(at)
    expected = {"Time left": "1 min 15 s", "Images per second": "1,234", "CPU": "1.9 cores",
                "Memory": "1.0 GiB", "GPU 0": "87 %", "Best so far": "98.77 %"}  # fmt: skip
    assert expected.items() <= shown.items()
    assert "3.0 GiB of 80.0 GiB" in captions(at)


def test_without_a_gpu_none_is_mentioned(open_page: OpenPage, make_running: MakeRunning) -> None:
    usage = Usage(cores=1.86, memory=2**30, free_memory=3 * 2**30)
    at = open_page(TRAIN, run=make_running().write_state(usage=usage).id)
    assert not [label for label in figures(at) if "GPU" in label]


def test_the_bar_is_that_of_all_epochs(
    open_page: OpenPage, make_running: MakeRunning, runs: Runs
) -> None:
    run = make_running()
    longer = runs.create(change(run.config, {"epochs": 4}), "longer")
    state = {key: value for key, value in run.state if key != "queued"}
    longer.write_state(**state | {"epoch": 3, "epochs_done": 2, "done": 349})
    at = open_page(TRAIN, run=longer.id)
    assert at.get("progress")[0].proto.value == 62  # 2.5 of 4 epochs


def test_patience_is_told_while_it_trains(
    open_page: OpenPage, make_running: MakeRunning, runs: Runs
) -> None:
    run = make_running()
    settings = {"epochs": 9, "early_stopping.patience": 4, "schedule": "plateau"}
    waits = runs.create(change(run.config, settings | {"decay.patience": 5}), "waits")
    waits = waits.write_state(**{key: value for key, value in run.state if key != "queued"})
    train(waits, 3).write_state(epoch=4)
    told = captions(open_page(TRAIN, run=waits.id))
    assert "has not improved for 2 epochs; the run ends once 2 epochs more bring nothing" in told
    assert "falls to 0.0015 once 3 epochs more do not improve the validation accuracy" in told


def test_the_log_is_read_where_it_is_unfolded(
    open_page: OpenPage, make_running: MakeRunning
) -> None:
    run = make_running()
    run.folder.log.write_text("".join(f"line {number}\n" for number in range(1000)))
    at = open_page(TRAIN, run=run.id)
    assert not at.code
    at.session_state[f"log_{run.id}"] = True
    lines = at.run().code[0].value.splitlines()
    assert (lines[-1], len(lines)) == ("line 999", 200)


def test_the_machine_is_drawn_where_it_is_unfolded(
    open_page: OpenPage, make_running: MakeRunning
) -> None:
    run = make_running()
    usage = {"cores": 1.5, "memory": 2**30, "free_memory": 2**30, "images_per_second": 100.0}
    event = {"event": "usage", "seconds_since_start": 5.0, **usage, "gpu0_load": 0.5}
    append_event(run.folder.metrics, event)
    at = open_page(TRAIN, run=run.id)
    folded = charts(at)
    at.session_state[f"machine_{run.id}"] = True
    assert charts(at.run()) == folded + 5


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


# --- What can be done with it -------------------------------------------------------------------


def test_stopping_asks_the_worker_to_stop(
    open_page: OpenPage, make_running: Callable[[], Run], runs: Runs
) -> None:
    run = make_running()
    at = open_page(TRAIN, run=run.id)
    click(at, "Stop")
    assert runs.again(run).status == "stopping"
    assert button(at, "Stopping …").disabled


def test_a_waiting_run_can_be_cancelled_and_resumed(open_page: OpenPage, runs: Runs) -> None:
    run = runs.create(RECIPES["cnn-digits"].config)
    at = open_page(TRAIN, run=run.id)
    assert progress(at) == "Waiting: it is the next to begin."
    click(at, "Cancel")
    assert runs.again(run).status == "stopped"
    assert "it begins anew" in captions(at)
    click(at, "Resume")
    assert runs.again(run).status == "queued"


def test_a_run_says_how_many_wait_before_it(open_page: OpenPage, runs: Runs) -> None:
    config = RECIPES["cnn-digits"].config
    run = [runs.create(config) for _ in range(3)][-1]
    assert progress(open_page(TRAIN, run=run.id)) == "Waiting: 2 others wait before it."


def test_a_paused_queue_is_told(open_page: OpenPage, runs: Runs, workspace: Workspace) -> None:
    run = runs.create(RECIPES["cnn-digits"].config)
    change_preferences(workspace, paused=True)
    assert "the queue is paused" in progress(open_page(TRAIN, run=run.id))


def test_a_run_that_was_killed_is_resumed_where_it_was(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    run = train(make_trained("killed"), 3)
    run.write_state(status="running")  # by a process that is no more
    at = open_page(TRAIN, run=run.id)
    assert "goes on after epoch 3, at step 30, exactly" in captions(at)
    click(at, "Resume")
    assert not at.exception
    assert runs.again(run).status == "queued"


def test_what_two_people_do_at_once_ends_in_a_sentence(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    run = train(make_trained("contested"), 3).write_state(status="stopped")
    at = open_page(TRAIN, run=run.id)
    with runs.lock(run.id):  # somebody else is at work on it just now
        click(at, "Resume")
    assert not at.exception
    assert "Somebody else is at work" in at.toast[0].value
    assert "Resume" in buttons(at)


def test_a_finished_run_can_be_trained_longer(
    open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> None:
    run = train(make_trained("short"), 1)
    at = open_page(TRAIN, run=run.id)
    (more,) = [number for number in at.number_input if number.label == "More epochs"]
    more.set_value(4)
    at.run()
    (told,) = [text.value for text in at.markdown if "goes on" in text.value]
    assert "after epoch 1, up to epoch 5" in told
    assert "one\\_cycle is laid over all epochs" in told
    click(at, "Train on")
    again = runs.again(run)
    assert (again.status, again.config.epochs) == ("queued", 5)


def test_a_run_without_a_checkpoint_cannot_be_trained_longer(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    assert "Train on" not in buttons(open_page(TRAIN, run=make_trained("bare").id))


# --- After its end ------------------------------------------------------------------------------


def test_a_finished_run_shows_its_results(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("done", {0: 1})
    at = open_page(TRAIN, run=run.id)
    assert figures(at)["Test accuracy"] == "97.50 %"
    assert figures(at)["Time"] == "1 min 05 s"
    assert "Draw for it" in [link.label for link in at.get("page_link")]
    assert "CNN from random weights · MNIST handwritten digits" in captions(at)
    assert "Estimated" not in captions(at)


def test_a_finished_run_leads_to_its_comparison_with_one_of_another_network(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    make_trained("tested on other images", recipe="vgg16-digits", fingerprint="others")
    vgg = make_trained("of another network", recipe="vgg16-digits")
    make_trained("of the same network")
    run = make_trained("done")
    at = open_page(TRAIN, run=run.id)
    (link,) = [link for link in at.get("page_link") if link.label == "Compare it"]
    assert link.proto.query_string == f"a={run.id}&b={vgg.id}"


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


def test_what_test_predictions_cost_is_told(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = train(make_trained("costly"), 3, seconds=30.0, test_seconds=1.25)
    for epoch in (2, 3):
        write_epoch(run.folder.predictions, epoch, np.full((40, 10), 0.1, np.float16))
    told = captions(open_page(TRAIN, run=run.id))
    assert "takes 1.2 s of each epoch's 30 s; 3 epochs' predictions take" in told
    assert "“Test every so many epochs” changes that" in told


def test_tensorboard_is_opened_by_a_command(open_page: OpenPage, make_trained: MakeTrained) -> None:
    run = make_trained("with event files")
    run.folder.tensorboard.mkdir()
    (command,) = [code.value for code in open_page(TRAIN, run=run.id).code]
    assert command == f"tensorboard --logdir {run.folder.tensorboard}"


def test_a_failed_run_says_why_and_what_to_do(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    error = Failure(kind="work", sentence="No *weights* here.", advice="Download them.")
    run = make_trained("failed", status="failed", best_epoch=0, metrics={}, error=error)
    run.folder.log.write_text("line 1\nline 2\n")
    at = open_page(TRAIN, run=run.id)
    assert not at.exception
    said = "**Could not go on.** No \\*weights\\* here\\.\n\nDownload them\\."
    assert at.error[0].value == said
    assert not at.code
    assert figures(at)["Test accuracy"] == "–"


def test_what_nobody_foresaw_shows_the_end_of_the_log(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    error = Failure(kind="unexpected", sentence="It broke.", advice="See the log.")
    run = make_trained("failed", status="failed", error=error)
    run.folder.log.write_text("line 1\nline 2\n")
    assert open_page(TRAIN, run=run.id).code[0].value == "line 1\nline 2"


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_failure_has_a_word_and_the_button_that_helps(
    open_page: OpenPage, make_trained: MakeTrained, kind: FailureKind
) -> None:
    error = Failure(kind=kind, sentence="It broke.", advice="Mend it.")
    run = make_trained("failed", status="failed", error=error)
    at = open_page(TRAIN, run=run.id)
    assert KINDS[kind].word in at.error[0].value
    helps = {"resume": "Resume", "anew": "Start from these settings"}[KINDS[kind].helps]
    primary = [found.label for found in at.button if found.proto.type == "primary"]
    assert helps in primary
    assert len({"Resume", "Start from these settings"} & set(primary)) == 1


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
    assert "Stop" not in buttons(at)
