"""How images look at a glance: small enough to compare each with many."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels

SIDE, COLOURS_SIDE = 16, 4


@dataclass(frozen=True, eq=False)
class Looks:
    """Images shrunk by area. brightness: (n, 256) uint8, 16 x 16 each.

    colours: (n, 32) int8, halves of how far 4 x 4 places are from grey, to blue and to red.
    """

    brightness: NDArray[np.uint8]
    colours: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.brightness)


def looks_of(pictures: Pixels | Sequence[Pixels]) -> Looks:
    """Of pictures of any sizes, or of an array of alike ones (n, height, width[, 3])."""
    if isinstance(pictures, np.ndarray):
        return _looks(_shrunk_together(pictures))
    if not pictures:
        return Looks(np.empty((0, SIDE**2), np.uint8), np.empty((0, 2 * COLOURS_SIDE**2), np.int8))
    shrunk = [cv2.resize(picture, (SIDE, SIDE), interpolation=_AREA) for picture in pictures]
    return joined([_looks(np.asarray(each, np.uint8)[np.newaxis]) for each in shrunk])


def joined(looks: Sequence[Looks]) -> Looks:
    """The looks of all images, in that order."""
    return Looks(
        np.concatenate([each.brightness for each in looks]),
        np.concatenate([each.colours for each in looks]),
    )


_AREA = cv2.INTER_AREA


def _shrunk_together(pictures: Pixels) -> Pixels:
    """(n, 16, 16[, 3]): images on top of each other are shrunk as one.

    That gives the same pixels, and is several times as quick for small ones.
    """
    count, height, width, *channels = pictures.shape
    tall = pictures.reshape(count * height, width, *channels)
    shrunk = cv2.resize(tall, (SIDE, count * SIDE), interpolation=_AREA)
    return np.asarray(shrunk, np.uint8).reshape(count, SIDE, SIDE, *channels)


def _looks(shrunk: Pixels) -> Looks:
    count = len(shrunk)
    if shrunk.ndim == 3:
        none = np.zeros((count, 2 * COLOURS_SIDE**2), np.int8)
        return Looks(shrunk.reshape(count, -1), none)
    tall = shrunk.reshape(count * SIDE, SIDE, 3)
    brightness = np.asarray(cv2.cvtColor(tall, cv2.COLOR_RGB2GRAY), np.uint8)
    places = cv2.resize(tall, (COLOURS_SIDE, count * COLOURS_SIDE), interpolation=_AREA)
    red, green, blue = np.moveaxis(np.asarray(places, np.int16), -1, 0)
    to_blue, to_red = (2 * blue - red - green) // 4, (2 * red - green - blue) // 4
    colours = np.stack([to_blue, to_red], axis=-1).astype(np.int8)
    return Looks(brightness.reshape(count, -1), colours.reshape(count, -1))
