"""The training images that a network finds most like one test image."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.feature_space.space import Array

AT_ONCE = 8192


class Neighbours(NamedTuple):
    """The nearest training images of one test image, nearest first.

    positions: in the run's training split, (n,). distances: Euclidean, (n,). typical: the median
    of the distances to all training images, which makes those of two networks comparable.
    """

    positions: NDArray[np.int64]
    distances: NDArray[np.float32]
    typical: float


def nearest(query: Array, features: Array, count: int) -> Neighbours:
    """The `count` rows of `features`, (n, width), that are nearest to `query`, (width,), exactly.

    By Euclidean distance, not by angle: what a last layer answers can differ between two images
    only as far as they lie apart, and projecting wide features leaves distances as they were while
    it turns angles into others.
    """
    squares = np.empty(len(features), np.float32)
    for start in range(0, len(features), AT_ONCE):
        apart = features[start : start + AT_ONCE] - query
        squares[start : start + AT_ONCE] = np.einsum("ij,ij->i", apart, apart)
    count = min(count, len(features))
    first = np.argpartition(squares, count - 1)[:count]
    positions = first[np.lexsort((first, squares[first]))]
    typical = float(np.sqrt(np.median(squares)))
    return Neighbours(positions, np.sqrt(squares[positions]), typical)
