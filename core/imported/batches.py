"""Images on their way into a dataset, and what is known of all of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels


@dataclass(frozen=True, eq=False)
class Batch:
    """Some images, decoded, in the order in which they shall stand in the dataset.

    names: what each is called where it comes from. labels: (n,), -1 without. parts: (n,), an index
    into PARTS. pictures: (height, width) or (height, width, 3) each, or all in one array; None
    where files are to be kept in any case. digests: (n, 32), SHA-256 of shape and pixels, of the
    file where there are no pictures. files: as they were read, and thumbnails as JPEG; None where
    pixels are to be kept in any case. sizes: (n, 3), height, width and channels, where `pictures`
    do not tell.
    """

    names: Sequence[str]
    labels: NDArray[np.int64]
    parts: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    pictures: Sequence[Pixels] | Pixels | None
    files: Sequence[bytes] | None = None
    thumbnails: Sequence[bytes] | None = None
    sizes: NDArray[np.int32] | None = None

    def all_sizes(self) -> NDArray[np.int32]:
        """(n, 3): height, width and channels of each image."""
        if self.sizes is not None or self.pictures is None:
            return np.asarray(self.sizes, np.int32).reshape(-1, 3)
        return np.array([_size(picture) for picture in self.pictures], np.int32).reshape(-1, 3)


@dataclass(frozen=True, eq=False)
class Written:
    """What is known of all images that were written, in the words of `Batch`."""

    labels: NDArray[np.int32]
    parts: NDArray[np.uint8]
    digests: NDArray[np.uint8]
    sizes: NDArray[np.int32]

    def with_parts(self, parts: NDArray[np.uint8]) -> "Written":
        """The same images in other parts."""
        return Written(self.labels, parts, self.digests, self.sizes)

    def fingerprint(self) -> str:
        """The same for the same images with the same labels in the same parts, however named."""
        digest = hashlib.sha256(b"imported")
        for array in (self.digests, self.labels, self.parts):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def _size(picture: Pixels) -> tuple[int, int, int]:
    height, width = picture.shape[:2]
    return height, width, 3 if picture.ndim == 3 else 1
