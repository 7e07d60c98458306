"""Which files are pictures: by their ending, else by their first bytes."""

from core.data.preprocessing import begins_as_picture
from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.importing.listing import Stored

ENDINGS = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".bmp",
    ".webp",
    ".gif",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
)
"""Endings of picture files, in any case. What is in them is found out when they are decoded."""
ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".tgz", ".gz", ".bz2", ".xz")
"""Endings of files that hold others. Within what is imported they are not opened."""


def named_as_picture(name: str) -> bool:
    """Whether a file is a picture by its ending."""
    return name.lower().endswith(ENDINGS)


def why_no_picture(name: str, file: Stored) -> str | None:
    """Why a file is not taken for a picture, None where it is.

    Its first bytes are looked at only where its ending is not that of a picture.
    """
    if named_as_picture(name):
        return None
    try:
        with file.open() as opened:
            start = opened.read(32)
    except UnreadableUpload as error:
        return str(error)
    except UNREADABLE as error:
        return f"the file cannot be read ({damage(error)})"
    if begins_as_picture(start):
        return None
    if not start:
        return "the file is empty"
    if name.lower().endswith(ARCHIVES):
        return "an archive within is not opened; unpack it first"
    return "it is no picture, neither by its ending nor by its first bytes"
