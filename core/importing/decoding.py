"""Decoding picture files with all cores, in order, in memory that stays flat.

What is imported here is imported by every process that decodes: nothing heavy.
"""

import contextlib
import hashlib
import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import connection
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import DAMAGED, Pixels, decode
from core.errors import UnreadableImage, UnreadableUpload, WorkFailed
from core.imported.writing import LARGEST_KEPT_AS_PIXELS, THUMBNAIL_SIDE, NotAlike
from core.importing.items import Content
from core.importing.looks import Looks, looks_of

Keep = Literal["pixels", "files"]
"""What a dataset keeps of its images: pixels where all have one small size, else their files."""

THUMBNAIL_QUALITY = 85

FIRST, MOST = 16, 1000
"""Files that a process takes at first, and at most, before it hands over what it has."""
WANTED_BYTES, MOST_BYTES = 2**21, 2**25
"""Bytes that a process should hand over at a time, and after which it does so in any case."""
FEW = 64
"""So few files are decoded sooner than processes are started."""
WAIT_SECONDS = 0.2

ShouldStop = Callable[[], bool]


class Cancelled(Exception):
    """The import was to stop, and has left nothing behind."""


@dataclass(frozen=True, eq=False)
class Decoded:
    """What became of some files, one after another.

    looked: how many files it is about. skipped: by their number among these, why some cannot be
    read. sizes: (n, 3), height, width and channels of the others. digests: (n, 32), SHA-256 of
    shape and pixels, or of the file where files are kept. pixels: (n, height, width[, 3]), None
    where files are kept, or where no file could be read.
    """

    looked: int
    skipped: dict[int, str]
    sizes: NDArray[np.int32]
    digests: NDArray[np.uint8]
    looks: Looks
    pixels: Pixels | None = None
    files: Sequence[bytes] = ()
    thumbnails: Sequence[bytes] = ()


def decode_files(
    contents: Sequence[Content], keep: Keep, should_stop: ShouldStop
) -> Generator[Decoded, None, None]:
    """What becomes of each file, in order. Raises NotAlike, Cancelled, WorkFailed."""
    if len(contents) <= FEW:
        yield from _decoded_here(contents, keep, should_stop)
        return
    cores = _cores()
    cv2.setNumThreads(1)  # ends OpenCV's own threads, which copies of this process would wait for
    pool = ProcessPoolExecutor(cores, _context(), _begin, (contents,))
    try:
        yield from _decoded_in_order(pool, 2 * cores, len(contents), keep, should_stop)
    except BrokenProcessPool:
        raise WorkFailed(
            "a process that decodes pictures was ended by the system, most often for want of "
            "memory; close other programs and import again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def digests_of(pictures: Sequence[Pixels] | Pixels) -> NDArray[np.uint8]:
    """(n, 32), SHA-256 of the shape and pixels of each image, which are contiguous."""
    starts: dict[tuple[int, ...], Any] = {}
    digests = []
    for picture in pictures:
        shape = picture.shape
        if shape not in starts:
            starts[shape] = hashlib.sha256(repr(shape).encode())
        digest = starts[shape].copy()
        digest.update(picture.data)
        digests.append(digest.digest())
    return _rows(digests)


# --- in the process that imports --------------------------------------------------------------


def _decoded_here(
    contents: Sequence[Content], keep: Keep, should_stop: ShouldStop
) -> Iterator[Decoded]:
    start = 0
    while start < len(contents):
        if should_stop():
            raise Cancelled
        piece = _decode(contents[start:], keep)
        start += piece.looked
        yield piece


def _decoded_in_order(
    pool: ProcessPoolExecutor, at_once: int, count: int, keep: Keep, should_stop: ShouldStop
) -> Iterator[Decoded]:
    """Pieces as large as is good for their images, a few of them under way at a time."""
    under_way: deque[tuple[int, int, Future[Decoded]]] = deque()
    begun, size = 0, FIRST

    def begin(start: int, end: int) -> tuple[int, int, Future[Decoded]]:
        return start, end, pool.submit(_decode_range, start, end, keep)

    while under_way or begun < count:
        while len(under_way) < at_once and begun < count:
            end = min(begun + size, count)
            under_way.append(begin(begun, end))
            begun = end
        start, end, future = under_way.popleft()
        piece = _result(future, should_stop)
        if start + piece.looked < end:
            under_way.appendleft(begin(start + piece.looked, end))
        size = max(1, min(MOST, WANTED_BYTES * piece.looked // max(1, _bytes(piece))))
        yield piece


def _result(future: Future[Decoded], should_stop: ShouldStop) -> Decoded:
    while not should_stop():
        with contextlib.suppress(TimeoutError):
            return future.result(WAIT_SECONDS)
    raise Cancelled


def _bytes(piece: Decoded) -> int:
    held = 0 if piece.pixels is None else piece.pixels.nbytes
    return held + sum(map(len, piece.files))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _context() -> multiprocessing.context.BaseContext:
    """How processes are begun: in no time as copies of this one, where that is safe.

    It is so on Linux, as long as no other thread could hold a lock that the copy waits for, also
    none that the module threading does not know.
    """
    copied = sys.platform == "linux" and len(sys._current_frames()) == 1
    return multiprocessing.get_context("fork" if copied else "spawn")


# --- in the processes that decode -------------------------------------------------------------

_contents: Sequence[Content] = ()
"""All files of the import; handed over once, as a copied process has them already."""


def _begin(contents: Sequence[Content]) -> None:
    global _contents
    _contents = contents
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that imports ends this one
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _decode_range(start: int, end: int, keep: Keep) -> Decoded:
    return _decode(_contents[start:end], keep)


def _decode(contents: Sequence[Content], keep: Keep) -> Decoded:
    """The first of some files, as many as fit into `MOST_BYTES`."""
    return _decode_alike(contents) if keep == "pixels" else _decode_any(contents)


def _decode_alike(contents: Sequence[Content]) -> Decoded:
    pictures: list[Pixels] = []
    skipped: dict[int, str] = {}
    size, held, looked = (0, 0), 0, 0
    for looked, content in enumerate(contents, start=1):
        try:
            picture = decode(content.read())
        except Exception as error:  # whatever a file does to a decoder, the others are read
            skipped[looked - 1] = _reason(error)
            continue
        if picture.shape[:2] != size:
            if pictures or max(picture.shape[:2]) > LARGEST_KEPT_AS_PIXELS:
                raise NotAlike
            size = picture.shape[:2]
        pictures.append(picture)
        held += picture.nbytes
        if held >= MOST_BYTES:
            break
    sizes = np.empty((len(pictures), 3), np.int32)
    sizes[:, :2] = size
    sizes[:, 2] = [3 if picture.ndim == 3 else 1 for picture in pictures]
    pixels = _stacked(pictures) if pictures else None
    looks = looks_of(pictures if pixels is None else pixels)
    return Decoded(looked, skipped, sizes, digests_of(pictures), looks, pixels)


def _decode_any(contents: Sequence[Content]) -> Decoded:
    files: list[bytes] = []
    skipped: dict[int, str] = {}
    sizes, looks, thumbnails = [], [], []
    held = looked = 0
    for looked, content in enumerate(contents, start=1):
        try:
            file = content.read()
            picture = decode(file)
        except Exception as error:  # whatever a file does to a decoder, the others are read
            skipped[looked - 1] = _reason(error)
            continue
        small = _thumbnail(picture)
        files.append(file)
        sizes.append(_size(picture))
        looks.append(small)
        thumbnails.append(_jpeg(small))
        held += len(file)
        if held >= MOST_BYTES:
            break
    digests = _rows([hashlib.sha256(file).digest() for file in files])
    return Decoded(
        looked,
        skipped,
        np.array(sizes, np.int32).reshape(-1, 3),
        digests,
        looks_of(looks),
        files=files,
        thumbnails=thumbnails,
    )


def _reason(error: Exception) -> str:
    if isinstance(error, UnreadableImage | UnreadableUpload):
        return str(error)
    if isinstance(error, OSError):
        return f"the file cannot be read: {error.strerror or error}"
    return "there is too little memory for it" if isinstance(error, MemoryError) else DAMAGED


def _stacked(pictures: list[Pixels]) -> Pixels:
    """Of one size; grey ones among others with three equal channels."""
    if len({picture.ndim for picture in pictures}) == 1:
        return np.stack(pictures)
    return np.stack([coloured(picture) for picture in pictures])


def coloured(picture: Pixels) -> Pixels:
    """(height, width, 3) of a picture that may be grey."""
    return picture if picture.ndim == 3 else np.repeat(picture[..., np.newaxis], 3, axis=2)


def _rows(digests: list[bytes]) -> NDArray[np.uint8]:
    return np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)


def _size(picture: Pixels) -> tuple[int, int, int]:
    height, width = picture.shape[:2]
    return height, width, 3 if picture.ndim == 3 else 1


def _thumbnail(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    scale = THUMBNAIL_SIDE / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _jpeg(picture: Pixels) -> bytes:
    in_order = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    quality = [cv2.IMWRITE_JPEG_QUALITY, THUMBNAIL_QUALITY]
    return bytes(cv2.imencode(".jpg", in_order, quality)[1])
