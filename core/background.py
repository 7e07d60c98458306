"""Work in a process of its own that no page holds up, and knowing how far it is.

A folder stands for one piece of work. The process says in a file there how far it is; whoever opens
a page, also after the server was started anew, reads that file. It can be killed at any moment.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import psutil
from filelock import FileLock
from pydantic import ValidationError

from core.files import write_text
from core.processes import ProcessIdentity, detached, process_of
from core.training.progress import Event, Progress
from core.validation import Frozen
from core.workspace import PROJECT

PATIENCE = 5.0
"""Seconds that a process may take to end when it is told to."""
TELL_SECONDS = 0.5
"""How often it is written down how far a process is."""


class Work(Frozen):
    """How far a process is. `failure` is a sentence; `left`: seconds of this phase, if known."""

    process: ProcessIdentity
    phase: str = "starting"
    done: int = 0
    total: int = 0
    left: float | None = None
    ended: bool = False
    failure: str = ""


AnyWork = TypeVar("AnyWork", bound=Work)


class WorkFolder(Generic[AnyWork]):
    """The folder of a piece of work. kind: what its process says of itself.

    killed: the sentence for a process that ended without a word.
    """

    def __init__(self, folder: Path, kind: type[AnyWork], killed: str) -> None:
        self.folder = folder
        self._kind, self._killed = kind, killed

    def work(self) -> AnyWork | None:
        """How far it is or how it ended, None where nothing was begun."""
        try:
            work = self._kind.model_validate_json(self._state.read_bytes())
        except (OSError, ValidationError, ValueError):
            return None
        if not work.ended and not work.process.is_alive():
            return work.model_copy(update={"ended": True, "failure": self._killed})
        return work

    def at_work(self) -> bool:
        """Whether its process runs."""
        work = self.work()
        return work is not None and not work.ended

    def start(
        self, module: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        """Run a module of this project in a process that outlives this one. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._state.unlink(missing_ok=True)
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                cwd=PROJECT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(environment or {})},
                **detached(),
            )
        if self.work() is None:  # it has not said anything itself yet
            self.tell(self._kind(process=process_of(process.pid)))

    def end(self) -> None:
        """End the process, if it runs, and forget what it said."""
        work = self.work()
        if work is not None and not work.ended:
            end_process(work.process)
        self._state.unlink(missing_ok=True)

    def tell(self, work: AnyWork) -> None:
        """Write down how far it is; for the process itself."""
        write_text(self._state, work.model_dump_json() + "\n")

    def lock(self) -> FileLock:
        """Held by the process that is at work."""
        return FileLock(self.folder / "work.lock", timeout=0)

    @property
    def log(self) -> Path:
        """What the process printed."""
        return self.folder / "log.txt"

    @property
    def _state(self) -> Path:
        return self.folder / "work.json"


class Telling(Generic[AnyWork]):
    """Writes down how far a process is, now and then.

    tell: writes it down. work: what there is to say at first.
    """

    def __init__(self, tell: Callable[[AnyWork], None], work: AnyWork) -> None:
        self._write, self._work = tell, work
        self._told, self._began = 0.0, 0.0

    def phase(self, phase: str) -> None:
        """Something else begins, which says nothing of how far it is yet."""
        self._began = time.monotonic()
        self.tell(phase=phase, done=0, total=0, left=None)

    def __call__(self, phase: str, done: int, total: int) -> None:
        """So much of a phase is done; a total of 0 is not known."""
        now, began = time.monotonic(), phase != self._work.phase
        if began:
            self._began = now
        if began or now - self._told >= TELL_SECONDS or done == total:
            known = done and total and not began
            left = (now - self._began) * (total - done) / done if known else None
            self.tell(phase=phase, done=done, total=total, left=left)

    def event(self, event: Event) -> None:
        """What loading, importing or computing reports."""
        if isinstance(event, Progress):
            self(event.phase, event.done, event.total)

    def end(self, failure: str = "", **changes: Any) -> None:
        """All is done, or something kept it from it."""
        try:
            self.tell(ended=True, failure=failure, **changes)
        except OSError as error:
            # Its process is gone in a moment, which a page notices as well.
            sys.stderr.write(f"That could not be written down: {error}\n")

    def tell(self, **changes: Any) -> None:
        """Write down what has changed."""
        self._work = self._work.model_copy(update=changes)
        self._write(self._work)
        self._told = time.monotonic()


def end_process(process: ProcessIdentity) -> None:
    """Tell a process to end, and see to it that it and those it started do."""
    if not process.is_alive():
        return
    try:
        told = psutil.Process(process.pid)
        family = [told, *told.children(recursive=True)]
        told.terminate()
    except psutil.Error:
        return
    _wait_for(process)
    for member in family:
        with contextlib.suppress(psutil.Error):
            member.kill()
    _wait_for(process)


def _wait_for(process: ProcessIdentity) -> None:
    deadline = time.monotonic() + PATIENCE
    while process.is_alive() and time.monotonic() < deadline:
        time.sleep(0.02)
