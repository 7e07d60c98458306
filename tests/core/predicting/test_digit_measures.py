from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.predicting.digit_measures import (
    LEVELS,
    OUTER,
    findings,
    measure,
    measured_quantiles,
    quantiles,
)
from core.predicting.digits import to_digit

Mnist = dict[str, NDArray[np.uint8]]


def drawn(draw: Callable[[Pixels], object]) -> Pixels:
    canvas = np.zeros((280, 280), np.uint8)
    draw(canvas)
    return to_digit(canvas, "light ink").digit


def seven(width: int) -> Pixels:
    corners = np.array([(80, 60), (200, 60), (130, 230)], np.int32)
    return drawn(lambda canvas: cv2.polylines(canvas, [corners], False, 255, width, cv2.LINE_AA))


def scribble() -> Pixels:
    points = np.random.default_rng(0).integers(20, 260, (25, 2)).astype(np.int32)
    return drawn(lambda canvas: cv2.polylines(canvas, [points], False, 255, 20, cv2.LINE_AA))


def text(written: str, size: float, width: int) -> Pixels:
    font = cv2.FONT_HERSHEY_SIMPLEX
    return drawn(lambda canvas: cv2.putText(canvas, written, (20, 200), font, size, 255, width))


def found(digit: Pixels) -> set[str]:
    return {finding.measure for finding in findings(digit)}


# --- what is measured -------------------------------------------------------------------------


def test_a_bar_is_as_wide_and_as_long_as_it_was_drawn() -> None:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    bar = measure(digit)
    assert bar.mass == pytest.approx(255 * 80 / 784)
    assert bar.stroke == pytest.approx(4, abs=0.3)
    assert bar.thickest == pytest.approx(4, abs=0.3)
    assert bar.length == pytest.approx(20, abs=2)
    assert bar.aspect == pytest.approx(0.2)
    assert (bar.pieces, bar.holes, bar.crossings, bar.contrast) == (1, 0, 1, 255)


def test_pieces_and_holes_are_counted() -> None:
    digit = np.zeros((28, 28), np.uint8)
    cv2.circle(digit, (8, 14), 4, 255, 2)
    cv2.circle(digit, (20, 14), 4, 255, 2)
    rings = measure(digit)
    assert (rings.pieces, rings.holes) == (2, 2)


def test_the_stored_quantiles_are_those_of_the_training_digits(mnist: Mnist) -> None:
    anew = measured_quantiles(mnist["x_train"][::100])
    stored = quantiles()
    assert anew.keys() == stored.keys()
    for name, values in anew.items():
        for level in (0.05, 0.5, 0.95):
            at = LEVELS.index(level)
            spread = stored[name][LEVELS.index(0.99)] - stored[name][LEVELS.index(0.01)]
            assert values[at] == pytest.approx(stored[name][at], abs=0.1 * spread), name


# --- what is unusual --------------------------------------------------------------------------


def test_at_least_95_percent_of_test_digits_are_called_usual(mnist: Mnist) -> None:
    warned = [bool(findings(digit)) for digit in mnist["x_test"][::20]]
    assert np.mean(warned) <= 0.05


def test_a_plain_seven_is_usual() -> None:
    assert found(seven(20)) == set()


@pytest.mark.parametrize(
    ("digit", "expected"),
    [
        (lambda: seven(2), {"stroke", "mass", "contrast"}),
        (lambda: drawn(lambda canvas: cv2.circle(canvas, (90, 90), 12, 255, -1)), {"thickest"}),
        (lambda: drawn(lambda canvas: canvas[80:200, 80:200].fill(255)), {"stroke", "mass"}),
        (lambda: drawn(lambda canvas: cv2.line(canvas, (20, 90), (260, 90), 255, 20)), {"aspect"}),
        (scribble, {"mass"}),
        (lambda: text("2026", 3, 12), {"aspect", "pieces"}),
        (lambda: text("@", 7, 14), {"length"}),
    ],
    ids=["thin", "dot", "blot", "dash", "scribble", "several", "at sign"],
)
def test_what_is_no_digit_is_found_unusual(digit: Callable[[], Pixels], expected: set[str]) -> None:
    assert expected <= found(digit())


def test_a_finding_says_how_unusual_it_is_and_what_to_do() -> None:
    (thin,) = [each for each in findings(seven(2)) if each.measure == "stroke"]
    assert thin.share >= 1 - OUTER
    assert thin.value < thin.usual
    assert "thinner than in" in thin.sentence
    assert "draw with a thicker brush" in thin.sentence
