"""A dataset in the workspace: a folder of plain arrays, read-only once it is there.

| file | content |
|---|---|
| `about.json` | what it is called, its classes, how many images each part has, its fingerprint |
| `report.json` | what came of the import, file by file |
| `names.json` | what each image was called where it came from |
| `labels.npy` | (count,) int32, an index into the class names; -1 for an image without a label |
| `parts.npy` | (count,) uint8, an index into PARTS |
| `digests.npy` | (count, 32) uint8, SHA-256 of the pixels, or of the file where files are kept |
| `sizes.npy` | (count, 3) int32, height, width and channels |
| `pictures.npy` | (count, height, width[, 3]) uint8, where all are alike and small |
| `files.bin`, `.npy` | else: the files one after another; (count + 1,) int64, where each begins |
| `thumbnails.bin`, `.npy` | a JPEG of each, in the same way, where files are kept |
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError

from core.data.preprocessing import Pixels, decode
from core.data.rows import Rows
from core.errors import DamagedFile
from core.files import write_text
from core.imported.report import ImportReport
from core.validation import Frozen

Part = Literal["train", "validation", "test", "unlabelled"]
PARTS: tuple[Part, ...] = ("train", "validation", "test", "unlabelled")
UNLABELLED = -1

Positions = NDArray[np.int64]


class About(Frozen):
    """What a dataset is.

    kind: what it was imported from, in the words of `core.importing.sources`. source: the path it
    came from. digits: whether its images are handwritten digits in MNIST's frame. by_class: whether
    its images stand in order of class, so that the first ones are all alike. alike: whether all
    images have one small size and are kept as pixels, `shape` (height, width[, 3]); else their
    files are kept. images: how many each part has.
    """

    name: str
    class_names: tuple[str, ...]
    kind: str
    source: str
    digits: bool = False
    by_class: bool = True
    alike: bool
    shape: tuple[int, ...] = ()
    images: Mapping[Part, int]
    fingerprint: str = Field(pattern="^[0-9a-f]{64}$")
    created: datetime

    @property
    def count(self) -> int:
        """Images of all parts."""
        return sum(self.images.values())


class ImportedDataset:
    """A dataset in a folder of the workspace. Raises DamagedFile where it cannot be read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.about = About.model_validate_json((folder / "about.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise self._damaged("about.json", error) from None

    @property
    def name(self) -> str:
        """What it is called."""
        return self.folder.name

    def __len__(self) -> int:
        return self.about.count

    @cached_property
    def labels(self) -> NDArray[np.int32]:
        """(count,), an index into the class names; -1 for an image without a label."""
        array: NDArray[np.int32] = self._array("labels")
        return array

    @cached_property
    def parts(self) -> NDArray[np.uint8]:
        """(count,), an index into PARTS."""
        array: NDArray[np.uint8] = self._array("parts")
        return array

    @cached_property
    def digests(self) -> NDArray[np.uint8]:
        """(count, 32), SHA-256 of each image's pixels, or of its file where files are kept."""
        array: NDArray[np.uint8] = self._array("digests")
        return array

    @cached_property
    def sizes(self) -> NDArray[np.int32]:
        """(count, 3): height, width and channels of each image, upright."""
        array: NDArray[np.int32] = self._array("sizes")
        return array

    @cached_property
    def names(self) -> list[str]:
        """What each image was called where it came from: a path, or a row of a table."""
        try:
            names: list[str] = json.loads((self.folder / "names.json").read_bytes())
        except (OSError, ValueError) as error:
            raise self._damaged("names.json", error) from None
        return names

    @cached_property
    def report(self) -> ImportReport:
        """What came of the import."""
        try:
            return ImportReport.model_validate_json((self.folder / "report.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise self._damaged("report.json", error) from None

    def positions(self, part: Part) -> Positions:
        """Where the images of a part stand among all, in their order."""
        return np.flatnonzero(self.parts == PARTS.index(part))

    @cached_property
    def pictures(self) -> NDArray[np.uint8]:
        """(count, height, width[, 3]) memory-mapped, of a dataset whose images are alike."""
        array: NDArray[np.uint8] = self._array("pictures", mapped=True)
        return array

    def rows(self, positions: Positions) -> Rows[np.uint8]:
        """Images of a dataset whose images are alike, unread."""
        return Rows(self.pictures, positions)

    def file(self, position: int) -> bytes:
        """The file of an image, of a dataset that keeps files."""
        return self._piece("files", position)

    def thumbnail(self, position: int) -> bytes:
        """A small JPEG of an image, of a dataset that keeps files."""
        return self._piece("thumbnails", position)

    def picture(self, position: int) -> Pixels:
        """An image in its own size, (height, width) or (height, width, 3)."""
        if self.about.alike:
            return np.array(self.pictures[position])
        return decode(self.file(position))

    def rename_classes(self, class_names: tuple[str, ...]) -> "ImportedDataset":
        """The dataset with other names for its classes; the fingerprint stays as it is.

        There must be as many, and none twice: `core.imported.library.checked_classes`.
        """
        about = self.about.model_copy(update={"class_names": class_names})
        write_text(self.folder / "about.json", about.model_dump_json(indent=1) + "\n")
        return ImportedDataset(self.folder)

    def _array(self, name: str, *, mapped: bool = False) -> Any:
        mode: Literal["r"] | None = "r" if mapped else None
        try:
            return np.load(self.folder / f"{name}.npy", mmap_mode=mode, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(f"{name}.npy", error) from None

    @cached_property
    def _bounds(self) -> dict[str, NDArray[np.int64]]:
        return {}

    def _piece(self, name: str, position: int) -> bytes:
        """One of the pieces that lie one after another in a file."""
        if name not in self._bounds:
            self._bounds[name] = self._array(name)
        start, end = self._bounds[name][position : position + 2]
        try:
            with (self.folder / f"{name}.bin").open("rb") as file:
                file.seek(start)
                return file.read(end - start)
        except OSError as error:
            raise self._damaged(f"{name}.bin", error) from None

    def _damaged(self, file: str, error: Exception) -> DamagedFile:
        reason = error.strerror if isinstance(error, OSError) else "it does not hold what it must"
        return DamagedFile(
            f"the dataset {self.folder.name!r} is damaged: {self.folder / file}: {reason}; delete "
            "it on Data and import it again"
        )
