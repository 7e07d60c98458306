"""Plain files are decoded by their header; those with EXIF, though upright, by the long way."""

import io
import random
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from core.data.picture_headers import Plain, plain
from core.data.preprocessing import Pixels, decode
from core.errors import UnreadableImage

NOISE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8), (0, 0), 2
)
UPRIGHT = Image.Exif()
UPRIGHT[0x0112] = 1


def saved(mode: str, file_format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(NOISE).convert(mode).save(file, file_format, **options)
    return file.getvalue()


def result(content: bytes) -> Pixels | str:
    try:
        return decode(content)
    except UnreadableImage as error:
        return str(error)


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    ("file_format", "options"),
    [
        ("PNG", {}),
        ("PNG", {"optimize": True, "dpi": (72, 72)}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "comment": b"hello"}),
        ("JPEG", {"icc_profile": b"x" * 200}),
        ("WEBP", {}),
    ],
)
def test_a_plain_file_gives_the_same_pixels_as_with_exif(
    mode: str, file_format: str, options: dict[str, Any]
) -> None:
    short, long = (
        saved(mode, file_format, **options),
        saved(mode, file_format, exif=UPRIGHT, **options),
    )
    channels = 3 if file_format == "WEBP" or mode == "RGB" else 1
    assert plain(short) == Plain(56, 40, channels)
    assert plain(long) is None
    np.testing.assert_array_equal(decode(short), decode(long))


def test_a_plain_bmp_gives_its_pixels() -> None:
    content = saved("RGB", "BMP")
    assert plain(content) == Plain(56, 40, 3)
    np.testing.assert_array_equal(decode(content), NOISE)


@pytest.mark.parametrize(
    ("mode", "file_format"),
    [
        ("RGBA", "PNG"),
        ("LA", "PNG"),
        ("P", "PNG"),
        ("1", "PNG"),
        ("I;16", "PNG"),
        ("CMYK", "JPEG"),
        ("L", "BMP"),
        ("RGB", "GIF"),
        ("RGB", "TIFF"),
    ],
)
def test_a_file_that_needs_a_closer_look_is_not_plain(mode: str, file_format: str) -> None:
    assert plain(saved(mode, file_format)) is None


def test_rotation_that_imagemagick_hides_in_text_is_not_plain() -> None:
    content = saved("RGB", "PNG")
    text = b"tEXtRaw profile type exif\0\n"
    chunk = (len(text) - 4).to_bytes(4, "big") + text + bytes(4)
    assert plain(content) is not None
    assert plain(content[:33] + chunk + content[33:]) is None


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP", "BMP"])
def test_a_file_cut_short_anywhere_is_never_decoded(file_format: str) -> None:
    content = saved("RGB", file_format)
    for length in range(0, len(content) - 16, 7):
        assert isinstance(result(content[:length]), str)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_bytes_that_were_changed_break_nothing_else(file_format: str) -> None:
    dice, content = random.Random(0), saved("RGB", file_format)
    for _ in range(200):
        changed = bytearray(content)
        changed[dice.randrange(len(changed))] = dice.randrange(256)
        found = result(bytes(changed))
        assert isinstance(found, str) or found.dtype == np.uint8


def test_a_huge_picture_is_refused_by_what_its_header_says() -> None:
    header = saved("L", "PNG")
    huge = header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:]
    with pytest.raises(UnreadableImage):
        decode(huge)
