"""Processes die at the worst moments; nothing is lost, trained twice at once, or said wrongly.

Workers are real but for the training itself, which `stand_in/sitecustomize.py` makes quick. That
real training goes on bit for bit where it was is tested in `test_resuming.py`.
"""

import contextlib
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from core.errors import InvalidRequest
from core.preferences import change_preferences
from core.processes import ProcessIdentity
from core.registry.config import RunConfig
from core.registry.predictions import stored_epochs
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING, WORKING
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.checkpoints import Checkpoints
from core.training.engine import LocalEngine
from core.training.metrics import lasting, read_events
from core.workspace import Workspace
from tests.conftest import STAND_IN

Eventually = Callable[[Callable[[], Any]], Any]
Environment = Callable[..., None]
STEPS = 4

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and flock are POSIX")


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch, runs: Runs) -> Iterator[Environment]:
    """Workers that train in no time; called with START, STEP or CLOCK it sets how they do so."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))

    def environment(**settings: float) -> None:
        for name, value in settings.items():
            monkeypatch.setenv(f"STAND_IN_{name}", str(value))

    yield environment
    for process in (*workers(runs), *runners(runs)):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def short(epochs: int) -> RunConfig:
    settings = {"train_images": 40, "test_images": 10, "precision": "float32", "epochs": epochs}
    return change(RECIPES["cnn-digits"].config, settings)


def processes(module: str, path: Path) -> list[psutil.Process]:
    """Those that live and run a module with a path below this one, or with itself."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            words = process.cmdline()
            if words[1:3] == ["-m", module] and words[3].startswith(str(path)):
                found.append(process)
    return found


def runners(runs: Runs) -> list[psutil.Process]:
    return processes("core.training.runner", runs.workspace.root)


def workers(runs: Runs) -> list[psutil.Process]:
    return processes("core.worker", runs.workspace.root)


def kill(found: list[psutil.Process]) -> None:
    for process in found:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def events(run: Run, kind: str) -> list[dict[str, Any]]:
    return [
        event for event in lasting(read_events(run.folder.metrics)[0]) if event["event"] == kind
    ]


def assert_whole(run: Run, epochs: int) -> None:
    """A run that came to its end has everything, once, as if nothing had happened on the way."""
    assert (run.status, run.failure) == ("finished", None)
    assert (run.state.epochs_done, run.state.best_epoch) == (epochs, epochs)
    assert [event["epoch"] for event in events(run, "epoch")] == list(range(1, epochs + 1))
    assert sum(event["images"] for event in events(run, "batch")) == epochs * STEPS * 10
    assert stored_epochs(run) == list(range(1, epochs + 1))
    with np.load(run.folder.weights(epochs)) as network:
        assert network["steps"] == epochs * STEPS
    newest = Checkpoints(run.folder.checkpoint).newest()
    assert newest is not None
    assert newest.position.epoch == epochs
    assert not (run.folder.path / "two-at-once").exists()
    assert not list(run.folder.path.rglob("*.unfinished"))
    assert not run.folder.reserve.exists()


def assert_at_rest(runs: Runs) -> None:
    """Nobody is at work, and nobody left anything behind."""
    with FileLock(runs.workspace.runner_lock, timeout=200):
        assert workers(runs) == []
    assert runs.damaged() == []
    assert not list(runs.workspace.runs.glob(".*"))
    for run in runs.all():
        with runs.lock(run.id):
            assert run.status not in WAITING_OR_WORKING


def settle(runs: Runs, eventually: Eventually) -> None:
    """Let every run come to its end, resumed as often as it takes."""

    def finished() -> bool:
        for run in runs.all():
            if run.can_be_resumed:
                with contextlib.suppress(InvalidRequest):
                    runs.resume(run)
        LocalEngine(runs.workspace).wake_if_asleep()
        return all(run.status == "finished" for run in runs.all())

    eventually(finished)


def test_workers_and_runners_that_are_killed_at_random_lose_nothing(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.05)
    change_preferences(runs.workspace, at_once=2)
    chance, engine = random.Random(4), LocalEngine(runs.workspace)
    for _ in range(3):
        engine.submit(runs.create(short(epochs=8)))
    for _ in range(8):
        for run in runs.all():
            if run.can_be_resumed and chance.random() < 0.7:
                with contextlib.suppress(InvalidRequest):
                    runs.resume(run)
        engine.wake()
        engine.wake()
        told = sum(len(events(run, "batch")) for run in runs.all())
        more = chance.randint(0, 6)
        eventually(lambda told=told, more=more: something_happened(runs, told + more))
        time.sleep(chance.uniform(0, 0.3))
        kill(chance.choice((workers, workers, runners))(runs)[:1])
        assert runs.damaged() == []
    settle(runs, eventually)
    assert any(run.state.resumed for run in runs.all())
    for run in runs.all():
        assert_whole(run, epochs=8)
    assert_at_rest(runs)


def something_happened(runs: Runs, batches: int) -> bool:
    """So many batches were told of, or nobody will tell of any."""
    found = runs.all()
    at_work = any(run.status in WAITING_OR_WORKING for run in found)
    return not at_work or sum(len(events(run, "batch")) for run in found) >= batches


def test_a_worker_that_is_killed_is_written_down_with_what_to_do(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.2)
    run = runs.create(short(epochs=10_000))
    LocalEngine(runs.workspace).submit(run)
    eventually(lambda: events(run, "batch"))
    kill(workers(runs))
    eventually(lambda: runs.again(run).state.status == "interrupted")
    failure = runs.again(run).failure
    assert failure is not None
    assert failure.kind == "killed"
    assert failure.sentence == "The process of this run was ended from outside, by signal 9."
    assert failure.advice.startswith("Resume it: it goes on from its last checkpoint")
    assert not run.folder.reserve.exists()
    assert_at_rest(runs)


def test_a_run_whose_worker_and_runner_are_killed_is_interrupted_and_goes_on(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.1)
    run = runs.create(short(epochs=4))
    LocalEngine(runs.workspace).submit(run)
    eventually(lambda: events(run, "epoch"))
    kill([*runners(runs), *workers(runs)])
    eventually(lambda: runs.again(run).status == "interrupted")
    assert runs.again(run).state.status == "running"
    failure = runs.again(run).failure
    assert failure is not None
    assert failure.kind == "killed"
    settle(runs, eventually)
    assert_whole(runs.again(run), epochs=4)
    assert_at_rest(runs)


def test_a_run_that_trained_when_the_machine_was_restarted_goes_on(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.1)
    run, waiting = runs.create(short(epochs=4)), runs.create(short(epochs=1))
    LocalEngine(runs.workspace).submit(run)
    eventually(lambda: events(run, "epoch"))
    kill([*runners(runs), *workers(runs)])
    eventually(lambda: not workers(runs))
    earlier = ProcessIdentity(pid=os.getpid(), started="the boot before:1")
    runs.again(run).write_state(process=earlier)
    failure = runs.again(run).failure
    assert failure is not None
    assert failure.kind == "restarted"
    assert runs.again(waiting).status == "queued"
    settle(runs, eventually)
    assert_whole(runs.again(run), epochs=4)
    assert_whole(runs.again(waiting), epochs=1)


def test_a_runner_that_dies_before_its_worker_said_a_word_starts_no_second_training(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(START=2.0, STEP=0.05)
    run, engine = runs.create(short(epochs=3)), LocalEngine(runs.workspace)
    engine.submit(run)
    eventually(lambda: workers(runs))
    assert runs.again(run).status == "queued"
    kill(runners(runs))
    engine.submit(run)
    two = eventually(lambda: len(found := workers(runs)) == 2 and found)
    assert runs.again(run).status == "queued"
    eventually(lambda: runs.again(run).status == "finished")
    assert_whole(runs.again(run), epochs=3)
    assert runs.again(run).state.resumed == 0
    eventually(lambda: not any(map(psutil.Process.is_running, two)))
    assert_at_rest(runs)


def test_the_queue_goes_on_when_its_runner_was_killed_and_nobody_looks(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.1)
    first, second = runs.create(short(epochs=3)), runs.create(short(epochs=1))
    LocalEngine(runs.workspace).submit(first)
    eventually(lambda: events(first, "batch"))
    kill(runners(runs))
    eventually(lambda: runs.again(second).status == "finished")
    assert_whole(runs.again(first), epochs=3)
    assert_at_rest(runs)


def test_a_run_that_is_resumed_before_its_runner_saw_it_die_waits_and_goes_on(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.1)
    run, engine = runs.create(short(epochs=3)), LocalEngine(runs.workspace)
    engine.submit(run)
    for _ in range(2):
        eventually(lambda: runs.again(run).status == "running")
        kill(workers(runs))
        eventually(lambda: runs.again(run).can_be_resumed)
        engine.submit(runs.resume(run))
    eventually(lambda: runs.again(run).status == "finished")
    assert_whole(runs.again(run), epochs=3)


def test_a_clock_that_jumps_changes_nothing_but_the_time_of_day(
    runs: Runs, eventually: Eventually, stand_in: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(STEP=0.05, CLOCK=100_000)
    first = runs.create(short(epochs=3), "first")
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() - 200_000)
    second = runs.create(short(epochs=3), "second")
    assert [run.name for run in runs.queue()] == ["first", "second"]
    LocalEngine(runs.workspace).submit(first)
    eventually(lambda: runs.again(second).status == "finished")
    for run in (first, second):
        assert_whole(runs.again(run), epochs=3)
        times = [event["seconds_since_start"] for event in read_events(run.folder.metrics)[0]]
        assert times == sorted(times)
        assert 0 < times[-1] <= runs.again(run).state.seconds < 60
    assert read_events(first.folder.metrics)[0]
    assert_at_rest(runs)


def test_as_many_runs_train_at_once_as_they_may_and_none_while_the_queue_is_paused(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.3)
    engine = LocalEngine(runs.workspace)

    def training() -> set[str]:
        return {run.name for run in runs.all() if run.status in WORKING}

    change_preferences(runs.workspace, paused=True)
    for name in "abc":
        engine.submit(runs.create(short(epochs=10_000), name))
    with FileLock(runs.workspace.runner_lock, timeout=200):
        assert training() == set()
    engine.wake_if_asleep()
    assert not engine.at_work()
    change_preferences(runs.workspace, paused=False, at_once=2)
    engine.wake_if_asleep()
    eventually(lambda: training() == {"a", "b"})
    runs.move(runs.create(short(epochs=10_000), "d"), 0)
    change_preferences(runs.workspace, at_once=3)
    eventually(lambda: training() == {"a", "b", "d"})
    change_preferences(runs.workspace, paused=True)
    engine.stop(runs.find("a"))
    eventually(lambda: runs.find("a").status == "stopped")
    time.sleep(1.5)
    assert training() == {"b", "d"}
    for name in "bd":
        engine.stop(runs.find(name))
    eventually(lambda: training() == set())
    assert runs.find("c").status == "queued"


def test_many_who_stop_resume_move_and_delete_at_once_hurt_no_run(
    runs: Runs, eventually: Eventually, stand_in: Environment
) -> None:
    stand_in(STEP=0.05)
    change_preferences(runs.workspace, at_once=2)
    engine = LocalEngine(runs.workspace)
    for _ in range(4):
        engine.submit(runs.create(short(epochs=4)))
    raised: list[Exception] = []
    deadline = time.monotonic() + 3

    def act(seed: int) -> None:
        chance = random.Random(seed)
        while time.monotonic() < deadline:
            acts = (
                runs.request_stop,
                runs.resume,
                runs.resume,
                lambda run: runs.move(run, 0),
                lambda run: runs.annotate(run, str(chance.random())),
                lambda run: runs.delete(run) if chance.random() < 0.2 else None,
                lambda run: engine.submit(runs.create(short(epochs=4))),
                lambda run: engine.wake_if_asleep(),
            )
            with contextlib.suppress(InvalidRequest):
                known = runs.all()
                if known and len(known) < 8:
                    chance.choice(acts)(chance.choice(known))
            time.sleep(chance.uniform(0, 0.3))

    def act_or_tell(seed: int) -> None:
        try:
            act(seed)
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=act_or_tell, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert raised == []
    settle(runs, eventually)
    for run in runs.all():
        assert_whole(run, epochs=4)
    assert_at_rest(runs)


def test_a_workspace_may_be_deleted_from_while_it_is_worked_through(
    runs: Runs, eventually: Eventually, stand_in: Environment, workspace: Workspace
) -> None:
    stand_in(START=0.5)
    engine = LocalEngine(workspace)
    kept = runs.create(short(epochs=1), "kept")
    unwanted = [runs.create(short(epochs=1)) for _ in range(2)]
    runs.move(kept, 2)
    engine.submit(kept)
    for run in unwanted:
        eventually(lambda run=run: (run.folder.log).exists())
        with contextlib.suppress(InvalidRequest):
            runs.delete(run)
    eventually(lambda: runs.again(kept).status == "finished")
    assert_at_rest(runs)
    assert workspace.runner_log.read_text() == ""
