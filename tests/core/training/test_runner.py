import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.engine import LocalEngine
from core.training.metrics import read_events
from core.workspace import Workspace
from tests.conftest import STAND_IN

Eventually = Callable[[Callable[[], Any]], Any]
TINY = {"train_images": 200, "test_images": 100, "precision": "float32"}

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and niceness are POSIX")


def tiny(**settings: Any) -> RunConfig:
    return change(RECIPES["cnn-digits"].config, TINY | settings)


def epochs(run: Run) -> int:
    events, _ = read_events(run.folder.metrics)
    return sum(event["event"] == "epoch" for event in events)


def test_two_runners_train_every_run_once(cnn_run: Run, vgg16_run: Run) -> None:
    for run in (cnn_run, vgg16_run):
        assert run.status == "finished"
        assert epochs(run) == 1


class Told:
    """A queue of three endless runs as they were at each turn of their story."""

    def __init__(self, workspace: Workspace, eventually: Eventually) -> None:
        runs, engine = Runs(workspace), LocalEngine(workspace)
        endless = tiny(epochs=10_000)
        names = ("killed", "stopped", "unwanted")
        killed, stopped, unwanted = (runs.create(endless, name) for name in names)
        engine.submit(killed)
        eventually(lambda: epochs(killed) >= 1)
        process = runs.again(killed).state.process
        assert process is not None
        worker = psutil.Process(process.pid)
        self.alive_at_work = engine.is_alive(runs.again(killed))
        self.niceness = worker.nice()
        self.session = os.getsid(worker.pid)
        engine.stop(unwanted)
        self.unwanted_at_once = runs.again(unwanted).status
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: epochs(stopped) >= 1)
        self.killed = runs.again(killed)
        engine.stop(stopped)
        self.stopping = runs.again(stopped).status
        eventually(lambda: runs.again(stopped).status == "stopped")
        with FileLock(workspace.runner_lock, timeout=200):
            self.runner_left = True
        self.stopped, self.unwanted = runs.again(stopped), runs.again(unwanted)
        self.alive_at_the_end = any(map(engine.is_alive, runs.all()))
        self.runner_log = workspace.runner_log.read_text()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory, eventually: Eventually) -> Told:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(STAND_IN))  # workers that count steps instead of training
        patch.setenv("STAND_IN_STEP", "0.05")
        return Told(Workspace(tmp_path_factory.mktemp("queue")), eventually)


def test_a_worker_gives_way_to_other_processes(story: Told) -> None:
    assert story.niceness == min(psutil.Process().nice() + 20, 19)


def test_a_worker_outlives_the_terminal_it_was_started_from(story: Told) -> None:
    assert story.session != os.getsid(0)


def test_a_run_is_alive_while_its_worker_is_at_work(story: Told) -> None:
    assert story.alive_at_work
    assert not story.alive_at_the_end


def test_a_run_whose_worker_was_killed_is_interrupted(story: Told) -> None:
    assert story.killed.status == "interrupted"
    assert story.killed.has_results
    assert story.killed.can_be_resumed


def test_the_queue_goes_on_after_a_killed_worker(story: Told) -> None:
    assert epochs(story.stopped) >= 1


def test_a_run_that_trains_stops_and_keeps_its_best_weights(story: Told) -> None:
    assert story.stopping in ("stopping", "stopped")
    assert story.stopped.status == "stopped"
    assert 1 <= story.stopped.state.epoch < 10_000
    with np.load(story.stopped.folder.weights(story.stopped.state.best_epoch)) as kept:
        assert kept["steps"] >= 4  # those of an epoch, at least


def test_a_run_that_waits_stops_at_once_and_is_never_trained(story: Told) -> None:
    assert story.unwanted_at_once == "stopped"
    assert story.unwanted.status == "stopped"
    assert not story.unwanted.folder.log.exists()


def test_a_runner_leaves_when_nothing_waits_and_has_nothing_to_say(story: Told) -> None:
    assert story.runner_left
    assert story.runner_log == ""


@pytest.fixture
def no_worker_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every worker lacks numpy and breaks in no time; runners have it."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sitecustomize.py").write_text(NO_NUMPY_FOR_WORKERS)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "broken"))


NO_NUMPY_FOR_WORKERS = """
import sys
if "core.worker" in sys.orig_argv:
    sys.modules["numpy"] = None
"""


def starts(run: Run) -> int:
    """How often a worker was started for a run none could be started for."""
    return (
        run.folder.log.read_text().count("import of numpy halted") if run.folder.log.exists() else 0
    )


@pytest.mark.usefixtures("no_worker_starts")
def test_a_worker_that_cannot_start_is_a_failure_with_advice(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    run = runs.create(tiny())
    LocalEngine(workspace).submit(run)
    eventually(lambda: runs.again(run).status == "failed")
    error = runs.again(run).state.error
    assert error is not None
    assert error.sentence == "The training process ended before it began."
    assert "install the requirements" in error.advice
    assert "import of numpy halted" in run.folder.log.read_text()


@pytest.mark.usefixtures("no_worker_starts")
def test_runners_that_start_together_take_each_run_once_and_in_order(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    waiting = [runs.create(tiny()) for _ in range(5)]
    for run in waiting[:3]:
        LocalEngine(workspace).submit(run)
    eventually(lambda: all(runs.again(run).status == "failed" for run in waiting))
    assert [starts(run) for run in waiting] == [1] * 5
    written = [run.folder.state.stat().st_mtime_ns for run in waiting]
    assert written == sorted(written)


@pytest.mark.usefixtures("no_worker_starts")
def test_a_run_queued_while_the_runner_leaves_is_taken(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    for _ in range(8):
        run = runs.create(tiny())
        LocalEngine(workspace).submit(run)
        # The runner wrote this just now; it looks at the queue once more and leaves.
        eventually(lambda run=run: runs.again(run).status == "failed")
    assert [starts(run) for run in runs.all()] == [1] * 8


@pytest.mark.usefixtures("no_worker_starts")
def test_runs_are_taken_in_the_order_they_were_moved_to(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    for name in "abc":
        runs.create(tiny(), name)
    runs.move(runs.find("c"), 0)
    runs.move(runs.find("a"), 2)
    LocalEngine(workspace).wake()
    eventually(lambda: all(run.status == "failed" for run in runs.all()))
    written = {run.name: run.folder.state.stat().st_mtime_ns for run in runs.all()}
    assert sorted(written, key=lambda name: written[name]) == ["c", "b", "a"]


@pytest.mark.usefixtures("no_worker_starts")
def test_a_run_that_the_machine_keeps_from_beginning_holds_up_no_other(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    kept, other = runs.create(tiny(), "kept"), runs.create(tiny())
    kept.folder.log.mkdir()
    engine = LocalEngine(workspace)
    engine.submit(other)
    eventually(lambda: runs.again(other).status == "failed")
    eventually(lambda: not engine.at_work())
    assert runs.again(kept).status == "queued"
    assert engine.complaint() == "the run 'kept' could not be seen to: Is a directory"
    kept.folder.log.rmdir()
    engine.wake_if_asleep()
    eventually(lambda: runs.again(kept).status == "failed")
    eventually(lambda: not engine.at_work())
    assert engine.complaint() == ""


def test_preferences_that_cannot_be_read_are_complained_of(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    run, engine = runs.create(tiny()), LocalEngine(workspace)
    workspace.preferences.write_text("{")
    engine.submit(run)
    assert eventually(engine.complaint) == (
        f"{workspace.preferences} cannot be read; mend it, or delete it to have the defaults"
    )
    assert runs.again(run).status == "queued"


@pytest.mark.usefixtures("no_worker_starts")
def test_a_runner_removes_what_those_that_died_left_behind(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    run = runs.create(tiny())
    for name in (".new-20260101-000000-000001", ".deleted-20260101-000000-000002"):
        (workspace.runs / name).mkdir()
    (workspace.locks / "20260101-000000-000002.lock").touch()
    LocalEngine(workspace).submit(run)
    eventually(lambda: runs.again(run).status == "failed")
    assert os.listdir(workspace.runs) == [run.id]
    assert not (workspace.locks / "20260101-000000-000002.lock").exists()


@pytest.mark.usefixtures("no_worker_starts")
def test_a_damaged_run_does_not_hold_up_the_queue(
    runs: Runs, workspace: Workspace, eventually: Eventually
) -> None:
    damaged, run = runs.create(tiny()), runs.create(tiny())
    damaged.folder.state.write_text("{")
    LocalEngine(workspace).submit(run)
    eventually(lambda: runs.again(run).status == "failed")
