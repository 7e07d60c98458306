"""Having features computed in a process of its own, and knowing how far it is.

Whoever asks leaves a request in the folder of the run's epoch and starts the process; one at a time
is at work on an epoch, takes the requests one by one and leaves when there are none. It can be
killed at any moment: what is kept is complete or absent.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Literal

from filelock import FileLock
from pydantic import ValidationError

from core.errors import WorkFailed
from core.feature_space.space import FeatureSpace
from core.files import write_text
from core.processes import ProcessIdentity, detached, process_of
from core.validation import Frozen
from core.workspace import PROJECT

Task = Literal["pca", "tsne", "neighbours"]
"""What may be asked for: a map of the test images, or all that neighbours need."""
TASKS: tuple[Task, ...] = ("pca", "tsne", "neighbours")
PATIENCE = 5.0
"""Seconds that a process may take to end when it is told to."""
KILLED = (
    "The process that computed it ended without a word: something killed it, most often for want "
    "of memory. Start it again; what it had finished is kept."
)


class Work(Frozen):
    """How far the process of an epoch is. `failure` is a sentence; `left`: seconds, if known.

    task: the one at work, or that failed; None before the first.
    """

    process: ProcessIdentity
    task: Task | None = None
    phase: str = "starting"
    done: int = 0
    total: int = 0
    left: float | None = None
    ended: bool = False
    failure: str = ""


class Background:
    """The process that computes the features of one network, seen from outside."""

    def __init__(self, space: FeatureSpace) -> None:
        self.space = space

    def work(self) -> Work | None:
        """How far it is or how it ended, None where nothing was asked for."""
        try:
            work = Work.model_validate_json(self._state.read_bytes())
        except (OSError, ValidationError, ValueError):
            return None
        if not work.ended and not work.process.is_alive():
            return work.model_copy(update={"ended": True, "failure": KILLED})
        return work

    def at_work(self) -> bool:
        """Whether it runs."""
        work = self.work()
        return work is not None and not work.ended

    def ask(self, task: Task) -> None:
        """Have something computed, after what was asked for before.

        Raises WorkFailed where no process can be started.
        """
        try:
            self.space.folder.mkdir(parents=True, exist_ok=True)
            self._request(task).touch()
            if not self.at_work():
                self._start()
        except OSError as error:
            raise WorkFailed(
                f"nothing can be computed in {self.space.folder}: {error.strerror}; make room or "
                "permit writing there, then ask for it again"
            ) from None

    def asked(self, task: Task) -> bool:
        """Whether something waits to be computed."""
        return self._request(task).exists()

    def cancel(self) -> None:
        """End the process and forget what was asked for; what it had finished is kept."""
        for task in TASKS:
            self._request(task).unlink(missing_ok=True)
        work = self.work()
        if work is not None and not work.ended:
            _end(work.process)
        self._state.unlink(missing_ok=True)

    def take(self) -> Task | None:
        """The next request, which is forgotten; for the process itself."""
        for task in TASKS:
            if self.asked(task):
                self._request(task).unlink(missing_ok=True)
                return task
        return None

    def tell(self, work: Work) -> None:
        """Write down how far it is; for the process itself."""
        write_text(self._state, work.model_dump_json() + "\n")

    def lock(self) -> FileLock:
        """Held by the process that is at work."""
        return FileLock(self.space.folder / "work.lock", timeout=0)

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.space.folder / "log.txt"

    @property
    def _state(self) -> Path:
        return self.space.folder / "work.json"

    def _request(self, task: Task) -> Path:
        return self.space.folder / f"asked-{task}"

    def _start(self) -> None:
        space = self.space
        command = [sys.executable, "-m", "core.feature_space.work", str(space.workspace.root)]
        # Threads of t-SNE that wait for each other must not keep a busy machine busier.
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [*command, space.run.id, str(space.epoch)],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=os.environ | {"OMP_WAIT_POLICY": "passive"},
                **detached(),
            )
        self.tell(Work(process=process_of(process.pid)))


def _end(process: ProcessIdentity) -> None:
    """Tell a process to end, and see to it that it does."""
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if not process.is_alive():
            return
        try:
            os.kill(process.pid, number)
        except OSError:
            return
        deadline = time.monotonic() + PATIENCE
        while process.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
