"""Imported datasets as runs use them: which one, which of its images, in which size."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
from numpy.typing import NDArray

from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig
from core.data.resized import Files, resized
from core.data.rows import Rows
from core.data.stratified import first_of_each_class
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig
from core.imported.dataset import About, ImportedDataset, Part, Positions
from core.imported.library import Library
from core.predicting.digits import DIGIT_SIDE
from core.training.feature_cache import FeatureCache
from core.training.progress import Report
from core.validation import shown
from core.workspace import Workspace


@dataclass(frozen=True)
class ImportedPart:
    """Images of one part of an imported dataset, in its order.

    images: (count, height, width[, 3]) uint8 on disk, all in their own size or all resized.
    labels: (count,) int64. indices: (count,) int64, places in the part. digests: (count, 32) uint8,
    SHA-256 of each image.
    """

    images: Rows[np.uint8]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    digests: NDArray[np.uint8]


def settled(data: DataConfig, workspace: Workspace) -> DataConfig:
    """A copy with what is known of the dataset filled in. Raises InvalidConfig, DamagedFile."""
    library = Library(workspace)
    if data.name not in library.names():
        raise InvalidConfig(_unknown(data.name, library))
    about = library.find(data.name).about
    if data.fingerprint not in ("", about.fingerprint):
        raise InvalidConfig(
            f"data.fingerprint must be that of the dataset {data.name!r}, which holds other images "
            "now; leave it empty to take those"
        )
    _check_parts(data, about)
    return data.model_copy(
        update={
            "path": "",
            "classes": about.class_names,
            "digits": about.digits,
            "fingerprint": about.fingerprint,
        }
    )


def _unknown(name: str, library: Library) -> str:
    known = (*DATASETS, *library.names())
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "import it first"
    return (
        f"data.name must name a dataset that there is ({', '.join(known)}), got {shown(name)}; "
        f"{hint}"
    )


def _check_parts(data: DataConfig, about: About) -> None:
    purposes: dict[Part, str] = {"train": "learn from", "test": "be tested on"}
    for part, purpose in purposes.items():
        if not about.images.get(part):
            raise InvalidConfig(
                f"data.name must name a dataset with images to {purpose}, got {shown(data.name)}, "
                f"which has none in its {part} part; import it anew with some"
            )
    if len(about.class_names) < 2:
        raise InvalidConfig(
            f"data.name must name a dataset with two classes at least, got {shown(data.name)}, "
            f"which has {len(about.class_names)}; there is nothing to tell apart in it"
        )
    if data.handwriting and not _as_handwriting(about):
        raise InvalidConfig(
            f"data.handwriting must be false for {data.name}: handwriting is of the ten digits on "
            "28x28 grey pixels, and this dataset's images are not"
        )
    if data.validation == "own" and not about.images.get("validation"):
        raise InvalidConfig(
            f"data.validation must be test or a fraction for {data.name}, got own: the dataset "
            "has no validation part of its own"
        )


def _as_handwriting(about: About) -> bool:
    return about.digits and about.shape == (DIGIT_SIDE, DIGIT_SIDE) and len(about.class_names) == 10


def find(data: DataConfig, workspace: Workspace, *, changed: bool = False) -> ImportedDataset:
    """The dataset that a run was launched with. Raises DatasetUnavailable, DamagedFile.

    changed: whether one that holds other images by now will do.
    """
    library = Library(workspace)
    if data.name not in library.names():
        raise DatasetUnavailable(
            f"the imported dataset {data.name!r} is no longer in this workspace; import it again "
            "under that name"
        )
    dataset = library.find(data.name)
    if not changed and data.fingerprint not in ("", dataset.about.fingerprint):
        raise DatasetUnavailable(
            f"the dataset {data.name!r} holds other images now than when this run was launched; "
            "import the former ones under that name, or train anew"
        )
    return dataset


def read_part(
    dataset: ImportedDataset,
    part: Part,
    most: int | None,
    side: int,
    cache: FeatureCache,
    report: Report,
) -> ImportedPart:
    """The first `most` images of a part, or all.

    Those that are all alike come in their own size; files are decoded and resized to `side` once,
    and kept in the cache. Raises DatasetUnavailable where there are none, DamagedFile, DiskFull.
    """
    every = dataset.positions(part)
    if not len(every):
        raise DatasetUnavailable(
            f"the dataset {dataset.name!r} has no images in its {part} part; import it anew with "
            "some"
        )
    labels = dataset.labels[every].astype(np.int64)
    indices = _first(labels, most, dataset.about.by_class)
    positions, labels = every[indices], labels[indices]
    digests = dataset.digests[positions]
    if dataset.about.alike:
        images = dataset.rows(positions)
    else:
        images = _resized(dataset, positions, part, side, cache, report)
    return ImportedPart(images, labels, indices, digests)


def _resized(
    dataset: ImportedDataset,
    positions: Positions,
    part: Part,
    side: int,
    cache: FeatureCache,
    report: Report,
) -> Rows[np.uint8]:
    digests = dataset.digests[positions]
    files = Files(
        count=len(positions),
        read=lambda place: dataset.file(int(positions[place])),
        key={"files": hashlib.sha256(np.ascontiguousarray(digests).data).hexdigest()},
        called=f"{part} pictures",
        known=digests,
    )
    try:
        return resized(files, side, cache, report)[0]
    except DamagedFile as error:
        raise DamagedFile(
            f"the dataset {dataset.name!r} is damaged: {error}; delete it on Data and import it "
            "again"
        ) from None


def _first(labels: NDArray[np.int64], most: int | None, by_class: bool) -> Positions:
    if most is None or most >= len(labels):
        return np.arange(len(labels))
    return first_of_each_class(labels, most) if by_class else np.arange(most)
