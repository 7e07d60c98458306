"""Importing: what a source lists is decoded, looked through for duplicates, told of and kept."""

import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from core.errors import InvalidRequest
from core.imported.batches import Batch, Written
from core.imported.dataset import PARTS, ImportedDataset
from core.imported.library import Library
from core.imported.report import Skipped
from core.imported.writing import DatasetWriter, NotAlike
from core.importing.decoding import Cancelled, Keep, decode_files, digests_of
from core.importing.duplicates import find_duplicates
from core.importing.holding_out import TEST, TRAIN, hold_out
from core.importing.items import PictureFile, PixelRows, Source
from core.importing.looks import Looks, joined, looks_of
from core.importing.reporting import report_of
from core.importing.request import ImportRequest
from core.training.progress import Progress, Report, ShouldStop
from core.validation import shown

ROWS_BYTES = 2**22
"""Bytes of pixels of a table or array that are taken at a time."""
SURE = 200
"""After so many images it is known how much room one takes, more or less."""
READING, COMPARING = "reading pictures", "looking for duplicates"
"""The phases that are told of."""

_PART_NUMBERS = {part: number for number, part in enumerate(PARTS)}


class Imported(NamedTuple):
    """What an import came to. known: these images had been imported before, as that dataset."""

    dataset: ImportedDataset
    known: bool = False


@dataclass(eq=False)
class _Piece:
    """Some of what a source lists: what can be kept, and what cannot. looked: how many in all."""

    batch: Batch
    looks: Looks
    looked: int
    skipped: Sequence[Skipped] = ()


@dataclass(eq=False)
class _Found:
    """What is kept in memory of all images, besides what the writer knows."""

    looks: list[Looks] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def import_dataset(
    source: Source,
    request: ImportRequest,
    library: Library,
    report: Report = lambda event: None,
    should_stop: ShouldStop = lambda: False,
) -> Imported:
    """Make a dataset of what a source lists.

    Progress is reported with a total of 0 where it is not known. Where the same images were
    imported before, with the same labels in the same parts, nothing is written and that dataset is
    returned. Raises InvalidRequest, DiskFull, WorkFailed and what reading the source raises, and
    Cancelled soon after `should_stop` says so: then nothing is left behind.
    """
    library.check_free(request.name)
    try:
        return _import(source, request, library, "pixels", report, should_stop)
    except NotAlike:
        return _import(source, request, library, "files", report, should_stop)


def _import(
    source: Source,
    request: ImportRequest,
    library: Library,
    keep: Keep,
    report: Report,
    should_stop: ShouldStop,
) -> Imported:
    began = time.monotonic()
    with DatasetWriter(library, request.name) as writer:
        found = _write(writer, source, keep, report, should_stop)
        skipped = (*source.skipped, *found.skipped)
        if not found.looks:
            raise InvalidRequest(_nothing(skipped))
        written, looks = writer.written(), joined(found.looks)
        _check_classes(written, source.class_names, skipped)
        report(Progress(COMPARING, 0, len(looks), "pictures"))
        duplicates = find_duplicates(written.digests, looks)
        report(Progress(COMPARING, len(looks), len(looks), "pictures"))
        held_out = request.held_out if _has_only_train(written) else 0.0
        if held_out:
            parts = hold_out(written, duplicates.together, held_out, request.seed)
            written = written.with_parts(parts)
        known = _with_fingerprint(library, written.fingerprint())
        if known is not None:
            return Imported(known, known=True)
        told = report_of(written, duplicates, source.class_names, skipped, held_out)
        if should_stop():
            raise Cancelled
        dataset = writer.finish(
            told.model_copy(update={"seconds": time.monotonic() - began}),
            class_names=source.class_names,
            kind=source.kind,
            source=request.path or "uploaded",
            digits=source.digits if request.digits is None else request.digits,
            by_class=source.by_class,
            parts=written.parts,
        )
    return Imported(dataset)


def _write(
    writer: DatasetWriter, source: Source, keep: Keep, report: Report, should_stop: ShouldStop
) -> _Found:
    """Write all images, and remember what else there is to say of them."""
    found, done, total = _Found(), 0, source.count or len(source.files)
    report(Progress(READING, 0, total, "pictures"))
    with closing(_pieces(source, keep, should_stop)) as pieces:
        for piece in pieces:
            found.skipped += piece.skipped
            if piece.batch.names:
                writer.add(piece.batch)
                found.looks.append(piece.looks)
            done += piece.looked
            if done >= SURE:
                writer.check_room(done, total)
            report(Progress(READING, done, total, "pictures"))
    return found


def _pieces(source: Source, keep: Keep, should_stop: ShouldStop) -> Generator[_Piece, None, None]:
    if source.rows is None:
        yield from _from_files(source.files, keep, should_stop)
        return
    for rows in source.rows():
        yield from _from_rows(rows, should_stop)


def _from_files(
    files: Sequence[PictureFile], keep: Keep, should_stop: ShouldStop
) -> Iterator[_Piece]:
    start = 0
    with closing(decode_files([file.content for file in files], keep, should_stop)) as pieces:
        for piece in pieces:
            looked = files[start : start + piece.looked]
            start += piece.looked
            reasons = piece.skipped
            read = [file for place, file in enumerate(looked) if place not in reasons]
            batch = Batch(
                names=[file.name for file in read],
                labels=np.array([file.label for file in read], np.int64),
                parts=np.array([_PART_NUMBERS[file.part] for file in read], np.uint8),
                digests=piece.digests,
                pictures=piece.pixels,
                files=piece.files if keep == "files" else None,
                thumbnails=piece.thumbnails,
                sizes=piece.sizes,
            )
            skipped = [
                Skipped(name=looked[place].name, reason=reason) for place, reason in reasons.items()
            ]
            yield _Piece(batch, piece.looks, piece.looked, skipped)


def _from_rows(rows: PixelRows, should_stop: ShouldStop) -> Iterator[_Piece]:
    images = np.ascontiguousarray(rows.images)
    size = max(1, ROWS_BYTES * len(images) // max(1, images.nbytes))
    for start in range(0, len(images), size):
        if should_stop():
            raise Cancelled
        pixels = images[start : start + size]
        batch = Batch(
            names=rows.names[start : start + size],
            labels=rows.labels[start : start + size],
            parts=np.full(len(pixels), _PART_NUMBERS[rows.part], np.uint8),
            digests=digests_of(pixels),
            pictures=pixels,
        )
        yield _Piece(batch, looks_of(pixels), len(pixels))


def _check_classes(
    written: Written, class_names: Sequence[str], skipped: Sequence[Skipped]
) -> None:
    """Raise InvalidRequest where there are labels, and not two classes to learn."""
    if not np.any(written.labels >= 0):
        return
    if len(class_names) < 2:
        raise InvalidRequest(
            f"there must be at least two classes to tell apart, got {shown(class_names[0])} alone; "
            "put the pictures of each class into a folder of its own"
        )
    learned = written.labels[written.parts == TRAIN]
    counts = np.bincount(learned[learned >= 0], minlength=len(class_names))
    for label in np.flatnonzero(counts == 0)[:1]:
        raise InvalidRequest(
            f"every class must have a picture to learn from that can be read, got none of "
            f"{shown(class_names[label])}{_because(skipped)}"
        )


def _has_only_train(written: Written) -> bool:
    return bool(np.any(written.parts == TRAIN) and not np.any(written.parts == TEST))


def _nothing(skipped: Sequence[Skipped]) -> str:
    return f"there must be pictures that can be read, got none{_because(skipped)}"


def _because(skipped: Sequence[Skipped]) -> str:
    """The first file that was left out and why, as the end of a sentence."""
    if not skipped:
        return "; add some, or leave the class out"
    more = f" and {len(skipped) - 1:,} more were left out" if len(skipped) > 1 else ""
    return f"; {skipped[0].name} was left out ({skipped[0].reason}){more}"


def _with_fingerprint(library: Library, fingerprint: str) -> ImportedDataset | None:
    """The dataset of the library that holds these images, if any."""
    same = (each for each in library.all() if each.about.fingerprint == fingerprint)
    return next(same, None)
