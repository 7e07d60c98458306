"""Writing a dataset into the workspace: complete under its name, or not there at all."""

import contextlib
import hashlib
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
import psutil
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import DiskFull
from core.imported.batches import Batch, Written
from core.imported.dataset import PARTS, About, ImportedDataset
from core.imported.library import Library
from core.imported.report import ImportReport

LARGEST_KEPT_AS_PIXELS = 256
"""Pixels of the longer side up to which images that are all alike are kept decoded."""
THUMBNAIL_SIDE = 128
"""Pixels of the longer side of a thumbnail."""
HEADER_BYTES = 256
"""What the header of an npy file of pixels takes."""

_UNFINISHED = ".unfinished-"
_COPIED_AT_ONCE = 2**22


class NotAlike(Exception):
    """The images have not all one small size, so that their files are to be kept."""


@dataclass
class _Columns:
    """What is known of each image so far, batch by batch."""

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
    Grey ones among others of their size are kept with three equal channels. Raises DiskFull, and
    NotAlike where files would be needed and were not given.
    """

    def __init__(self, library: Library, name: str) -> None:
        self._library, self._name = library, name
        self._columns = _Columns()
        self._shape: tuple[int, ...] | None = None
        self._alike = True
        self._offsets: dict[str, list[int]] = {"files": [0], "thumbnails": [0]}
        self.size = 0

    def __enter__(self) -> "DatasetWriter":
        try:
            self._library.folder.mkdir(parents=True, exist_ok=True)
            remove_unfinished(self._library)
            prefix = f"{_UNFINISHED}{os.getpid()}-"
            self._folder = Path(tempfile.mkdtemp(prefix=prefix, dir=self._library.folder))
            self._open: dict[str, BinaryIO] = {
                name: (self._folder / name).open("wb")
                for name in ("pictures.npy", "files.bin", "thumbnails.bin")
            }
            self._open["pictures.npy"].write(bytes(HEADER_BYTES))
        except OSError as error:
            raise self._full(error) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for file in self._open.values():
            with contextlib.suppress(OSError):  # what was not written on a full disk
                file.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def add(self, batch: Batch) -> None:
        """Write images after those that were written before."""
        columns = self._columns
        columns.names += batch.names
        columns.labels.append(np.asarray(batch.labels, np.int32))
        columns.parts.append(np.asarray(batch.parts, np.uint8))
        columns.digests.append(batch.digests)
        columns.sizes.append(batch.all_sizes())
        try:
            if self._alike:
                self._add_pixels(batch)
            if batch.files is not None:
                self._add_files(batch, batch.files)
        except OSError as error:
            raise self._full(error) from None

    def written(self) -> Written:
        """What is known of all images that were added."""
        columns = self._columns
        return Written(
            np.concatenate(columns.labels),
            np.concatenate(columns.parts),
            np.concatenate(columns.digests if self._alike else columns.file_digests),
            np.concatenate(columns.sizes),
        )

    def check_room(self, done: int, total: int) -> None:
        """Raise DiskFull where as much again for each image that is to come has no room."""
        needed = self.size * (total - done) // max(1, done)
        free = shutil.disk_usage(self._library.folder).free
        if needed > free:
            raise DiskFull(
                f"the dataset needs about {needed / 2**30:,.1f} GiB more in "
                f"{self._library.folder}, where {free / 2**30:,.1f} GiB are free; free some room "
                "there and import it again"
            )

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
        written = self.written()
        if parts is not None:
            written = written.with_parts(parts)
        counts = np.bincount(written.parts, minlength=len(PARTS)).tolist()
        about = About(
            name=self._name,
            class_names=class_names,
            kind=kind,
            source=source,
            digits=digits,
            by_class=by_class,
            alike=self._alike,
            shape=(self._shape or ()) if self._alike else (),
            images=dict(zip(PARTS, counts, strict=True)),
            fingerprint=written.fingerprint(),
            created=datetime.now().astimezone(),
        )
        try:
            self._write(about, report, written)
            self._library.check_free(self._name)
            place = self._library.folder / self._name
            self._folder.rename(place)
        except OSError as error:
            raise self._full(error) from None
        return ImportedDataset(place)

    def _add_pixels(self, batch: Batch) -> None:
        pictures = batch.pictures
        if pictures is None:
            self._keep_files()
            return
        together = isinstance(pictures, np.ndarray)
        for block in [pictures] if together else [picture[np.newaxis] for picture in pictures]:
            pixels: Pixels = np.ascontiguousarray(block, np.uint8)
            if not self._fits(pixels.shape[1:], required=batch.files is None):
                self._keep_files()
                return
            grey = pixels.ndim == len(self._shape or ())
            self._put("pictures.npy", (_coloured(pixels) if grey else pixels).data)

    def _fits(self, shape: tuple[int, ...], required: bool) -> bool:
        """Whether pixels of that shape can be kept with the others. Raises NotAlike."""
        self._shape = known = self._shape or shape
        small = max(shape[:2]) <= LARGEST_KEPT_AS_PIXELS
        if shape[:2] != known[:2] or not (small or required):
            if required:
                raise NotAlike
            return False
        if len(shape) > len(known):
            self._shape = shape
            self._colour()
        return True

    def _colour(self) -> None:
        """The images so far were grey, others are not."""
        file = self._open["pictures.npy"]
        file.close()
        path = self._folder / "pictures.npy"
        with path.open("rb") as grey, (self._folder / "coloured").open("wb") as coloured:
            coloured.write(grey.read(HEADER_BYTES))
            while pixels := grey.read(_COPIED_AT_ONCE):
                coloured.write(np.repeat(np.frombuffer(pixels, np.uint8), 3).data)
        (self._folder / "coloured").replace(path)
        self._open["pictures.npy"] = path.open("ab")

    def _keep_files(self) -> None:
        """Images are not alike after all."""
        self._alike = False
        self._open["pictures.npy"].truncate(0)

    def _add_files(self, batch: Batch, files: Sequence[bytes]) -> None:
        digests = batch.digests
        if batch.pictures is not None:
            digest = b"".join(hashlib.sha256(content).digest() for content in files)
            digests = np.frombuffer(digest, np.uint8).reshape(-1, 32)
        self._columns.file_digests.append(digests)
        for name, pieces in (("files", files), ("thumbnails", batch.thumbnails or ())):
            for piece in pieces:
                self._put(f"{name}.bin", piece)
                self._offsets[name].append(self._offsets[name][-1] + len(piece))

    def _put(self, name: str, content: bytes | memoryview) -> None:
        self._open[name].write(content)
        self.size += len(content) if isinstance(content, bytes) else content.nbytes

    def _write(self, about: About, report: ImportReport, written: Written) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "labels": written.labels,
            "parts": written.parts,
            "digests": written.digests,
            "sizes": written.sizes,
        }
        if self._alike:
            self._flush("pictures.npy")
            shape = (len(written.labels), *(self._shape or ()))
            with (self._folder / "pictures.npy").open("rb+") as file:
                file.write(_header(shape))
                file.flush()
                os.fsync(file.fileno())
        else:
            self._flush("files.bin", "thumbnails.bin")
            arrays |= {name: np.array(ends, np.int64) for name, ends in self._offsets.items()}
        for name in {"pictures.npy", "files.bin", "thumbnails.bin"} & set(self._open):
            self._open.pop(name).close()
            (self._folder / name).unlink()
        for name, array in arrays.items():
            with self._new(f"{name}.npy") as file:
                np.save(file, array, allow_pickle=False)
        for name, text in (
            ("names", json.dumps(self._columns.names)),
            ("report", report.model_dump_json(indent=1)),
            ("about", about.model_dump_json(indent=1)),
        ):
            with self._new(f"{name}.json") as file:
                file.write(f"{text}\n".encode())

    def _flush(self, *names: str) -> None:
        for name in names:
            with self._open.pop(name) as file:
                file.flush()
                os.fsync(file.fileno())

    @contextlib.contextmanager
    def _new(self, name: str) -> Any:
        """A file that lies on the disk once it was written."""
        with (self._folder / name).open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())

    def _full(self, error: OSError) -> DiskFull:
        return DiskFull(
            f"the dataset could not be written to {self._library.folder}: {error.strerror}; free "
            "some room there and import it again"
        )


def remove_unfinished(library: Library) -> None:
    """Remove what processes that were killed left of datasets that they wrote or deleted."""
    for folder in library.folder.glob(f"{_UNFINISHED}*"):
        process = folder.name.removeprefix(_UNFINISHED).partition("-")[0]
        if not (process.isdecimal() and psutil.pid_exists(int(process))):
            shutil.rmtree(folder, ignore_errors=True)


def _coloured(pixels: Pixels) -> Pixels:
    """Grey pixels with three equal channels."""
    return np.repeat(pixels[..., np.newaxis], 3, axis=-1)


def _header(shape: tuple[int, ...]) -> bytes:
    """Of an npy file of bytes, always as long, so that pixels can be written before it."""
    facts = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape!r}, }}"
    length = HEADER_BYTES - 10
    start = b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little")
    return start + facts.ljust(length - 1).encode() + b"\n"
