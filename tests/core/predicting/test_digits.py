import io
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.uploads import ENLARGEMENTS, uploads
from core.data.preprocessing import Pixels, decode, for_network
from core.errors import UnreadableImage
from core.predicting.digits import is_in_mnist_frame, naive_digit, to_digit

Arrays = dict[str, NDArray[np.uint8]]


def saved(pixels: NDArray[Any], file_format: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, **options)
    return file.getvalue()


def stroke(ink: int, paper: int) -> Pixels:
    """A vertical stroke, 4 wide and 30 high, on 60x60."""
    picture = np.full((60, 60), paper, np.uint8)
    picture[15:45, 28:32] = ink
    return picture


# --- to an MNIST digit ------------------------------------------------------------------------


def test_every_test_image_of_mnist_is_in_mnists_frame(mnist: Arrays) -> None:
    assert all(is_in_mnist_frame(image) for image in mnist["x_test"])


def test_a_digit_off_centre_is_not_in_mnists_frame(mnist: Arrays) -> None:
    assert not is_in_mnist_frame(np.roll(mnist["x_test"][0], 2, axis=1))


@pytest.mark.parametrize("shape", [(28, 28), (56, 56)])
def test_an_empty_picture_is_not_in_mnists_frame(shape: tuple[int, int]) -> None:
    assert not is_in_mnist_frame(np.zeros(shape, np.uint8))


def test_a_digit_in_mnists_frame_is_left_as_it_is(mnist: Arrays) -> None:
    steps = to_digit(mnist["x_test"][0])
    assert steps.already_mnist
    assert not steps.inverted
    for step in (steps.ink, steps.cropped, steps.boxed, steps.digit):
        np.testing.assert_array_equal(step, mnist["x_test"][0])


@pytest.mark.parametrize("polarity", ["light", "dark"])
def test_a_digit_made_larger_and_moved_comes_back(mnist: Arrays, polarity: str) -> None:
    random = np.random.default_rng(0)
    apart = []
    for count, image in enumerate(mnist["x_test"][:100]):
        large = np.kron(image, np.ones((3 + count % 8,) * 2, np.uint8))
        canvas = np.zeros((2 * len(large), 3 * len(large)), np.uint8)
        top, left = random.integers(0, len(large)), random.integers(0, 2 * len(large))
        canvas[top : top + len(large), left : left + len(large)] = large
        found = to_digit(canvas if polarity == "light" else 255 - canvas).digit
        apart.append(np.abs(found.astype(int) - image).mean())
    # Of 255. The few that are far off had their longer side at 19 pixels and now have it at 20.
    assert np.median(apart) < 0.6
    assert np.mean(apart) < 2


def test_a_noisy_photograph_of_a_digit_comes_back(mnist: Arrays) -> None:
    image = mnist["x_test"][0]
    canvas = np.full((400, 400), 230, np.uint8)
    large = cv2.resize(image, (280, 280), interpolation=cv2.INTER_CUBIC)
    canvas[100:380, 20:300] = 230 - (large * 0.8).astype(np.uint8)
    steps = to_digit(decode(saved(canvas, "JPEG", quality=20)))
    assert steps.inverted
    likeness = np.corrcoef(steps.digit.ravel(), image.ravel())[0, 1]
    assert likeness > 0.95
    assert steps.digit[:3].max() == 0


def test_the_longer_side_becomes_twenty_pixels() -> None:
    rows, columns = np.nonzero(to_digit(stroke(255, paper=0)).digit)
    assert np.ptp(rows) + 1 == 20
    assert np.ptp(columns) + 1 == 3  # 4 of 30 pixels are 2.7 of 20


def test_the_centre_of_mass_comes_to_the_middle() -> None:
    picture = np.zeros((60, 60), np.uint8)
    picture[5:35, 5:9] = picture[31:35, 5:25] = 255  # an L in a corner
    digit = to_digit(picture).digit.astype(float)
    rows, columns = np.indices(digit.shape)
    assert (digit * rows).sum() / digit.sum() == pytest.approx(14, abs=0.5)
    assert (digit * columns).sum() / digit.sum() == pytest.approx(14, abs=0.5)


@pytest.mark.parametrize(("ink", "paper", "inverted"), [(255, 0, False), (0, 255, True)])
def test_the_polarity_is_found(ink: int, paper: int, inverted: bool) -> None:
    steps = to_digit(stroke(ink, paper))
    assert steps.inverted == inverted
    np.testing.assert_array_equal(steps.digit, to_digit(stroke(255, paper=0)).digit)


def test_the_polarity_can_be_overridden() -> None:
    half = np.zeros((60, 60), np.uint8)
    half[:, :30] = 255
    light, dark = to_digit(half, "light ink"), to_digit(half, "dark ink")
    assert not light.inverted
    assert dark.inverted
    np.testing.assert_array_equal(light.ink, half)
    np.testing.assert_array_equal(dark.ink, 255 - half)


def test_faint_ink_is_stretched_to_full_contrast() -> None:
    assert to_digit(stroke(160, paper=100)).digit.max() == 255


def test_a_colour_picture_becomes_a_grey_digit() -> None:
    blue_ink = np.dstack([stroke(20, 240), stroke(20, 240), stroke(200, 240)])
    assert to_digit(blue_ink).digit.shape == (28, 28)


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("polarity", ["auto", "light ink", "dark ink"])
def test_an_empty_canvas_is_refused(level: int, polarity: Any) -> None:
    with pytest.raises(UnreadableImage, match="the picture is empty"):
        to_digit(np.full((280, 280), level, np.uint8), polarity)


def test_paper_with_nothing_but_noise_is_refused() -> None:
    noise = np.random.default_rng(0).integers(120, 140, (100, 100), dtype=np.uint8)
    with pytest.raises(UnreadableImage, match="the picture is empty"):
        to_digit(noise)


def test_a_fully_transparent_picture_is_refused() -> None:
    with pytest.raises(UnreadableImage, match="the picture is empty"):
        to_digit(decode(saved(np.zeros((28, 28, 4), np.uint8))))


@pytest.mark.parametrize(("width", "height"), [(200, 4), (4, 200)])
def test_a_stroke_of_any_shape_fits_the_frame(width: int, height: int) -> None:
    picture = np.zeros((300, 300), np.uint8)
    picture[50 : 50 + height, 50 : 50 + width] = 255
    digit = to_digit(picture).digit
    assert digit.shape == (28, 28)
    assert digit.any()


# --- on the way through an upload -------------------------------------------------------------


@pytest.mark.parametrize("enlargement", ENLARGEMENTS)
def test_digits_anywhere_on_a_jpeg_come_back_nearly_as_they_were(
    mnist: Arrays, enlargement: str
) -> None:
    images = mnist["x_test"][:60]
    contents = uploads(images, ENLARGEMENTS[enlargement])
    digits = np.stack([to_digit(decode(content)).digit for content in contents])
    pairs = zip(digits, images, strict=True)
    likeness = [np.corrcoef(digit.ravel(), image.ravel())[0, 1] for digit, image in pairs]
    assert np.median(likeness) > 0.97
    assert np.mean(likeness) > 0.93
    assert np.abs(digits.astype(int) - images).mean() < 8
    assert digits.mean() == pytest.approx(images.mean(), rel=0.06)


def test_a_clean_drawing_is_cropped_shrunk_and_centred_and_nothing_else() -> None:
    canvas = np.zeros((280, 280), np.uint8)
    corners = np.array([(70, 60), (210, 60), (110, 230)], np.int32)
    cv2.polylines(canvas, [corners], False, 255, 20, cv2.LINE_AA)
    left, top, width, height = cv2.boundingRect((canvas >= 40).astype(np.uint8))
    cropped = canvas[top : top + height, left : left + width]
    size = round(20 * width / height), 20
    steps = to_digit(canvas, "light ink")
    ink = np.where(canvas >= 40, canvas, 0)
    np.testing.assert_array_equal(steps.ink, ink)
    expected = cv2.resize(ink[top : top + height, left : left + width], size, interpolation=3)
    np.testing.assert_array_equal(steps.boxed, expected)
    assert cropped.shape == steps.cropped.shape


def test_the_naive_way_squeezes_the_whole_picture() -> None:
    wide = np.full((60, 120), 255, np.uint8)
    wide[10:50, 70:80] = 0
    naive = naive_digit(wide)
    np.testing.assert_array_equal(naive, for_network(255 - wide[None], 28, 1)[0, ..., 0])
    assert naive[:, :14].max() == 0
