"""The one path from a file, a drawing or a dataset's image to what a network is fed.

Training, evaluation, the canvas and uploads all end in `for_network`. A drawn or photographed
digit first becomes an MNIST digit in `to_digit`, made the way MNIST was.
"""

import io
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableImage

Pixels = NDArray[np.uint8]
Polarity = Literal["auto", "light ink", "dark ink"]

LARGEST_IMAGE = 50_000_000
"""Most pixels that are decoded; a photograph from a telephone has 12 to 48 million."""
SMALLEST_SIDE = 4
"""Fewer pixels than this across or down show no shape that could be classified."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")

DIGIT_SIDE = 28
DIGIT_BOX = 20
FAINTEST_INK = 40
"""Difference from the background, of 255, below which nothing counts as ink."""
SPREAD_TO_SEE_INK = 32
"""Difference between lightest and darkest pixel below which a picture is empty."""


def decode(content: bytes) -> Pixels:
    """Decode a picture file to (height, width) grey or (height, width, 3) RGB, 8 bits a channel.

    EXIF rotation is applied and transparency is laid on white, on black where the picture itself
    is white. Size is read from the header and refused there, before any memory is taken.
    Raises UnreadableImage.
    """
    _check_header(content)
    buffer = np.frombuffer(content, dtype=np.uint8)
    raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    if raw is not None and raw.ndim == 3 and raw.shape[2] == 4:
        return _flatten(raw)
    # Decoded anew: unlike UNCHANGED this applies EXIF rotation and brings 16 bits down to 8.
    grey = raw is not None and raw.ndim == 2
    picture = cv2.imdecode(buffer, cv2.IMREAD_GRAYSCALE if grey else cv2.IMREAD_COLOR_RGB)
    if picture is None:
        raise UnreadableImage("the image is damaged or cut short; save it anew and try again")
    return np.asarray(picture, dtype=np.uint8)


def _check_header(content: bytes) -> None:
    if not content:
        raise UnreadableImage("the file is empty; choose an image file")
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as header:
            width, height = header.size
    except Image.DecompressionBombError:
        raise UnreadableImage(_too_large()) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise UnreadableImage(
            f"the file is not an image that can be read; use {', '.join(FORMATS)}"
        ) from None
    if width * height > LARGEST_IMAGE:
        raise UnreadableImage(f"{_too_large()}, got {width}x{height}")
    if min(width, height) < SMALLEST_SIDE:
        raise UnreadableImage(
            f"an image must be at least {SMALLEST_SIDE} pixels wide and high, got {width}x{height}"
        )


def _too_large() -> str:
    return f"an image must have at most {LARGEST_IMAGE // 1_000_000} million pixels"


def _flatten(bgra: NDArray[np.generic]) -> Pixels:
    scale = 257 if bgra.dtype == np.uint16 else 1
    pixels = (bgra // scale).astype(np.float32)
    colour, alpha = pixels[..., 2::-1], pixels[..., 3:] / 255
    seen = colour[alpha[..., 0] > 0.5]
    paper = 0.0 if seen.size and seen.mean() > 200 else 255.0
    return np.rint(colour * alpha + paper * (1 - alpha)).astype(np.uint8)


def to_grey(picture: Pixels) -> Pixels:
    """(height, width) or (height, width, 3) RGB to (height, width)."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def for_network(images: Pixels, side: int, channels: int) -> Pixels:
    """Images as a network takes them: (count, side, side, channels), still 0 to 255.

    images: (count, height, width) grey or (count, height, width, 3) RGB. Scaling belongs to the
    network itself. Resizing is OpenCV's: by area when shrinking, else bilinear.
    """
    if channels == 1 and images.ndim == 4:
        images = np.stack([to_grey(image) for image in images])
    resized = _resize(images, side)
    if channels == 1:
        return resized[..., np.newaxis]
    return resized if resized.ndim == 4 else np.repeat(resized[..., np.newaxis], 3, axis=3)


def _resize(images: Pixels, side: int) -> Pixels:
    if images.shape[1:3] == (side, side):
        return images
    shrinking = side < min(images.shape[1:3])
    how = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    resized = np.empty((len(images), side, side, *images.shape[3:]), np.uint8)
    for source, target in zip(images, resized, strict=True):
        cv2.resize(source, (side, side), dst=target, interpolation=how)
    return resized


@dataclass(frozen=True)
class DigitSteps:
    """How a picture became an MNIST digit; each (height, width) uint8, light ink on black.

    `digit` is the result, 28x28. `already_mnist` tells that the picture was in MNIST's frame
    and was left as it was, so that the steps before are the picture itself.
    """

    ink: Pixels
    cropped: Pixels
    boxed: Pixels
    digit: Pixels
    inverted: bool
    already_mnist: bool


def to_digit(picture: Pixels, polarity: Polarity = "auto") -> DigitSteps:
    """Make an MNIST digit of a picture, the way MNIST's own were made.

    Light ink on black, cropped to the ink, the longest side brought to 20 pixels with
    anti-aliasing, the centre of mass moved to the middle of 28x28 (LeCun, Cortes and Burges,
    http://yann.lecun.com/exdb/mnist/). Raises UnreadableImage where there is no ink.
    """
    grey = to_grey(picture)
    inverted = _has_dark_ink(grey) if polarity == "auto" else polarity == "dark ink"
    light = 255 - grey if inverted else grey
    if is_in_mnist_frame(light):
        return DigitSteps(light, light, light, light, inverted, already_mnist=True)
    ink = _lift_ink(light)
    cropped = _crop(ink)
    boxed = _fit_box(cropped)
    return DigitSteps(ink, cropped, boxed, _centre_by_mass(boxed), inverted, already_mnist=False)


def is_in_mnist_frame(light: Pixels) -> bool:
    """Whether a picture of light ink is framed as MNIST's are.

    In all 10,000 test images of MNIST the ink's longer side is 19 or 20 pixels and its centre
    of mass lies within half a pixel of (14, 14).
    """
    if light.shape != (DIGIT_SIDE, DIGIT_SIDE) or not light.any():
        return False
    rows, columns = _extent(light > 0)
    longest = max(rows.stop - rows.start, columns.stop - columns.start)
    off_centre = max(abs(centre - DIGIT_SIDE / 2) for centre in _centre_of_mass(light))
    return DIGIT_BOX - 1 <= longest <= DIGIT_BOX and off_centre <= 0.5 + 1e-3


def _has_dark_ink(grey: Pixels) -> bool:
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return float(np.median(edge)) > (float(grey.min()) + float(grey.max())) / 2


def _lift_ink(light: Pixels) -> Pixels:
    """Stretch the ink to 255 and set paper, with its noise, to 0."""
    # Not the median: the ink of a tightly cropped digit may cover more than half.
    paper = float(np.percentile(light, 25))
    brightest = float(light.max())
    if brightest - paper < SPREAD_TO_SEE_INK:
        raise UnreadableImage(
            "the picture is empty: no stroke stands out from its background; "
            "draw a digit, or use a picture with more contrast"
        )
    ink = np.clip((light.astype(np.float32) - paper) * 255 / (brightest - paper), 0, 255)
    ink[ink < FAINTEST_INK] = 0
    whole: Pixels = ink.astype(np.uint8)
    return whole


def _extent(mask: NDArray[np.bool_]) -> tuple[slice, slice]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _crop(ink: Pixels) -> Pixels:
    rows, columns = _extent(ink > 0)
    return ink[rows, columns]


def _fit_box(cropped: Pixels) -> Pixels:
    height, width = cropped.shape
    scale = DIGIT_BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cropped, size, interpolation=how), dtype=np.uint8)


def _centre_by_mass(boxed: Pixels) -> Pixels:
    height, width = boxed.shape
    row, column = _centre_of_mass(boxed)
    # A very lopsided digit may not leave the frame.
    top = int(np.clip(round(DIGIT_SIDE / 2 - row), 0, DIGIT_SIDE - height))
    left = int(np.clip(round(DIGIT_SIDE / 2 - column), 0, DIGIT_SIDE - width))
    digit = np.zeros((DIGIT_SIDE, DIGIT_SIDE), np.uint8)
    digit[top : top + height, left : left + width] = boxed
    return digit


def _centre_of_mass(ink: Pixels) -> tuple[float, float]:
    mass = ink.astype(np.float64)
    rows, columns = np.arange(ink.shape[0]), np.arange(ink.shape[1])
    total = mass.sum()
    return float(mass.sum(axis=1) @ rows / total), float(mass.sum(axis=0) @ columns / total)
