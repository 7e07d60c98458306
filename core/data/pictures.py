"""A split's images as a network takes them, varied or not, batch by batch."""

import math
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from core.data.augmentation import Variations
from core.data.datasets import Split
from core.data.preprocessing import Pixels, for_network
from core.network.network_config import NetworkConfig

AT_ONCE_BYTES = 2**30
"""Pictures of one training that take no more than this once resized are resized up front."""
READ_BYTES = 2**26
"""Bytes of images that are read from disk before they are resized."""

Positions = NDArray[Any]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Pictures:
    """The images of a split in the size and colours of a network.

    may_hold: bytes of them that may be resized up front and held; where all take more, each is
    resized whenever it is asked for.
    """

    def __init__(
        self,
        split: Split,
        network: NetworkConfig,
        variations: Variations | None = None,
        may_hold: int = AT_ONCE_BYTES,
    ) -> None:
        self.split = split
        self._side, self._channels = network.side, network.channels
        self._variations = variations
        self._prepared: Pixels | None = None
        if len(split) * self._side**2 * self._channels <= may_hold:
            self._prepared = self._prepare()

    def __len__(self) -> int:
        return len(self.split)

    @property
    def held(self) -> int:
        """Bytes of pictures that were resized up front."""
        return 0 if self._prepared is None else self._prepared.nbytes

    def at(self, positions: Positions, number: int = 1) -> Pixels:
        """Images at some positions, (n, side, side, channels) uint8, as pass `number` varies them.

        number: from 1; without variations all passes are alike.
        """
        if self._prepared is not None:
            images = self._prepared[positions]
        else:
            images = for_network(self.split.images[positions], self._side, self._channels)
        return self._variations.apply(images, positions, number) if self._variations else images

    def _prepare(self) -> Pixels:
        """All images as the network takes them; those on disk are read a part at a time."""
        images: Any = self.split.images
        if isinstance(images, np.ndarray):
            return for_network(images, self._side, self._channels)
        prepared = np.empty((len(images), self._side, self._side, self._channels), np.uint8)
        step = max(1, READ_BYTES // math.prod(images.shape[1:]))
        for start in range(0, len(images), step):
            part = images[start : start + step]
            prepared[start : start + step] = for_network(part, self._side, self._channels)
        return prepared

    def batches(self, chosen: Iterable[Positions], number: int = 1) -> Iterator[Pixels]:
        """The images of each batch in turn; the next one is prepared while one is in use."""
        return ahead(lambda positions: self.at(positions, number), chosen)

    def varied_as(self, number: int) -> dict[str, Any] | None:
        """What the pixels of a pass depend on besides the images; None where nothing varies."""
        return self._variations.key(number) if self._variations else None


def ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """Results in order, each computed in a thread while the one before it is in use."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        following: Future[Result] | None = None
        for item in items:
            upcoming = pool.submit(work, item)
            if following is not None:
                yield following.result()
            following = upcoming
        if following is not None:
            yield following.result()
