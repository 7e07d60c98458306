"""Made-up photographs: digits as ink on paper or chalk on a board, under light and with noise."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels

Light = NDArray[np.float64]
HEIGHT, WIDTH = 480, 640
INK = 0.75
"""Share of the light that ink swallows."""


def covered(digits: Sequence[Pixels], scale: int = 5, gap: int = 0) -> Light:
    """Digits side by side in the middle, 1 where ink is full."""
    large = [cv2.resize(digit, None, fx=scale, fy=scale) / 255 for digit in digits]
    row = np.hstack([np.pad(digit, ((0, 0), (0, gap))) for digit in large])
    cover = np.zeros((HEIGHT, WIDTH))
    top, left = (HEIGHT - row.shape[0]) // 2, (WIDTH - row.shape[1]) // 2
    cover[top : top + row.shape[0], left : left + row.shape[1]] = row
    return cover


def even() -> Light:
    return np.ones((HEIGHT, WIDTH))


def falling_off() -> Light:
    """Bright at one corner, under half of that at the opposite one."""
    down, across = np.mgrid[0 : 1 : HEIGHT * 1j, 0 : 1 : WIDTH * 1j]
    return 1 - 0.3 * down - 0.3 * across


def spot() -> Light:
    """A lamp over the middle; the corners are darker than ink is under the lamp."""
    down, across = np.mgrid[-1 : 1 : HEIGHT * 1j, -1 : 1 : WIDTH * 1j]
    return 0.2 + 0.8 * np.exp(-(down**2) - across**2)


def shadow() -> Light:
    """The shadow of a hand, with an edge, over one half."""
    across = np.broadcast_to(np.arange(WIDTH), (HEIGHT, WIDTH))
    return 0.5 + 0.5 / (1 + np.exp((across - 0.45 * WIDTH) / 5))


def squared(step: int = 40, strength: float = 0.4) -> Light:
    """Paper with lines two pixels wide: the share of light that is left."""
    paper = np.ones((HEIGHT, WIDTH))
    for line in range(step // 2, WIDTH, step):
        paper[:, line : line + 2] = 1 - strength
        paper[line : line + 2] = 1 - strength
    return paper


def photograph(cover: Light, light: Light, paper: Light | float = 1.0, noise: float = 4) -> Pixels:
    """Ink on paper under some light, a little out of focus."""
    seen = 230 * light * paper * (1 - INK * cover)
    return _taken(seen, noise)


def of_a_board(cover: Light, light: Light, noise: float = 4) -> Pixels:
    """Chalk on a board under some light."""
    return _taken(light * (40 + 160 * cover), noise)


def _taken(seen: Light, noise: float) -> Pixels:
    random = np.random.default_rng(0)
    blurred = cv2.GaussianBlur(seen, (0, 0), 0.8)
    return np.clip(blurred + random.normal(0, noise, seen.shape), 0, 255).astype(np.uint8)
