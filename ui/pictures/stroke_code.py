"""A drawing as a short text for a link, and back."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

LONGEST = 1500
"""Characters that a text may have: addresses of some programs end at 2,000."""
PER_PIXEL = 2
"""Steps of a coordinate in one pixel of the board."""
TOLERANCES = (0.0, 0.5, 1.0, 2.0)
"""Pixels by which strokes may miss their points, the next where they are too long for the one."""
MOST_BYTES = 20_000
"""Of a drawing that is taken out of a text."""
FAR = 2_000
"""Pixels from the corner of the board where nothing is drawn any more."""

Points = NDArray[np.float64]


class BrokenCode(ValueError):
    """A text that holds no drawing."""


class Stroke(NamedTuple):
    """Its width in pixels, the points that the pen touched, and whether curves join them."""

    width: int
    points: Points
    smooth: bool


def packed(strokes: Sequence[Mapping[str, Any]], *, wide: bool) -> str:
    """A text for strokes of the board, empty where no text of LONGEST holds them.

    wide: whether they are on the board for several digits.
    """
    read = [_read(stroke) for stroke in strokes]
    for tolerance in TOLERANCES:
        thinned = [_thinned(stroke, tolerance) for stroke in read]
        numbers = [int(wide), *(number for stroke in thinned for number in _numbers(stroke))]
        content = zlib.compress(_as_bytes(numbers), 9)
        text = base64.urlsafe_b64encode(content).decode().rstrip("=")
        if len(text) <= LONGEST:
            return text
    return ""


def unpacked(text: str) -> tuple[list[dict[str, Any]], bool]:
    """Strokes as the board knows them, one at least, and whether they are on the wide one.

    Raises BrokenCode.
    """
    numbers = iter(_as_numbers(_content(text)))
    try:
        wide, strokes = bool(next(numbers)), []
        while (head := next(numbers, None)) is not None:
            count = next(numbers)
            steps = [[next(numbers), next(numbers)] for _ in range(count)]
            points = np.cumsum(steps, axis=0) / PER_PIXEL
            strokes.append(_stroke(Stroke(head >> 1, points, bool(head & 1))))
    except (StopIteration, OverflowError):
        raise BrokenCode("a stroke is cut off") from None
    if not strokes:
        raise BrokenCode("no stroke")
    return strokes, wide


def _read(stroke: Mapping[str, Any]) -> Stroke:
    """A stroke as the board tells it: M, curves that bend towards the pen's points, and L."""
    commands = stroke["path"]
    smooth = any(command[0] == "Q" for command in commands)
    held = commands[1:] if smooth else commands
    points = np.array([command[1:3] for command in held], np.float64)
    return Stroke(round(stroke["strokeWidth"]), points, smooth)


def _thinned(stroke: Stroke, tolerance: float) -> Stroke:
    """The stroke by fewer points, that straight lines join."""
    if not tolerance or len(stroke.points) < 3:
        return stroke
    fewer = cv2.approxPolyDP(stroke.points.astype(np.float32), tolerance, closed=False)
    return Stroke(stroke.width, fewer.reshape(-1, 2).astype(np.float64), smooth=False)


def _numbers(stroke: Stroke) -> Iterator[int]:
    """The stroke as whole numbers: its head, how many points, and each as steps from the last."""
    places = np.rint(stroke.points * PER_PIXEL).astype(np.int64)
    yield 2 * stroke.width + stroke.smooth
    yield len(places)
    yield from np.diff(places, axis=0, prepend=[[0, 0]]).ravel().tolist()


def _stroke(stroke: Stroke) -> dict[str, Any]:
    """The stroke as the board draws it."""
    points = stroke.points
    if not 1 <= stroke.width <= 100 or not len(points) or np.abs(points).max() > FAR:
        raise BrokenCode("a stroke that no board has")
    (first, *others), last = points.tolist(), points[-1].tolist()
    path: list[list[Any]] = [["M", *first]]
    if stroke.smooth:
        path += [
            ["Q", *at, *((here + there) / 2 for here, there in zip(at, to, strict=True))]
            for at, to in pairwise([first, *others])
        ]
        path.append(["L", *last])
    else:
        path += [["L", *at] for at in others or [first]]
    return {
        "type": "Path",
        "path": path,
        "strokeWidth": stroke.width,
        "stroke": "#ffffff",
        "strokeLineCap": "round",
        "strokeLineJoin": "round",
        "fill": None,
        "originX": "left",
        "originY": "top",
    }


# --- Whole numbers as few bytes -----------------------------------------------------------------


def _as_bytes(numbers: Sequence[int]) -> bytes:
    """Small numbers in one byte each: 7 bits and whether more follow, the sign in the lowest."""
    content = bytearray()
    for number in numbers:
        rest = 2 * number if number >= 0 else -2 * number - 1
        while rest > 127:
            content.append(rest & 127 | 128)
            rest >>= 7
        content.append(rest)
    return bytes(content)


def _as_numbers(content: bytes) -> Iterator[int]:
    number = shift = 0
    for byte in content:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            yield -(number + 1) // 2 if number & 1 else number // 2
            number = shift = 0


def _content(text: str) -> bytes:
    if len(text) > LONGEST:
        raise BrokenCode(f"longer than {LONGEST} characters")
    try:
        content = base64.b64decode(text + "=" * (-len(text) % 4), "-_", validate=True)
        unzipping = zlib.decompressobj()
        found = unzipping.decompress(content, MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        raise BrokenCode("cut off or changed") from None
    if not unzipping.eof:
        raise BrokenCode("cut off, or too long")
    return found
