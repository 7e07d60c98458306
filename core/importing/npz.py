"""An npz with the names that Keras gives: x_train and y_train, perhaps also x_test and y_test.

Its arrays are read in pieces. Nothing in it is unpickled.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO

import numpy as np

from core.data.archives import Entry
from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.imported.dataset import Part
from core.imported.report import Skipped
from core.importing.arrays import Labelled, StoredArray, check_size, source_of_arrays
from core.importing.items import Source
from core.importing.listing import part_of, readable
from core.importing.zips import InZip

_NO_HEADER = (
    ValueError,
    SyntaxError,
    TokenError,
    TypeError,
    AttributeError,
    RecursionError,
    MemoryError,
)
"""What comes of reading a header as Python, which is how numpy reads it."""
_LONGEST_HEADER = 10_000
"""Characters of the header of an array; a plain one has 100."""


@dataclass(frozen=True)
class _Header:
    shape: tuple[int, ...]
    by_column: bool
    dtype: np.dtype[Any]
    size: int


def is_npz(path: Path, entries: Sequence[Entry]) -> bool:
    """Whether a ZIP is called as an npz is, or holds nothing but arrays."""
    arrays = all(entry.name.endswith(".npy") for entry in entries)
    return path.suffix.lower() == ".npz" or (bool(entries) and arrays)


def open_npz(path: Path, entries: Sequence[Entry]) -> Source:
    """The images of an npz. Raises UnreadableUpload where it is not as it must be."""
    files = {entry.name.removesuffix(".npy"): InZip(str(path), entry) for entry in entries}
    names: dict[Part, str] = {}
    for name in files:
        part = part_of(name[2:]) if name.startswith("x_") else None
        if part and part != "unlabelled":
            names.setdefault(part, name[2:])
    found = {part: _labelled(name, files) for part, name in names.items()}
    if not found:
        listed = ", ".join(readable(name) for name in list(files)[:5]) or "nothing"
        raise UnreadableUpload(
            f"{path.name} must hold the arrays x_train and y_train, and may hold x_test and "
            f"y_test, got {listed}; save it with numpy.savez and those names"
        )
    used = {f"{axis}_{name}" for axis in "xy" for name in names.values()}
    others = [
        Skipped(name=readable(name), reason="it is none of x_train, y_train, x_test, y_test")
        for name in files
        if name not in used
    ]
    return source_of_arrays("an npz file", found, tuple(others))


def _labelled(name: str, files: dict[str, InZip]) -> Labelled:
    if f"y_{name}" not in files:
        raise UnreadableUpload(
            f"the npz must hold y_{name}, the labels of x_{name}, got none; save it with both"
        )
    return Labelled(_array(f"x_{name}", files), _array(f"y_{name}", files))


def _array(name: str, files: dict[str, InZip]) -> StoredArray:
    stored = files[name]
    try:
        with stored.open() as file:
            header = _header(file)
    except UNREADABLE as error:
        raise UnreadableUpload(f"{name} is damaged ({damage(error)}); save the npz again") from None
    if header.dtype.hasobject:
        raise UnreadableUpload(
            f"{name} must hold plain numbers, got Python objects, which are never loaded; save it "
            "as uint8"
        )
    declared = header.size + header.dtype.itemsize * int(np.prod(header.shape, dtype=object))
    check_size(name, header.shape, declared)
    if declared != stored.size:
        raise UnreadableUpload(
            f"{name} must have {declared:,} bytes by its header, got {stored.size:,}; save the npz "
            "again"
        )
    if header.by_column and len(header.shape) > 1:
        raise UnreadableUpload(
            f"{name} must be saved row by row, got it column by column (Fortran order); save it "
            "after numpy.ascontiguousarray"
        )
    return StoredArray(name, header.shape, header.dtype, partial(_behind, stored, header.size))


def _header(file: BinaryIO) -> _Header:
    version = np.lib.format.read_magic(file)
    if version not in _READERS:
        raise ValueError(f"its format {version[0]}.{version[1]} is not known")
    try:
        shape, by_column, dtype = _READERS[version](file, max_header_size=_LONGEST_HEADER)
    except _NO_HEADER:
        raise ValueError("its header is not that of an array") from None
    return _Header(shape, by_column, dtype, file.tell())


def _behind(stored: InZip, header: int) -> BinaryIO:
    file = stored.open()
    file.read(header)
    return file


_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
