"""Which points of a map lie within an outline that a person drew."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_CORNERS = 40
Corner = tuple[float, float]


def rounded(corners: Sequence[Sequence[float]]) -> tuple[Corner, ...]:
    """Corners as a link keeps them, in four digits, so that a link chooses the very same points.

    >>> rounded([[0.123456, -7.0], [1234.56, 2]])
    ((0.1235, -7.0), (1235.0, 2.0))
    """
    return tuple((_rounded(x), _rounded(y)) for x, y in corners[:MOST_CORNERS])


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")


def within(points: ArrayLike, corners: Sequence[Corner]) -> NDArray[np.bool_]:
    """Whether points, (count, 2), lie within a closed outline, by the even-odd rule.

    Of one that crosses itself, what it goes round twice is outside. A point of NaN is outside.

    >>> within([[1, 1], [3, 1]], [(0, 0), (2, 0), (2, 2), (0, 2)]).tolist()
    [True, False]
    """
    x, y = np.asarray(points, np.float64).T
    inside = np.zeros(len(x), bool)
    if len(corners) < 3:
        return inside
    for (x1, y1), (x2, y2) in zip(corners, [*corners[1:], corners[0]], strict=True):
        if y1 == y2:
            continue  # a ray to the right never crosses it
        crosses = (y1 > y) != (y2 > y)
        inside ^= crosses & (x < x1 + (y - y1) / (y2 - y1) * (x2 - x1))
    return inside
