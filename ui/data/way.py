"""The images that are looked at, in their order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.imported.dataset import Positions

ORDERS = {"": "By index", "class": "By class", "shuffled": "Shuffled"}
"""By what the address calls each."""


@dataclass(frozen=True, eq=False)
class Way:
    """Images of a part, by their index, in the order of the page; there is one at least."""

    indices: Positions

    def __len__(self) -> int:
        return len(self.indices)

    def place(self, index: int | None) -> int:
        """Where an image stands; the first place where it is not among these."""
        found = np.flatnonzero(self.indices == index)
        return int(found[0]) if len(found) else 0

    def further(self, index: int, by: int) -> int:
        """The image so many places further on, at most at the ends."""
        return int(self.indices[min(max(self.place(index) + by, 0), len(self) - 1)])

    def nearest(self, index: int) -> int:
        """The image itself if it is among these, else the next one by index, else the last."""
        after = self.indices[self.indices >= index]
        return int(after.min() if len(after) else self.indices.max())


def way_through(labels: NDArray[np.int64], label: int | None, order: str) -> Way:
    """The images of a part, or those of one of its classes, in one of ORDERS."""
    indices = np.arange(len(labels)) if label is None else np.flatnonzero(labels == label)
    if order == "class":
        indices = indices[np.argsort(labels[indices], kind="stable")]
    if order == "shuffled":
        indices = np.random.default_rng(0).permutation(indices)
    return Way(indices)
