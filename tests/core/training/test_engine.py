import time

import pytest
from filelock import FileLock

from core.errors import WorkFailed
from core.preferences import change_preferences
from core.processes import ProcessIdentity, this_process
from core.registry.config import RunConfig
from core.registry.runs import Runs
from core.training.engine import LocalEngine
from core.workspace import Workspace


@pytest.fixture
def engine(workspace: Workspace) -> LocalEngine:
    return LocalEngine(workspace)


def test_to_ask_a_workspace_that_is_not_there_makes_none(
    engine: LocalEngine, workspace: Workspace
) -> None:
    assert not engine.at_work()
    assert engine.complaint() == ""
    engine.wake_if_asleep()
    assert not workspace.root.exists()


def test_a_runner_is_at_work_while_it_holds_the_lock(
    engine: LocalEngine, workspace: Workspace
) -> None:
    with FileLock(workspace.runner_lock):
        assert engine.at_work()
    assert not engine.at_work()


def test_nobody_is_woken_where_nothing_waits_or_the_queue_is_paused_or_somebody_is_awake(
    engine: LocalEngine, workspace: Workspace, runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    change_preferences(workspace, paused=True)
    engine.wake_if_asleep()
    change_preferences(workspace, paused=False)
    with FileLock(workspace.runner_lock):
        engine.wake_if_asleep()
    runs.request_stop(run)
    engine.wake_if_asleep()
    time.sleep(0.1)
    assert not workspace.runner_log.exists()


def test_a_runner_that_cannot_be_started_is_told(engine: LocalEngine, workspace: Workspace) -> None:
    workspace.root.write_text("in the way")
    with pytest.raises(WorkFailed, match="the queue cannot be worked through: File exists; make"):
        engine.wake()


def test_the_last_thing_a_runner_said_is_its_complaint(
    engine: LocalEngine, workspace: Workspace
) -> None:
    workspace.root.mkdir()
    workspace.runner_log.write_bytes(b"Traceback\n  x\nMemoryError: too \xff little\n\n")
    assert engine.complaint() == "MemoryError: too \ufffd little"


def test_a_run_is_alive_while_its_very_process_is(
    engine: LocalEngine, runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    assert not engine.is_alive(run)
    assert engine.is_alive(run.write_state(process=this_process()))
    other = ProcessIdentity(pid=this_process().pid, started="before")
    assert not engine.is_alive(run.write_state(process=other))
