"""How far a picture lies from all that a network learned from, set beside how far others lie."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from core.feature_space.space import Array

SAMPLED = 1000
"""Test images whose distances tell what is usual."""
AT_ONCE = 64


def distances_to_nearest(
    queries: Array, features: Array, progress: Callable[[float], object] = lambda share: None
) -> NDArray[np.float32]:
    """From each of `queries`, (count, width), to the nearest of `features`, (n, width), (count,).

    Euclidean, and exact: the nearest are found by a product of matrices, and measured anew.
    progress is told the share that is done.
    """
    squares = np.einsum("ij,ij->i", features, features)
    found = np.empty(len(queries), np.float32)
    for start in range(0, len(queries), AT_ONCE):
        block = np.asarray(queries[start : start + AT_ONCE])
        nearest = np.argmin(squares - 2 * (block @ features.T), axis=1)
        found[start : start + AT_ONCE] = np.linalg.norm(block - features[nearest], axis=1)
        progress(min(start + AT_ONCE, len(queries)) / len(queries))
    return found


def usual_distances(
    test: Array, train: Array, progress: Callable[[float], object] = lambda share: None
) -> NDArray[np.float32]:
    """How far test images lie from their nearest training images, of at most SAMPLED, ascending.

    test, train: features, (count, width). The sample is spread over the whole test split.
    """
    positions = np.unique(np.linspace(0, len(test) - 1, min(len(test), SAMPLED)).astype(np.int64))
    return np.sort(distances_to_nearest(np.asarray(test[positions]), train, progress))


def share_nearer(distance: float, usual: NDArray[np.float32]) -> float:
    """The share of the usual distances, ascending, that are smaller than one.

    >>> share_nearer(2.5, np.array([1, 2, 3, 4], np.float32))
    0.5
    """
    return float(np.searchsorted(usual, distance) / len(usual))
