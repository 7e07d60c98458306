"""Rows of arrays that stay on disk, read when they are asked for, in memory that stays flat."""

import mmap
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Number = TypeVar("Number", bound=np.generic)

FORGET_BYTES = 2**28
"""Once the pages of so many bytes may be held, they are given back to the system."""
HELD_BY_READING = 2**16
"""Bytes that a read holds besides what it asks for: the system maps what lies around as well."""


class Rows(Generic[Number]):
    """Rows of a memory-mapped array, in an order of one's own, read when they are asked for.

    It answers to `shape`, `dtype`, `ndim`, `len` and an index along the first axis as an array
    does. Pages of a mapped file that were read count as this process's memory until the system
    wants them back; here they are given back now and then, and stay in the system's cache. One
    read should ask for less than FORGET_BYTES, as a batch does.
    """

    def __init__(self, array: NDArray[Number], positions: NDArray[np.int64]) -> None:
        self._array = array
        self._positions = positions
        self._held = 0
        self.shape = (len(positions), *array.shape[1:])
        self.dtype, self.ndim = array.dtype, array.ndim

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, rows: Any) -> NDArray[Number]:
        positions = self._positions[rows]
        chosen: NDArray[Number] = self._array[positions]
        self._count(chosen.nbytes + HELD_BY_READING * np.size(positions))
        return chosen

    def __iter__(self) -> Iterator[NDArray[Number]]:
        for place in range(len(self)):
            yield self[place]

    def take(self, positions: NDArray[np.int64]) -> "Rows[Number]":
        """Some of the rows, still unread."""
        return Rows(self._array, self._positions[positions])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)

    def _count(self, held: int) -> None:
        self._held += held
        if self._held >= FORGET_BYTES:
            self._held = 0
            forget(self._array)


def all_rows(array: NDArray[Number]) -> Rows[Number]:
    """Every row of a memory-mapped array, still unread."""
    return Rows(array, np.arange(len(array)))


def forget(array: NDArray[Any]) -> None:
    """Give back the memory that a read-only memory-mapped array holds; it can still be read."""
    mapped: Any = array
    while mapped is not None and not isinstance(mapped, mmap.mmap):
        mapped = mapped.base
    if mapped is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED)
