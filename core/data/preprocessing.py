"""The one path from a file, a drawing or a dataset's image to what a network is fed.

Training, evaluation, the canvas and uploads all end in `for_network`. A drawn or photographed
digit first becomes an MNIST digit in `core.predicting.digits`, made the way MNIST was.
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from core.data.picture_headers import plain
from core.errors import UnreadableImage

Pixels = NDArray[np.uint8]

LARGEST_IMAGE = 50_000_000
"""Most pixels that are decoded; a photograph from a telephone has 12 to 48 million."""
SMALLEST_SIDE = 4
"""Fewer pixels than this across or down show no shape that could be classified."""
COMMON_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
FORMATS = (*COMMON_FORMATS, "HEIC", "HEIF")
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
DAMAGED = "the image is damaged or cut short; save it anew and try again"
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*")
_DEPTH = "save it with 8 or 16 bits a channel"


def decode(content: bytes) -> Pixels:
    """Decode a picture file to (height, width) grey or (height, width, 3) RGB, 8 bits a channel.

    EXIF rotation is applied and transparency is laid on white, on black where the picture itself
    is white. Size is read from the header and refused there, before any memory is taken.
    Raises UnreadableImage.
    """
    if not content:
        raise UnreadableImage("the file is empty; choose an image file")
    picture = _decode_plain(content)
    if picture is not None:
        return picture
    return _decode_heif(content) if _is_heif(content) else _decode_common(content)


def _decode_plain(content: bytes) -> Pixels | None:
    """A picture whose header leaves nothing to be found out by decoding it, else None.

    The same as `_decode_common` makes of it, several times as quick for small files. What is not
    as it must be is left to that, which says what is wrong.
    """
    header = plain(content)
    if header is None or _size_refusal(header.width, header.height):
        return None
    how = cv2.IMREAD_GRAYSCALE if header.channels == 1 else cv2.IMREAD_COLOR_RGB
    buffer = np.frombuffer(content, np.uint8)
    picture: Pixels | None = cv2.imdecode(buffer, how | cv2.IMREAD_IGNORE_ORIENTATION)  # type: ignore[assignment]
    return picture


def _decode_common(content: bytes) -> Pixels:
    orientation = _check_header(content)
    buffer = np.frombuffer(content, dtype=np.uint8)
    raw = cv2.imdecode(buffer, cv2.IMREAD_UNCHANGED)
    if raw is None:
        raise UnreadableImage(DAMAGED)
    if raw.dtype not in (np.uint8, np.uint16):
        return _upright(_from_numbers(raw), orientation)
    if raw.ndim == 3 and raw.shape[2] == 4:
        return _upright(_flatten(raw), orientation)
    # Decoded anew: unlike UNCHANGED this brings 16 bits down to 8, and looks up palettes.
    how = cv2.IMREAD_GRAYSCALE if raw.ndim == 2 else cv2.IMREAD_COLOR_RGB
    picture = cv2.imdecode(buffer, how | cv2.IMREAD_IGNORE_ORIENTATION)
    if picture is None:
        raise UnreadableImage(DAMAGED)
    return _upright(np.asarray(picture, dtype=np.uint8), orientation)


def _check_header(content: bytes) -> int:
    """The EXIF orientation, 1 for upright, of a file whose header promises a picture."""
    try:
        with Image.open(io.BytesIO(content), formats=COMMON_FORMATS) as header:
            # OpenCV turns a TIFF by itself, whatever it is told.
            turned = header.format == "TIFF"
            orientation = 1 if turned else header.getexif().get(ExifTags.Base.Orientation, 1)
            _check_size(*header.size)
    except Image.DecompressionBombError:
        raise UnreadableImage(_too_large()) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError):
        raise UnreadableImage(_unknown(content)) from None
    return int(orientation)


def _check_size(width: int, height: int) -> None:
    refusal = _size_refusal(width, height)
    if refusal:
        raise UnreadableImage(refusal)


def _size_refusal(width: int, height: int) -> str | None:
    if width * height > LARGEST_IMAGE:
        return f"{_too_large()}, got {width}x{height}"
    if min(width, height) < SMALLEST_SIDE:
        return (
            f"an image must be at least {SMALLEST_SIDE} pixels wide and high, got {width}x{height}"
        )
    return None


def _too_large() -> str:
    return f"an image must have at most {LARGEST_IMAGE // 1_000_000} million pixels"


def begins_as_picture(start: bytes) -> bool:
    """Whether the first 32 bytes of a file are those of a picture of a known format."""
    return (
        start.startswith(_BEGINNINGS)
        or (start.startswith(b"RIFF") and start[8:12] == b"WEBP")
        or (start.startswith(b"BM") and start[6:10] == b"\0\0\0\0")
        or _is_heif(start)
    )


def _unknown(content: bytes) -> str:
    if begins_as_picture(content[:32]):
        return DAMAGED
    if b"<svg" in content[:1000].lower():
        return (
            "the file is an SVG, which holds instructions for drawing and no pixels; export it as "
            f"PNG, or use {', '.join(FORMATS)}"
        )
    return f"the file is not an image that can be read; use {', '.join(FORMATS)}"


def _upright(picture: Pixels, orientation: int) -> Pixels:
    """The picture turned and mirrored as its EXIF orientation, from 1 to 8, asks for."""
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    return np.ascontiguousarray(picture)


def _flatten(bgra: NDArray[np.generic]) -> Pixels:
    scale = 257 if bgra.dtype == np.uint16 else 1
    pixels = (bgra // scale).astype(np.float32)
    colour, alpha = pixels[..., 2::-1], pixels[..., 3:] / 255
    seen = colour[alpha[..., 0] > 0.5]
    paper = 0.0 if seen.size and seen.mean() > 200 else 255.0
    return np.rint(colour * alpha + paper * (1 - alpha)).astype(np.uint8)


def _from_numbers(raw: NDArray[np.generic]) -> Pixels:
    """A picture of fractions from 0 to 1, or of other numbers from 0 to 255, such as a TIFF's."""
    numbers = raw.astype(np.float64)
    if raw.ndim == 3 and raw.shape[2] == 4:
        raise UnreadableImage(f"a picture of {raw.dtype} numbers must not be transparent; {_DEPTH}")
    lowest, highest = numbers.min(), numbers.max()
    if not (lowest >= 0 and highest <= 255):  # also where some are no numbers
        raise UnreadableImage(
            f"a picture of {raw.dtype} numbers must hold 0 to 1, or 0 to 255, got {lowest:g} to "
            f"{highest:g}; {_DEPTH}"
        )
    fractions = highest <= 1 and raw.dtype.kind == "f"
    pixels = np.rint(numbers * (255 if fractions else 1)).astype(np.uint8)
    return pixels if pixels.ndim == 2 else pixels[..., ::-1]


def _is_heif(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and content[8:12] in HEIF_BRANDS


def _decode_heif(content: bytes) -> Pixels:
    """Decode what telephones write. Their format has its own rotation, which libheif applies."""
    import pillow_heif  # rare, and takes a moment to import

    try:
        opened = pillow_heif.open_heif(io.BytesIO(content), convert_hdr_to_8bit=True)
        _check_size(*opened.size)
        pixels = np.asarray(opened)
    except (ValueError, OSError, RuntimeError, EOFError):
        raise UnreadableImage(DAMAGED) from None
    return _flatten(pixels[..., [2, 1, 0, 3]]) if opened.mode == "RGBA" else pixels


def to_grey(picture: Pixels) -> Pixels:
    """(height, width) or (height, width, 3) RGB to (height, width)."""
    return picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))


def for_network(images: Pixels, side: int, channels: int) -> Pixels:
    """Images as a network takes them: (count, side, side, channels), still 0 to 255.

    images: (count, height, width) grey or (count, height, width, 3) RGB. Scaling belongs to the
    network itself. Resizing is OpenCV's: by area when shrinking, else bilinear.
    """
    images = np.asarray(images)  # Rows are read here
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
