"""Random variations of training images: mirrored, moved, recoloured and grained.

Each variation means what Keras's preprocessing layer of that name means: RandomFlip, RandomZoom,
RandomShear, RandomRotation, RandomTranslation, RandomContrast, RandomBrightness, GaussianNoise, one
after another in this order. By OpenCV and not by those layers, as it resamples an image once
instead of once per layer, is several times quicker, and lets an image's position alone decide what
becomes of it, so that training can be taken up again and a page can show just what it gets.

Where definitions differ: flips across and down are drawn apart, as by two RandomFlip layers. A zoom
says how much larger things become; Keras's factor says how much more of the image is seen, and both
are drawn evenly. Images are slanted about their centre, by RandomShear about their corner. With
`wrap`, TensorFlow jumps from the last pixel to the first, where here one blends into the other.
"""

import functools
from statistics import NormalDist
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.data_config import AugmentationConfig, Fill
from core.data.preprocessing import Pixels

Floats = NDArray[np.float64]
Positions = NDArray[np.integer[Any]]

BORDERS = {
    "constant": cv2.BORDER_CONSTANT,
    "nearest": cv2.BORDER_REPLICATE,
    "reflect": cv2.BORDER_REFLECT,
    "wrap": cv2.BORDER_WRAP,
}
WHITE = 255
"""Pixels are 0 to 255, and shares of brightness and noise are shares of that."""
STREAM, LATER_STREAM, NOISE_STREAM = 1, 2, 3
"""These keep the numbers apart from others drawn for a seed and an epoch; 0 would not.

What came later to be drawn has a stream of its own: the numbers before stay as they were.
"""


JUMP = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""How far apart the noise of one image begins from that of the next, as in PCG64.jumped."""


class Variations:
    """The variations of the `count` images of a split: other ones in each pass, numbered from 1.

    A pass can be made again, in any order and in any batches: seed, pass and an image's position
    in the split decide every pixel.
    """

    def __init__(self, config: AugmentationConfig, seed: int, count: int) -> None:
        self._config = config
        self._seed = seed
        self._count = count
        self._last: tuple[int, Floats, Floats] | None = None

    def apply(self, images: Pixels, positions: Positions, number: int) -> Pixels:
        """Vary the images at `positions` as pass `number` does.

        images: (n, height, width, channels) uint8 and so is what is returned; positions: (n,).
        """
        moves, colours = self._drawn(number)
        drawn = moves[positions], colours[positions]
        return vary(images, positions, self._config, self._seed, number, drawn)

    def key(self, number: int) -> dict[str, Any]:
        """All that the pixels of a pass depend on, the images aside."""
        settings = self._config.model_dump(exclude={"passes"})
        return settings | {"seed": self._seed, "pass": number}

    def _drawn(self, number: int) -> tuple[Floats, Floats]:
        """The moves and the colours of all images in a pass."""
        if self._last is None or self._last[0] != number:
            self._last = number, *draw(self._config, self._seed, number, self._count)
        return self._last[1:]


def vary_few(
    images: Pixels, positions: Positions, config: AugmentationConfig, seed: int, number: int
) -> Pixels:
    """What `Variations` makes of images at some positions, without what is drawn for the others."""
    drawn = [draw(config, seed, number, 1, int(position)) for position in positions]
    moves, colours = (np.concatenate(rows) for rows in zip(*drawn, strict=True))
    return vary(images, positions, config, seed, number, (moves, colours))


def vary(
    images: Pixels,
    positions: Positions,
    config: AugmentationConfig,
    seed: int,
    number: int,
    drawn: tuple[Floats, Floats],
) -> Pixels:
    """Vary images as it was drawn for them.

    After each kind of change pixels are rounded, and cut off at 0 and 255.
    """
    _, height, width, _ = images.shape
    moves, colours = drawn
    if config.moves or config.flips:
        images = warp(images, matrices(moves, height, width), config.fill)
    if config.recolours:
        images = recolour(images, colours)
    if config.noise:
        images = grain(images, config.noise, seed, number, positions)
    return images


def draw(
    config: AugmentationConfig, seed: int, number: int, count: int, first: int = 0
) -> tuple[Floats, Floats]:
    """How pass `number` moves, (count, 7), and recolours, (count, 2), images of a split.

    They are the `count` images from position `first` on. The columns of moves: rotation in degrees,
    counter-clockwise; zoom, a factor; shift to the right and down, as shares of width and height;
    slant to the right, as the top's way over the bottom in shares of the height; -1 for an image
    that is mirrored left to right, else 1; the same top to bottom. Those of colours: contrast, a
    factor; brightness that is added, a share of white.
    """
    limits = (config.rotation, config.zoom, config.shift, config.shift, config.shear, 1)
    moves = _evenly(limits, [seed, number, STREAM], count, first)
    moves[:, 1] += 1
    moves[:, 5] = np.where(config.horizontal_flip & (moves[:, 5] < 0), -1, 1)
    later = (1, config.contrast, config.brightness)
    colours = _evenly(later, [seed, number, LATER_STREAM], count, first)
    upside_down = np.where(config.vertical_flip & (colours[:, :1] < 0), -1, 1)
    return np.hstack([moves, upside_down]), colours[:, 1:] + [1, 0]


def _evenly(limits: tuple[float, ...], stream: list[int], count: int, first: int) -> Floats:
    """Random numbers (count, len(limits)) from minus each limit to it, from row `first` on."""
    bits = np.random.PCG64(stream)
    bits.advance(first * len(limits))
    return np.random.Generator(bits).uniform(-1, 1, size=(count, len(limits))) * limits


def matrices(moves: Floats, height: int, width: int) -> Floats:
    """Where the pixels of each moved image come from: (n, 2, 3), from (x, y, 1) to (x, y).

    moves: (n, 7), the columns of `draw`. About its centre an image is mirrored, zoomed, slanted
    and turned; then it is shifted.
    """
    rotation, zoom, right, down, slant, across, upright = moves.T
    cos, sin = np.cos(np.deg2rad(rotation)), np.sin(np.deg2rad(rotation))
    x = across * (cos + slant * sin), across * (slant * cos - sin)
    y = upright * sin, upright * cos
    linear = np.moveaxis(np.array([x, y]) / zoom, 2, 0)  # (n, 2, 2)
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


def recolour(images: Pixels, colours: Floats) -> Pixels:
    """Change contrast, then brightness, of each image: (n, height, width, channels) uint8.

    colours: (n, 2), the columns of `draw`. Contrast is the distance of pixels from the mean of
    their channel in that image.
    """
    channels = images.shape[3]
    means = np.array([cv2.mean(image)[:channels] for image in images]).reshape(-1, 1, channels)
    contrast, brightness = colours.T[:, :, np.newaxis, np.newaxis]
    levels = np.arange(WHITE + 1.0)[np.newaxis, :, np.newaxis]
    spread = np.clip((levels - means) * contrast + means, 0, WHITE)
    tables = np.rint(np.clip(spread + WHITE * brightness, 0, WHITE)).astype(np.uint8)
    recoloured = np.empty_like(images)
    for image, table, target in zip(images, tables, recoloured, strict=True):
        target[:] = cv2.LUT(image, table[np.newaxis]).reshape(image.shape)
    return recoloured


def grain(images: Pixels, share: float, seed: int, number: int, positions: Positions) -> Pixels:
    """Add Gaussian noise to images at some positions: (n, height, width, channels) uint8.

    share: its standard deviation, of white. Each channel has noise of its own.
    """
    levels = quantiles() * np.float32(WHITE * share)
    bits = np.random.PCG64([seed, number, NOISE_STREAM])
    random, beginning = np.random.Generator(bits), bits.state
    grained = np.empty_like(images)
    for image, position, target in zip(images, positions, grained, strict=True):
        bits.state = beginning
        bits.advance(int(position) * JUMP)
        noise = levels.take(random.integers(0, len(levels), image.shape, np.uint16))
        target[:] = cv2.add(image, noise, dtype=cv2.CV_8U).reshape(image.shape)
    return grained


@functools.cache
def quantiles() -> NDArray[np.float32]:
    """The normal distribution as 65,536 numbers that are equally likely.

    Finer than pixels are, and to pick of them takes half the time of drawing any number.
    """
    normal, count = NormalDist(), 2**16
    return np.array([normal.inv_cdf((place + 0.5) / count) for place in range(count)], np.float32)
