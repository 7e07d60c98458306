"""Where runs execute: one small interface, and the engine for this machine."""

import subprocess
import sys
from typing import Protocol

from filelock import FileLock, Timeout

from core.errors import WorkFailed
from core.preferences import load_preferences
from core.processes import detached
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import PROJECT, Workspace


class Engine(Protocol):
    """A place that trains runs. All it needs to know of a run is in the run's folder."""

    def submit(self, run: Run) -> None:
        """See to it that a queued run is trained, now or after those before it."""

    def stop(self, run: Run) -> None:
        """Ask a waiting or training run to end, keeping its best weights."""

    def is_alive(self, run: Run) -> bool:
        """Whether a process is at work on the run."""


class LocalEngine:
    """Trains the runs of a workspace on this machine, as many at once as it was told to."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def submit(self, run: Run) -> None:
        """Have the queue worked through; the run is in it."""
        self.wake()

    def wake(self) -> None:
        """Start a runner; it leaves at once if another is at work, which then sees to the queue.

        Raises WorkFailed where none can be started.
        """
        try:
            self._start_runner()
        except OSError as error:
            raise WorkFailed(
                f"the queue cannot be worked through: {error.strerror}; make room or permit "
                f"writing to {self.workspace.root}, then ask for it again"
            ) from None

    def _start_runner(self) -> None:
        self.workspace.root.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "core.training.runner", str(self.workspace.root)]
        with self.workspace.runner_log.open("ab") as log:
            subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **detached(),
            )

    def wake_if_asleep(self) -> None:
        """Start a runner where runs wait and nobody sees to them, as after a restart."""
        waiting = Runs(self.workspace).queue()
        if waiting and not self.at_work() and not load_preferences(self.workspace).paused:
            self.wake()

    def at_work(self) -> bool:
        """Whether a runner sees to the queue."""
        if not self.workspace.runner_lock.exists():
            return False
        try:
            with FileLock(self.workspace.runner_lock, timeout=0):
                return False
        except Timeout:
            return True
        except OSError:
            return False  # nobody may even take the lock

    def complaint(self) -> str:
        """The last thing that a runner said before it broke; empty where none did."""
        try:
            said = self.workspace.runner_log.read_text(errors="replace").strip()
        except OSError:
            return ""
        return said.rpartition("\n")[2]

    def stop(self, run: Run) -> None:
        """Leave a request that the worker looks for between batches."""
        Runs(self.workspace).request_stop(run)

    def is_alive(self, run: Run) -> bool:
        """Whether the run's worker runs on this machine."""
        process = run.state.process
        return process is not None and process.is_alive()
