"""Where runs execute: one small interface, and the engine for this machine."""

import subprocess
import sys
from typing import Protocol

from core.processes import detached
from core.runs import Run, Runs
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
    """Trains the runs of a workspace on this machine, one after another."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def submit(self, run: Run) -> None:
        """Start a runner; it leaves at once if another is at work, which then takes the run."""
        self.workspace.root.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "core.runner", str(self.workspace.root)]
        with self.workspace.runner_log.open("ab") as log:
            subprocess.Popen(
                command,
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **detached(),
            )

    def stop(self, run: Run) -> None:
        """Leave a request that the worker looks for between batches."""
        Runs(self.workspace).request_stop(run)

    def is_alive(self, run: Run) -> bool:
        """Whether the run's worker runs on this machine."""
        process = run.state.process
        return process is not None and process.is_alive()
