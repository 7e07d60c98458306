"""Writing a dataset into the workspace: complete under its name, or not there at all."""

import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.errors import DiskFull
from core.files import write_json
from core.imported.dataset import PARTS, About, ImportedDataset
from core.imported.library import Library
from core.imported.report import ImportReport
from core.preprocessing import Pixels

LARGEST_KEPT_AS_PIXELS = 256
"""Pixels of the longer side up to which images that are all alike are kept decoded."""
THUMBNAIL_SIDE = 128
"""Pixels of the longer side of a thumbnail."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Some images, decoded, in the order in which they shall stand in the dataset.

    names: what each is called where it comes from. labels: (n,), -1 without. parts: (n,), an index
    into PARTS. digests: (n, 32), SHA-256 of shape and pixels. pictures: (height, width) or (height,
    width, 3) each. files: as they were read, and thumbnails as JPEG; None where images come
    without files, such as rows of a table, which are all alike.
    """

    names: Sequence[str]
    labels: NDArray[np.int64]
    parts: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    pictures: Sequence[Pixels] | Pixels
    files: Sequence[bytes] | None = None
    thumbnails: Sequence[bytes] | None = None


@dataclass
class _Columns:
    """What is known of each image so far."""

    names: list[str] = field(default_factory=list)
    labels: list[NDArray[Any]] = field(default_factory=list)
    parts: list[NDArray[Any]] = field(default_factory=list)
    digests: list[NDArray[Any]] = field(default_factory=list)
    file_digests: list[NDArray[Any]] = field(default_factory=list)
    sizes: list[NDArray[Any]] = field(default_factory=list)


class DatasetWriter:
    """Fills a new dataset batch by batch, in a `with` block.

    It is there once `finish` was called; whatever ends the block before that leaves nothing
    behind. Pixels are kept as long as all images are alike, files are kept in case they are not.
    Raises DiskFull.
    """

    def __init__(self, library: Library, name: str) -> None:
        self._library, self._name = library, name
        self._columns = _Columns()
        self._shape: tuple[int, ...] | None = None
        self._alike = True
        self._offsets: dict[str, list[int]] = {"files": [0], "thumbnails": [0]}

    def __enter__(self) -> "DatasetWriter":
        try:
            self._library.folder.mkdir(parents=True, exist_ok=True)
            made = tempfile.mkdtemp(prefix=f".unfinished-{os.getpid()}-", dir=self._library.folder)
        except OSError as error:
            raise self._full(error) from None
        self._folder = Path(made)
        self._open: dict[str, BinaryIO] = {
            name: (self._folder / f"{name}.bin").open("wb")
            for name in ("pictures", "files", "thumbnails")
        }
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, batch: Batch) -> None:
        """Write images after those that were written before."""
        columns = self._columns
        columns.names += batch.names
        columns.labels.append(np.asarray(batch.labels, np.int32))
        columns.parts.append(np.asarray(batch.parts, np.uint8))
        columns.digests.append(batch.digests)
        columns.sizes.append(np.array([_size(picture) for picture in batch.pictures], np.int32))
        try:
            self._add_pixels(batch)
            if batch.files is not None:
                self._add_files(batch, batch.files)
        except OSError as error:
            raise self._full(error) from None

    def finish(
        self,
        report: ImportReport,
        *,
        class_names: tuple[str, ...],
        kind: str,
        source: str,
        digits: bool = False,
        by_class: bool = True,
        parts: NDArray[np.uint8] | None = None,
    ) -> ImportedDataset:
        """Put the dataset in its place. parts: of all images, where they were settled at last.

        Raises InvalidRequest where another one took the name meanwhile.
        """
        columns = self._columns
        arrays = {
            "labels": np.concatenate(columns.labels),
            "parts": np.concatenate(columns.parts) if parts is None else parts,
            "sizes": np.concatenate(columns.sizes),
        }
        digests = columns.digests if self._alike else columns.file_digests
        arrays["digests"] = np.concatenate(digests)
        about = About(
            name=self._name,
            class_names=class_names,
            kind=kind,
            source=source,
            digits=digits,
            by_class=by_class,
            alike=self._alike,
            shape=(self._shape or ()) if self._alike else (),
            images={
                part: int(np.sum(arrays["parts"] == number)) for number, part in enumerate(PARTS)
            },
            fingerprint=_fingerprint(arrays),
            created=datetime.now().astimezone(),
        )
        try:
            self._write(about, report, arrays)
            self._library.check_free(self._name)
            place = self._library.folder / self._name
            self._folder.rename(place)
        except OSError as error:
            raise self._full(error) from None
        return ImportedDataset(place)

    def _add_pixels(self, batch: Batch) -> None:
        for picture in batch.pictures if self._alike else ():
            self._shape = self._shape or picture.shape
            small = max(picture.shape[:2]) <= LARGEST_KEPT_AS_PIXELS
            if picture.shape != self._shape or (not small and batch.files is not None):
                self._keep_files()
                return
            self._open["pictures"].write(np.ascontiguousarray(picture).data)

    def _keep_files(self) -> None:
        """Images are not alike after all."""
        self._alike = False
        self._open["pictures"].truncate(0)

    def _add_files(self, batch: Batch, files: Sequence[bytes]) -> None:
        digests = [hashlib.sha256(content).digest() for content in files]
        self._columns.file_digests.append(
            np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
        )
        for name, pieces in (("files", files), ("thumbnails", batch.thumbnails or ())):
            for piece in pieces:
                self._open[name].write(piece)
                self._offsets[name].append(self._offsets[name][-1] + len(piece))

    def _write(self, about: About, report: ImportReport, arrays: dict[str, NDArray[Any]]) -> None:
        for file in self._open.values():
            file.flush()
            os.fsync(file.fileno())
            file.close()
        if self._alike:
            shape = (len(arrays["labels"]), *(self._shape or ()))
            _with_header(self._folder / "pictures.bin", self._folder / "pictures.npy", shape)
            for name in ("files", "thumbnails"):
                (self._folder / f"{name}.bin").unlink()
        else:
            arrays |= {name: np.array(ends, np.int64) for name, ends in self._offsets.items()}
            (self._folder / "pictures.bin").unlink()
        for name, array in arrays.items():
            np.save(self._folder / f"{name}.npy", array, allow_pickle=False)
        (self._folder / "names.json").write_text(json.dumps(self._columns.names))
        write_json(self._folder / "report.json", report.model_dump(mode="json"))
        write_json(self._folder / "about.json", about.model_dump(mode="json"))

    def _full(self, error: OSError) -> DiskFull:
        return DiskFull(
            f"the dataset could not be written to {self._library.folder}: {error.strerror}; free "
            "some room there and import it again"
        )


def _size(picture: Pixels) -> tuple[int, int, int]:
    height, width = picture.shape[:2]
    return height, width, 3 if picture.ndim == 3 else 1


def _fingerprint(arrays: dict[str, NDArray[Any]]) -> str:
    """The same for the same images with the same labels in the same parts, whatever their names."""
    digest = hashlib.sha256(b"imported")
    for name in ("digests", "labels", "parts"):
        digest.update(np.ascontiguousarray(arrays[name]).data)
    return digest.hexdigest()


def _with_header(pixels: Path, array: Path, shape: tuple[int, ...]) -> None:
    """Make an npy file of bare pixels."""
    header = io.BytesIO()
    facts = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_2_0(header, facts)
    with array.open("wb") as target, pixels.open("rb") as source:
        target.write(header.getvalue())
        shutil.copyfileobj(source, target, 2**22)
    pixels.unlink()
