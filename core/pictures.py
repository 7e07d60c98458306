"""A split's images as a network takes them, varied or not, batch by batch."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from numpy.typing import NDArray

from core.augmentation import Variations
from core.datasets import Split
from core.network_config import NetworkConfig
from core.preprocessing import Pixels, for_network

AT_ONCE_BYTES = 2**30
"""Splits that take no more than this once resized are resized up front."""

Positions = NDArray[Any]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Pictures:
    """The images of a split in the size and colours of a network."""

    def __init__(
        self,
        split: Split,
        network: NetworkConfig,
        variations: Variations | None = None,
        used_once: bool = False,
    ) -> None:
        self.split = split
        self._side, self._channels = network.side, network.channels
        self._variations = variations
        self._prepared: Pixels | None = None
        if not used_once and len(split) * self._side**2 * self._channels <= AT_ONCE_BYTES:
            self._prepared = for_network(split.images, self._side, self._channels)

    def __len__(self) -> int:
        return len(self.split)

    def at(self, positions: Positions, number: int = 1) -> Pixels:
        """Images at some positions, (n, side, side, channels) uint8, as pass `number` varies them.

        number: from 1; without variations all passes are alike.
        """
        if self._prepared is not None:
            images = self._prepared[positions]
        else:
            images = for_network(self.split.images[positions], self._side, self._channels)
        return self._variations.apply(images, positions, number) if self._variations else images

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
