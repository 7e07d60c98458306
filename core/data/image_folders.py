"""Image folders: `train/CLASS/` and `test/CLASS/` with picture files in them.

Each picture is decoded and resized once; from then on it is read from the cache.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from core.data.dataset_files import Part
from core.data.preprocessing import decode
from core.data.resized import Files, resized
from core.data.rows import Rows
from core.errors import InvalidConfig, UnreadableImage
from core.training.feature_cache import FeatureCache
from core.training.progress import Report
from core.validation import shown

ENDINGS = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".tif", ".tiff")
FOLDERS: dict[Part, tuple[str, ...]] = {"train": ("train",), "test": ("test", "validation")}
"""What the folder of each part may be called."""


@dataclass(frozen=True)
class FolderPart:
    """The files of one part, by class and then by name, img2 before img10.

    images: (count, side, side, 3) uint8 RGB, on disk; black where a file cannot be read.
    labels: (count,) int64. digests: (count, 32) uint8, SHA-256 of each file; zeros where it cannot
    be read. skipped: the files that cannot be read, with the reason.
    """

    images: Rows[np.uint8]
    labels: NDArray[np.int64]
    digests: NDArray[np.uint8]
    skipped: dict[Path, str]

    @property
    def readable(self) -> NDArray[np.int64]:
        """Positions of the pictures that could be read."""
        return np.flatnonzero(self.digests.any(axis=1))


def classes_of(folder: Path) -> tuple[str, ...]:
    """Names of the classes: the folders in train/, in alphabetical order. Only lists them."""
    return tuple(sorted(path.name for path in _folders(_part_folder(folder, "train"))))


def checked_classes(folder: Path, wanted: Sequence[str] = ()) -> tuple[str, ...]:
    """The classes of a folder, or those wanted of them, after a look at its layout.

    Raises InvalidConfig where pictures are not where they must be. Opens none of them.
    """
    train, test = _part_folder(folder, "train"), _part_folder(folder, "test")
    known = classes_of(folder)
    classes = tuple(wanted) or known
    if len(classes) < 2:
        _refuse(folder, f"which has fewer than two classes in {train.name}")
    for name in classes:
        if name not in known or classes.count(name) > 1:
            raise InvalidConfig(
                f"data.classes must name folders in {train}, each once, got {shown(classes)}; it "
                f"holds {_listed(known)}"
            )
        if not _pictures(train / name):
            raise InvalidConfig(
                f"every class must have a picture to learn from ({_ENDINGS}), got none in "
                f"{train / name}; add some, or remove the folder"
            )
    strange = sorted({path.name for path in _folders(test)} - set(known))
    if strange:
        raise InvalidConfig(
            f"{test} must hold the classes of {train}, got {_listed(strange)} besides; rename or "
            "remove what does not belong"
        )
    if not any(_pictures(test / name) for name in classes):
        raise InvalidConfig(f"{test} must hold pictures of {_listed(classes)}, got none")
    return classes


def read_part(
    folder: Path, part: Part, classes: Sequence[str], side: int, cache: FeatureCache, report: Report
) -> FolderPart:
    """The pictures of one part at `side` x `side` pixels, decoded if the cache lacks them.

    Raises InvalidConfig where no picture can be read, or none of a class to learn, and DiskFull.
    """
    files = _files(folder, part, classes)
    pictures = Files(
        count=len(files),
        read=lambda position: files[position][0].read_bytes(),
        key={"pictures": _listing(folder, files)},
        called=f"{part} pictures",
    )
    images, digests = resized(pictures, side, cache, report)
    labels = np.array([label for _, label in files], np.int64)
    skipped = {files[i][0]: _reason(files[i][0]) for i in np.flatnonzero(~digests.any(axis=1))}
    read = FolderPart(images, labels, digests, skipped)
    _check_readable(read, _part_folder(folder, part), part, classes)
    return read


def _reason(path: Path) -> str:
    try:
        decode(path.read_bytes())
    except (OSError, UnreadableImage) as error:
        return str(error)
    return "it could not be read before"


def _check_readable(read: FolderPart, folder: Path, part: Part, classes: Sequence[str]) -> None:
    counts = np.bincount(read.labels[read.readable], minlength=len(classes))
    lacking = [name for name, count in zip(classes, counts, strict=True) if count == 0]
    first = next(iter(read.skipped.items()), None)
    because = f": {first[0].name}: {first[1]}" if first else ""
    if not counts.any():
        raise InvalidConfig(
            f"data.path must hold pictures that can be read, got none in {folder}{because}"
        )
    if part == "train" and lacking:
        raise InvalidConfig(
            f"every class must have a picture to learn from, got none that can be read in "
            f"{folder / lacking[0]}{because}"
        )


def _files(folder: Path, part: Part, classes: Sequence[str]) -> list[tuple[Path, int]]:
    """Picture files with their labels."""
    place = _part_folder(folder, part)
    return [(path, label) for label, name in enumerate(classes) for path in _pictures(place / name)]


def _listing(folder: Path, files: list[tuple[Path, int]]) -> str:
    """Changes when a file is added, removed, moved or written anew, without reading any."""
    digest = hashlib.sha256(str(folder).encode(errors="surrogateescape"))
    for path, label in files:
        status = path.stat()
        seen = (str(path), label, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        digest.update(repr(seen).encode())
    return digest.hexdigest()


def _part_folder(folder: Path, part: Part) -> Path:
    if not folder.is_dir():
        _refuse(folder, "which is no folder")
    for name in FOLDERS[part]:
        if (folder / name).is_dir():
            return folder / name
    others = sorted(path.name for path in _folders(folder))
    if part == "test" or "train" in others or not others:
        _refuse(folder, f"which holds no {part}")
    _refuse(
        folder,
        f"which holds {_listed(others)} but no {part}; make folders train and test in it, and put "
        "a part of each class's pictures into each",
    )


def _refuse(folder: Path, reason: str) -> NoReturn:
    raise InvalidConfig(
        f"data.path must name a folder that holds train/CLASS/ and test/CLASS/, got {folder}, "
        f"{reason}"
    )


def _folders(folder: Path) -> list[Path]:
    return [path for path in _visible(folder) if path.is_dir()]


def _pictures(folder: Path) -> list[Path]:
    """Files of a folder that are pictures by their ending, in natural order."""
    if not folder.is_dir():
        return []
    files = (path for path in _visible(folder) if path.suffix.lower() in ENDINGS)
    return sorted((path for path in files if path.is_file()), key=_natural)


def _visible(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        raise InvalidConfig(
            f"data.path must hold folders that can be read, got {folder}: {error.strerror}"
        ) from None


def _natural(path: Path) -> tuple[list[str | int], str]:
    """Numbers in a name count as numbers: img2 comes before img10."""
    pieces = re.split(r"(\d+)", path.name.lower())
    return [int(piece) if i % 2 else piece for i, piece in enumerate(pieces)], path.name


def _listed(names: Sequence[str]) -> str:
    named = ", ".join(names[:5])
    return f"{named} and {len(names) - 5} more" if len(names) > 5 else named


_ENDINGS = ", ".join(ending.removeprefix(".") for ending in ENDINGS)
