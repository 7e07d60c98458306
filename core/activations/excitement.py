"""Which of the test images excite each channel of a network most, and which channels never answer.

Some of the test images are looked at, as many as a network gets through in about a minute, each
of them once for all layers. What was found can be computed anew, so it stands among the caches, in
the folder of the run's features.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.activations.seen_layers import seen_layers
from core.data.preprocessing import Pixels
from core.errors import DiskFull, NotComparable
from core.feature_space.space import KEPT, LIMIT, weights_hash
from core.network.graphs import Graph
from core.registry.run import Run
from core.training.feature_cache import FeatureCache
from core.workspace import Workspace

Numbers = NDArray[np.float32]
Strongest = Callable[[Pixels], Numbers]
"""Images to how strongly each channel answers and where, (count, channels, 2)."""

BEST = 9
"""Images that are kept for each channel."""
MOST_IMAGES, FEWEST_IMAGES = 1_000, 50
WORK = 1_500_000_000_000
"""Multiplications that all images together may take: half a minute on two cores."""
AT_ONCE = 50
"""Images that are asked about before it is told how many are done."""
VERSION = 1
"""Goes up where what is kept under the same key would mean something else."""


@dataclass(frozen=True, eq=False)
class Excitement:
    """What excites each channel of a layer among some test images.

    strengths: (channels, BEST) the largest number that the channel puts out for an image, the
    strongest first, -1 where there are no more images. images: (channels, BEST) positions in the
    test split. places: (channels, BEST) of the field that is strongest, counted row by row.
    active: (channels,) share of all images looked at for which the channel puts out more than 0.
    """

    strengths: Numbers
    images: NDArray[np.int64]
    places: NDArray[np.int64]
    active: Numbers
    count: int

    @property
    def dead(self) -> NDArray[np.bool_]:
        """Which channels answer to none of the images."""
        return np.asarray(self.active == 0)


class Search:
    """Keeps, of all images that it is told about, those that excite each channel most."""

    def __init__(self, channels: int) -> None:
        self._best = np.full((3, BEST, channels), -1, np.float64)
        self._answered = np.zeros(channels, np.int64)
        self._count = 0

    def add(self, answers: Numbers, images: NDArray[np.int64]) -> None:
        """Take images into account, by what `Strongest` tells of them, (count, channels, 2)."""
        strengths, places = answers[..., 0], answers[..., 1]
        numbers = np.broadcast_to(images[:, None], strengths.shape)
        every = np.concatenate([self._best, np.stack([strengths, numbers, places])], axis=1)
        order = np.argsort(-every[0], axis=0, kind="stable")[None, :BEST]
        self._best = np.take_along_axis(every, order, axis=1)
        self._answered += (strengths > 0).sum(axis=0)
        self._count += len(images)

    def found(self) -> Excitement:
        """What is known after all of them."""
        strengths, images, places = self._best.transpose(0, 2, 1)
        return Excitement(
            strengths.astype(np.float32),
            images.astype(np.int64),
            places.astype(np.int64),
            (self._answered / max(self._count, 1)).astype(np.float32),
            self._count,
        )


def sample(count: int, graph: Graph) -> NDArray[np.int64]:
    """Positions of the test images to look at, evenly among `count`.

    >>> from core.network.graphs import backbone
    >>> [len(sample(10_000, backbone("vgg16", side, 3))) for side in (48, 224)]
    [1000, 97]
    """
    affordable = max(FEWEST_IMAGES, WORK // max(graph.work, 1))
    images = min(count, MOST_IMAGES, affordable)
    return np.arange(images) * count // max(images, 1)


def search(
    images: Callable[[NDArray[np.int64]], Pixels],
    positions: NDArray[np.int64],
    strongest: Strongest,
    graph: Graph,
    progress: Callable[[float], object] = lambda share: None,
) -> Excitement:
    """Look at the images at some positions; progress is told the share that is done."""
    found = Search(sum(channels_of(graph)))
    for start in range(0, len(positions), AT_ONCE):
        batch = positions[start : start + AT_ONCE]
        found.add(strongest(images(batch)), batch)
        progress((start + len(batch)) / len(positions))
    return found.found()


def channels_of(graph: Graph) -> list[int]:
    """Channels of each layer that can be looked into."""
    return [graph.layers[position].shape[-1] for position in seen_layers(graph)]


def by_layer(graph: Graph, found: Excitement) -> dict[int, Excitement]:
    """What was found of all channels, by the position of their layer."""
    ends = np.cumsum(channels_of(graph))
    parts = zip(seen_layers(graph), ends - channels_of(graph), ends, strict=True)
    return {layer: _part(found, slice(start, end)) for layer, start, end in parts}


def _part(found: Excitement, channels: slice) -> Excitement:
    return Excitement(
        found.strengths[channels],
        found.images[channels],
        found.places[channels],
        found.active[channels],
        found.count,
    )


# --- What is kept ---------------------------------------------------------------------------------


class Kept:
    """What was found of one network, that is of a run after an epoch, on disk."""

    def __init__(self, workspace: Workspace, run: Run, epoch: int) -> None:
        self._cache = FeatureCache(workspace.feature_spaces / run.id / KEPT, LIMIT)
        self._run, self._epoch = run, epoch

    def find(self) -> Excitement | None:
        """What was found before, None where nothing is kept."""
        with suppress(NotComparable):
            if (kept := self._cache.find(self._key())) is not None:
                best, active, count = kept
                strengths, images, places = best
                return Excitement(
                    np.asarray(strengths),
                    images.astype(np.int64),
                    places.astype(np.int64),
                    np.asarray(active),
                    int(count[0]),
                )
        return None

    def keep(self, found: Excitement) -> None:
        """Keep what was found; where the disk is full it is found anew another time."""
        best = np.stack([found.strengths, found.images, found.places]).astype(np.float32)
        arrays = best, found.active, np.array([found.count], np.float32)
        shapes = [array.shape for array in arrays]
        with suppress(DiskFull, NotComparable):
            self._cache.store(self._key(), shapes, np.float32, _once(arrays))

    def _key(self) -> dict[str, object]:
        return {
            "version": VERSION,
            "part": "channels",
            "weights": weights_hash(self._run, self._epoch),
            "test images": self._run.state.test_fingerprint,
        }


def _once(arrays: tuple[Numbers, ...]) -> Iterator[tuple[Numbers, ...]]:
    yield arrays
