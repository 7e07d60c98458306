"""Why a training could not go on: the kind of failure, a sentence, and what to do about it."""

import errno
import shutil
import signal
from pathlib import Path

from core.errors import (
    DatasetUnavailable,
    DiskFull,
    Diverged,
    InvalidRequest,
    TransferLabError,
    UnreadableImage,
    WorkFailed,
)
from core.registry.config import RunConfig
from core.registry.run import GO_ON
from core.registry.run_files import Failure, FailureKind
from core.training import memory_needs
from core.training.costs import this_machine

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
"""What the system says where a file cannot grow: disk, quota or file size at their limit."""

_MAKE_ROOM = (
    "Make room: delete runs you do not need, or clear the cache of frozen layers (both on the page "
    f"Runs). {GO_ON}"
)
_ADVICE: dict[type[TransferLabError], tuple[FailureKind, str]] = {
    DiskFull: ("disk", _MAKE_ROOM),
    DatasetUnavailable: ("data", "Put the data right and resume the run."),
    UnreadableImage: ("data", "Replace that file or take it away, then launch the run anew."),
    Diverged: ("diverged", "Launch it again with that, from this run's settings."),
    InvalidRequest: ("request", "Change that setting and launch a new run."),
    WorkFailed: ("work", "Mend that and resume the run."),
}
"""The first that an error is decides."""


def of(error: Exception, config: RunConfig, peak_memory: int = 0) -> Failure:
    """What a training that an exception ended says of itself."""
    for kind_of_error, (kind, advice) in _ADVICE.items():
        if isinstance(error, kind_of_error):
            return Failure(kind=kind, sentence=_as_sentence(str(error)), advice=advice)
    if isinstance(error, OSError) and _is_data(error, config):
        return Failure(
            kind="data",
            sentence=f"The file {error.filename} cannot be read ({error.strerror}).",
            advice=_ADVICE[DatasetUnavailable][1],
        )
    if isinstance(error, OSError) and error.errno in NO_ROOM:
        file = f" {error.filename}" if error.filename else ""
        return Failure(
            kind="disk",
            sentence=f"The file{file} could not be written: {error.strerror}{_free(error)}.",
            advice=_MAKE_ROOM,
        )
    if isinstance(error, MemoryError) or "ResourceExhausted" in type(error).__name__:
        return out_of_memory(config, peak_memory)
    return Failure(
        kind="unexpected",
        sentence=f"Training broke off: {_brief(error)}",
        advice="The end of the run's log says where; the same settings will break off again.",
    )


def _free(error: OSError) -> str:
    """What is left of the disk on which a file could not be written, if that is known."""
    try:
        free = shutil.disk_usage(Path(error.filename).parent).free
    except (OSError, TypeError):
        return ""
    return f" ({free / 2**20:,.1f} MiB are free there)"


def _is_data(error: OSError, config: RunConfig) -> bool:
    named = error.filename is not None and bool(config.data.path)
    return named and Path(str(error.filename)).is_relative_to(config.data.path)


def out_of_memory(config: RunConfig, peak_memory: int) -> Failure:
    """The machine had too little memory for a run that held `peak_memory` bytes."""
    held = f", holding {peak_memory / 2**30:.1f} GiB" if peak_memory else ""
    total = this_machine().memory / 2**30
    return Failure(
        kind="memory",
        sentence=f"The training ran out of memory{held}; this machine has {total:.1f} GiB.",
        advice=(
            f"Launch it again with {memory_needs.smaller(config)}, or close other programs and "
            "resume it."
        ),
    )


def ended_by(number: int, config: RunConfig, peak_memory: int, memory_ran_out: bool) -> Failure:
    """A worker that a signal ended; memory_ran_out: the system killed for want of memory then."""
    if memory_ran_out:
        return out_of_memory(config, peak_memory)
    if number in _BREAKDOWNS:
        return Failure(
            kind="unexpected",
            sentence=f"The training process broke down ({signal.strsignal(number)}).",
            advice=f"The end of the run's log may say why. {GO_ON}",
        )
    return Failure(
        kind="killed",
        sentence=f"The process of this run was ended from outside, by signal {number}.",
        advice=GO_ON,
    )


def ended_silently(status: int) -> Failure:
    """A worker that ended by itself and could not write down why."""
    return Failure(
        kind="unexpected",
        sentence=f"The training process ended with status {status} and could not write down why.",
        advice=f"The end of the run's log may say it. {GO_ON}",
    )


_BREAKDOWNS = [
    getattr(signal, name)
    for name in ("SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGSEGV")
    if hasattr(signal, name)
]
"""Signals that a process gets for what it did itself."""


def _as_sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _brief(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
