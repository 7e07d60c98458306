"""ZIPs of what can be imported: listed within limits, read entry by entry, never unpacked."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from core.data import archives
from core.data.archives import Archive, Entry
from core.errors import UnreadableUpload
from core.imported.report import Skipped
from core.importing.limits import ZIP
from core.importing.listing import (
    Listing,
    check_count,
    is_rubbish,
    left_out,
    natural,
    readable,
)

BEGINNINGS = (archives.BEGINNING, b"PK\x05\x06")
"""What the first bytes of a ZIP are; those of an empty one are others."""


@dataclass(frozen=True, slots=True)
class InZip:
    """A file in a ZIP on the disk.

    The ZIP is opened anew each time, so that threads and processes read side by side; its list of
    files is not read again for that.
    """

    path: str
    entry: Entry

    @property
    def size(self) -> int:
        return self.entry.size

    def read(self) -> bytes:
        with _opened(self.path) as file:
            return archives.read(file, self.entry)

    def open(self) -> BinaryIO:
        return archives.stream(_opened(self.path), self.entry, closing=True)


def list_zip(path: Path, entries: Sequence[Entry]) -> Listing:
    """The files of a ZIP, of all that it holds."""
    files: dict[str, InZip] = {}
    skipped: list[Skipped] = []
    hidden = 0
    for entry in entries:
        if any(is_rubbish(piece) for piece in entry.name.split("/") if piece != ".."):
            hidden += 1
        elif entry.refusal is not None:
            name = readable(entry.name) or "a file"
            skipped.append(Skipped(name=name, reason=entry.refusal))
        elif entry.name in files:
            reason = "the ZIP holds another file of that name, which is taken"
            skipped.append(Skipped(name=readable(entry.name), reason=reason))
        else:
            files[entry.name] = InZip(str(path), entry)
    ordered = {name: files[name] for name in sorted(files, key=natural)}
    return Listing(str(path), ordered, (*skipped, *left_out(hidden)))


def entries_of(path: Path) -> list[Entry]:
    """What a ZIP holds. Raises UnreadableUpload where it is damaged or goes beyond the limits."""
    with _opened(str(path)) as file:
        try:
            entries = Archive(file, ZIP).entries
        except UnreadableUpload as error:
            raise UnreadableUpload(f"{path.name} cannot be imported: {error}") from None
    check_count(len(entries), path.name)
    return entries


def is_zip(path: Path) -> bool:
    """By its first bytes."""
    with _opened(str(path)) as file:
        return file.read(4) in BEGINNINGS


def _opened(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise UnreadableUpload(f"{path} cannot be read: {error.strerror}") from None
