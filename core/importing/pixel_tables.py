"""Kaggle's tables of digits: train.csv with labels, test.csv without."""

from collections.abc import Iterator

import numpy as np

from core.data.kaggle import has_labels, is_table, read_table
from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.imported.dataset import PARTS, UNLABELLED, Part
from core.imported.report import Skipped
from core.importing.items import PixelRows, Source
from core.importing.listing import Listing, Stored, part_of, readable, roles, stem

CLASSES = tuple("0123456789")


def find_pixel_tables(listing: Listing) -> Source | None:
    """The digits of the tables in a folder or ZIP, or of one table; None where there are none.

    Raises UnreadableUpload where the header of one is wrong.
    """
    for level in listing.levels:
        tables = [
            name
            for name in listing.at(level)
            if name.lower().endswith(".csv") and is_pixel_table(listing.files[name])
        ]
        if tables:
            return open_pixel_tables(listing, tables)
    return None


def open_pixel_tables(listing: Listing, tables: list[str]) -> Source:
    """The digits of some files, which must be tables of pixels. Raises UnreadableUpload."""
    found = {name: _part(name, listing.files[name]) for name in tables}
    served = roles(set(found.values()))
    in_order = sorted(found, key=lambda name: PARTS.index(found[name]))
    parts = {name: served[found[name]] for name in in_order}

    def rows() -> Iterator[PixelRows]:
        for name, part in parts.items():
            yield from _rows(name, listing.files[name], part)

    others = [
        Skipped(name=readable(name), reason="it is no table of pixels, as others beside it are")
        for name in listing.files
        if name not in found
    ]
    return Source(
        kind="pixel table" if len(tables) == 1 else "pixel tables",
        class_names=CLASSES,
        rows=rows,
        digits=True,
        by_class=False,
        skipped=(*listing.skipped, *others),
    )


def is_pixel_table(file: Stored) -> bool:
    """Whether a file begins as a table of pixels does, be it whole or not."""
    try:
        with file.open() as opened:
            return is_table(opened)
    except (*UNREADABLE, UnreadableUpload):
        return False


def _part(name: str, file: Stored) -> Part:
    """By its labels, and by its name where it has some."""
    try:
        with file.open() as opened:
            labelled = has_labels(opened)
    except UnreadableUpload as error:
        raise UnreadableUpload(
            f"{readable(name)} is no table of digits as Kaggle has them, which alone of all tables "
            f"can be imported: {error}; choose another file"
        ) from None
    except UNREADABLE as error:
        raise UnreadableUpload(_damaged(name, error)) from None
    return part_of(stem(name)) or "train" if labelled else "unlabelled"


def _rows(name: str, file: Stored, part: Part) -> Iterator[PixelRows]:
    done = 0
    try:
        with file.open() as opened:
            for rows in read_table(opened):
                count = len(rows.images)
                names = [f"{readable(name)}, row {done + 1 + row}" for row in range(count)]
                labels = np.full(count, UNLABELLED) if rows.labels is None else rows.labels
                yield PixelRows(names, rows.images, labels, part)
                done += count
    except UnreadableUpload as error:
        raise UnreadableUpload(f"{readable(name)} cannot be imported: {error}") from None
    except UNREADABLE as error:
        raise UnreadableUpload(_damaged(name, error)) from None


def _damaged(name: str, error: Exception) -> str:
    return f"{readable(name)} cannot be read ({damage(error)}); fetch or make it again"
