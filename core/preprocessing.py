"""The one path from a file, a drawing or a dataset's image to what a network is fed.

Training, evaluation, the canvas and uploads all end in `for_network`. A drawn or photographed
digit first becomes an MNIST digit in `to_digit`, made the way MNIST was.
"""

import io
import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from core.errors import UnreadableImage

Pixels = NDArray[np.uint8]

LARGEST_IMAGE = 50_000_000
"""Most pixels that are decoded; a photograph from a telephone has 12 to 48 million."""
SMALLEST_SIDE = 4
"""Fewer pixels than this across or down show no shape that could be classified."""
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")


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
