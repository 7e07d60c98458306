"""What the first bytes of a picture file promise, read without decoding anything.

Only plain files are told of: those that are upright, opaque and of 8 bits a channel for certain.
Small files by the ten thousand are of that kind, and a general reader of headers would take
several times as long as decoding them does.
"""

import struct
from collections.abc import Callable
from typing import NamedTuple


class Plain(NamedTuple):
    """Size and channels (1 or 3) of a picture that needs no turning and has no transparency."""

    width: int
    height: int
    channels: int


def plain(content: bytes) -> Plain | None:
    """What a plain PNG, JPEG, BMP or WebP holds; None for every other file, sound or not."""
    for beginning, read in _READERS.items():
        if content.startswith(beginning):
            try:
                return read(content)
            except struct.error:  # it is cut short
                return None
    return None


_PNG_CHANNELS = {0: 1, 2: 3}
"""By colour type, without palettes and transparency."""
_PNG_HARMLESS = {b"IDAT", b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD", b"sBIT", b"tEXt"}
"""Chunks that change neither the pixels nor how they are turned."""
_PNG_BARE = b"\0\0\0\0IEND\xaeB`\x82"


def _png(content: bytes) -> Plain | None:
    width, height, depth, colours = struct.unpack_from(">IIBB", content, 16)
    channels = _PNG_CHANNELS.get(colours)
    if channels is None or depth != 8 or not content.endswith(_PNG_BARE):
        return None
    at, last = 33, len(content) - len(_PNG_BARE)
    while at < last:
        length, kind = struct.unpack_from(">I4s", content, at)
        # ImageMagick keeps EXIF, and with it rotation, as text.
        hidden = kind == b"tEXt" and content.startswith(b"Raw profile", at + 8)
        if kind not in _PNG_HARMLESS or hidden:
            return None
        at += 12 + length
    return Plain(width, height, channels) if at == last else None


_JPEG_FRAMES = {0xC0, 0xC1, 0xC2}
"""Markers of frames, baseline and progressive, that hold size and channels."""
_JPEG_PIXELS = 0xDA
_JPEG_HARMLESS = {0xDB, 0xC4, 0xDD, 0xFE, 0xE0, 0xE2, 0xEE}
"""Segments of tables, comments, JFIF, colour profiles and Adobe's kind of colours; EXIF and XMP,
which may turn the picture, stand in 0xE1."""


def _jpeg(content: bytes) -> Plain | None:
    at, found = 2, None
    while True:
        begin, marker, length = struct.unpack_from(">BBH", content, at)
        if begin != 0xFF or (marker not in _JPEG_FRAMES and marker not in _JPEG_HARMLESS):
            return found if marker == _JPEG_PIXELS else None
        if marker in _JPEG_FRAMES:
            depth, height, width, channels = struct.unpack_from(">BHHB", content, at + 4)
            if depth != 8 or channels not in (1, 3) or found:
                return None
            found = Plain(width, height, channels)
        at += 2 + length


def _bmp(content: bytes) -> Plain | None:
    header, width, height, planes, depth, packed = struct.unpack_from("<IiiHHI", content, 14)
    if (header, planes, depth, packed) != (40, 1, 24, 0):
        return None
    return Plain(width, abs(height), 3)


def _webp(content: bytes) -> Plain | None:
    """The simple kind of file with loss, which has neither transparency nor EXIF."""
    if content[8:16] != b"WEBPVP8 " or content[23:26] != b"\x9d\x01\x2a":
        return None
    width, height = struct.unpack_from("<HH", content, 26)
    return Plain(width & 0x3FFF, height & 0x3FFF, 3)


_READERS: dict[bytes, Callable[[bytes], Plain | None]] = {
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR": _png,
    b"\xff\xd8\xff": _jpeg,
    b"BM": _bmp,
    b"RIFF": _webp,
}
