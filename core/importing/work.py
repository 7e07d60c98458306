"""Imports a dataset: `python -m core.importing.work WORKSPACE NAME`, in a process of its own.

It needs no page open, says how far it is in one file, and leaves a whole dataset or none.
"""

import signal
import sys
import threading
import traceback

from filelock import Timeout

from core.background import Telling
from core.errors import DiskFull, TransferLabError
from core.imported.library import Library
from core.importing.background import Importing, Work
from core.importing.decoding import Cancelled
from core.importing.importing import import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.processes import lower_priority, this_process
from core.training.failures import NO_ROOM
from core.workspace import find_workspace


def work(importing: Importing, asked: ImportRequest, stop: threading.Event) -> None:
    """Import what was asked for. Every failure ends in what is told of the work.

    That it has ended is told last, since whoever reads it expects nothing to change any more.
    """
    telling = Telling(importing.tell, Work(process=this_process()))
    failure, outcome = "", dict[str, object]()
    try:
        telling.phase("looking at what is there")
        place, named = importing.source(asked)
        library = Library(importing.workspace)
        imported = import_dataset(open_source(place), named, library, telling.event, stop.is_set)
        outcome = {"dataset": imported.dataset.name, "known": imported.known}
    except Cancelled:
        failure = "It was cancelled before its end; nothing of it is left."
    except Exception as error:  # the edge of the process: nobody is left to catch it
        if not isinstance(error, TransferLabError):
            traceback.print_exc()
        failure = _sentence(error, importing)
    importing.clean_up()
    telling.end(failure, **outcome)


def _sentence(error: Exception, importing: Importing) -> str:
    """What went wrong and what to do about it."""
    if isinstance(error, DiskFull) or (isinstance(error, OSError) and error.errno in NO_ROOM):
        return (
            f"The disk of {importing.workspace.root} has no room for the dataset. Delete datasets "
            "or runs you do not need, or clear the cache of frozen layers; then import it again."
        )
    if isinstance(error, TransferLabError):
        text = str(error)
        return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
    if isinstance(error, MemoryError):
        return (
            "This machine has too little memory free for it. Stop a training or close other "
            "programs, then import it again."
        )
    brief = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return f"It broke off ({brief}). Import it again; {importing.log} says where it broke."


def main(root: str, name: str) -> None:
    """Import what was asked for under a name, unless another process is at it."""
    lower_priority()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    importing = Importing(find_workspace(root), name)
    asked = importing.asked()
    if asked is None:
        sys.exit(f"nothing was asked for in {importing.folder}")
    try:
        with importing.lock():
            work(importing, asked, stop)
    except Timeout:
        return


if __name__ == "__main__":
    main(*sys.argv[1:])
