"""Datasets, the splits a run makes of them, and the fingerprints that tell them apart."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.assets import verified
from core.config import DataConfig

Part = Literal["train", "test"]


@dataclass(frozen=True)
class Split:
    """Images with labels, and where each stands in its part of the dataset.

    images: (count, height, width) or (count, height, width, 3) uint8, 0 to 255.
    labels: (count,) int64, an index into the dataset's class names.
    indices: (count,) int64, positions in the train or test part.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, positions: NDArray[np.int64]) -> "Split":
        """The images at some positions, in that order."""
        return Split(self.images[positions], self.labels[positions], self.indices[positions])

    def fingerprint(self) -> str:
        """SHA-256 of shape, pixels and labels: equal for equal content, whatever its source."""
        digest = hashlib.sha256(repr((self.images.shape, self.images.dtype.str)).encode())
        digest.update(np.ascontiguousarray(self.images).data)
        digest.update(np.ascontiguousarray(self.labels, dtype=np.int64).data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Splits:
    """What one run uses. With `validation="test"`, validation *is* the test split."""

    train: Split
    validation: Split
    test: Split


def load_part(name: str, part: Part) -> Split:
    """All images of the train or test part of a dataset, in the dataset's order."""
    images, labels = _LOADERS[name](part)
    return Split(images, labels.astype(np.int64), np.arange(len(labels), dtype=np.int64))


def load_test(data: DataConfig) -> Split:
    """The test split of a run."""
    return _first(load_part(data.name, "test"), data.test_images)


def load_splits(data: DataConfig, seed: int) -> Splits:
    """The splits of a run; the seed decides which images a validation fraction holds back."""
    train = _first(load_part(data.name, "train"), data.train_images)
    test = load_test(data)
    if data.validation == "test":
        return Splits(train, test, test)
    held_out = held_out_positions(train.labels, float(data.validation), seed)
    kept = np.setdiff1d(np.arange(len(train)), held_out)
    return Splits(train.take(kept), train.take(held_out), test)


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


def _first(split: Split, count: int | None) -> Split:
    return split if count is None else split.take(np.arange(min(count, len(split))))


def _load_mnist(part: Part) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    with np.load(verified("mnist.npz"), allow_pickle=False) as arrays:
        return arrays[f"x_{part}"], arrays[f"y_{part}"]


_LOADERS: dict[str, Callable[[Part], tuple[NDArray[np.uint8], NDArray[np.uint8]]]] = {
    "mnist": _load_mnist,
}
