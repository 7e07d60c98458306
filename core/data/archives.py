"""ZIPs from outside: listed and read entry by entry within limits, never unpacked to the disk."""

import stat
import struct
from dataclasses import dataclass
from typing import Any, BinaryIO, cast
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipExtFile, ZipFile, ZipInfo

from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage

MOST_OF_ENTRY = 256 * 2**20
"""What one entry may hold once unpacked; an uncompressed photograph of 50 million pixels fits."""
BEGINNING = b"PK\x03\x04"
"""What the first bytes of a ZIP are."""


@dataclass(frozen=True)
class Limits:
    """What a ZIP may hold.

    most_bytes: of all entries together, once unpacked. most_of_entry: of one, once unpacked.
    most_times: how many times smaller than its content an entry may be packed; a bomb is packed
    1,000 times. small: bytes up to which that does not matter. most_of_directory: bytes of the list
    of entries, 80 or more for each; it is read as a whole.
    """

    most_bytes: int = 2 * 2**30
    most_of_entry: int = MOST_OF_ENTRY
    most_times: int = 200
    small: int = 2**20
    most_of_directory: int = 16 * 2**20


UPLOADED = Limits()
"""What a ZIP may hold that is handed to a page."""

_BROKEN = (*UNREADABLE, struct.error)
_PLAIN, _EXTENDED, _LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
_HEADER_SIZE = 30
_PLAIN_SIZE, _EXTENDED_SIZE, _LOCATOR_SIZE, _LONGEST_COMMENT = 22, 56, 20, 2**16


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a ZIP. `name` is as given there, with slashes; `refusal` why it is not read.

    offset: where its header begins. packed, size: its bytes as they lie there, and once unpacked.
    checksum: the CRC-32 of these. how: a number for the way it is packed.
    """

    name: str
    refusal: str | None
    offset: int
    packed: int
    size: int
    checksum: int
    how: int


class Archive:
    """A ZIP whose entries can be read one after another.

    Raises UnreadableUpload where it is damaged or goes beyond the limits as a whole.
    """

    def __init__(self, file: BinaryIO, limits: Limits = UPLOADED) -> None:
        self._file = file
        try:
            _check_directory(file, limits)
            listed = ZipFile(file).infolist()
        except _BROKEN as error:
            raise UnreadableUpload(f"the ZIP is damaged ({damage(error)}); make it anew") from None
        found = [info for info in listed if not info.filename.endswith("/")]
        _check_sizes(file, found, limits)
        self.entries = [_entry(info, limits) for info in found]

    def read(self, entry: Entry, most: int = MOST_OF_ENTRY) -> bytes:
        """The content of an entry. Raises UnreadableUpload where it cannot or may not be read."""
        return read(self._file, entry, most)


def read(file: BinaryIO, entry: Entry, most: int = MOST_OF_ENTRY) -> bytes:
    """The content of an entry of an open ZIP; its list of entries is not needed for that.

    Raises UnreadableUpload where it cannot or may not be read.
    """
    if entry.size > most:
        raise UnreadableUpload(_too_large(most))
    try:
        with stream(file, entry) as content:
            return content.read()
    except _BROKEN as error:
        raise UnreadableUpload(
            f"the file is damaged inside the ZIP ({damage(error)}); make the ZIP anew"
        ) from None


def stream(file: BinaryIO, entry: Entry, *, closing: bool = False) -> BinaryIO:
    """An entry of an open ZIP as a file that is unpacked as it is read, and can be sought in.

    closing: whether the ZIP is closed with it. It never gives more than the entry says of itself:
    zipfile stops there and finds the checksum wrong. Raises UnreadableUpload where it may not be
    read; reading it raises UNREADABLE.
    """
    if entry.refusal is not None:
        raise UnreadableUpload(entry.refusal)
    file.seek(entry.offset)
    header = file.read(_HEADER_SIZE)
    if len(header) < _HEADER_SIZE or not header.startswith(BEGINNING):
        raise BadZipFile("it does not lie where the ZIP says")
    name, extra = struct.unpack_from("<HH", header, 26)
    file.seek(entry.offset + _HEADER_SIZE + name + extra)
    info = ZipInfo(entry.name)
    info.compress_size, info.file_size = entry.packed, entry.size
    info.CRC, info.compress_type = entry.checksum, entry.how
    unpacked: Any = ZipExtFile  # its types tell files that it closes from others
    return cast(BinaryIO, unpacked(file, "r", info, None, closing))


def _entry(info: ZipInfo, limits: Limits) -> Entry:
    return Entry(
        _name(info),
        _refusal(info, limits),
        info.header_offset,
        info.compress_size,
        info.file_size,
        info.CRC,
        info.compress_type,
    )


def _check_sizes(file: BinaryIO, found: list[ZipInfo], limits: Limits) -> None:
    """Refuse a bomb as a whole, also one whose entries lie in the same place."""
    total, packed = sum(info.file_size for info in found), file.seek(0, 2)
    if total > limits.most_bytes:
        raise UnreadableUpload(_too_much(limits))
    if total > max(limits.small, limits.most_times * packed):
        raise UnreadableUpload(
            f"the ZIP would unpack to more than {limits.most_times} times its size, as no pictures "
            "do; choose another one"
        )


def _name(info: ZipInfo) -> str:
    return info.filename.replace("\\", "/")


def _refusal(info: ZipInfo, limits: Limits) -> str | None:
    """Why an entry is not read, as far as the list of entries tells."""
    name = _name(info)
    if not name:
        return "it has no name; make the ZIP anew"
    if name.startswith("/") or ".." in name.split("/") or name[1:2] == ":":
        return "its name leads out of the ZIP; give it a plain name"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a link; put the file itself into the ZIP"
    if info.flag_bits & 1:
        return "it is protected by a password; make the ZIP without one"
    if info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        return "it is packed in an uncommon way; make the ZIP anew with the usual one, Deflate"
    if info.file_size > limits.most_of_entry:
        return _too_large(limits.most_of_entry)
    if info.file_size > max(limits.small, limits.most_times * info.compress_size):
        return (
            f"it would unpack to more than {limits.most_times} times its size, as no picture does; "
            "leave it out of the ZIP"
        )
    return None


def _check_directory(file: BinaryIO, limits: Limits) -> None:
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
    if directory > limits.most_of_directory:
        raise UnreadableUpload(
            "the ZIP holds too many files, their list must take at most "
            f"{limits.most_of_directory:,} bytes, got {directory:,}; make several of it"
        )


def _too_much(limits: Limits) -> str:
    most = limits.most_bytes / 2**30
    return f"the ZIP would unpack to more than {most:.0f} GiB; make several of it"


def _too_large(most: int) -> str:
    return f"it would unpack to more than {most / 2**20:.0f} MiB; make it smaller"
