"""What is told where a run cannot be changed, and why."""

import contextlib
from collections.abc import Iterator

from filelock import Timeout

from core.errors import InvalidRequest, UnknownRun, WorkFailed
from core.registry.run import Run
from core.registry.run_files import WORKING


@contextlib.contextmanager
def writing(run: Run) -> Iterator[None]:
    """Turns the system's refusal to write a file of a run into a sentence."""
    try:
        yield
    except FileNotFoundError:
        raise deleted(run) from None
    except OSError as error:
        raise WorkFailed(
            f"the run {run.name!r} cannot be changed: {reason(error)}; make room on the disk or "
            "permit it, then try again"
        ) from None


def reason(error: OSError) -> str:
    """Why the system refused."""
    if isinstance(error, Timeout):
        return "somebody else has been changing it for long"
    return error.strerror or str(error)


def deleted(run: Run) -> UnknownRun:
    """The run is there no more."""
    return UnknownRun(f"the run {run.name!r} was deleted meanwhile; choose another")


def busy(run: Run, done: str) -> InvalidRequest:
    """Somebody is at work on the run, which cannot be `done` meanwhile, such as "resumed"."""
    if run.status in WORKING:
        return InvalidRequest(f"the run {run.name!r} is training; stop it before it is {done}")
    if run.status == "queued" and done == "resumed":
        return InvalidRequest(f"the run {run.name!r} waits to be trained already")
    return InvalidRequest(
        f"somebody else is at work on the run {run.name!r} just now; try again in a moment"
    )
