"""Picture files decoded and resized to the side of a network once, and kept as an array."""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, decode, for_network
from core.data.rows import Rows, all_rows
from core.errors import DamagedFile, DiskFull, UnreadableImage
from core.training.feature_cache import FeatureCache
from core.training.progress import Progress, Report

DEFAULT_LIMIT = 50 * 2**30
"""Bytes that the resized pictures of a workspace may take."""
BATCH_BYTES = 2**26
MOST_THREADS = 8
"""A large photograph takes 150 MB while it is decoded."""

Digests = NDArray[np.uint8]
"""(count, 32), SHA-256 of each file."""


@dataclass(frozen=True)
class Files:
    """Picture files, read by their position.

    read: raises OSError where a file cannot be read. key: tells these files from all others.
    called: "train pictures", for people. known: what the files must be; where it is not told, one
    that cannot be read is no failure.
    """

    count: int
    read: Callable[[int], bytes]
    key: Mapping[str, Any]
    called: str
    known: Digests | None = None


def resized(
    files: Files, side: int, cache: FeatureCache, report: Report
) -> tuple[Rows[np.uint8], Digests]:
    """The pictures, (count, side, side, 3) RGB on disk, and the digests of their files.

    Both are zeros where a file cannot be read. Raises DiskFull, and DamagedFile where a file is
    not what it must be.
    """
    key = {**files.key, "side": side}
    arrays: Any = cache.find(key)
    if arrays is None:
        arrays = _store(files, side, key, cache, report)
    images, digests = arrays
    return all_rows(images), np.array(digests)


def _store(
    files: Files, side: int, key: Mapping[str, Any], cache: FeatureCache, report: Report
) -> Any:
    shapes = [(files.count, side, side, 3), (files.count, 32)]
    try:
        return cache.store(key, shapes, np.uint8, _batches(files, side, report))
    except DiskFull:
        raise DiskFull(
            f"the {files.called}, resized to {side}x{side}, could not be written to "
            f"{cache.folder}; free {int(np.prod(shapes[0])) / 2**30:.1f} GiB there or take a "
            "smaller network.side"
        ) from None


def _batches(files: Files, side: int, report: Report) -> Iterator[tuple[Any, ...]]:
    """Pictures and digests, batch by batch, so that memory stays flat."""
    size = max(1, BATCH_BYTES // (3 * side**2))
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        for start in range(0, files.count, size):
            end = min(start + size, files.count)
            read = pool.map(lambda position: _read(files, position, side), range(start, end))
            pixels, digests = zip(*read, strict=True)
            _check(files, start, np.stack(digests))
            yield np.stack(pixels), np.stack(digests)
            report(Progress(f"decoding {files.called}", end, files.count, "pictures"))


def _read(files: Files, position: int, side: int) -> tuple[Pixels, Digests]:
    """A picture and its digest, both zeros where it cannot be read."""
    try:
        content = files.read(position)
        picture = decode(content)
    except (OSError, UnreadableImage):
        return np.zeros((side, side, 3), np.uint8), np.zeros(32, np.uint8)
    digest = hashlib.sha256(content).digest()
    return for_network(picture[np.newaxis], side, 3)[0], np.frombuffer(digest, np.uint8)


def _check(files: Files, start: int, digests: Digests) -> None:
    if files.known is None:
        return
    others = (digests != files.known[start : start + len(digests)]).any(axis=1)
    if others.any():
        raise DamagedFile(
            f"{int(others.sum())} of {len(digests)} {files.called} that were read are no longer "
            "what they were when they were imported"
        )
