"""The output of frozen layers, computed once per image and kept on disk.

An entry is a folder named by the hash of everything its numbers depend on. It is filled under
another name and renamed at the end, so an entry that can be seen is complete.
"""

import contextlib
import errno
import hashlib
import io
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import DTypeLike, NDArray

from core.errors import DiskFull
from core.files import write_json

Features = tuple[NDArray[np.floating[Any]], ...]
"""One array, (count, ...), for each tensor that crosses the cut."""

SPARE_BYTES = 2**30
"""What a disk keeps free for everything else."""


@dataclass(frozen=True)
class Use:
    """How full a cache is: entries, the bytes they take, and the bytes that they may take."""

    entries: int
    size: int
    limit: int


class FeatureCache:
    """Features in one folder, dropped least recently used first beyond `limit` bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder = folder
        self.limit = limit

    def find(self, key: Mapping[str, Any]) -> Features | None:
        """The memory-mapped features of a key, read-only, or None."""
        entry = self._entry(key)
        features = _read(entry)
        if features is not None:
            with contextlib.suppress(OSError):  # dropped by another process just now, or not ours
                os.utime(entry)  # the time of last use
        return features

    def store(
        self,
        key: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        dtype: DTypeLike,
        batches: Iterable[Features],
    ) -> Features:
        """Write batches one after another as arrays of `shapes`; returns them memory-mapped.

        What was used least recently makes room first. Raises ValueError where the batches do not
        fill the shapes, DiskFull where the disk has no room. Whatever interrupts the writing, no
        part of an entry stays behind under its name.
        """
        size = sum(math.prod(shape) for shape in shapes) * np.dtype(dtype).itemsize
        try:
            with self._unfinished(size) as unfinished:
                _write_batches(unfinished, shapes, dtype, batches)
                with _writing():
                    write_json(unfinished / _KEY, {"arrays": len(shapes), "key": dict(key)})
                    self._publish(unfinished, self._entry(key))
        except _WriteFailed as error:
            raise DiskFull(
                f"the features of the frozen layers could not be written to {self.folder}: "
                f"{error}. Free {size / 2**20:,.0f} MiB there, clear the cache (`cache --clear`), "
                "or set cache_features=false"
            ) from None
        stored = _read(self._entry(key))
        if stored is None:
            raise DiskFull(f"the features just written to {self.folder} cannot be read back")
        return stored

    def fits(self, size: int) -> bool:
        """Whether `size` bytes may be stored at all, once everything else made room."""
        return size <= self.limit

    def use(self) -> Use:
        """How full it is."""
        entries = self._entries()
        return Use(len(entries), sum(_size(entry) for entry in entries), self.limit)

    def clear(self) -> Use:
        """Drop every entry; returns what was freed. What a training has open it can still read."""
        freed = self.use()
        for entry in self._entries():
            _drop(entry)
        self._remove_abandoned()
        return freed

    def _entry(self, key: Mapping[str, Any]) -> Path:
        canonical = json.dumps(key, sort_keys=True)
        return self.folder / hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def _entries(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [path for path in self.folder.iterdir() if not path.name.startswith(".")]

    @contextlib.contextmanager
    def _unfinished(self, size: int) -> Iterator[Path]:
        """A folder to fill with `size` bytes, which is gone afterwards unless it was renamed."""
        with _writing():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._remove_abandoned()
            self._make_room(size)
            prefix = f"{_UNFINISHED}{os.getpid()}-"
            unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=self.folder))
        try:
            yield unfinished
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)

    def _publish(self, unfinished: Path, entry: Path) -> None:
        try:
            unfinished.rename(entry)
        except OSError:
            # Another process finished the same entry first: equal keys mean equal numbers. What
            # stands there but cannot be read is replaced.
            if not entry.is_dir():
                raise
            if _read(entry) is not None:
                return
            shutil.rmtree(entry)
            unfinished.rename(entry)

    def _remove_abandoned(self) -> None:
        """Remove what writers left behind that died while writing."""
        for path in self.folder.glob(f"{_UNFINISHED}*"):
            pid = int(path.name.removeprefix(_UNFINISHED).split("-")[0])
            if not psutil.pid_exists(pid):
                shutil.rmtree(path, ignore_errors=True)

    def _make_room(self, size: int) -> None:
        """Drop what was used least recently until `size` more bytes keep to limit and disk.

        Raises OSError where the disk has no room for them even so: better now than in an hour.
        """
        entries = sorted(self._entries(), key=_last_use)
        held = sum(_size(entry) for entry in entries)
        for entry in entries:
            free = shutil.disk_usage(self.folder).free - SPARE_BYTES
            if held + size <= self.limit and size <= free:
                return
            held -= _size(entry)
            _drop(entry)
        if size > shutil.disk_usage(self.folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


_KEY = "key.json"
_UNFINISHED = ".unfinished-"


class _WriteFailed(Exception):
    """The operating system's reason why bytes could not be written."""


@contextlib.contextmanager
def _writing() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _WriteFailed(error.strerror or str(error)) from None


def _array(folder: Path, number: int) -> Path:
    return folder / f"features-{number}.npy"


def _write_batches(
    folder: Path, shapes: Sequence[tuple[int, ...]], dtype: DTypeLike, batches: Iterable[Features]
) -> None:
    kind = np.dtype(dtype)
    files = [_array(folder, number) for number in range(len(shapes))]
    for file, shape in zip(files, shapes, strict=True):
        _append(file, _header(kind, shape))
    filled = [0] * len(files)
    for batch in batches:
        for number, (file, array) in enumerate(zip(files, batch, strict=True)):
            _append(file, np.ascontiguousarray(array, dtype=kind).data)
            filled[number] += len(array)
    for file in files:
        with _writing(), file.open("rb+") as written:
            os.fsync(written.fileno())
    wanted = [shape[0] for shape in shapes]
    if filled != wanted:
        raise ValueError(f"batches must fill {wanted} rows, got {filled}")


def _header(kind: np.dtype[Any], shape: tuple[int, ...]) -> bytes:
    header = io.BytesIO()
    facts = {"descr": kind.str, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(header, facts)
    return header.getvalue()


def _append(file: Path, content: bytes | memoryview) -> None:
    # Opened for each batch, as closing writes too. Written, not memory-mapped: a full disk is then
    # an error that can be told, not a signal.
    with _writing(), file.open("ab") as opened:
        opened.write(content)


def _read(entry: Path) -> Features | None:
    """The arrays of an entry, or None where one is missing or cut short."""
    try:
        count = json.loads((entry / _KEY).read_bytes())["arrays"]
        return tuple(
            np.load(_array(entry, number), mmap_mode="r", allow_pickle=False)
            for number in range(count)
        )
    except (OSError, ValueError, EOFError, KeyError, TypeError):
        return None


def _drop(entry: Path) -> None:
    # Renamed first: a half-deleted entry must never be found.
    doomed = entry.with_name(f"{_UNFINISHED}{os.getpid()}-dropped-{entry.name}")
    with contextlib.suppress(OSError):  # another process dropped it first
        entry.rename(doomed)
        shutil.rmtree(doomed, ignore_errors=True)


def _last_use(entry: Path) -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0  # dropped by another process meanwhile
