import base64
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ui.pictures.stroke_code import LONGEST, BrokenCode, packed, unpacked
from ui.pictures.strokes import inked

Stroke = dict[str, Any]


def drawn(points: list[tuple[float, float]], width: int = 20) -> Stroke:
    """A stroke as the board makes it: curves that bend towards each of its points."""
    path: list[list[Any]] = [["M", *points[0]]]
    for (x, y), (to_x, to_y) in pairwise(points):
        path.append(["Q", x, y, (x + to_x) / 2, (y + to_y) / 2])
    return {"type": "Path", "path": [*path, ["L", *points[-1]]], "strokeWidth": width}


def scribble(count: int, reach: int = 280, seed: int = 0) -> Stroke:
    """A stroke by points that jump about."""
    points = np.random.default_rng(seed).integers(0, reach, (count, 2)).astype(float)
    return drawn([tuple(point) for point in points.tolist()])


def wave(count: int) -> Stroke:
    """A slow stroke by many points close to each other."""
    turns = np.linspace(0, 20, count)
    return drawn([(140 + 100 * np.cos(turn), 140 + 100 * np.sin(turn)) for turn in turns])


SEVEN = [drawn([(60, 60), (150.5, 58), (210, 62), (140, 240)]), drawn([(90, 150), (190, 150)], 12)]


def test_a_drawing_comes_out_as_it_was_put_in() -> None:
    text = packed(SEVEN, wide=False)
    strokes, wide = unpacked(text)
    assert not wide
    assert [stroke["path"] for stroke in strokes] == [stroke["path"] for stroke in SEVEN]
    assert [stroke["strokeWidth"] for stroke in strokes] == [20, 12]
    assert packed(strokes, wide=False) == text


def test_the_board_for_several_digits_is_remembered() -> None:
    assert unpacked(packed(SEVEN, wide=True))[1]


def test_a_dot_stays_a_dot() -> None:
    dot = drawn([(99.98, 80), (100.02, 80)], 30)
    (stroke,), _ = unpacked(packed([dot], wide=False))
    assert (inked([stroke], 280, 280) == inked([dot], 280, 280)).mean() > 0.999
    assert inked([stroke], 280, 280)[80, 100] == 255


def test_a_long_drawing_is_told_by_fewer_points_and_looks_the_same() -> None:
    slow = wave(3000)
    text = packed([slow], wide=False)
    assert 0 < len(text) <= LONGEST
    strokes, _ = unpacked(text)
    before, after = (inked(each, 280, 280).astype(int) for each in ([slow], strokes))
    assert np.abs(before - after).mean() < 2
    assert packed(strokes, wide=False) == text


def test_a_drawing_that_no_text_holds_has_none() -> None:
    assert packed([scribble(2000)], wide=False) == ""


def coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(zlib.compress(content)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "é",
        "no drawing at all",
        packed(SEVEN, wide=False)[:-6],
        packed([scribble(500)], wide=False) + "A" * LONGEST,
        coded(b""),
        coded(b"\x00"),
        coded(b"\x00\x52"),
        coded(b"\x00\x52\x05\x01\x01"),
        coded(b"\x00\x52\x02" + b"\xff" * 12 + b"\x01" * 3),
        coded(b"\x00\x00\x02\x02\x02\x02\x02"),
        coded(bytes(2_000_000)),
    ],
)
def test_what_holds_no_drawing_is_refused(text: str) -> None:
    with pytest.raises(BrokenCode):
        unpacked(text)
