"""Runs that wait, are moved, resumed, trained for longer and deleted; no process trains any."""

import os
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core.errors import InvalidConfig, InvalidRequest, UnknownRun
from core.processes import ProcessIdentity, this_boot, this_process
from core.registry import runs as runs_module
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import DamagedRun, Run, extended
from core.registry.run_files import WORKING, Failure
from core.registry.runs import Runs
from core.registry.settings import change

Other = tuple[subprocess.Popen[str], ProcessIdentity]
DEAD = ProcessIdentity(pid=1, started=f"{this_boot()}:0")
FAILURE = Failure(kind="memory", sentence="It was too much.", advice="Take less.")


def ended(run: Run, status: str) -> Run:
    """A run as a worker left it behind."""
    run.folder.checkpoint.mkdir(exist_ok=True)
    (run.folder.checkpoint / "step-000000003.npz").touch()
    return run.write_state(
        status="running" if status == "interrupted" else status,
        process=DEAD,
        epochs_done=1,
        best_epoch=1,
        error=FAILURE if status == "failed" else None,
        phase="training",
        done=3,
        total=7,
    )


def at_once(action: Callable[[], object], times: int) -> list[Exception]:
    """Let threads do it at the same moment; what they raised."""
    barrier, raised = threading.Barrier(times), []

    def act() -> None:
        barrier.wait()
        try:
            action()
        except Exception as error:
            raised.append(error)

    threads = [threading.Thread(target=act) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return raised


def names(found: list[Run]) -> list[str]:
    return [run.name for run in found]


# --- resuming ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["stopped", "failed", "interrupted"])
def test_a_run_that_ended_early_can_be_resumed_and_waits(
    runs: Runs, config: RunConfig, status: str
) -> None:
    run = runs.again(ended(runs.create(config, "mine"), status))
    run.folder.stop_request.touch()
    assert runs.again(run).can_be_resumed
    runs.create(config, "before")
    resumed = runs.resume(run)
    assert resumed.state == runs.again(run).state
    assert runs.again(run).status == "queued"
    assert runs.again(run).failure is None
    assert (resumed.state.process, resumed.state.phase, resumed.state.total) == (None, "", 0)
    assert (resumed.state.epochs_done, resumed.state.best_epoch) == (1, 1)
    assert names(runs.queue()) == ["before", "mine"]


def test_a_run_that_was_stopped_while_it_waited_can_be_resumed(
    runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    runs.request_stop(run)
    runs.resume(run)
    assert names(runs.queue()) == [run.name]


def test_a_finished_run_is_only_resumed_for_more_epochs(runs: Runs, config: RunConfig) -> None:
    run = ended(runs.create(config, "mine"), "finished")
    assert not run.can_be_resumed
    with pytest.raises(InvalidRequest, match="'mine' is finished; say how many more epochs"):
        runs.resume(run)
    assert runs.again(run).status == "finished"
    assert runs.resume(run, 2).config.epochs == config.epochs + 2


@pytest.mark.parametrize("status", WORKING)
def test_a_run_that_trains_is_not_resumed(
    runs: Runs, config: RunConfig, other_process: Other, status: str
) -> None:
    run = runs.create(config, "mine").write_state(status=status, process=other_process[1])
    with pytest.raises(InvalidRequest, match="'mine' is training; stop it before it is resumed"):
        runs.resume(run, 1)
    assert runs.again(run).state == run.state


def test_a_run_that_waits_is_not_resumed(runs: Runs, config: RunConfig) -> None:
    with pytest.raises(InvalidRequest, match="'mine' waits to be trained already"):
        runs.resume(runs.create(config, "mine"), 1)


def test_a_run_is_resumed_once_by_many_at_once(runs: Runs, config: RunConfig) -> None:
    run = ended(runs.create(config), "finished")
    refused = at_once(lambda: runs.resume(run, 3), times=6)
    assert [type(error) for error in refused] == [InvalidRequest] * 5
    assert runs.again(run).state.extra_epochs == 3
    assert names(runs.queue()) == [run.name]


def test_a_run_is_resumed_once_its_worker_is_gone(runs: Runs, config: RunConfig) -> None:
    run = ended(runs.create(config), "stopped")
    at_work = threading.Event()

    def work() -> None:
        with runs.lock(run.id):
            at_work.set()
            time.sleep(0.3)

    threading.Thread(target=work).start()
    at_work.wait()
    assert runs.resume(run).status == "queued"


def test_while_somebody_is_at_work_on_a_run_it_is_neither_resumed_nor_deleted(
    runs: Runs, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs_module, "LEAVING", 0.05)
    run = ended(runs.create(config, "mine"), "stopped")
    with runs.lock(run.id):
        for act in (runs.resume, runs.delete):
            with pytest.raises(InvalidRequest, match="somebody else is at work on the run 'mine'"):
                act(run)
    assert runs.again(run).state == run.state


def test_more_epochs_add_up_and_the_request_stays(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config)
    for more in (2, 3):
        run = runs.resume(ended(run, "finished"), more)
    assert run.config.epochs == runs.again(run).config.epochs == config.epochs + 5
    assert runs.again(run).request.config == config


def test_more_epochs_go_to_the_last_phase(config: RunConfig) -> None:
    two = change(
        RECIPES["vgg16-digits"].config,
        {"second_phase.epochs": 2, "second_phase.still_frozen": "block4"},
    )
    assert extended(two, 3) == change(two, {"second_phase.epochs": 5})
    assert extended(config, 3) == change(config, {"epochs": config.epochs + 3})
    assert extended(config, 0) == config


@pytest.mark.parametrize(
    ("more", "sentence"),
    [(-1, "more epochs must be at least 0, got -1"), (10_000, "epochs must be at most 10000")],
)
def test_epochs_that_cannot_be_are_refused(
    runs: Runs, config: RunConfig, more: int, sentence: str
) -> None:
    run = ended(runs.create(config), "stopped")
    run.folder.stop_request.touch()
    with pytest.raises((InvalidRequest, InvalidConfig), match=sentence):
        runs.resume(run, more)
    assert runs.again(run).state == run.state
    assert run.folder.stop_request.exists()


# --- why a run ended --------------------------------------------------------------------------


def test_a_run_that_went_on_when_the_machine_was_restarted_says_so(
    runs: Runs, config: RunConfig
) -> None:
    before = ProcessIdentity(pid=os.getpid(), started="another-boot:123")
    run = runs.again(runs.create(config).write_state(status="running", process=before))
    assert run.status == "interrupted"
    assert run.can_be_resumed
    assert run.failure is not None
    assert run.failure.kind == "restarted"
    assert run.failure.sentence == "The machine was restarted while this run trained."
    assert run.failure.advice.startswith("Resume it: ")


def test_a_run_whose_process_is_gone_without_a_word_says_so(
    runs: Runs, config: RunConfig, other_process: Other
) -> None:
    process, identity = other_process
    run = runs.create(config).write_state(status="running", process=identity)
    process.kill()
    process.wait()
    failure = runs.again(run).failure
    assert failure is not None
    assert failure.kind == "killed"
    assert "something killed it" in failure.sentence


def test_what_a_worker_wrote_down_goes_before_what_can_be_concluded(
    runs: Runs, config: RunConfig
) -> None:
    run = ended(runs.create(config), "interrupted").write_state(error=FAILURE)
    assert runs.again(run).failure == FAILURE


@pytest.mark.parametrize("status", ["queued", "finished", "stopped"])
def test_a_run_that_nothing_kept_from_its_end_has_no_failure(
    runs: Runs, config: RunConfig, status: str
) -> None:
    assert ended(runs.create(config), status).failure is None


# --- the order of the queue -------------------------------------------------------------------


@pytest.fixture
def five(runs: Runs, config: RunConfig) -> list[Run]:
    return [runs.create(config, name) for name in "abcde"]


@pytest.mark.parametrize(
    ("name", "place", "order"),
    [
        ("d", 0, "dabce"),
        ("a", 4, "bcdea"),
        ("a", 99, "bcdea"),
        ("b", 2, "acbde"),
        ("e", 1, "aebcd"),
        ("c", 2, "abcde"),
    ],
)
def test_a_waiting_run_is_moved(
    runs: Runs, five: list[Run], name: str, place: int, order: str
) -> None:
    runs.move(runs.find(name), place)
    assert "".join(names(runs.queue())) == order


def test_however_often_runs_are_moved_each_gets_where_it_is_sent(
    runs: Runs, five: list[Run]
) -> None:
    random, order = np.random.default_rng(4), list("abcde")
    for _ in range(60):
        name, place = random.choice(order), int(random.integers(1, 3))
        order.remove(name)
        order.insert(place, name)
        runs.move(runs.find(name), place)
        assert names(runs.queue()) == order


def test_a_new_run_goes_behind_those_that_were_moved(
    runs: Runs, five: list[Run], config: RunConfig
) -> None:
    runs.move(five[0], 4)
    runs.create(config, "new")
    assert names(runs.queue()) == ["b", "c", "d", "e", "a", "new"]


def test_a_run_that_was_moved_to_the_front_goes_to_the_end_when_it_is_resumed(
    runs: Runs, five: list[Run]
) -> None:
    runs.move(five[4], 0)
    runs.request_stop(five[4])
    assert names(runs.queue()) == list("abcd")
    runs.resume(five[4])
    assert names(runs.queue()) == list("abcde")


def test_a_run_that_waits_no_more_is_not_moved(runs: Runs, five: list[Run]) -> None:
    five[1].write_state(status="running", process=this_process())
    with pytest.raises(InvalidRequest, match="'b' is running; only a run that is queued can be"):
        runs.move(five[1], 0)
    runs.delete(five[2])
    with pytest.raises(UnknownRun, match="'c' was deleted meanwhile"):
        runs.move(five[2], 0)
    assert names(runs.queue()) == ["a", "d", "e"]


def test_a_run_queued_after_the_clock_was_set_back_is_the_last(
    runs: Runs, five: list[Run], config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    resumed = ended(runs.create(config, "resumed"), "stopped")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)
    runs.create(config, "new")
    runs.resume(resumed)
    assert names(runs.queue()) == [*"abcde", "new", "resumed"]


def test_a_run_made_after_the_clock_was_set_back_is_the_newest(
    runs: Runs, config: RunConfig
) -> None:
    later = "29990101-000000-000000"
    made = runs.create(config)
    content = made.folder.request.read_text().replace(made.id, later)
    made.folder.request.write_text(content)
    made.folder.path.rename(made.folder.path.with_name(later))
    assert at_once(lambda: runs.create(config), times=4) == []
    ids = [run.id for run in runs.all()]
    assert ids[-1] == later
    assert len(set(ids)) == 5


# --- deleting ---------------------------------------------------------------------------------


def test_a_run_is_deleted_once_by_many_at_once(runs: Runs, config: RunConfig) -> None:
    run = ended(runs.create(config, "mine"), "finished")
    refused = at_once(lambda: runs.delete(run), times=6)
    assert [type(error) for error in refused] == [UnknownRun] * 5
    assert {str(error) for error in refused} == {
        "the run 'mine' was deleted meanwhile; choose another"
    }
    assert os.listdir(runs.workspace.runs) == []


def test_a_run_that_is_deleted_and_resumed_at_once_is_gone_or_waits(
    runs: Runs, config: RunConfig
) -> None:
    for _ in range(5):
        run = ended(runs.create(config), "stopped")
        actions = iter((runs.delete, runs.resume, runs.request_stop, runs.delete))
        refused = at_once(lambda actions=actions, run=run: next(actions)(run), times=4)
        assert all(isinstance(error, InvalidRequest) for error in refused)
        assert runs.all() == []  # a run that waits can be deleted as well
        assert os.listdir(runs.workspace.runs) == []


def test_a_damaged_run_that_a_process_is_at_work_on_is_not_deleted(
    runs: Runs, config: RunConfig
) -> None:
    run = runs.create(config)
    run.folder.state.write_text("{")
    damaged = runs.find_any(run.id)
    assert isinstance(damaged, DamagedRun)
    with runs.lock(run.id), pytest.raises(InvalidRequest, match="a process is at work on the dam"):
        runs.delete(damaged)
    runs.delete(damaged)
    with pytest.raises(UnknownRun):
        runs.delete(damaged)


# --- what processes that died leave behind ----------------------------------------------------


def test_what_was_left_half_made_or_half_deleted_is_removed(runs: Runs, config: RunConfig) -> None:
    run = runs.create(config, "whole")
    runs.annotate(run, "said")
    with runs.lock(run.id):
        pass
    for name in (".new-20260101-000000-000001", ".deleted-20260101-000000-000002"):
        (runs.workspace.runs / name / "predictions").mkdir(parents=True)
    gone = runs.workspace.locks / "20260101-000000-000002.lock"
    gone.touch()
    gone.with_name("20260101-000000-000002.about.lock").touch()
    runs.clear_leftovers()
    assert os.listdir(runs.workspace.runs) == [run.id]
    kept = {path.name for path in runs.workspace.locks.iterdir()}
    assert kept == {"naming.lock", f"{run.id}.lock", f"{run.id}.about.lock"}
    assert runs.again(run).about.note == "said"


def test_runs_that_are_made_while_leftovers_are_removed_are_whole(
    runs: Runs, config: RunConfig
) -> None:
    actions: Any = iter([runs.clear_leftovers, lambda: runs.create(config)] * 4)
    assert at_once(lambda: next(actions)(), times=8) == []
    assert len(runs.all()) == 4
    assert runs.damaged() == []


def test_half_written_files_of_a_run_are_removed_and_whole_ones_stay(
    runs: Runs, config: RunConfig
) -> None:
    folder = runs.create(config).folder
    folder.reserve.write_bytes(b"0")
    folder.model.mkdir()
    whole = [folder.weights(1), folder.path / ".about.json.1-aa.unfinished"]
    half = [
        folder.path / ".state.json.1-aa.unfinished",
        folder.model / ".epoch-1.npz.1-aa.unfinished",
    ]
    for path in (*whole, *half):
        path.touch()
    folder.clear_unfinished()
    assert [path for path in (*whole, *half) if path.exists()] == whole
    assert not folder.reserve.exists()
    assert folder.state.exists()
