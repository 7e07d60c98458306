"""The output of frozen layers, computed once per image and kept on disk.

An entry is a folder named by the hash of everything its numbers depend on. It is filled under
another name and renamed at the end, so an entry that can be seen is complete.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import DTypeLike, NDArray

from core.files import write_json

DEFAULT_LIMIT = 20 * 2**30
"""Bytes that the cache of a workspace may hold."""

Features = NDArray[np.floating[Any]]


class FeatureCache:
    """Feature arrays of one folder, dropped least recently used first beyond `limit` bytes."""

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT) -> None:
        self.folder = folder
        self.limit = limit

    def find(self, key: Mapping[str, Any]) -> Features | None:
        """The memory-mapped features of a key, read-only, or None."""
        entry = self._entry(key)
        features = _read(entry / _ARRAY)
        if features is not None:
            with contextlib.suppress(FileNotFoundError):  # dropped by another process just now
                os.utime(entry)  # the time of last use
        return features

    def store(
        self,
        key: Mapping[str, Any],
        shape: tuple[int, ...],
        dtype: DTypeLike,
        batches: Iterable[Features],
    ) -> Features:
        """Write batches one after another as one array of `shape`; returns it memory-mapped.

        Raises ValueError where the batches do not fill the shape. Whatever interrupts the
        writing, no part of an entry stays behind under its name.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned()
        unfinished = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{os.getpid()}-", dir=self.folder))
        try:
            _write_batches(unfinished / _ARRAY, shape, dtype, batches)
            write_json(unfinished / "key.json", dict(key))
            self._publish(unfinished, self._entry(key))
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
        self._drop_least_recently_used(keep=self._entry(key))
        stored: Features = np.load(self._entry(key) / _ARRAY, mmap_mode="r", allow_pickle=False)
        return stored

    def size(self) -> int:
        """Bytes that all entries take."""
        return sum(_size(entry) for entry in self._entries())

    def _entry(self, key: Mapping[str, Any]) -> Path:
        canonical = json.dumps(key, sort_keys=True)
        return self.folder / hashlib.sha256(canonical.encode()).hexdigest()[:32]

    def _entries(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return [path for path in self.folder.iterdir() if not path.name.startswith(".")]

    def _publish(self, unfinished: Path, entry: Path) -> None:
        try:
            unfinished.rename(entry)
        except OSError:
            # Another process finished the same entry first: equal keys mean equal numbers. What
            # stands there but cannot be read is replaced.
            if not entry.is_dir():
                raise
            if _read(entry / _ARRAY) is not None:
                return
            shutil.rmtree(entry)
            unfinished.rename(entry)

    def _remove_abandoned(self) -> None:
        """Remove what writers left behind that died while writing."""
        for path in self.folder.glob(f"{_UNFINISHED}*"):
            pid = int(path.name.removeprefix(_UNFINISHED).split("-")[0])
            if not psutil.pid_exists(pid):
                shutil.rmtree(path, ignore_errors=True)

    def _drop_least_recently_used(self, keep: Path) -> None:
        entries = sorted(self._entries(), key=lambda entry: entry.stat().st_mtime, reverse=True)
        total = 0
        for entry in entries:
            total += _size(entry)
            if total > self.limit and entry != keep:
                shutil.rmtree(entry, ignore_errors=True)


_ARRAY = "features.npy"
_UNFINISHED = ".unfinished-"


def _write_batches(
    path: Path, shape: tuple[int, ...], dtype: DTypeLike, batches: Iterable[Features]
) -> None:
    kind = np.dtype(dtype)
    header = {"descr": kind.str, "fortran_order": False, "shape": shape}
    filled = 0
    # Written, not memory-mapped: a full disk is then an error that can be told, not a signal.
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, header)
        for batch in batches:
            file.write(np.ascontiguousarray(batch, dtype=kind).data)
            filled += len(batch)
        file.flush()
        os.fsync(file.fileno())
    if filled != shape[0]:
        raise ValueError(f"batches must fill {shape[0]} rows, got {filled}")


def _read(path: Path) -> Features | None:
    try:
        features: Features = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return features


def _size(folder: Path) -> int:
    try:
        return sum(path.stat().st_size for path in folder.iterdir())
    except OSError:
        return 0  # dropped by another process meanwhile
