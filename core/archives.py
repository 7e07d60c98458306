"""ZIPs from outside: listed and read entry by entry within limits, never unpacked to the disk."""

import stat
import struct
from dataclasses import dataclass
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from core.errors import UnreadableUpload
from core.files import UNREADABLE

MOST_BYTES = 2 * 2**30
"""What all entries together may hold once unpacked."""
MOST_OF_ENTRY = 256 * 2**20
"""What one entry may hold once unpacked; an uncompressed photograph of 50 million pixels fits."""
MOST_TIMES = 200
"""How many times smaller than its content an entry may be packed; a bomb is packed 1,000 times."""
SMALL = 2**20
"""Bytes up to which it does not matter how tightly an entry is packed."""
MOST_OF_DIRECTORY = 16 * 2**20
"""Bytes of the list of entries: about 200,000 of them. It is read as a whole."""
BEGINNING = b"PK\x03\x04"
"""What the first bytes of a ZIP are."""

_BROKEN = (*UNREADABLE, struct.error)
_PLAIN, _EXTENDED, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_PLAIN_SIZE, _EXTENDED_SIZE, _LOCATOR_SIZE, _LONGEST_COMMENT = 22, 56, 20, 2**16


@dataclass(frozen=True)
class Entry:
    """A file of a ZIP. `name` is as given there, with slashes; `refusal` why it is not read."""

    name: str
    refusal: str | None
    info: ZipInfo


class Archive:
    """A ZIP whose entries can be read one after another.

    Raises UnreadableUpload where it is damaged or goes beyond the limits as a whole.
    """

    def __init__(self, file: BinaryIO) -> None:
        try:
            _check_directory(file)
            self._zip = ZipFile(file)
            found = [info for info in self._zip.infolist() if not info.is_dir()]
        except _BROKEN as error:
            raise UnreadableUpload(f"the ZIP is damaged ({error}); make it anew") from None
        _check_sizes(file, found)
        self.entries = [Entry(_name(info), _refusal(info), info) for info in found]

    def read(self, entry: Entry, most: int = MOST_OF_ENTRY) -> bytes:
        """The content of an entry. Raises UnreadableUpload where it cannot or may not be read."""
        if entry.refusal is not None:
            raise UnreadableUpload(entry.refusal)
        if entry.info.file_size > most:
            raise UnreadableUpload(_too_large(most))
        try:
            # Never more than it says of itself: zipfile stops there and finds the checksum wrong.
            return self._zip.read(entry.info)
        except _BROKEN as error:
            raise UnreadableUpload(
                f"the file is damaged inside the ZIP ({error}); make the ZIP anew"
            ) from None


def _check_sizes(file: BinaryIO, found: list[ZipInfo]) -> None:
    """Refuse a bomb as a whole, also one whose entries lie in the same place."""
    total, packed = sum(info.file_size for info in found), file.seek(0, 2)
    if total > MOST_BYTES:
        raise UnreadableUpload(_too_much())
    if total > max(SMALL, MOST_TIMES * packed):
        raise UnreadableUpload(
            f"the ZIP would unpack to more than {MOST_TIMES} times its size, as no pictures do; "
            "choose another one"
        )


def _name(info: ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _refusal(info: ZipInfo) -> str | None:
    """Why an entry is not read, as far as the list of entries tells."""
    name = _name(info)
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return "its name leads out of the ZIP; give it a plain name"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link; put the file itself into the ZIP"
    if info.flag_bits & 1:
        return "it is protected by a password; make the ZIP without one"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "it is packed in an uncommon way; make the ZIP anew with the usual one, Deflate"
    if info.file_size > MOST_OF_ENTRY:
        return _too_large(MOST_OF_ENTRY)
    if info.file_size > max(SMALL, MOST_TIMES * info.compress_size):
        return (
            f"it would unpack to more than {MOST_TIMES} times its size, as no picture does; "
            "leave it out of the ZIP"
        )
    return None


def _check_directory(file: BinaryIO) -> None:
    """Refuse a list of entries that would fill the memory, before it is read."""
    size = file.seek(0, 2)
    start = max(0, size - _LONGEST_COMMENT - _PLAIN_SIZE - _LOCATOR_SIZE - _EXTENDED_SIZE)
    file.seek(start)
    tail = file.read()
    whole = tail[-_PLAIN_SIZE:]
    uncommented = whole.startswith(_PLAIN) and whole.endswith(b"\0\0")
    at = len(tail) - _PLAIN_SIZE if uncommented else tail.rfind(_PLAIN)
    if at < 0:
        raise ValueError("its list of files is missing, perhaps it is cut short")
    (directory,) = struct.unpack_from("<I", tail, at + 12)
    extended = at - _LOCATOR_SIZE - _EXTENDED_SIZE
    located = extended >= 0 and tail.startswith(_LOCATOR, at - _LOCATOR_SIZE)
    if located and tail.startswith(_EXTENDED, extended):
        (directory,) = struct.unpack_from("<Q", tail, extended + 40)
    file.seek(0)
    if directory > MOST_OF_DIRECTORY:
        raise UnreadableUpload("the ZIP holds more than 200,000 files; make several of it")


def _too_much() -> str:
    return f"the ZIP would unpack to more than {MOST_BYTES / 2**30:.0f} GiB; make several of it"


def _too_large(most: int) -> str:
    return f"it would unpack to more than {most / 2**20:.0f} MiB; make it smaller"
