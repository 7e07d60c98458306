"""Writing files so that a reader sees the old content or the new, never half of either."""

import json
import os
import secrets
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

UNREADABLE = (OSError, KeyError, ValueError, EOFError, RuntimeError, BadZipFile, zlib.error)
"""What numpy, zipfile and zlib raise between them where the bytes of an npz were changed."""


def damage(error: Exception) -> str:
    """What such an exception says is wrong, in one line.

    >>> damage(EOFError())
    'it ends too early'
    """
    return " ".join(str(error).split()) or "it ends too early"


def write_atomically(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Let `write` fill a file beside `path`, flush it to disk, then rename it into place."""
    beside = path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{_UNFINISHED}")
    try:
        with naming(path):
            with beside.open("xb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Names the file that is being written in an OSError: the system does not on a full disk."""
    try:
        yield
    except OSError as error:
        error.filename = str(path)
        raise


_UNFINISHED = ".unfinished"


def clear_unfinished(folder: Path, name: str = "*") -> None:
    """Remove what writers that were killed left of a file, or of all in a folder.

    Nobody may be writing it now.
    """
    for beside in folder.glob(f".{name}.*{_UNFINISHED}"):
        beside.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    write_atomically(path, lambda file: file.write(text.encode()))


def write_json(path: Path, content: Any) -> None:
    """Write indented JSON atomically."""
    write_text(path, json.dumps(content, indent=1) + "\n")


def write_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write a compressed npz atomically."""

    def save(file: BinaryIO) -> None:
        np.savez_compressed(file, allow_pickle=False, **arrays)

    write_atomically(path, save)
