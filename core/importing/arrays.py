"""Datasets that come as arrays: images and labels one after another in files, read in pieces."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.archives import MOST_OF_ENTRY
from core.data.preprocessing import LARGEST_IMAGE, SMALLEST_SIDE
from core.errors import UnreadableUpload
from core.files import UNREADABLE, damage
from core.imported.dataset import PARTS, Part
from core.imported.report import Skipped
from core.importing.items import PixelRows, Source
from core.importing.limits import AT_ONCE, MOST_BYTES, MOST_CLASSES, MOST_FILES
from core.importing.listing import roles

MNIST_LABELS = {
    "train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
"""SHA-256 of MNIST's labels, a byte each. Other images have the same shape, such as Fashion-MNIST,
but none has its labels in their order: by them alone digits are known for what they are."""


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array that lies row by row in a file. open: gives the file behind its header."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    open: Callable[[], BinaryIO]

    @property
    def bytes_of_row(self) -> int:
        """What one row takes."""
        return self.dtype.itemsize * int(np.prod(self.shape[1:], dtype=np.int64))

    def pieces(self) -> Iterator[NDArray[Any]]:
        """Some rows at a time.

        Raises UnreadableUpload where there are fewer or more than the header says.
        """
        at_once = max(1, AT_ONCE // self.bytes_of_row)
        try:
            with self.open() as file:
                for start in range(0, self.shape[0], at_once):
                    rows = min(at_once, self.shape[0] - start)
                    content = file.read(rows * self.bytes_of_row)
                    if len(content) < rows * self.bytes_of_row:
                        raise UnreadableUpload(_ends_early(self.name))
                    yield np.frombuffer(content, self.dtype).reshape(rows, *self.shape[1:])
                if file.read(1):
                    raise UnreadableUpload(
                        f"{self.name} holds more than its header says, as no whole file does; "
                        "fetch it again"
                    )
        except UNREADABLE as error:
            raise UnreadableUpload(
                f"{self.name} is damaged ({damage(error)}); fetch or make it again"
            ) from None


@dataclass(frozen=True, eq=False)
class Labelled:
    """Images of one part with their labels, both unread."""

    images: StoredArray
    labels: StoredArray


def source_of_arrays(
    kind: str, found: Mapping[Part, Labelled], skipped: tuple[Skipped, ...] = ()
) -> Source:
    """A source whose classes are the labels that occur. Reads the labels, but no image.

    Raises UnreadableUpload where arrays are not what they must be or do not fit to each other.
    """
    for pair in found.values():
        _check_images(pair.images)
        _check_labels(pair)
    _check_alike([pair.images for pair in found.values()])
    values = {part: _labels(found[part].labels) for part in PARTS if part in found}
    classes = np.unique(np.concatenate(list(values.values())))
    if len(classes) > MOST_CLASSES:
        raise UnreadableUpload(
            f"there must be at most {MOST_CLASSES:,} classes, got {len(classes):,}; the labels may "
            "be something else than classes"
        )
    labels = {part: np.searchsorted(classes, each) for part, each in values.items()}
    parts = roles(found.keys())

    def rows() -> Iterator[PixelRows]:
        for part, known in labels.items():
            yield from _rows(found[part].images, known, parts[part])

    return Source(
        kind=kind,
        class_names=tuple(map(str, classes.tolist())),
        rows=rows,
        count=sum(map(len, labels.values())),
        digits=any(_is_mnist(part, values[part], found[part].images) for part in values),
        by_class=all(bool(np.all(np.diff(each) >= 0)) for each in labels.values()),
        skipped=skipped,
    )


def check_size(name: str, shape: tuple[int, ...], bytes_of_all: int) -> None:
    """Raise UnreadableUpload where a header promises more than may be."""
    if not shape or min(shape) < 1:
        raise UnreadableUpload(f"{name} holds nothing; fetch or make it again")
    if shape[0] > MOST_FILES or bytes_of_all > MOST_BYTES:
        raise UnreadableUpload(
            f"{name} must hold at most {MOST_FILES:,} rows and {MOST_BYTES // 2**30} GiB, its "
            f"header says {shape[0]:,} and {bytes_of_all / 2**30:,.1f} GiB; split it, or fetch it "
            "again"
        )


def _rows(images: StoredArray, labels: NDArray[np.int64], part: Part) -> Iterator[PixelRows]:
    start = 0
    for piece in images.pieces():
        end = start + len(piece)
        pixels = _as_pixels(images.name, piece)
        if pixels.ndim == 4 and pixels.shape[3] == 1:
            pixels = pixels[..., 0]
        names = [f"{images.name}[{row}]" for row in range(start, end)]
        yield PixelRows(names, pixels, labels[start:end], part)
        start = end


def _as_pixels(name: str, piece: NDArray[Any]) -> NDArray[np.uint8]:
    if piece.dtype == np.uint8:
        return piece
    lowest, highest = piece.min(), piece.max()
    if lowest < 0 or highest > 255:
        raise UnreadableUpload(
            f"{name} must hold pixels from 0 to 255, got {lowest} to {highest}; scale them and "
            "save them as uint8"
        )
    return piece.astype(np.uint8)


def _check_images(images: StoredArray) -> None:
    shape = images.shape
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise UnreadableUpload(
            f"{images.name} must have the shape (images, height, width), or that and 1 or 3 "
            f"channels, got {shape}; save it so"
        )
    if images.dtype.kind not in "iu":
        raise UnreadableUpload(
            f"{images.name} must hold whole numbers from 0 to 255, got {images.dtype}; save it as "
            "uint8, fractions multiplied by 255 and rounded before"
        )
    small = min(shape[1:3]) < SMALLEST_SIDE
    if small or shape[1] * shape[2] > LARGEST_IMAGE or images.bytes_of_row > MOST_OF_ENTRY:
        raise UnreadableUpload(
            f"the images of {images.name} must be at least {SMALLEST_SIDE} pixels wide and high "
            f"and have at most {LARGEST_IMAGE // 1_000_000} million pixels, got "
            f"{shape[2]}x{shape[1]}"
        )


def _check_labels(pair: Labelled) -> None:
    labels, count = pair.labels, pair.images.shape[0]
    if labels.shape not in ((count,), (count, 1)) or labels.dtype.kind not in "iu":
        raise UnreadableUpload(
            f"{labels.name} must hold one whole number for each of the {count:,} images of "
            f"{pair.images.name}, got {labels.dtype} of shape {labels.shape}; save the number of "
            "each image's class"
        )


def _check_alike(images: list[StoredArray]) -> None:
    for other in images[1:]:
        if other.shape[1:] != images[0].shape[1:]:
            raise UnreadableUpload(
                f"{other.name} must hold images of the same size as {images[0].name}, "
                f"{images[0].shape[1:]}, got {other.shape[1:]}; import them as two datasets"
            )


def _labels(stored: StoredArray) -> NDArray[np.int64]:
    pieces = [piece.reshape(-1).astype(np.int64) for piece in stored.pieces()]
    labels: NDArray[np.int64] = np.concatenate(pieces)
    if labels.min() < 0:
        raise UnreadableUpload(
            f"{stored.name} must hold labels from 0 on, got {labels.min()}; number the classes so"
        )
    return labels


def _is_mnist(part: Part, labels: NDArray[np.int64], images: StoredArray) -> bool:
    if images.shape[1:3] != (28, 28) or part not in MNIST_LABELS or labels.max() > 9:
        return False
    digest = hashlib.sha256(labels.astype(np.uint8).tobytes()).hexdigest()
    return digest == MNIST_LABELS[part]


def _ends_early(name: str) -> str:
    return f"{name} ends before the last image that its header says; fetch or make it again"
