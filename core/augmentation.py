"""Random variations of training images: mirrored, zoomed, slanted, turned and moved.

By OpenCV and not by Keras's preprocessing layers, as it resamples an image once instead of once per
layer, is several times quicker, and lets an image's position alone decide what becomes of it.
"""

from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data_config import AugmentationConfig
from core.preprocessing import Pixels

Floats = NDArray[np.float64]
Positions = NDArray[np.integer[Any]]
Fill = Literal["nearest", "constant"]

BORDERS = {"constant": cv2.BORDER_CONSTANT, "nearest": cv2.BORDER_REPLICATE}
STREAM = 1
"""Keeps these numbers apart from others drawn for a seed and an epoch; 0 would not."""


class Variations:
    """The variations of the `count` images of a split: other ones in each pass, numbered from 1.

    A pass can be made again, in any order and in any batches: seed, pass and an image's position
    in the split decide every pixel.
    """

    def __init__(self, config: AugmentationConfig, seed: int, count: int) -> None:
        self._config = config
        self._seed = seed
        self._count = count
        self._last: tuple[int, Floats] | None = None

    def apply(self, images: Pixels, positions: Positions, number: int) -> Pixels:
        """Vary the images at `positions` as pass `number` does.

        images: (n, height, width, channels) uint8 and so is what is returned; positions: (n,).
        """
        _, height, width, _ = images.shape
        moves = self._moves(number)[positions]
        return warp(images, matrices(moves, height, width), self._config.fill)

    def key(self, number: int) -> dict[str, Any]:
        """All that the pixels of a pass depend on, the images aside."""
        settings = self._config.model_dump(exclude={"passes"})
        return settings | {"seed": self._seed, "pass": number}

    def _moves(self, number: int) -> Floats:
        if self._last is None or self._last[0] != number:
            self._last = number, draw(self._config, self._seed, number, self._count)
        return self._last[1]


def draw(config: AugmentationConfig, seed: int, number: int, count: int) -> Floats:
    """How pass `number` moves each of the first `count` images of a split: (count, 6).

    The columns: rotation in degrees, counter-clockwise; zoom, a factor; shift to the right and
    down, as shares of width and height; slant to the right, as the top's way over the bottom in
    shares of the height; -1 for an image that is mirrored, else 1.
    """
    limits = (config.rotation, config.zoom, config.shift, config.shift, config.shear, 1)
    random = np.random.default_rng([seed, number, STREAM])
    moves = random.uniform(-1, 1, size=(count, len(limits))) * limits
    moves[:, 1] += 1
    moves[:, 5] = np.where(config.horizontal_flip & (moves[:, 5] < 0), -1, 1)
    return moves


def matrices(moves: Floats, height: int, width: int) -> Floats:
    """Where the pixels of each moved image come from: (n, 2, 3), from (x, y, 1) to (x, y).

    moves: (n, 6), the columns of `draw`. About its centre an image is mirrored, zoomed, slanted
    and turned; then it is shifted.
    """
    rotation, zoom, right, down, slant, mirror = moves.T
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    across = mirror * (cos + slant * sin), mirror * (slant * cos - sin)
    linear = np.moveaxis(np.array([across, (sin, cos)]) / zoom, 2, 0)  # (n, 2, 2)
    centre = np.array([width - 1, height - 1]) / 2
    moved_centre = centre + np.stack([right * width, down * height], axis=1)
    offset = centre[:, np.newaxis] - linear @ moved_centre[:, :, np.newaxis]
    return np.concatenate([linear, offset], axis=2)


def warp(images: Pixels, matrices: Floats, fill: Fill) -> Pixels:
    """Resample each image by its matrix, bilinearly: (n, height, width, channels) uint8."""
    _, height, width, channels = images.shape
    warped = np.empty(images.shape, np.uint8)
    # OpenCV has no axis for a single channel.
    sources, targets = (images[..., 0], warped[..., 0]) if channels == 1 else (images, warped)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    for source, target, matrix in zip(sources, targets, matrices, strict=True):
        cv2.warpAffine(
            source, matrix, (width, height), dst=target, flags=how, borderMode=BORDERS[fill]
        )
    return warped
