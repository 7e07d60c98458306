"""The runner works through the queue, one run at a time, and leaves when nothing waits.

`python -m core.runner WORKSPACE`. It needs no page open and no server up. Any number may be
started: one holds the lock, the others see that and leave.
"""

import subprocess
import sys

from filelock import FileLock, Timeout

from core.processes import detached, lower_priority
from core.runs import Failure, Run, Runs
from core.workspace import PROJECT, Workspace, find_workspace

PATIENCE = 5.0
"""Seconds to wait for the lock. A runner that found the queue empty may still hold it for an
instant; one that holds it longer is training and looks at the queue again afterwards."""


def work_through_queue(workspace: Workspace) -> None:
    """Train every queued run, those included that are queued meanwhile."""
    runs = Runs(workspace)
    try:
        with FileLock(workspace.runner_lock, timeout=PATIENCE):
            while waiting := runs.queue():
                _train(runs, waiting[0])
    except Timeout:
        return


def _train(runs: Runs, run: Run) -> None:
    """Run the worker to its end; write down a death that it could not write down itself."""
    try:
        log = run.folder.log.open("ab")
    except FileNotFoundError:
        return  # deleted while it waited
    with log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "core.worker", str(run.folder.path)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached(),
        )
        worker.wait()
    if run.folder.state.exists() and runs.again(run).status == "queued":
        run.write_state(status="failed", error=_NEVER_STARTED)


_NEVER_STARTED = Failure(
    kind="worker",
    sentence="The training process ended before it began.",
    advice="Its log says why; install the requirements anew if a module is missing.",
)


if __name__ == "__main__":
    lower_priority()
    work_through_queue(find_workspace(sys.argv[1]))
