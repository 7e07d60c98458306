"""How evenly the images of a part are spread over the classes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

UNEVEN = 2.0
"""From here on, times as many images in the largest class as in the smallest are worth a word."""


@dataclass(frozen=True)
class Balance:
    """The largest class and the smallest that has images, by label, and those that have none."""

    largest: int
    smallest: int
    ratio: float
    missing: tuple[int, ...]

    @property
    def uneven(self) -> bool:
        """Whether a network may come to prefer the frequent classes."""
        return self.ratio >= UNEVEN


def balance(counts: NDArray[np.int64]) -> Balance:
    """How even the images of each class are, (classes,), of which there must be one at least.

    >>> balance(np.array([10, 0, 30, 20]))
    Balance(largest=2, smallest=0, ratio=3.0, missing=(1,))
    """
    present = np.flatnonzero(counts)
    largest = int(present[np.argmax(counts[present])])
    smallest = int(present[np.argmin(counts[present])])
    missing = tuple(np.flatnonzero(counts == 0).tolist())
    return Balance(largest, smallest, float(counts[largest] / counts[smallest]), missing)
