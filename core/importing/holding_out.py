"""Which images are held out as the test part, where what is imported has none."""

import numpy as np
from numpy.typing import NDArray

from core.data.stratified import held_out_positions
from core.imported.batches import Written
from core.imported.dataset import PARTS

TRAIN, VALIDATION, TEST = (PARTS.index(part) for part in ("train", "validation", "test"))


def hold_out(
    written: Written, together: NDArray[np.int64], share: float, seed: int
) -> NDArray[np.uint8]:
    """The parts once a share of each class that is to learn from is for testing instead.

    Images that show the same, which have the same number in `together`, are not torn apart: where
    the first one of them goes, the others go, or the network would be tested on what it knows.
    A class keeps an image to learn from.
    """
    labels, parts = written.labels, written.parts
    learned = np.flatnonzero(parts == TRAIN)
    held_out = np.zeros(len(parts), bool)
    held_out[learned[held_out_positions(labels[learned].astype(np.int64), share, seed)]] = True
    settled = parts.copy()
    settled[learned[held_out[_firsts(together, learned)]]] = TEST
    for label in np.unique(labels[learned]):
        own = learned[labels[learned] == label]
        if not np.any(settled[own] == TRAIN):
            settled[own[together[own] == together[own[0]]]] = TRAIN
    return settled


def _firsts(together: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each chosen image the first chosen one that shows the same."""
    _, firsts, which = np.unique(together[chosen], return_index=True, return_inverse=True)
    found: NDArray[np.int64] = chosen[firsts[which]]
    return found
