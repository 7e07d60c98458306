"""The runner works through the queue and leaves when nothing waits.

`python -m core.training.runner WORKSPACE`. It needs no page open and no server up. Any
number may be started: one holds the lock, the others see that and leave.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field

from filelock import FileLock, Timeout

from core.errors import DamagedFile, InvalidRequest, TransferLabError
from core.preferences import load_preferences
from core.processes import detached, killed_for_memory, lower_priority
from core.registry.run import Run
from core.registry.run_files import WORKING, Failure
from core.registry.runs import Runs
from core.training import failures
from core.workspace import PROJECT, Workspace, find_workspace

PATIENCE = 5.0
"""Seconds to wait for the lock. A runner that found the queue empty may still hold it for an
instant; one that holds it longer is at work and looks at the queue again afterwards."""
POLL = 0.2
QUEUE_POLL = 1.0
"""Seconds between looks at the workers, and between looks at the queue while one trains."""


def work_through_queue(workspace: Workspace) -> None:
    """Train every queued run, those included that are queued meanwhile."""
    try:
        with FileLock(workspace.runner_lock, timeout=PATIENCE):
            runner = _Runner(Runs(workspace))
            runner.work()
            if not runner.given_up:
                _forget_complaints(workspace)
    except Timeout:
        return


def _forget_complaints(workspace: Workspace) -> None:
    """Empty the log of runners: whatever kept an earlier one from its work is over."""
    with contextlib.suppress(OSError):
        os.truncate(workspace.runner_log, 0)


@dataclass
class Worker:
    """A process that trains a run, and how many the system had killed for memory before it."""

    run: Run
    process: "subprocess.Popen[bytes]"
    killed_before: int


@dataclass
class _Runner:
    runs: Runs
    workers: list[Worker] = field(default_factory=list)
    given_up: set[str] = field(default_factory=set)
    """Runs that this machine would not let it see to; the next runner tries again."""

    def work(self) -> None:
        """Until no run is at work and none may begin."""
        with contextlib.suppress(OSError):
            self.runs.clear_leftovers()
        while True:
            self._bury()
            self._start_all()
            if not self.workers and not self._others_at_work():
                return
            began = time.monotonic()
            while time.monotonic() - began < QUEUE_POLL and not self._somebody_died():
                time.sleep(POLL)

    def _start_all(self) -> None:
        """Start as many of the waiting runs as may train at once."""
        while True:
            preferences = load_preferences(self.runs.workspace)
            if preferences.paused or len(self.workers) >= preferences.at_once:
                return  # and the runs need not be read, of which there may be a thousand
            if len(self.workers) + len(self._others_at_work()) >= preferences.at_once:
                return
            not_now = {worker.run.id for worker in self.workers} | self.given_up
            waiting = [run for run in self.runs.queue() if run.id not in not_now]
            if not waiting:
                return
            try:
                self._start(waiting[0])
            except OSError as error:
                self._give_up(waiting[0], error)

    def _others_at_work(self) -> list[Run]:
        """Runs whose workers were started by a runner that is gone."""
        mine = {worker.run.id for worker in self.workers}
        return [run for run in self.runs.all() if run.status in WORKING and run.id not in mine]

    def _start(self, run: Run) -> None:
        with run.folder.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "core.worker", str(run.folder.path)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **detached(),
            )
        self.workers.append(Worker(run, process, killed_for_memory()))

    def _somebody_died(self) -> bool:
        return any(worker.process.poll() is not None for worker in self.workers)

    def _bury(self) -> None:
        """Write down what workers that ended could not write down themselves."""
        for worker in [one for one in self.workers if one.process.poll() is not None]:
            self.workers.remove(worker)
            try:
                _write_down_end(self.runs, worker)
            except OSError as error:
                self._give_up(worker.run, error)

    def _give_up(self, run: Run, error: OSError) -> None:
        if not run.folder.path.exists():
            return  # deleted while it waited
        self.given_up.add(run.id)
        reason = error.strerror or str(error)
        with contextlib.suppress(OSError):  # its log may be on the same disk
            print(f"the run {run.name!r} could not be seen to: {reason}", file=sys.stderr)


def _write_down_end(runs: Runs, worker: Worker) -> None:
    """Say why a run did not come to its end, if its worker left that unsaid."""
    try:
        with runs.lock(worker.run.id):
            run = runs.again(worker.run)
            if run.status == "queued":
                if run.state.queued == worker.run.state.queued:  # else it was resumed meanwhile
                    run.write_state(status="failed", error=_NEVER_STARTED)
            elif run.status == "interrupted" and run.state.error is None:
                run.folder.clear_unfinished()
                run.write_state(status="interrupted", error=_why(worker, run))
    except (Timeout, InvalidRequest, DamagedFile):
        return  # somebody took it over, or it is gone


def _why(worker: Worker, run: Run) -> Failure:
    status = worker.process.returncode
    if status >= 0:
        return failures.ended_silently(status)
    ran_out = -status == signal.SIGKILL and killed_for_memory() > worker.killed_before
    return failures.ended_by(-status, run.config, run.state.peak_memory, ran_out)


_NEVER_STARTED = Failure(
    kind="worker",
    sentence="The training process ended before it began.",
    advice="Its log says why; install the requirements anew if a module is missing.",
)


if __name__ == "__main__":
    lower_priority()
    try:
        work_through_queue(find_workspace(sys.argv[1]))
    except TransferLabError as error:
        sys.exit(str(error))
