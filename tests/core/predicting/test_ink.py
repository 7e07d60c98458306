from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import UnreadableImage
from core.predicting.digits import to_digit
from core.predicting.ink import is_dark_ink, lift, percentile, stroke_width, without_lines
from tests.core.photographs import (
    HEIGHT,
    WIDTH,
    Light,
    covered,
    even,
    falling_off,
    of_a_board,
    photograph,
    shadow,
    spot,
    squared,
)

Mnist = dict[str, NDArray[np.uint8]]
LIGHTS = [even, falling_off, spot, shadow]


def likeness(picture: Pixels, image: Pixels) -> float:
    """Correlation of what is made of a picture with the MNIST image that is on it."""
    return float(np.corrcoef(to_digit(picture).digit.ravel(), image.ravel())[0, 1])


def likenesses(
    mnist: Mnist, make: Callable[[Light], Pixels], count: int = 8
) -> NDArray[np.float64]:
    return np.array([likeness(make(covered([image])), image) for image in mnist["x_test"][:count]])


# --- photographs ------------------------------------------------------------------------------


@pytest.mark.parametrize("light", LIGHTS)
@pytest.mark.parametrize("noise", [2, 12])
def test_a_digit_on_paper_comes_back_under_any_light(
    mnist: Mnist, light: Callable[[], Light], noise: float
) -> None:
    found = likenesses(mnist, lambda cover: photograph(cover, light(), noise=noise))
    assert np.median(found) > 0.9
    assert found.min() > 0.5


@pytest.mark.parametrize("light", [even, falling_off])
def test_chalk_on_a_board_comes_back(mnist: Mnist, light: Callable[[], Light]) -> None:
    assert np.median(likenesses(mnist, lambda cover: of_a_board(cover, light()))) > 0.95


@pytest.mark.parametrize("light", LIGHTS)
def test_polarity_is_told_under_any_light(mnist: Mnist, light: Callable[[], Light]) -> None:
    for image in mnist["x_test"][:4]:
        assert is_dark_ink(photograph(covered([image]), light()))
        assert not is_dark_ink(of_a_board(covered([image]), light()))


def test_a_photograph_says_that_its_light_was_divided_out(mnist: Mnist) -> None:
    cover = covered([mnist["x_test"][0]])
    assert lift(photograph(cover, spot())).uneven
    assert not lift(photograph(cover, even(), noise=1)).uneven


@pytest.mark.parametrize("light", [even, falling_off, shadow])
def test_empty_paper_is_empty_under_any_light(light: Callable[[], Light]) -> None:
    with pytest.raises(UnreadableImage, match="the picture is empty"):
        lift(photograph(np.zeros((HEIGHT, WIDTH)), light()), "dark ink")


def test_a_large_photograph_is_reduced_and_says_how_much() -> None:
    large = np.full((3000, 4000), 220, np.uint8)
    cv2.line(large, (2000, 800), (2000, 2200), 20, 200)
    ink = lift(large)
    assert ink.strokes.shape == (1200, 1600)
    assert ink.scale == 2.5


# --- ruled paper ------------------------------------------------------------------------------


def test_a_digit_on_squared_paper_comes_back_without_the_squares(mnist: Mnist) -> None:
    found = likenesses(mnist, lambda cover: photograph(cover, even(), squared(), noise=2))
    assert np.median(found) > 0.85


def test_ruled_lines_go_and_a_stroke_across_them_stays_whole() -> None:
    strokes = np.zeros((200, 200), np.uint8)
    strokes[30:170, 95:105] = 255
    alone = strokes.copy()
    strokes[50:52] = strokes[100:102] = strokes[150:152] = 255
    left, ruled = without_lines(strokes)
    assert ruled
    assert (left != alone).sum() <= 4  # the corners of the stroke


@pytest.mark.parametrize("turned", [False, True])
def test_a_lone_line_is_a_stroke(turned: bool) -> None:
    strokes = np.zeros((200, 200), np.uint8)
    strokes[99:101, 10:190] = 255
    strokes = strokes.T if turned else strokes
    left, ruled = without_lines(strokes)
    assert not ruled
    np.testing.assert_array_equal(left, strokes)


def test_nothing_is_taken_from_mnists_digits(mnist: Mnist) -> None:
    for image in mnist["x_test"][:100]:
        large = np.kron(image, np.ones((8, 8), np.uint8))
        assert not without_lines(large)[1]


# --- drawings ---------------------------------------------------------------------------------


def test_specks_are_dropped(mnist: Mnist) -> None:
    image = mnist["x_test"][0]
    canvas = np.zeros((400, 400), np.uint8)
    canvas[60:340, 60:340] = np.kron(image, np.ones((10, 10), np.uint8))
    clean = to_digit(canvas).digit
    canvas[[5, 390, 200], [5, 10, 395]] = 255
    np.testing.assert_array_equal(to_digit(canvas).digit, clean)


def test_a_stroke_over_the_edge_of_a_drawing_stays() -> None:
    canvas = np.zeros((280, 280), np.uint8)
    canvas[:200, 130:150] = 255
    np.testing.assert_array_equal(lift(canvas, "light ink").strokes, canvas)


def test_a_blot_is_ink_and_no_light() -> None:
    canvas = np.zeros((280, 280), np.uint8)
    cv2.circle(canvas, (140, 140), 120, 255, -1)
    ink = lift(canvas)
    assert not ink.uneven
    np.testing.assert_array_equal(ink.strokes, canvas)


@pytest.mark.parametrize("width", [3, 8, 15])
def test_the_width_of_a_stroke_is_measured(width: int) -> None:
    mask = np.zeros((100, 100), bool)
    mask[20:80, 40 : 40 + width] = True
    assert stroke_width(mask) == pytest.approx(width, abs=1.1)


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9))),
    st.sampled_from([2, 25, 98]),
)
def test_percentiles_are_those_of_numpy(pixels: Pixels, share: int) -> None:
    assert percentile(pixels, share) == pytest.approx(np.percentile(pixels, share))
