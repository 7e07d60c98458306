"""What lies where a person points: which kind of dataset, and what is in it.

A path is a folder, a ZIP, or a single file. What a folder or ZIP holds is tried in the order of
`KINDS`: files that say what they are come first, class folders last.
"""

from collections.abc import Callable
from pathlib import Path

from core.errors import InvalidRequest, UnreadableUpload
from core.importing.class_folders import find_class_folders
from core.importing.file_lists import find_file_lists, is_list_beside_classes, open_file_list
from core.importing.idx import find_idx, is_idx_name, list_pair
from core.importing.items import Source
from core.importing.listing import Listing, OnDisk, list_folder, readable
from core.importing.npz import is_npz, open_npz
from core.importing.picture_files import ARCHIVES, named_as_picture
from core.importing.pixel_tables import find_pixel_tables, is_pixel_table, open_pixel_tables
from core.importing.zips import entries_of, is_zip, list_zip

KINDS: tuple[Callable[[Listing], Source | None], ...] = (
    find_file_lists,
    find_idx,
    find_pixel_tables,
    find_class_folders,
)
"""What a folder or ZIP may hold; each gives None for what it does not know."""

EXPECTED = (
    "pictures in folders CLASS/*, or train/CLASS/* and test/CLASS/*; Kaggle's train.csv and "
    "test.csv; a pair of idx files; an npz with x_train and y_train; or classes.txt with file lists"
)


def open_source(path: Path) -> Source:
    """Find out what a path is, and list what it holds. Opens no picture.

    Raises InvalidRequest where it is nothing that can be imported, or is damaged.
    """
    try:
        source = _open(path)
    except OSError as error:
        raise InvalidRequest(
            f"{path} cannot be read: {error.strerror}; permit it, or choose another path"
        ) from None
    if source.count == 0:
        reasons = "".join(f"; {item.name}: {item.reason}" for item in source.skipped[:1])
        raise UnreadableUpload(f"{path} holds no picture that could be imported{reasons}")
    return source


def _open(path: Path) -> Source:
    if path.is_dir():
        return _source_in(list_folder(path))
    if not path.exists():
        raise InvalidRequest(
            f"there is nothing at {path}; give the path of a folder or file to import"
        )
    if not path.is_file():
        raise InvalidRequest(f"{path} is neither a folder nor a file; choose another path")
    return _open_file(path)


def _open_file(path: Path) -> Source:
    if is_zip(path):
        entries = entries_of(path)
        arrays = is_npz(path, entries)
        return open_npz(path, entries) if arrays else _source_in(list_zip(path, entries))
    if is_list_beside_classes(path):
        return open_file_list(path)
    if is_idx_name(path.name):
        return _source_in(list_pair(path))
    file = OnDisk(str(path.parent), path.name)
    if path.suffix.lower() == ".csv" or is_pixel_table(file):
        return open_pixel_tables(Listing(str(path), {path.name: file}), [path.name])
    raise UnreadableUpload(_why_no_source(path))


def _source_in(listing: Listing) -> Source:
    for find in KINDS:
        source = find(listing)
        if source is not None:
            return source
    raise UnreadableUpload(
        f"{listing.place} holds {_described(listing)}; choose a folder or ZIP of {EXPECTED}"
    )


def _described(listing: Listing) -> str:
    """What there is instead of a dataset.

    >>> _described(Listing("pets", {"1.png": OnDisk("pets", "1.png")}))
    'no dataset, only 1 picture in no class folder'
    """
    pictures = sum(map(named_as_picture, listing.files))
    others = len(listing.files) - pictures
    zips = [name for name in listing.files if name.lower().endswith((".zip", ".npz"))]
    if zips:
        return f"{readable(zips[0])}, which is to be chosen itself"
    found = [f"{_counted(pictures, 'picture')} in no class folder"] if pictures else []
    found += [_counted(others, "other file")] if others else []
    return f"no dataset, only {' and '.join(found)}" if found else "no files that can be read"


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def _why_no_source(path: Path) -> str:
    if named_as_picture(path.name):
        return f"{path} is a single picture; choose the folder that holds a folder for each class"
    ending = path.suffix.lower()
    if ending in (".zip", ".npz"):
        return f"{path} is damaged: it does not begin as a ZIP does; fetch or make it again"
    if ending in ARCHIVES:
        return f"{path} is an archive of another kind than ZIP; unpack it and choose the folder"
    return f"{path} is no file that can be imported; choose a ZIP or folder of {EXPECTED}"
