"""The dataset that the page shows, whether it is built in or was imported."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig
from core.data.datasets import Split, load_part
from core.data.image_tags import image_ids
from core.data.pixel_statistics import Images
from core.data.preprocessing import Pixels
from core.errors import DamagedFile
from core.imported.dataset import PARTS, ImportedDataset, Part, Positions
from core.imported.report import Doubled
from core.imported.writing import THUMBNAIL_SIDE
from core.workspace import Workspace
from ui import lab

PART_NAMES: dict[Part, str] = {
    "train": "Training",
    "validation": "Validation",
    "test": "Test",
    "unlabelled": "Unlabelled",
}
"""What the parts of a dataset are called on the page."""


@dataclass(frozen=True)
class Double:
    """An image that shows the same as another one: pixel for pixel, or nearly so."""

    part: Part
    index: int
    near: bool


class Shown(ABC):
    """A dataset whose images are at hand. Reading them raises what core raises.

    name: as in `data.name`. label: how it is called on the page. imported: the dataset in the
    workspace, None of a built-in one. identity: other where its images or labels are others, to be
    a key of what is computed from them. images: how many each part has.
    """

    name: str
    label: str
    class_names: tuple[str, ...]
    digits: bool
    imported: ImportedDataset | None = None
    identity: str
    images: dict[Part, int]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts that hold images."""
        return tuple(part for part in PARTS if self.images[part])

    @abstractmethod
    def labels(self, part: Part) -> NDArray[np.int64]:
        """(count,), an index into the class names; -1 for an image without a label."""

    @abstractmethod
    def sizes(self, part: Part) -> NDArray[np.int64]:
        """(count, 3): height, width and channels of each image."""

    @abstractmethod
    def picture(self, part: Part, index: int) -> Pixels:
        """One image in its own size, (height, width) or (height, width, 3)."""

    @abstractmethod
    def small(self, part: Part, indices: Positions, side: int) -> NDArray[np.uint8]:
        """Images (n, height, width[, 3]), all of one size with sides up to `side`, for a grid.

        Where they are of many sizes, each is as large as it can be on a black square.
        """

    @abstractmethod
    def to_measure(self, part: Part, indices: Positions) -> Images:
        """Images as statistics of pixels are made of, all with the channels of `shape`.

        Those of one size as they are; else their thumbnails, each in a size of its own.
        """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """(height, width) or (height, width, 3) of what is measured, the largest there may be."""

    @property
    def thumbnails(self) -> bool:
        """Whether thumbnails stand for the images where many are looked at."""
        return self.imported is not None and not self.imported.about.alike

    @abstractmethod
    def called(self, part: Part, index: int) -> str:
        """What one image was called where it came from."""

    @abstractmethod
    def image_id(self, part: Part, index: int) -> str:
        """The hash by which `core.data.image_tags` knows an image."""

    def label_of(self, part: Part, index: int) -> int:
        """The class of one image, -1 without one."""
        return int(self.labels(part)[index])

    def size(self, part: Part, index: int) -> tuple[int, int, int]:
        """Height, width and channels of one image."""
        height, width, channels = self.sizes(part)[index].tolist()
        return height, width, channels

    def doubles(self, part: Part, index: int) -> list[Double]:
        """The images that show the same as one, as far as the import found them."""
        return []

    def remark(self, part: Part, index: int) -> str:
        """What is worth a mark on an image, empty where nothing is."""
        doubles = self.doubles(part, index)
        if not doubles:
            return ""
        across = any(double.part != part for double in doubles)
        return "also in another part" if across else "more than once in the dataset"

    def class_name(self, label: int) -> str:
        """What a class is called, also that of images without a label."""
        return self.class_names[label] if label >= 0 else "no label"


class BuiltIn(Shown):
    """A dataset of the catalogue, which was downloaded if it is not bundled."""

    def __init__(self, name: str, workspace: Workspace) -> None:
        facts = DATASETS[name]
        self.name = self.identity = name
        self.label, self.class_names, self.digits = facts.label, facts.class_names, facts.digits
        self.images = dict.fromkeys(PARTS, 0)
        self.images |= {"train": facts.train_images or 0, "test": facts.test_images or 0}
        self._workspace = workspace

    def labels(self, part: Part) -> NDArray[np.int64]:
        return self._split(part).labels

    def sizes(self, part: Part) -> NDArray[np.int64]:
        height, width, *channels = DATASETS[self.name].image_shape
        return np.tile([height, width, *(channels or [1])], (self.images[part], 1))

    def picture(self, part: Part, index: int) -> Pixels:
        image: Pixels = self._split(part).images[index]
        return image

    def small(self, part: Part, indices: Positions, side: int) -> NDArray[np.uint8]:
        return no_larger(self._split(part).images[indices], side)

    def to_measure(self, part: Part, indices: Positions) -> Images:
        return self._split(part).images[indices]

    @property
    def shape(self) -> tuple[int, ...]:
        return DATASETS[self.name].image_shape

    def called(self, part: Part, index: int) -> str:
        return f"{self.label}, {PART_NAMES[part].lower()} image {index}"

    def image_id(self, part: Part, index: int) -> str:
        return image_ids(self._split(part).take(np.array([index])))[0]

    def _split(self, part: Part) -> Split:
        return _built_in(self._workspace, self.name, "test" if part == "test" else "train")


class Imported(Shown):
    """A dataset that was imported into the workspace."""

    imported: ImportedDataset

    def __init__(self, dataset: ImportedDataset) -> None:
        about = dataset.about
        self.imported = dataset
        self.name = self.label = dataset.name
        self.class_names, self.digits = about.class_names, about.digits
        self.identity = about.fingerprint
        self.images = {part: about.images.get(part, 0) for part in PARTS}

    def labels(self, part: Part) -> NDArray[np.int64]:
        return self.imported.labels[self._positions[part]].astype(np.int64)

    def sizes(self, part: Part) -> NDArray[np.int64]:
        return self.imported.sizes[self._positions[part]].astype(np.int64)

    def picture(self, part: Part, index: int) -> Pixels:
        return self.imported.picture(int(self._positions[part][index]))

    def small(self, part: Part, indices: Positions, side: int) -> NDArray[np.uint8]:
        images = self.to_measure(part, indices)
        if isinstance(images, np.ndarray):
            return no_larger(images, side)
        return np.stack([_on_black(image, side) for image in images])

    def to_measure(self, part: Part, indices: Positions) -> Images:
        positions = self._positions[part][indices]
        if self.imported.about.alike:
            return self.imported.rows(positions)[:]
        how = cv2.IMREAD_COLOR_RGB if len(self.shape) == 3 else cv2.IMREAD_GRAYSCALE
        thumbnail = self.imported.thumbnail
        return [_decoded(thumbnail(position), how) for position in positions.tolist()]

    @cached_property
    def shape(self) -> tuple[int, ...]:
        if self.imported.about.alike:
            return self.imported.about.shape
        colours = (3,) if (self.imported.sizes[:, 2] == 3).any() else ()
        return (THUMBNAIL_SIDE, THUMBNAIL_SIDE, *colours)

    def called(self, part: Part, index: int) -> str:
        return self.imported.names[int(self._positions[part][index])]

    def image_id(self, part: Part, index: int) -> str:
        return bytes(self.imported.digests[self._positions[part][index]]).hex()

    def doubles(self, part: Part, index: int) -> list[Double]:
        position = int(self._positions[part][index])
        found = self._doubles.get(position, ())
        return [
            Double(*self.place(other), near)
            for doubled, near in found
            for other in doubled.positions
            if other != position
        ]

    def place(self, position: int) -> tuple[Part, int]:
        """The part of an image, and its index there, from its position among all."""
        part = PARTS[int(self.imported.parts[position])]
        return part, int(np.searchsorted(self._positions[part], position))

    @cached_property
    def _doubles(self) -> dict[int, list[tuple[Doubled, bool]]]:
        """By position, the groups that an image is in, and whether these are only nearly alike."""
        groups: dict[int, list[tuple[Doubled, bool]]] = defaultdict(list)
        report = self.imported.report
        for kind, near in ((report.exact, False), (report.near, True)):
            for doubled in kind:
                for position in doubled.positions:
                    groups[position].append((doubled, near))
        return dict(groups)

    @cached_property
    def _positions(self) -> dict[Part, Positions]:
        return {part: self.imported.positions(part) for part in PARTS}


def built_in(name: str) -> Shown | None:
    """A dataset of the catalogue, None where it is still to be downloaded."""
    workspace = lab.workspace()
    if not DATASETS[name].bundled and not (workspace.datasets / f"{name}.npz").is_file():
        return None
    return BuiltIn(name, workspace)


def imported(name: str) -> Shown:
    """A dataset of the workspace. Raises DamagedFile, InvalidRequest where there is none."""
    folder = lab.workspace().imported / name
    try:
        found = (folder / "about.json").stat()
    except OSError:
        return Imported(ImportedDataset(folder))  # tells what is wrong
    return _opened(folder, found.st_mtime_ns, found.st_ino)


@st.cache_resource(max_entries=6, show_spinner=False)
def _opened(folder: Path, changed: int, inode: int) -> Imported:
    return Imported(ImportedDataset(folder))


@st.cache_resource(max_entries=6, show_spinner="Reading the images …")
def _built_in(workspace: Workspace, name: str, part: str) -> Split:
    return load_part(
        DataConfig(name=name), "test" if part == "test" else "train", workspace=workspace
    )


def _decoded(thumbnail: bytes, how: int) -> Pixels:
    """A thumbnail, which the import made as a JPEG. Raises DamagedFile."""
    read = cv2.imdecode(np.frombuffer(thumbnail, np.uint8), how) if thumbnail else None
    if read is None:
        raise DamagedFile(
            "a thumbnail of the dataset is damaged; delete the dataset on Data and import it again"
        )
    return np.asarray(read, np.uint8)


def no_larger(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Images (n, height, width[, 3]), shrunk where they are larger than `side`."""
    height, width = images.shape[1:3]
    scale = side / max(height, width)
    if scale >= 1:
        return images
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images]
    return np.stack(shrunk).astype(np.uint8, copy=False)


def _on_black(image: Pixels, side: int) -> Pixels:
    """An image (height, width[, 3]) as large as it can be in the middle of a square."""
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_LINEAR  # a thumbnail is hardly larger
    fitted = cv2.resize(image, size, interpolation=how)
    square = np.zeros((side, side, *image.shape[2:]), np.uint8)
    top, left = (side - size[1]) // 2, (side - size[0]) // 2
    square[top : top + size[1], left : left + size[0]] = fitted
    return square
