"""The files that lie in a folder or ZIP, listed without opening one of them."""

import os
import re
import stat
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Protocol

from core.data.archives import MOST_OF_ENTRY
from core.errors import UnreadableUpload
from core.imported.dataset import Part
from core.imported.report import Skipped
from core.importing.limits import MOST_FILES

PART_NAMES: dict[str, Part] = {
    "train": "train",
    "training": "train",
    "training_set": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
    "test_set": "test",
    "t10k": "test",
    "unlabelled": "unlabelled",
}
"""What the folder, file or array of a part may be called."""

MOST_LEVELS = 5
"""Folders within each other that are looked through for the beginning of a dataset."""
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_RUBBISH = {"__macosx", "thumbs.db", "desktop.ini"}


class Stored(Protocol):
    """A file in a folder or ZIP, which another process may read: it can be pickled."""

    @property
    def size(self) -> int:
        """Its bytes, once unpacked."""

    def read(self) -> bytes:
        """All bytes of a picture. Raises UnreadableUpload, with a sentence."""

    def open(self) -> BinaryIO:
        """The file, to be read piece by piece. Raises OSError or UnreadableUpload."""


@dataclass(frozen=True, slots=True)
class OnDisk:
    """A file on the disk. name: its path in the folder `root`."""

    root: str
    name: str

    @property
    def size(self) -> int:
        return os.stat(self.path).st_size

    @property
    def path(self) -> str:
        """Where it lies."""
        return f"{self.root}{os.sep}{self.name}"

    def read(self) -> bytes:
        try:
            opened = os.open(self.path, _READ)  # a file object takes half as long again
            try:
                size = os.fstat(opened).st_size
                if size > MOST_OF_ENTRY:
                    raise UnreadableUpload(
                        f"the file holds more than {MOST_OF_ENTRY // 2**20} MiB; make it smaller"
                    )
                return os.read(opened, size)
            finally:
                os.close(opened)
        except OSError as error:
            raise UnreadableUpload(f"the file cannot be read: {error.strerror}") from None

    def open(self) -> BinaryIO:
        return open(self.path, "rb")


@dataclass(frozen=True, eq=False)
class Listing:
    """The files of a folder or ZIP by their paths in it, with slashes, in natural order.

    place: how it is called. skipped: what lies there and cannot be a file of a dataset.
    """

    place: str
    files: Mapping[str, Stored]
    skipped: tuple[Skipped, ...] = ()

    @cached_property
    def levels(self) -> list[str]:
        """Where a dataset may begin: at the top, and in what wraps it, such as "archive/"."""
        levels = [""]
        while len(levels) < MOST_LEVELS:
            folders = self.folders(levels[-1])
            if len(folders) != 1 or part_of(folders[0]):
                break
            levels.append(f"{levels[-1]}{folders[0]}/")
        return levels

    def folders(self, level: str) -> list[str]:
        """The folders at a level, in natural order."""
        inside = (name[len(level) :] for name in self.files if name.startswith(level))
        return sorted({name.partition("/")[0] for name in inside if "/" in name}, key=natural)

    def at(self, level: str) -> list[str]:
        """Paths of the files that lie at a level, in no folder there."""
        return [
            name for name in self.files if name.startswith(level) and "/" not in name[len(level) :]
        ]


def list_folder(folder: Path) -> Listing:
    """The files of a folder. Links are not followed, nothing is opened.

    Raises UnreadableUpload where there are too many.
    """
    names: list[str] = []
    skipped: list[Skipped] = []
    waiting, hidden = [""], 0
    while waiting:
        below = waiting.pop()
        try:
            with os.scandir(folder / below) as entries:
                found = list(entries)
        except OSError as error:
            reason = f"the folder cannot be read: {error.strerror}"
            skipped.append(Skipped(name=readable(below) or ".", reason=reason))
            continue
        if not found and below:
            skipped.append(Skipped(name=readable(below), reason="the folder is empty"))
        for entry in found:
            name = below + entry.name
            if is_rubbish(entry.name):
                hidden += 1
            elif entry.is_symlink():
                skipped.append(Skipped(name=readable(name), reason=_LINK))
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
            elif entry.is_file(follow_symlinks=False):
                names.append(name)
            else:
                skipped.append(Skipped(name=readable(name), reason="it is no ordinary file"))
        check_count(len(names) + len(skipped) + hidden + len(waiting), str(folder))
    root = str(folder)
    files = {name: OnDisk(root, name) for name in sorted(names, key=natural)}
    return Listing(str(folder), files, (*_in_order(skipped), *left_out(hidden)))


class Unlisted:
    """The files of a folder that is not listed, each looked for when it is asked for.

    Links are not followed, be it the file or a folder on the way to it.
    """

    def __init__(self, folder: Path) -> None:
        self._root = os.path.realpath(folder)
        self._real: dict[str, bool] = {"": True}

    def get(self, name: str) -> OnDisk | None:
        """The file of that path in the folder, None where there is none."""
        parent = os.path.dirname(name)
        try:
            if parent not in self._real:
                place = os.path.join(self._root, parent)
                self._real[parent] = os.path.realpath(place) == place
            ordinary = stat.S_ISREG(os.lstat(os.path.join(self._root, name)).st_mode)
        except (OSError, ValueError):
            return None
        return OnDisk(self._root, name) if ordinary and self._real[parent] else None


def check_count(count: int, place: str) -> None:
    """Raise UnreadableUpload where there are more files than may be."""
    if count > MOST_FILES:
        raise UnreadableUpload(
            f"{place} must hold at most {MOST_FILES:,} files, it holds more; choose the folder "
            "that holds the pictures, or import it in several parts"
        )


def left_out(hidden: int) -> tuple[Skipped, ...]:
    """One line for all files that systems add by themselves."""
    if not hidden:
        return ()
    return (
        Skipped(
            name="hidden files" if hidden > 1 else "a hidden file",
            reason=f"systems add such as .DS_Store by themselves; {hidden:,} left out",
        ),
    )


def is_rubbish(name: str) -> bool:
    """Whether a file or folder of that name was put there by a system, not by a person."""
    return name.startswith(".") or name.lower() in _RUBBISH


def part_of(name: str) -> Part | None:
    """The part that a folder, file or array is of, by its name without an ending."""
    return PART_NAMES.get(name.casefold())


def stem(name: str) -> str:
    """The last piece of a path, without its ending."""
    return PurePosixPath(name).stem


def roles(found: Collection[Part]) -> dict[Part, Part]:
    """What each part serves as: validation as test where there is no other, a lone one as train."""
    labelled = [part for part in found if part != "unlabelled"]
    as_found: dict[Part, Part] = {part: part for part in found}
    if len(labelled) == 1:
        return as_found | {labelled[0]: "train"}
    if "validation" in found and "test" not in found:
        as_found["validation"] = "test"
    return as_found


def natural(name: str) -> tuple[str, str]:
    """A key to sort by, in which numbers count as numbers: img2 comes before img10."""
    return _DIGITS.sub(lambda digits: digits[0].zfill(20), name).casefold(), name


def readable(name: str) -> str:
    r"""A name as it can be shown and written: characters that control or break it are spelled out.

    >>> print(readable("two\nlines"))
    two\nlines
    """
    if name.isprintable():
        return name
    return "".join(
        piece.encode("unicode_escape").decode() if _CONTROL.fullmatch(piece) else piece
        for piece in name
    )


def _in_order(skipped: list[Skipped]) -> list[Skipped]:
    return sorted(skipped, key=lambda item: natural(item.name))


_DIGITS = re.compile("[0-9]+")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LINK = "it is a link; put the file itself there"
