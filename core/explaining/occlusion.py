"""What a network's answer loses where something covers the picture (Zeiler and Fergus, 2014)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.explaining.heat import Map, spread

FIELDS = 14
"""About how many fields are covered one after the other along a picture's longer side."""
FIELDS_COVERED = 3
"""Width of the patch in fields: a smaller one is seen around, a larger one blurs the map."""
ALIKE = 16
"""Difference, of 255, up to which a pixel at the edge counts as background."""
MOSTLY = 0.75
"""Share of the edge that must be alike for it to be background."""


@dataclass(frozen=True, eq=False)
class Cover:
    """How a picture is covered, place by place.

    rows, columns: fields on which a patch is centred in turn. patch: its width and height in
    pixels, at the picture's edges less. fill: its grey or (red, green, blue); of_background tells
    that this is the picture's background, else it is the picture's mean colour.
    """

    rows: int
    columns: int
    patch: int
    fill: NDArray[np.uint8]
    of_background: bool

    def row(self, image: Pixels, row: int) -> Pixels:
        """A picture covered in each field of a row, (columns, height, width[, 3])."""
        covered = np.repeat(image[None], self.columns, axis=0)
        down = self._pixels(row, self.rows, image.shape[0])
        for column, copy in enumerate(covered):
            copy[down, self._pixels(column, self.columns, image.shape[1])] = self.fill
        return covered

    def _pixels(self, field: int, fields: int, side: int) -> slice:
        """Where the patch on a field begins and ends."""
        first = round((field + 0.5) * side / fields - self.patch / 2)
        return slice(max(first, 0), first + self.patch)


def cover_of(image: Pixels) -> Cover:
    """How to cover a picture (height, width[, 3]).

    >>> cover = cover_of(np.zeros((28, 28), np.uint8))
    >>> cover.rows, cover.columns, cover.patch
    (14, 14, 6)
    """
    height, width = image.shape[:2]
    stride = max(1, round(max(height, width) / FIELDS))
    fill, of_background = _fill(image)
    return Cover(
        rows=max(1, round(height / stride)),
        columns=max(1, round(width / stride)),
        patch=FIELDS_COVERED * stride,
        fill=fill,
        of_background=of_background,
    )


def _fill(image: Pixels) -> tuple[NDArray[np.uint8], bool]:
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]]).astype(np.float32)
    middle = np.median(edge, axis=0)
    alike = np.abs(edge - middle).reshape(len(edge), -1).max(axis=1) <= ALIKE
    of_background = bool(alike.mean() >= MOSTLY)
    fill = middle if of_background else image.mean(axis=(0, 1))
    return np.rint(fill).astype(np.uint8), of_background


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What the probability of each class lost where a picture was covered.

    lost: (rows, columns, classes) float32, from -1 to 1; below 0 it rose.
    """

    lost: NDArray[np.float32]
    cover: Cover

    def of(self, of_class: int) -> Map:
        """What a class lost, by field, (rows, columns)."""
        return self.lost[..., of_class]

    def over(self, of_class: int, height: int, width: int) -> Map:
        """What a class lost, as large as a picture, (height, width)."""
        return spread(np.ascontiguousarray(self.of(of_class)), height, width)


def occlude(
    image: Pixels,
    predict: Callable[[Pixels], NDArray[Any]],
    progress: Callable[[float], object] = lambda share: None,
) -> Occlusion:
    """Cover a picture (height, width[, 3]) place by place, and see what its classes lose.

    predict: pictures to (count, classes) probabilities; asked for a row of fields at a time.
    progress is told the share that is done.
    """
    cover = cover_of(image)
    (before,) = predict(image[None])
    lost = []
    for row in range(cover.rows):
        lost.append(before - predict(cover.row(image, row)))
        progress((row + 1) / cover.rows)
    return Occlusion(np.stack(lost).astype(np.float32), cover)
