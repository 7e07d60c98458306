"""Datasets, the splits a run makes of them, and the fingerprints that tell them apart."""

import hashlib
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from core import image_folders
from core.assets import verified
from core.catalogue import DATASETS
from core.data_config import DataConfig
from core.dataset_files import Arrays, Part, UnreadableFile, expected, read_file
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig, NotComparable
from core.feature_cache import FeatureCache
from core.frozen_handwriting import read_frozen
from core.imported.dataset import Part as ImportedPart
from core.imported.library import Library
from core.progress import Event, Note, Report
from core.rows import Rows
from core.validation import shown
from core.workspace import PROJECT, Workspace

NAMED_FILES = 3
"""How many of the files that cannot be read are named."""


@dataclass(frozen=True)
class Split:
    """Images with labels, and where each stands in its part of the dataset.

    images: (count, height, width) or (count, height, width, 3) uint8, 0 to 255; those of an image
    folder stay on disk, as a memory-mapped array or as Rows of one.
    labels: (count,) int64, an index into the dataset's class names.
    indices: (count,) int64, positions in the train or test part.
    digests: (count, 32) uint8, SHA-256 of the files of an image folder, else None.
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

        Of an image folder the files count instead of the pixels, which depend on the size that a
        network wants.
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

    Raises InvalidConfig where the path does not hold what it must, or no dataset has that name.
    """
    if data.imported:
        return _settle_imported(data, workspace)
    if data.validation == "own":
        raise InvalidConfig(
            f"data.validation must be test or a fraction from 0.01 to 0.5 for {data.name}, got "
            "own: only an imported dataset can have validation images of its own"
        )
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


def _settle_imported(data: DataConfig, workspace: Workspace) -> DataConfig:
    library = Library(workspace)
    if data.name not in library.names():
        known = ", ".join((*DATASETS, *library.names()))
        raise InvalidConfig(
            f"data.name must name a dataset that there is ({known}), got {shown(data.name)}; "
            "import it first"
        )
    about = library.find(data.name).about
    if data.fingerprint not in ("", about.fingerprint):
        raise InvalidConfig(
            f"data.fingerprint must be that of the dataset {data.name!r}, which holds other images "
            "now; leave it empty to take those"
        )
    needed: tuple[tuple[ImportedPart, str], ...] = (
        ("train", "learn from"),
        ("test", "be tested on"),
    )
    for part, purpose in needed:
        if not about.images[part]:
            raise InvalidConfig(
                f"data.name must name a dataset with images to {purpose}, got {shown(data.name)}, "
                f"which has none in its {part} part; import it anew with some"
            )
    if data.validation == "own" and not about.images["validation"]:
        raise InvalidConfig(
            f"data.validation must be test or a fraction for {data.name!r}, got own: the dataset "
            "has no validation part of its own"
        )
    return data.model_copy(
        update={
            "path": "",
            "classes": about.class_names,
            "digits": about.digits,
            "fingerprint": about.fingerprint,
        }
    )


def load_part(
    data: DataConfig,
    part: Part,
    *,
    side: int | None = None,
    workspace: Workspace | None = None,
    report: Report = lambda event: None,
) -> Split:
    """All images of the train or test part of a dataset, in the dataset's order.

    side: that of the network; the pictures of a folder are resized to it, and kept so in the
    workspace, where downloads are kept too. Only the bundled MNIST does without the two. What
    takes long and what is left out is reported. Raises InvalidConfig, DamagedFile, DiskFull or
    DatasetUnavailable.
    """
    if data.name == "folder":
        return _load_folder(data, part, side, workspace, report)
    images, labels = _load_arrays(data, part, workspace)
    most = len(data.class_names) - 1
    if labels.min() < 0 or labels.max() > most:
        raise InvalidConfig(
            f"labels of {data.path or data.name} must be from 0 to {most}, one for each class, "
            f"got {labels.min()} to {labels.max()}"
        )
    return Split(images, labels, np.arange(len(labels), dtype=np.int64))


def load_test(
    data: DataConfig,
    *,
    side: int | None = None,
    workspace: Workspace | None = None,
    report: Report = lambda event: None,
) -> Split:
    """The test split of a run; arguments and errors are those of `load_part`."""
    part = load_part(data, "test", side=side, workspace=workspace, report=report)
    return _first(part, data.test_images)


def load_tested(data: DataConfig, fingerprint: str, *, side: int, workspace: Workspace) -> Split:
    """The test split that a run was tested on, which had that fingerprint.

    Raises NotComparable where the files that a person named have changed since.
    """
    split = load_test(data, side=side, workspace=workspace)
    if data.path and split.fingerprint() != fingerprint:
        raise NotComparable(
            f"the test images of {data.path} have changed since the networks were tested on them; "
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
    part = load_part(data, "train", side=side, workspace=workspace, report=report)
    train = _first(part, data.train_images)
    handwriting = _load_handwriting(data, len(part), workspace)
    test = load_test(data, side=side, workspace=workspace, report=report)
    if data.validation == "test":
        return Splits(_joined(train, handwriting), test, test)
    held_out = held_out_positions(train.labels, float(data.validation), seed)
    kept = np.setdiff1d(np.arange(len(train)), held_out)
    return Splits(_joined(train.take(kept), handwriting), train.take(held_out), test)


def held_out_positions(labels: NDArray[np.int64], fraction: float, seed: int) -> NDArray[np.int64]:
    """Positions of a stratified share of images: the same fraction of each class.

    At least one image of a class is held out and at least one is left to train on, as far as
    there are two.
    """
    random = np.random.default_rng(seed)
    chosen = []
    for label in np.unique(labels):
        positions = np.flatnonzero(labels == label)
        count = min(max(1, round(fraction * len(positions))), len(positions) - 1)
        chosen.append(random.choice(positions, count, replace=False))
    return np.sort(np.concatenate(chosen))


def first_of_each_class(labels: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Positions of so many images, taken from the classes in turn, the first ones of each.

    >>> first_of_each_class(np.array([0, 0, 0, 1, 1, 2]), 4)
    array([0, 1, 3, 5])
    """
    turn = np.empty(len(labels), np.int64)
    for label in np.unique(labels):
        own = labels == label
        turn[own] = np.arange(own.sum())
    return np.sort(np.lexsort((labels, turn))[:count])


def _first(split: Split, count: int | None) -> Split:
    if count is None or count >= len(split):
        return split
    if split.digests is not None:  # a folder is in order of class: its first images are all alike
        return split.take(first_of_each_class(split.labels, count))
    return split.take(np.arange(count))


def _load_folder(
    data: DataConfig, part: Part, side: int | None, workspace: Workspace | None, report: Report
) -> Split:
    if side is None or workspace is None:
        raise ValueError(f"an image folder needs a side and a workspace, got {side}, {workspace}")
    data = settle(data, workspace)
    cache = FeatureCache(workspace.pictures, image_folders.DEFAULT_LIMIT)
    read = image_folders.read_part(Path(data.path), part, data.classes, side, cache, report)
    split = Split(read.images, read.labels, np.arange(len(read.labels)), read.digests)
    if not read.skipped:
        return split
    report(_left_out(part, read.skipped, len(split)))
    return split.take(read.readable)


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
        with FileLock(f"{file}.lock"):
            if not file.is_file():  # another process may have downloaded it meanwhile
                _download(name, file)
    return file


def _download(name: str, file: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "core.downloads", name, str(file)],
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
