"""Strokes of the drawing board as pixels, where the board has told of no picture of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

FINE = 4
"""Pixels that each pixel is drawn with, across and down, so that edges come out smooth."""
CURVE = np.linspace(0, 1, 9)[1:, np.newaxis]
"""Places along a curve that are joined by straight lines, its beginning left out."""
SUBPIXEL = 4
"""Bits of a coordinate that are parts of a pixel."""

Points = NDArray[np.float64]


def inked(strokes: Sequence[Mapping[str, Any]], height: int, width: int) -> NDArray[np.uint8]:
    """The ink of strokes, (height, width), 0 for none and 255 for full.

    Each stroke has a `strokeWidth` and a `path` of the commands M, L and Q as in SVG, in pixels.
    """
    large = np.zeros((height * FINE, width * FINE), np.uint8)
    for stroke in strokes:
        points = np.concatenate(list(_along(stroke["path"])))
        places = np.rint((points * FINE - 0.5) * 2**SUBPIXEL).astype(np.int32)
        thickness = round(stroke["strokeWidth"] * FINE)
        cv2.polylines(large, [places], False, 255, thickness, cv2.LINE_8, SUBPIXEL)
    small = cv2.resize(large, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _along(path: Sequence[Sequence[Any]]) -> Iterator[Points]:
    """Points that a path leads through, command by command."""
    here = np.zeros(2)
    for command, *numbers in path:
        *control, end = np.reshape(np.array(numbers, np.float64), (-1, 2))
        if command == "Q":
            (bend,) = control
            yield (1 - CURVE) ** 2 * here + 2 * CURVE * (1 - CURVE) * bend + CURVE**2 * end
        else:
            yield end[np.newaxis]
        here = end
