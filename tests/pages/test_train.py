import subprocess
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from core import estimates
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


# --- Watching --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("idle_runner")
def test_a_waiting_run_can_be_stopped(open_page: OpenPage, runs: Runs) -> None:
    at = open_page(TRAIN)
    click(at, "Launch")
    click(at, "Stop")
    assert [run.status for run in runs.all()] == ["stopped"]
    assert "Stop" not in [button.label for button in at.button]


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
