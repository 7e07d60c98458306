"""What the layers that train are fed: images, or the output of the frozen layers below them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.data.augmentation import Variations
from core.data.datasets import Split, Splits
from core.data.pictures import AT_ONCE_BYTES, Pictures, Positions
from core.data.rows import all_rows
from core.registry.config import RunConfig
from core.training.feature_cache import Features
from core.training.features import FrozenLayers
from core.training.progress import Note, Report, ShouldStop

Rows = tuple[NDArray[Any], ...]
"""One array, (batch, ...), for each tensor that the trained part takes."""


class Inputs(Protocol):
    """The rows of one split, at any positions, as pass `number` varies them."""

    def rows(self, positions: Positions, number: int = 1) -> Rows:
        """Rows at positions, (n,)."""

    def __len__(self) -> int:
        """How many there are."""


class ImageInputs:
    """Nothing is frozen: the trained part takes the images themselves."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def __len__(self) -> int:
        return len(self._pictures)

    def rows(self, positions: Positions, number: int = 1) -> Rows:
        """Images, (n, side, side, channels) uint8."""
        return (self._pictures.at(positions, number),)


class CachedInputs:
    """The output of the frozen layers as it was kept on disk, for one pass or several in turn."""

    def __init__(self, passes: Sequence[Features]) -> None:
        self._passes = [[all_rows(array) for array in features] for features in passes]

    def __len__(self) -> int:
        return len(self._passes[0][0])

    def rows(self, positions: Positions, number: int = 1) -> Rows:
        """Features, one array per tensor."""
        features = self._passes[(number - 1) % len(self._passes)]
        return tuple(array[positions] for array in features)


class LiveInputs:
    """The output of the frozen layers, computed whenever it is asked for."""

    def __init__(self, pictures: Pictures, frozen: FrozenLayers) -> None:
        self._pictures = pictures
        self._frozen = frozen

    def __len__(self) -> int:
        return len(self._pictures)

    def rows(self, positions: Positions, number: int = 1) -> Rows:
        """Features, one array per tensor."""
        size = self._frozen.batch_size
        parts = [
            self._frozen.run(self._pictures.at(positions[start : start + size], number))
            for start in range(0, len(positions), size)
        ]
        return tuple(np.concatenate(arrays) for arrays in zip(*parts, strict=True))


@dataclass(frozen=True)
class SplitInputs:
    """The inputs of each split. With `validation="test"`, validation *is* test."""

    train: Inputs
    validation: Inputs
    test: Inputs


def prepare(
    config: RunConfig,
    splits: Splits,
    frozen: FrozenLayers | None,
    epoch: int,
    report: Report,
    should_stop: ShouldStop,
) -> SplitInputs:
    """Make the inputs of a phase, running the frozen layers over what the cache does not hold.

    epoch: the one that ended before. Frozen layers run in every epoch instead where the cache is
    switched off or too small, and over training images that vary without end. Raises Stopped.
    """
    varied = config.augmentation.active
    variations = Variations(config.augmentation, config.seed, len(splits.train)) if varied else None
    passes = config.augmentation.passes if varied else 1

    def cacheable(part: Split, times: int) -> int:
        return frozen.size(len(part)) * times if frozen else 0

    parts = {"test": splits.test, "validation": splits.validation}
    if splits.validation is splits.test:
        del parts["validation"]
    needed = cacheable(splits.train, passes) + sum(cacheable(part, 1) for part in parts.values())
    cached = config.cache_features
    if frozen and cached and not frozen.fits(needed):
        cached = False
        report(Note(epoch, _TOO_LARGE.format(needed / 2**30, frozen.limit / 2**30)))
    room = AT_ONCE_BYTES

    def inputs(name: str, split: Split, variations: Variations | None, times: int) -> Inputs:
        nonlocal room
        keep = frozen is not None and cached and times > 0
        pictures = Pictures(split, config.network, variations, may_hold=0 if keep else room)
        room -= pictures.held
        if frozen is None:
            return ImageInputs(pictures)
        if not keep:
            return LiveInputs(pictures, frozen)
        numbers = range(1, times + 1)
        return CachedInputs(
            [
                frozen.cached(pictures, number, _named(name, number, times), report, should_stop)
                for number in numbers
            ]
        )

    train = inputs("training", splits.train, variations, passes)
    others = {name: inputs(name, split, None, 1) for name, split in parts.items()}
    return SplitInputs(train, others.get("validation", others["test"]), others["test"])


_TOO_LARGE = (
    "The output of the frozen layers would take {:.1f} GiB and the cache may hold {:.1f}: they run "
    "in every epoch instead. A smaller side, fewer images or a larger limit would make it fit."
)


def _named(part: str, number: int, passes: int) -> str:
    every = f"{part} images"
    return every if passes == 1 else f"{every}, variation {number} of {passes}"
