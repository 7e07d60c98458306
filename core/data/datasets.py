"""Datasets, the splits a run makes of them, and the fingerprints that tell them apart."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.assets import verified
from core.data import image_folders, imported_data
from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig
from core.data.dataset_files import Arrays, Part, UnreadableFile, expected, read_file
from core.data.resized import DEFAULT_LIMIT
from core.data.rows import Rows
from core.data.stratified import first_of_each_class, held_out_positions
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig, NotComparable
from core.handwriting.frozen_handwriting import read_frozen
from core.imported.dataset import Part as AnyPart
from core.training.feature_cache import FeatureCache
from core.training.progress import Event, Note, Report
from core.workspace import PROJECT, Workspace

NAMED_FILES = 3
"""How many of the files that cannot be read are named."""

_OWN = (
    "data.validation must be test or a fraction from 0.01 to 0.5 for {}, got own: only an imported "
    "dataset can have validation images of its own"
)


@dataclass(frozen=True)
class Split:
    """Images with labels, and where each stands in its part of the dataset.

    images: (count, height, width) or (count, height, width, 3) uint8, 0 to 255; those of an image
    folder and of an imported dataset stay on disk, as Rows.
    labels: (count,) int64, an index into the dataset's class names.
    indices: (count,) int64, positions in the train or test part.
    digests: (count, 32) uint8, SHA-256 of each file of an image folder or image of an imported
    dataset, else None.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    digests: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: NDArray[np.int64]) -> "Split":
        """The images at some positions, in that order."""
        digests = None if self.digests is None else self.digests[positions]
        images = _rows(self.images, positions)
        return Split(images, self.labels[positions], self.indices[positions], digests)

    def fingerprint(self) -> str:
        """SHA-256 of shape, pixels and labels: equal for equal content, whatever its source.

        Where digests are known they count instead of the pixels: a folder's pixels depend on the
        size that a network wants, and an imported dataset's may be more than memory holds.
        """
        if self.digests is None:
            digest = hashlib.sha256(repr((self.images.shape, self.images.dtype.str)).encode())
            digest.update(np.ascontiguousarray(self.images).data)
        else:
            digest = hashlib.sha256(b"files")
            digest.update(np.ascontiguousarray(self.digests).data)
        digest.update(np.ascontiguousarray(self.labels, dtype=np.int64).data)
        return digest.hexdigest()


def _rows(images: Any, positions: NDArray[np.int64]) -> Any:
    """Images at some positions; memory-mapped ones stay where they are."""
    if isinstance(images, np.memmap):
        return Rows(images, positions)
    return images.take(positions) if isinstance(images, Rows) else images[positions]


@dataclass(frozen=True)
class Splits:
    """What one run uses. With `validation="test"`, validation *is* the test split."""

    train: Split
    validation: Split
    test: Split


def settle(data: DataConfig, workspace: Workspace) -> DataConfig:
    """A copy with what the disk tells filled in: an absolute path, and the classes there are.

    Raises InvalidConfig where the path does not hold what it must, or no dataset has that name;
    DamagedFile.
    """
    if data.imported:
        return imported_data.settled(data, workspace)
    if data.validation == "own":
        raise InvalidConfig(_OWN.format(data.name))
    if data.name == "folder":
        if not data.path:
            raise InvalidConfig(
                "data.path must name a folder that holds train/CLASS/ and test/CLASS/, got "
                "nothing; set data.path"
            )
        folder = _absolute(data.path)
        classes = image_folders.checked_classes(folder, data.classes)
        return data.model_copy(update={"path": str(folder), "classes": classes})
    if not data.path:
        return data
    file = _absolute(data.path)
    if not file.is_file():
        raise InvalidConfig(
            f"data.path must name {expected(data.name)}, got {file}, which is no file"
        )
    return data.model_copy(update={"path": str(file)})


def load_part(
    data: DataConfig,
    part: AnyPart,
    most: int | None = None,
    *,
    side: int | None = None,
    workspace: Workspace | None = None,
    report: Report = lambda event: None,
    pictures: FeatureCache | None = None,
) -> Split:
    """The images of a part of a dataset, in the dataset's order, or the first `most` of them.

    side: that of the network; picture files are resized to it, and kept so in `pictures`, or else
    in the workspace, where downloads are kept too. Only the bundled MNIST does without the two.
    What takes long and what is left out is reported. Raises InvalidConfig, DamagedFile, DiskFull
    or DatasetUnavailable.
    """
    return _read(data, part, most, _Reading(side, workspace, report, pictures))[0]


def load_test(
    data: DataConfig,
    *,
    side: int | None = None,
    workspace: Workspace | None = None,
    report: Report = lambda event: None,
) -> Split:
    """The test split of a run; arguments and errors are those of `load_part`."""
    return load_part(data, "test", data.test_images, side=side, workspace=workspace, report=report)


def load_tested(
    data: DataConfig,
    fingerprint: str,
    *,
    side: int,
    workspace: Workspace,
    report: Report = lambda event: None,
) -> Split:
    """The test split that a run was tested on, which had that fingerprint.

    Raises NotComparable where an imported dataset is gone, or files that a person named have
    changed since.
    """
    whose = data.path or f"the dataset {data.name!r}"
    reading = _Reading(side, workspace, report, changed=True)
    try:
        split, _ = _read(data, "test", data.test_images, reading)
    except DatasetUnavailable as error:
        if data.imported:
            raise NotComparable(str(error)) from None
        raise
    if (data.path or data.imported) and split.fingerprint() != fingerprint:
        raise NotComparable(
            f"the test images of {whose} have changed since the networks were tested on them; "
            "bring them back, or train anew"
        )
    return split


def load_splits(
    data: DataConfig,
    seed: int,
    *,
    side: int | None = None,
    workspace: Workspace | None = None,
    report: Report = lambda event: None,
) -> Splits:
    """The splits of a run; the seed decides which images a validation fraction holds back.

    The other arguments and the errors are those of `load_part`.
    """
    reading = _Reading(side, workspace, report)
    train, count = _read(data, "train", data.train_images, reading)
    handwriting = _load_handwriting(data, count, workspace)
    test, _ = _read(data, "test", data.test_images, reading)
    if data.validation == "test":
        return Splits(_joined(train, handwriting), test, test)
    if data.validation == "own":
        validation, _ = _read(data, "validation", None, reading)
        return Splits(_joined(train, handwriting), validation, test)
    held_out = held_out_positions(train.labels, data.validation, seed)
    if not len(held_out):
        raise InvalidConfig(
            f"data.validation must be test for {data.name}, got {data.validation:g}: no class has "
            "two images to learn from, so that one could be held back"
        )
    kept = np.setdiff1d(np.arange(len(train)), held_out)
    return Splits(_joined(train.take(kept), handwriting), train.take(held_out), test)


@dataclass(frozen=True)
class _Reading:
    """How the images of a dataset are read; the fields are as `load_part` says.

    changed: whether an imported dataset will do that holds other images than at launch.
    """

    side: int | None
    workspace: Workspace | None
    report: Report = lambda event: None
    pictures: FeatureCache | None = None
    changed: bool = False

    def kept(self) -> tuple[int, Workspace, FeatureCache]:
        """The side, the workspace and the cache of resized pictures, all of which must be told."""
        if self.side is None or self.workspace is None:
            raise ValueError(
                f"reading pictures needs a side and a workspace, got {self.side}, {self.workspace}"
            )
        cache = self.pictures or FeatureCache(self.workspace.pictures, DEFAULT_LIMIT)
        return self.side, self.workspace, cache


def _read(
    data: DataConfig, part: AnyPart, most: int | None, reading: _Reading
) -> tuple[Split, int]:
    """The first `most` images of a part, or all, and how many there are.

    Where they stand in order of class, the first ones of each class in turn are taken.
    """
    if data.imported:
        return _read_imported(data, part, most, reading)
    if part == "validation" or part == "unlabelled":
        raise InvalidConfig(_OWN.format(data.name))
    in_order = data.name == "folder"
    split = _read_folder(data, part, reading) if in_order else _read_arrays(data, part, reading)
    count = len(split)
    if most is None or most >= count:
        return split, count
    first = first_of_each_class(split.labels, most) if in_order else np.arange(most)
    return split.take(first), count


def _read_imported(
    data: DataConfig, part: AnyPart, most: int | None, reading: _Reading
) -> tuple[Split, int]:
    side, workspace, cache = reading.kept()
    dataset = imported_data.find(data, workspace, changed=reading.changed)
    read = imported_data.read_part(dataset, part, most, side, cache, reading.report)
    images: Any = read.images  # Rows answer as an array does
    split = Split(images, read.labels, read.indices, read.digests)
    return split, dataset.about.images[part]


def _read_folder(data: DataConfig, part: Part, reading: _Reading) -> Split:
    side, workspace, cache = reading.kept()
    data = settle(data, workspace)
    read = image_folders.read_part(Path(data.path), part, data.classes, side, cache, reading.report)
    images: Any = read.images  # Rows answer as an array does
    split = Split(images, read.labels, np.arange(len(read.labels)), read.digests)
    if not read.skipped:
        return split
    reading.report(_left_out(part, read.skipped, len(split)))
    return split.take(read.readable)


def _read_arrays(data: DataConfig, part: Part, reading: _Reading) -> Split:
    images, labels = _load_arrays(data, part, reading.workspace)
    most = len(data.class_names) - 1
    if labels.min() < 0 or labels.max() > most:
        raise InvalidConfig(
            f"labels of {data.path or data.name} must be from 0 to {most}, one for each class, "
            f"got {labels.min()} to {labels.max()}"
        )
    return Split(images, labels, np.arange(len(labels), dtype=np.int64))


def _left_out(part: Part, skipped: dict[Path, str], count: int) -> Event:
    named = [f"{path.parent.name}/{path.name} ({reason})" for path, reason in skipped.items()]
    more = f" and {len(named) - NAMED_FILES} more" if len(named) > NAMED_FILES else ""
    return Note(
        0,
        f"{len(named)} of {count} {part} pictures cannot be read and are left out: "
        f"{'; '.join(named[:NAMED_FILES])}{more}",
    )


def _load_handwriting(data: DataConfig, first: int, workspace: Workspace | None) -> Split | None:
    """The samples of handwriting to learn from, whose indices begin at `first`, if any."""
    if not data.handwriting:
        return None
    if workspace is None:
        raise ValueError("handwriting is read from a workspace, got None")
    digits, labels = read_frozen(workspace, data.handwriting_samples)
    samples = Split(digits, labels, np.arange(first, first + len(labels), dtype=np.int64))
    if samples.fingerprint() != data.handwriting_samples:
        raise DamagedFile(
            "the samples of handwriting that the run learns from are no longer those it was "
            "launched with; launch it anew"
        )
    return samples


def _joined(split: Split, more: Split | None) -> Split:
    """The images of a split, which lie in memory, and then those of another."""
    if more is None:
        return split
    return Split(
        np.concatenate([split.images, more.images]),
        np.concatenate([split.labels, more.labels]),
        np.concatenate([split.indices, more.indices]),
    )


def _load_arrays(data: DataConfig, part: Part, workspace: Workspace | None) -> Arrays:
    if data.path:
        file = _absolute(data.path)
        try:
            return read_file(file, data.name, part)
        except UnreadableFile as error:
            raise InvalidConfig(
                f"data.path must name {expected(data.name)}, got {file}: {error}"
            ) from None
    facts = DATASETS[data.name]
    file = verified(f"{data.name}.npz") if facts.bundled else _downloaded(data.name, workspace)
    try:
        return read_file(file, data.name, part)
    except UnreadableFile as error:
        raise DamagedFile(f"{file} is damaged: {error}; remove it to have it made anew") from None


def _downloaded(name: str, workspace: Workspace | None) -> Path:
    """The file of a dataset that Keras downloads, downloaded if it is not there yet."""
    if workspace is None:
        raise ValueError(f"{name} needs a workspace to be downloaded to")
    file = workspace.datasets / f"{name}.npz"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        _download(name, file)  # waits for another process that is at it
    return file


def _download(name: str, file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.data.downloads", name, str(file)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2] or f"exit status {done.returncode}"
        facts = DATASETS[name]
        raise DatasetUnavailable(
            f"{facts.label} could not be downloaded ({reason}); {facts.by_hand}"
        )


def _absolute(path: str) -> Path:
    return Path(os.path.abspath(os.path.expanduser(path)))
