"""Pairs of idx files, as MNIST came in first: images and labels, gzipped or not.

A file holds two zero bytes, 8 for unsigned bytes, how many axes there are, the length of each as
four bytes, the highest first, and then its numbers (http://yann.lecun.com/exdb/mnist).
"""

import gzip
import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.imported.dataset import Part
from core.imported.report import Skipped
from core.importing.arrays import Labelled, StoredArray, check_size, source_of_arrays
from core.importing.items import Source
from core.importing.limits import ZIP
from core.importing.listing import Listing, Stored, Unlisted, part_of, readable

_NAME = re.compile(
    r"(?P<set>.*?)[-_.]?(?P<what>images?|labels?)[-_.]idx(?P<axes>[1-4])[-_.]ubyte(?P<gz>\.gz)?",
    re.IGNORECASE,
)
_UNPACKED_TWICE = "the same file lies beside it, which is taken"


class _Unpacked(gzip.GzipFile):
    """A gzip that closes the file it is read from with itself."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        super().__init__(fileobj=packed, mode="rb")

    def close(self) -> None:
        super().close()
        self._packed.close()


@dataclass(frozen=True)
class _Pair:
    """The paths of a file of images and of one of labels, where they are there."""

    images: str | None = None
    labels: str | None = None


def is_idx_name(name: str) -> bool:
    """Whether a file is called as idx files are."""
    return _NAME.fullmatch(_last(name)) is not None


def list_pair(path: Path) -> Listing:
    """An idx file and its partner beside it, be that gzipped or not."""
    match = _NAME.fullmatch(path.name)
    wanted = match["set"].lower() if match else ""
    folder = Unlisted(path.parent)
    files: dict[str, Stored] = {}
    for name in sorted(file.name for file in path.parent.iterdir() if is_idx_name(file.name)):
        other = _NAME.fullmatch(name)
        file = folder.get(name)
        if other and other["set"].lower() == wanted and file:
            files[name] = file
    return Listing(str(path), files)


def find_idx(listing: Listing) -> Source | None:
    """The images of idx files, None where there are none.

    Raises UnreadableUpload where a file has no partner, is not what its header says, or belongs to
    another dataset than the others.
    """
    pairs, doubled = _pairs([name for name in listing.files if is_idx_name(name)])
    if not pairs:
        return None
    found: dict[Part, Labelled] = {}
    for name, pair in pairs.items():
        part = _part(name)
        if part in found:
            raise UnreadableUpload(
                f"{listing.place} must hold one dataset, got several pairs of idx files: "
                f"{', '.join(map(readable, pairs))}; choose one of the files"
            )
        found[part] = _labelled(pair, listing.files)
    used = {file for pair in pairs.values() for file in (pair.images, pair.labels)}
    others = [
        Skipped(name=readable(name), reason="it is no idx file, as the others are")
        for name in listing.files
        if name not in used and name not in doubled
    ]
    twice = [Skipped(name=readable(name), reason=_UNPACKED_TWICE) for name in doubled]
    return source_of_arrays("idx files", found, (*listing.skipped, *others, *twice))


def _pairs(names: list[str]) -> tuple[dict[str, _Pair], set[str]]:
    """Pairs by what their files are called before "images"; and files that are there twice."""
    chosen: dict[tuple[str, str], str] = {}
    for name in sorted(names, key=lambda name: (name.count("/"), len(name), name)):
        match = _NAME.fullmatch(_last(name))
        if match:
            what = "images" if match["what"].lower().startswith("image") else "labels"
            chosen.setdefault((match["set"].lower(), what), name)
    pairs = {
        name: _Pair(chosen.get((name, "images")), chosen.get((name, "labels")))
        for name in sorted({name for name, _ in chosen})
    }
    return pairs, set(names) - set(chosen.values())


def _labelled(pair: _Pair, files: Mapping[str, Stored]) -> Labelled:
    if pair.images is None or pair.labels is None:
        present = pair.images or pair.labels or ""
        lacking = "labels (idx1-ubyte)" if pair.labels is None else "images (idx3-ubyte)"
        raise UnreadableUpload(
            f"{readable(present)} must have a file of {lacking} beside it, there is none; put it "
            "there, called as in train-images-idx3-ubyte and train-labels-idx1-ubyte"
        )
    return Labelled(_array(pair.images, files), _array(pair.labels, files))


def _array(name: str, files: Mapping[str, Stored]) -> StoredArray:
    """What the header of a file says, checked against the size of the file."""
    shown, stored = readable(name), files[name]
    packed = name.lower().endswith(".gz")
    try:
        with _opened(stored, packed) as file:
            shape = _shape(file, shown)
        size = stored.size
    except UNREADABLE as error:
        raise UnreadableUpload(f"{shown} is damaged ({damage(error)}); fetch it again") from None
    header = 4 + 4 * len(shape)
    declared = header + int(np.prod(shape, dtype=object))
    check_size(shown, shape, declared)
    if packed and declared > max(ZIP.small, ZIP.most_times * size):
        raise UnreadableUpload(
            f"{shown} would unpack to more than {ZIP.most_times} times its size, as no pictures "
            "do; fetch it again"
        )
    if not packed and declared != size:
        raise UnreadableUpload(
            f"{shown} must have {declared:,} bytes by its header, got {size:,}; it is cut short or "
            "damaged, fetch it again"
        )
    return StoredArray(shown, shape, np.dtype(np.uint8), partial(_behind, stored, packed, header))


def _shape(file: BinaryIO, name: str) -> tuple[int, ...]:
    start = file.read(4)
    if len(start) < 4 or start[:3] != b"\0\0\x08" or start[3] not in (1, 3, 4):
        raise UnreadableUpload(
            f"{name} must begin as an idx file of bytes with 1, 3 or 4 axes does, got "
            f"{start.hex(' ') or 'nothing'}; fetch it again"
        )
    lengths = file.read(4 * start[3])
    if len(lengths) < 4 * start[3]:
        raise UnreadableUpload(f"{name} ends within its header; fetch it again")
    return struct.unpack(f">{start[3]}I", lengths)


def _behind(stored: Stored, packed: bool, header: int) -> BinaryIO:
    file = _opened(stored, packed)
    file.read(header)
    return file


def _opened(stored: Stored, packed: bool) -> BinaryIO:
    file = stored.open()
    return cast(BinaryIO, _Unpacked(file)) if packed else file


def _part(name: str) -> Part:
    """By the words of what stands before "images"; train where none tells."""
    told = (part_of(word) for word in re.split("[^a-z0-9]+", name))
    return next((part for part in told if part), "train")


def _last(name: str) -> str:
    return name.rpartition("/")[2]
