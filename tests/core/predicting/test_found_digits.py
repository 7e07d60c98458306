from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import UnreadableImage
from core.predicting.digits import to_digit
from core.predicting.found_digits import MOST_DIGITS, FoundDigit, find_digits
from tests.core.photographs import (
    Light,
    covered,
    falling_off,
    of_a_board,
    photograph,
    shadow,
    spot,
    squared,
)

Mnist = dict[str, NDArray[np.uint8]]
Box = tuple[int, int, int, int]
SCALE = 6


def tight(image: Pixels) -> Pixels:
    """An MNIST image enlarged and cropped to its ink."""
    large = cv2.resize(image, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_LINEAR)
    rows, columns = np.nonzero(large > 100)
    cropped: Pixels = large[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return cropped


def written(images: Sequence[Pixels], gap: int) -> tuple[Pixels, list[Box]]:
    """Digits in a row, some pixels apart or over each other, and where each stands."""
    digits = [tight(image) for image in images]
    width = sum(digit.shape[1] + gap for digit in digits) + 80
    picture, boxes, left = np.zeros((220, width), np.uint8), [], 40
    for digit in digits:
        height, width = digit.shape
        place = picture[40 : 40 + height, left : left + width]
        np.maximum(place, digit, out=place)
        boxes.append((left, 40, width, height))
        left += width + gap
    return picture, boxes


def overlap(found: FoundDigit, box: Box) -> float:
    """Intersection over union of a found digit's box and the true one."""
    left, top, width, height = box
    across = min(found.x + found.width, left + width) - max(found.x, left)
    down = min(found.y + found.height, top + height) - max(found.y, top)
    shared = max(0, across) * max(0, down)
    return shared / (found.width * found.height + width * height - shared)


def year(mnist: Mnist) -> list[Pixels]:
    """The digits 2026, each from another writer."""
    places = [np.flatnonzero(mnist["y_test"] == digit) for digit in (2, 0, 2, 6)]
    return [mnist["x_test"][each[5 + number]] for number, each in enumerate(places)]


# --- where digits stand -----------------------------------------------------------------------


def test_the_digits_of_a_year_are_found_from_left_to_right(mnist: Mnist) -> None:
    picture, boxes = written(year(mnist), gap=15)
    found = find_digits(picture).digits
    assert len(found) == 4
    assert min(overlap(digit, box) for digit, box in zip(found, boxes, strict=True)) > 0.9
    assert not any(digit.split for digit in found)


def test_each_digit_is_framed_as_if_it_were_alone(mnist: Mnist) -> None:
    images = year(mnist)
    picture, _ = written(images, gap=15)
    for digit, image in zip(find_digits(picture).digits, images, strict=True):
        alone = np.pad(tight(image), 40)
        apart = np.abs(digit.steps.digit.astype(int) - to_digit(alone).digit)
        assert apart.mean() < 2


@pytest.mark.parametrize("light", [falling_off, spot, shadow])
def test_they_are_found_on_a_photograph(mnist: Mnist, light: Callable[[], Light]) -> None:
    picture = photograph(covered(year(mnist), gap=10), light(), noise=6)
    found = find_digits(picture).digits
    assert len(found) == 4
    assert all(digit.steps.inverted for digit in found)


def test_they_are_found_on_a_board_and_on_squared_paper(mnist: Mnist) -> None:
    cover = covered(year(mnist), gap=10)
    assert len(find_digits(of_a_board(cover, falling_off())).digits) == 4
    squares = photograph(cover, falling_off(), squared(strength=0.15), noise=2)
    assert len(find_digits(squares).digits) == 4


def test_lines_are_read_from_top_to_bottom(mnist: Mnist) -> None:
    first, _ = written([mnist["x_test"][0]] * 3, gap=30)
    second, _ = written([mnist["x_test"][1]] * 3, gap=30)
    width = max(first.shape[1], second.shape[1])
    rows = [np.pad(row, ((0, 0), (0, width - row.shape[1]))) for row in (first, second)]
    found = find_digits(np.vstack(rows)).digits
    assert [digit.y > 200 for digit in found] == [False] * 3 + [True] * 3
    assert [digit.x for digit in found[:3]] == sorted(digit.x for digit in found[:3])


def test_boxes_are_in_pixels_of_a_large_picture() -> None:
    picture = np.full((3000, 4000), 220, np.uint8)
    cv2.line(picture, (2000, 800), (2000, 2200), 20, 200)
    (digit,) = find_digits(picture).digits
    assert (digit.x, digit.y) == (pytest.approx(1900, abs=8), pytest.approx(700, abs=8))
    assert (digit.width, digit.height) == (pytest.approx(200, abs=12), pytest.approx(1600, abs=12))


# --- one digit stays one ----------------------------------------------------------------------


def test_a_digit_alone_stays_one(mnist: Mnist) -> None:
    images = mnist["x_train"][::300]
    counts = [
        len(find_digits(np.kron(image, np.ones((7, 7), np.uint8))).digits) for image in images
    ]
    assert len(counts) == 200
    # One is a 4 whose bar is so short and thin that it reads as 1 and 1.
    assert counts.count(1) >= 199


def test_an_image_in_mnists_frame_is_one_digit_left_as_it_is(mnist: Mnist) -> None:
    for image in mnist["x_test"][:50]:
        (digit,) = find_digits(image).digits
        np.testing.assert_array_equal(digit.steps.digit, image)
        assert digit.steps.already_mnist


def test_a_five_whose_flag_is_apart_is_one_digit() -> None:
    canvas = np.zeros((280, 280), np.uint8)
    cv2.line(canvas, (120, 60), (190, 60), 255, 14)  # the flag
    cv2.line(canvas, (112, 85), (112, 140), 255, 14)
    cv2.ellipse(canvas, (125, 180), (45, 40), 0, -90, 150, 255, 14)
    assert cv2.connectedComponents(canvas)[0] - 1 > 1
    (digit,) = find_digits(canvas, "light ink").digits
    assert digit.height > 150


def test_a_comma_a_dash_and_specks_are_no_digits(mnist: Mnist) -> None:
    picture, _ = written(year(mnist), gap=70)
    between = (40 + tight(year(mnist)[0]).shape[1]) + 35
    cv2.line(picture, (between - 15, 100), (between + 15, 100), 255, 12)
    picture[[5, 200], [5, 30]] = 255
    assert len(find_digits(picture).digits) == 4


# --- digits that touch ------------------------------------------------------------------------


def test_two_rings_that_touch_are_split_and_said_to_be() -> None:
    canvas = np.zeros((280, 400), np.uint8)
    for left in (120, 242):
        cv2.ellipse(canvas, (left, 140), (50, 80), 0, 0, 360, 255, 14)
    cv2.line(canvas, (170, 140), (192, 140), 255, 10)
    found = find_digits(canvas, "light ink")
    assert [digit.split for digit in found.digits] == [True, True]
    assert found.digits[0].x + found.digits[0].width == pytest.approx(181, abs=8)
    assert found.note is not None
    assert "2 digits touched" in found.note


def test_many_pairs_that_just_touch_are_split(mnist: Mnist) -> None:
    images = mnist["x_test"]
    pairs = [written([images[place], images[place + 1]], gap=-1) for place in range(0, 120, 2)]
    touching = [pair for pair in pairs if cv2.connectedComponents(pair[0])[0] == 2]
    assert len(touching) >= 20
    right = [len(find_digits(picture).digits) == 2 for picture, _ in touching]
    assert np.mean(right) > 0.3  # of the others nothing tells that they are two


# --- limits -----------------------------------------------------------------------------------


def test_more_digits_than_are_read_are_counted() -> None:
    picture = np.zeros((600, 800), np.uint8)
    for row in range(8):
        for column in range(9):
            cv2.line(
                picture,
                (40 + 80 * column, 20 + 70 * row),
                (40 + 80 * column, 60 + 70 * row),
                255,
                6,
            )
    found = find_digits(picture)
    assert len(found.digits) == MOST_DIGITS
    assert found.left_out == 72 - MOST_DIGITS
    assert found.note is not None
    assert f"72 pieces that may be digits; the first {MOST_DIGITS} are read" in found.note


def test_a_picture_without_ink_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="the picture is empty"):
        find_digits(np.full((280, 280), 255, np.uint8))
