"""A class list and file lists as text, and the pictures that they name.

`classes.txt` holds one class a line. Beside it lie one or more of `train.txt`, `validation.txt`,
`test.txt` and `files.txt`, which hold one `class_index;path` a line: the index counts classes from
0, the path leads from the folder of the list and may have spaces. `unlabelled.txt` has -1 for each.
"""

import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.imported.dataset import PARTS, UNLABELLED, Part
from core.imported.report import Skipped
from core.importing.items import FILE_LISTS, PictureFile, Source
from core.importing.limits import LONGEST_CLASS_NAME, LONGEST_LINE, MOST_CLASSES, MOST_FILES
from core.importing.listing import (
    Listing,
    OnDisk,
    Stored,
    Unlisted,
    part_of,
    readable,
    roles,
    stem,
)
from core.validation import shown

CLASS_LIST = "classes.txt"
WHOLE_LIST = "files.txt"
"""What a list is called that is not divided into parts."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a file list. path: as it stands there."""

    label: int
    path: str


def find_file_lists(listing: Listing) -> Source | None:
    """The pictures that lists in a folder or ZIP name, None where there are none.

    Raises UnreadableUpload, naming the line, where a list is not as it must be.
    """
    for level in listing.levels:
        names = {name[len(level) :].lower(): name for name in listing.at(level)}
        lists = [names[name] for name in names if _is_list_name(name)]
        if CLASS_LIST in names and lists:
            classes = _read_classes(listing.files[names[CLASS_LIST]])
            lines = {
                name[len(level) :]: _read_list(name, listing.files[name], classes) for name in lists
            }
            find = partial(_at_level, listing, level)
            source = _source(find, Path(listing.place, level), classes, lines)
            return replace(source, skipped=(*listing.skipped, *source.skipped))
    return None


def is_list_beside_classes(path: Path) -> bool:
    """Whether a file may be a file list: text with a class list beside it."""
    return path.suffix.lower() == ".txt" and _classes_beside(path) is not None


def open_file_list(path: Path) -> Source:
    """The pictures of one list, whose class list lies beside it.

    Raises UnreadableUpload, naming the line, where a list is not as it must be.
    """
    class_list = _classes_beside(path)
    if class_list is None:
        raise UnreadableUpload(
            f"{path} must have {CLASS_LIST} beside it, with one class a line; put it there"
        )
    folder = str(path.parent)
    classes = _read_classes(OnDisk(folder, class_list))
    lines = _read_list(path.name, OnDisk(folder, path.name), classes)
    return _source(Unlisted(path.parent).get, path.parent, classes, {path.name: lines})


def _source(
    find: Callable[[str], Stored | None],
    folder: Path,
    classes: tuple[str, ...],
    lists: Mapping[str, list[_Line]],
) -> Source:
    """What lists name: each picture that is there, and each line of which none is.

    find: gives the file of a path from the folder of the lists.
    """
    parts = roles({_part(name) for name, lines in lists.items() if lines})
    if not parts:
        raise UnreadableUpload(
            f"{' and '.join(map(readable, lists))} must hold lines such as 0;cats/1.png, got none; "
            "write the lists again"
        )
    files: list[PictureFile] = []
    skipped: list[Skipped] = []
    for name in sorted(lists, key=lambda name: PARTS.index(_part(name))):
        for line in lists[name]:
            found = ((path, find(path)) for path in _inside(line.path, folder))
            path, content = next((pair for pair in found if pair[1]), ("", None))
            if content is None:
                reason = _why_not(readable(name), line.path, folder)
                skipped.append(Skipped(name=readable(line.path), reason=reason))
            else:
                files.append(PictureFile(readable(path), line.label, parts[_part(name)], content))
    return Source(
        kind=FILE_LISTS,
        class_names=classes,
        files=files,
        count=len(files),
        by_class=_in_order_of_class(files),
        skipped=tuple(skipped),
    )


def _at_level(listing: Listing, level: str, path: str) -> Stored | None:
    return listing.files.get(level + path)


def _read_classes(file: Stored) -> tuple[str, ...]:
    found: dict[str, int] = {}
    for number, line in _lines(file, CLASS_LIST):
        name = line.strip()
        if not name or len(name) > LONGEST_CLASS_NAME or not _is_text(name):
            raise UnreadableUpload(
                f"line {number} of {CLASS_LIST} must be the name of a class in 1 to "
                f"{LONGEST_CLASS_NAME} characters of UTF-8, got {_cut(line)}; write one class a "
                "line"
            )
        if readable(name) in found:
            raise UnreadableUpload(
                f"line {number} of {CLASS_LIST} is the class {_cut(name)} again, after line "
                f"{found[readable(name)]}; each must stand there once"
            )
        if len(found) == MOST_CLASSES:
            raise UnreadableUpload(
                f"{CLASS_LIST} must hold at most {MOST_CLASSES:,} classes, one a line, got more"
            )
        found[readable(name)] = number
    if not found:
        raise UnreadableUpload(f"{CLASS_LIST} must hold one class a line, got none; write it again")
    return tuple(found)


def _read_list(name: str, file: Stored, classes: tuple[str, ...]) -> list[_Line]:
    """The lines of a file list; reads no further than the first that is wrong."""
    shown_name = readable(name)
    lowest, highest = (
        (UNLABELLED, UNLABELLED) if _part(name) == "unlabelled" else (0, len(classes) - 1)
    )
    lines: list[_Line] = []
    for number, line in _lines(file, shown_name):
        index, _, path = line.partition(";")
        if not path.strip():
            raise UnreadableUpload(
                f"line {number} of {shown_name} must be class_index;path, such as 0;cats/1.png, "
                f"got {_cut(line)}; write it so"
            )
        label = _whole_number(index)
        if label is None or not lowest <= label <= highest:
            expected = f"from {lowest} to {highest}" if lowest < highest else str(lowest)
            raise UnreadableUpload(
                f"line {number} of {shown_name} must begin with the index of a class, {expected} "
                f"as {CLASS_LIST} has {len(classes)}, got {_cut(index)}; indices count from 0"
            )
        if len(lines) == MOST_FILES:
            raise UnreadableUpload(
                f"{shown_name} must hold at most {MOST_FILES:,} lines, got more; split it"
            )
        lines.append(_Line(label, path))
    return lines


def _lines(file: Stored, name: str) -> Iterator[tuple[int, str]]:
    """The lines of a text with their numbers from 1. Empty ones are let pass at the end only."""
    empty = 0
    try:
        with file.open() as opened:
            for number, line in enumerate(_pieces(opened), start=1):
                if len(line) > LONGEST_LINE:
                    raise UnreadableUpload(
                        f"line {number} of {name} must have at most {LONGEST_LINE:,} bytes, got "
                        "more; choose another file"
                    )
                text = line.rstrip(b"\r\n").decode(errors="surrogateescape")
                if not text.strip():
                    empty = empty or number
                    continue
                if empty:
                    raise UnreadableUpload(f"line {empty} of {name} is empty; remove it")
                yield number, text
    except UNREADABLE as error:
        raise UnreadableUpload(f"{name} cannot be read ({damage(error)}); write it again") from None


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    first = True
    while line := file.readline(LONGEST_LINE + 1):
        yield line.removeprefix(b"\xef\xbb\xbf") if first else line
        first = False


def _inside(path: str, folder: Path) -> Iterator[str]:
    """What a path of a list may mean, from the folder of the list; nothing where it leads out.

    As it stands, without the spaces around it, with the slashes of Windows, and with its accents
    written in one character or in two, as systems differ.
    """
    plain = path.strip()
    yield from _from(folder, path)
    for other in (plain, plain.replace("\\", "/")):
        yield from _from(folder, other)
    for form in ("NFC", "NFD"):
        yield from _from(folder, unicodedata.normalize(form, plain))


def _from(folder: Path, path: str) -> Iterator[str]:
    relative = os.path.relpath(path, folder) if os.path.isabs(path) else os.path.normpath(path)
    if relative not in (".", "..") and not relative.startswith("../"):
        yield relative


def _why_not(name: str, path: str, folder: Path) -> str:
    if not any(_inside(path, folder)):
        return f"{name} names it, but its path leads out of the folder of the list"
    return f"{name} names it, but there is no such file; links are not followed"


def _classes_beside(path: Path) -> str | None:
    """What the class list in the folder of a file is called, if there is one."""
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return None
    found = [name for name in names if name.lower() == CLASS_LIST and name != path.name]
    return found[0] if found else None


def _is_list_name(name: str) -> bool:
    return name == WHOLE_LIST or (name.endswith(".txt") and part_of(stem(name)) is not None)


def _part(name: str) -> Part:
    return part_of(stem(name)) or "train"


def _in_order_of_class(files: list[PictureFile]) -> bool:
    return all(a.part != b.part or a.label <= b.label for a, b in pairwise(files))


def _whole_number(text: str) -> int | None:
    stripped = text.strip()
    plain = stripped.removeprefix("-")
    return int(stripped) if plain.isascii() and plain.isdigit() and len(plain) < 10 else None


def _is_text(name: str) -> bool:
    """Whether a line was UTF-8."""
    return not any("\ud800" <= character <= "\udfff" for character in name)


def _cut(text: str) -> str:
    return shown(text[:60])
