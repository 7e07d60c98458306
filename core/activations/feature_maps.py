"""What a layer makes of one picture, kept in 8 bits: enough to look at."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class FeatureMaps:
    """What each channel of a layer puts out for a picture, field by field.

    peaks: (channels,) the largest number that each puts out, at least 0. shares: (channels, rows,
    columns) uint8, of that number, 255 being all of it; what is below 0 counts as 0.
    """

    peaks: NDArray[np.float32]
    shares: NDArray[np.uint8]

    @property
    def strongest(self) -> float:
        """The largest number of all channels."""
        return float(self.peaks.max(initial=0))

    @property
    def silent(self) -> NDArray[np.bool_]:
        """Which channels put out nothing above 0 for this picture."""
        return np.asarray(self.peaks <= 0)

    def place(self, channel: int) -> int:
        """The field where a channel is strongest, counted row by row."""
        return int(self.shares[channel].argmax())

    def tiles(
        self, channels: Sequence[int], *, across_layer: bool, largest: int
    ) -> NDArray[np.uint8]:
        """The maps of some channels as grey pictures (n, rows, columns), 255 the strongest.

        across_layer: 255 is the strongest of the layer, else of each channel by itself. largest:
        fields of a side, beyond which maps are shrunk.
        """
        shares = self.shares[list(channels)]
        if across_layer and self.strongest > 0:
            scale = self.peaks[list(channels)] / self.strongest
            shares = np.rint(shares * scale[:, None, None]).astype(np.uint8)
        side = max(shares.shape[1:], default=0)
        return shares if side <= largest else _shrunk(shares, largest / side)


def feature_maps_of(numbers: NDArray[np.float32]) -> FeatureMaps:
    """From what a layer put out, (rows, columns, channels)."""
    peaks = numbers.max(axis=(0, 1), initial=0)
    scaled = numbers.clip(0) * (255 / np.where(peaks > 0, peaks, 1))
    shares = np.rint(scaled).astype(np.uint8).transpose(2, 0, 1)
    return FeatureMaps(peaks.astype(np.float32), np.ascontiguousarray(shares))


def _shrunk(maps: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in maps.shape[1:])
    smaller = [cv2.resize(each, (width, height), interpolation=cv2.INTER_AREA) for each in maps]
    return np.stack(smaller).astype(np.uint8, copy=False)
