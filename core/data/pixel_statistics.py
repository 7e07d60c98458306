"""How bright and how colourful images are: what normalising them and comparing parts asks for."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels

LEVELS = 256

Images = Pixels | Sequence[Pixels]
"""Some images: (n, height, width[, 3]), or one array each where sizes differ."""


@dataclass(frozen=True, eq=False)
class PixelStatistics:
    """What the pixels of some images are like.

    images: how many were looked at. histogram: (channels, 256), how many pixels have each value.
    class_images: (classes,), how many of each class were looked at. class_means: (classes, height,
    width[, 3]) uint8, the mean image of each class, black where there was none.
    """

    images: int
    histogram: NDArray[np.int64]
    class_images: NDArray[np.int64]
    class_means: Pixels

    @property
    def mean(self) -> NDArray[np.float64]:
        """(channels,), of all pixels, from 0 to 255."""
        mean: NDArray[np.float64] = self.histogram @ np.arange(LEVELS) / self.histogram.sum(axis=1)
        return mean

    @property
    def deviation(self) -> NDArray[np.float64]:
        """(channels,), the standard deviation of all pixels, from 0 to 127.5."""
        away = (np.arange(LEVELS) - self.mean[:, None]) ** 2
        variance = np.sum(self.histogram * away, axis=1) / self.histogram.sum(axis=1)
        deviation: NDArray[np.float64] = np.sqrt(variance)
        return deviation


def measure(
    batches: Iterable[tuple[Images, NDArray[np.int64]]], *, classes: int, shape: tuple[int, ...]
) -> PixelStatistics:
    """Statistics of images that come batch by batch, with their labels, -1 without one.

    All have the channels of `shape`, (height, width) or (height, width, 3), in which the mean
    images are made; images of another size are resized for these.
    """
    channels = 3 if len(shape) == 3 else 1
    histogram = np.zeros((channels, LEVELS), np.int64)
    sums = np.zeros((classes, *shape), np.float64)
    counts = np.zeros(classes, np.int64)
    looked_at = 0
    for images, labels in batches:
        looked_at += len(labels)
        histogram += _histogram(images, channels)
        labelled = np.flatnonzero(labels >= 0)
        _add_by_class(sums, _resized(images, labelled, shape), labels[labelled])
        counts += np.bincount(labels[labelled], minlength=classes)
    most = np.maximum(counts, 1).reshape(-1, *(1,) * len(shape))
    means = np.rint(sums / most).astype(np.uint8)
    return PixelStatistics(looked_at, histogram, counts, means)


def sampled(count: int, most: int) -> NDArray[np.int64]:
    """Which images to look at, in order: all, or so many of them chosen at random.

    >>> sampled(4, 10)
    array([0, 1, 2, 3])
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, most, replace=False))


def in_batches(indices: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    """The indices, so many at a time."""
    for start in range(0, len(indices), size):
        yield indices[start : start + size]


def _histogram(images: Images, channels: int) -> NDArray[np.int64]:
    """(channels, 256). OpenCV counts in float32, exact up to 2^24 of a value: a few at a time."""
    if not isinstance(images, np.ndarray):
        images = np.concatenate([image.reshape(1, -1, channels) for image in images], axis=1)
    pixels = images.reshape(-1, channels)
    total = np.zeros((channels, LEVELS), np.int64)
    for start in range(0, len(pixels), 2**24):
        some = np.ascontiguousarray(pixels[start : start + 2**24, None])
        for channel in range(channels):
            counted = cv2.calcHist([some], [channel], None, [LEVELS], [0, LEVELS])
            total[channel] += counted.ravel().astype(np.int64)
    return total


def _resized(images: Images, wanted: NDArray[np.int64], shape: tuple[int, ...]) -> Pixels:
    if isinstance(images, np.ndarray) and images.shape[1:] == shape:
        return images[wanted]
    size = shape[1], shape[0]
    scaled = np.empty((len(wanted), *shape), np.uint8)
    for place, number in enumerate(wanted):
        scaled[place] = cv2.resize(images[number], size, interpolation=cv2.INTER_AREA)
    return scaled


def _add_by_class(sums: NDArray[np.float64], images: Pixels, labels: NDArray[np.int64]) -> None:
    """Add each image to the sum of its class."""
    if not len(labels):
        return
    order = np.argsort(labels, kind="stable")
    found, starts = np.unique(labels[order], return_index=True)
    sums[found] += np.add.reduceat(images[order], starts, axis=0, dtype=np.uint32)
