"""What is kept of a network's features: arrays that are complete or absent, and maps of them.

They can all be computed anew, so they stand among the caches, in one folder per run that goes with
the run. What the weights file of an epoch held when they were computed is part of their key.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import NotComparable
from core.registry.run import Run
from core.training.feature_cache import FeatureCache
from core.workspace import Workspace

Array = NDArray[np.float32]
Kind = Literal["pca", "tsne"]
Reader = Callable[[NDArray[np.int64]], Iterator[Array]]
"""Features of the images at some positions of a split, in that order, in batches (n, width)."""

LIMIT = 4 * 2**30
"""Bytes that the features of one run, in all its epochs, may take on disk."""
KEPT = "kept"
"""The folder of a run's features among those of all runs."""
VERSION = 1
"""Goes up where what is kept under the same key would mean something else."""
WIDEST = 256
"""Numbers of an image that are kept; wider features are projected to so many."""


class Map(NamedTuple):
    """The test images in two dimensions.

    points: (count, 2), NaN for an image that the map leaves out. shares: of what varies between
    the features, along each dimension; None where that means nothing.
    """

    points: Array
    shares: tuple[float, float] | None


class Features(NamedTuple):
    """Features of the test images, (count, width), and how wide the layer itself is."""

    rows: Array
    layer_width: int

    @property
    def reduced(self) -> bool:
        """Whether they were projected, being wider than what is kept."""
        return bool(self.layer_width != self.rows.shape[1])


class Projection(NamedTuple):
    """From what a layer is fed to what is kept of it: minus the mean, (1, n), times (n, m)."""

    mean: Array
    directions: Array

    def __call__(self, rows: Array) -> Array:
        """Rows (count, n) as they are kept, (count, m)."""
        centred: Array = rows - self.mean
        return np.asarray(centred @ self.directions, np.float32)


class FeatureSpace:
    """The features of one network, that is of a run after an epoch.

    Reading answers None where something is not kept. Features are what the last layer is fed.
    """

    def __init__(self, workspace: Workspace, run: Run, epoch: int) -> None:
        self.workspace, self.run, self.epoch = workspace, run, epoch
        self._cache = FeatureCache(self.of_run / KEPT, LIMIT)

    @property
    def of_run(self) -> Path:
        """The folder of all epochs of the run."""
        return self.workspace.feature_spaces / self.run.id

    @property
    def folder(self) -> Path:
        """Where the process that computes them says how far it is."""
        return self.of_run / f"epoch-{self.epoch}"

    @property
    def possible(self) -> bool:
        """Whether the weights of the epoch were kept, without which there are no features."""
        return self.run.folder.weights(self.epoch).is_file()

    def test(self) -> Features | None:
        """Features of the test images, in the order of the test split."""
        if (found := self._find("test")) is None:
            return None
        rows, *projection = found
        return Features(rows, projection[0].shape[1] if projection else rows.shape[1])

    def projection(self) -> Projection | None:
        """How they were reduced, if they were."""
        found = self._find("test")
        return Projection(*found[1:]) if found is not None and len(found) > 1 else None

    def train(self) -> Array | None:
        """Features of the run's own training split, (count, width), in its order."""
        found = self._find("train")
        return None if found is None else found[0]

    def map(self, kind: Kind) -> Map | None:
        """The map of the test images."""
        if (found := self._find(kind)) is None:
            return None
        points, *shares = found
        return Map(points, (float(shares[0][0, 0]), float(shares[0][0, 1])) if shares else None)

    def keep_test(
        self, batches: Iterable[Array], count: int, width: int, projection: Projection | None
    ) -> None:
        """Keep features of the test images, (count, width), and how they were reduced.

        Raises DiskFull, as all that keeps something does.
        """
        beside = projection or ()
        shapes = [(count, width), *(array.shape for array in beside)]
        self._cache.store(self._key("test"), shapes, np.float32, _with_first(batches, beside))

    def keep_train(self, batches: Iterable[Array], count: int, width: int) -> None:
        """Keep features of the training images, (count, width)."""
        rows = ((batch,) for batch in batches)
        self._cache.store(self._key("train"), [(count, width)], np.float32, rows)

    def keep_map(self, kind: Kind, made: Map) -> None:
        """Keep a map of the test images."""
        arrays = [made.points] + ([np.array([made.shares], np.float32)] if made.shares else [])
        shapes = [array.shape for array in arrays]
        self._cache.store(self._key(kind), shapes, np.float32, [tuple(arrays)])

    def _find(self, part: str) -> tuple[Array, ...] | None:
        try:
            found: tuple[Array, ...] | None = self._cache.find(self._key(part))
        except NotComparable:
            return None
        return found

    def _key(self, part: str) -> dict[str, object]:
        return {
            "version": VERSION,
            "part": part,
            "weights": weights_hash(self.run, self.epoch),
            "test images": self.run.state.test_fingerprint,
        }


def _with_first(batches: Iterable[Array], beside: tuple[Array, ...]) -> Iterable[tuple[Array, ...]]:
    """Batches, of which the first brings along what is written only once."""
    for batch in batches:
        yield (batch, *beside)
        beside = tuple(array[:0] for array in beside)


def weights_hash(run: Run, epoch: int) -> str:
    """SHA-256 of the weights that a run kept of an epoch. Raises NotComparable without any."""
    path = run.folder.weights(epoch)
    try:
        found = path.stat()
        return _hash(path, found.st_mtime_ns, found.st_size)
    except OSError:
        kept = ", ".join(map(str, run.folder.kept_epochs())) or "none"
        raise NotComparable(
            f"the weights of epoch {epoch} of the run {run.name!r} were not kept, so what its "
            f"layers make of an image cannot be computed; choose an epoch that was kept ({kept})"
        ) from None


@lru_cache(maxsize=256)
def _hash(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
