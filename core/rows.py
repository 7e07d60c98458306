"""Rows of arrays that stay on disk, read when they are asked for, in memory that stays flat."""

import mmap
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

FORGET_BYTES = 2**28
"""After so many bytes were read, the pages they came from are given back to the system."""


class Rows(Generic[Number]):
    """Rows of a memory-mapped array, in an order of one's own, read when they are asked for.

    It answers to `shape`, `dtype`, `ndim`, `len` and an index along the first axis as an array
    does. Pages of a mapped file that were read count as this process's memory until the system
    wants them back; here they are given back now and then, and stay in the system's cache.
    """

    def __init__(self, array: NDArray[Number], positions: NDArray[np.int64]) -> None:
        self._array = array
        self._positions = positions
        self._read = 0
        self.shape = (len(positions), *array.shape[1:])
        self.dtype, self.ndim = array.dtype, array.ndim

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, rows: Any) -> NDArray[Number]:
        chosen: NDArray[Number] = self._array[self._positions[rows]]
        self._count(chosen.nbytes)
        return chosen

    def __iter__(self) -> Iterator[NDArray[Number]]:
        for place in range(len(self)):
            yield self[place]

    def take(self, positions: NDArray[np.int64]) -> "Rows[Number]":
        """Some of the rows, still unread."""
        return Rows(self._array, self._positions[positions])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)

    def _count(self, size: int) -> None:
        self._read += size
        if self._read >= FORGET_BYTES:
            self._read = 0
            forget(self._array)


def forget(array: NDArray[Any]) -> None:
    """Give back the memory that a read-only memory-mapped array holds; it can still be read."""
    mapped: Any = array
    while mapped is not None and not isinstance(mapped, mmap.mmap):
        mapped = mapped.base
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
