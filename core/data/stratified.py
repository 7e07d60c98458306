"""Choosing images so that every class has its share of them."""

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
"""(count,), the class of each image."""


def held_out_positions(labels: Labels, fraction: float, seed: int) -> NDArray[np.int64]:
    """Positions of a stratified share of images: the same fraction of each class.

    At least one image of a class is held out and at least one is left to train on, as far as
    there are two.
    """
    random = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        positions = np.flatnonzero(labels == label)
        count = min(max(1, round(fraction * len(positions))), len(positions) - 1)
        chosen.append(random.choice(positions, count, replace=False))
    return np.sort(np.concatenate(chosen))


def first_of_each_class(labels: Labels, count: int) -> NDArray[np.int64]:
    """Positions of so many images, taken from the classes in turn, the first ones of each.

    >>> first_of_each_class(np.array([0, 0, 0, 1, 1, 2]), 4)
    array([0, 1, 3, 5])
    """
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = labels == label
        turn[own] = np.arange(own.sum())
    return np.sort(np.lexsort((labels, turn))[:count])
