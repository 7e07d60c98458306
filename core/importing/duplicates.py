"""Images of a dataset that are the same, or show the same.

Two images show the same where their brightness, shrunk to 16 x 16 and brought to a mean of 0 and a
spread of 1, differs by no more than `NEAR`: measured so that JPEG, resizing and a little more light
are seen through, and that of MNIST's 70,000 digits, which are much alike, no more than a few ones
are found.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.importing.looks import SIDE, Looks

NEAR = 0.09
"""Root mean square of the difference of two images that look the same."""
LIGHT, TINT = 40.0, 6.0
"""How much their mean brightness may differ, and the mean of their colours (half levels)."""
FLAT = 16.0
"""A smaller spread of brightness than this is noise on an empty picture, and not blown up."""

AXES = 32
"""Images are told apart along so many axes first: those along which they differ most."""
GRIDS, CELL_AXES, CELL = 4, 8, 0.15
"""They are sorted into cells of so many grids over the best axes, with sides of that length."""
NEIGHBOURS = 8
"""Each image is compared with so many that come after it in its cell."""
SAMPLED = 2000
"""Images from which the axes are taken."""
_BLOCK = 8192

Positions = NDArray[np.int64]
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Groups of positions of images.

    exact: those that are the same. near: those that look the same; of images that are the same only
    the first is among them. together: for each image the first one that it is the same as or looks
    like, directly or by way of others.
    """

    exact: Sequence[Positions]
    near: Sequence[Positions]
    together: Positions


def find_duplicates(digests: NDArray[np.uint8], looks: Looks) -> Duplicates:
    """The duplicates among images with these SHA-256 (n, 32) and looks."""
    firsts = _firsts(digests)
    different = np.flatnonzero(firsts == np.arange(len(firsts)))
    near = np.arange(len(firsts))
    near[different] = different[_connected(len(different), _near_pairs(looks, different))]
    return Duplicates(_groups(firsts), _groups(near, different), near[firsts])


def _firsts(digests: NDArray[np.uint8]) -> Positions:
    """For each image the first one that has the same digest."""
    keys = np.ascontiguousarray(digests).view("u8")[:, 0]  # 64 of 256 bits tell any two apart
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.diff(keys[order], prepend=keys[order[:1]] + 1) != 0)
    firsts = np.empty(len(keys), np.int64)
    firsts[order] = np.repeat(order[begins], np.diff(begins, append=len(keys)))
    return firsts


def _groups(firsts: Positions, among: Positions | None = None) -> list[Positions]:
    """Groups of two and more, of images that have the same first one."""
    positions = np.arange(len(firsts)) if among is None else among
    order = positions[np.argsort(firsts[positions], kind="stable")]
    ends = np.flatnonzero(np.diff(firsts[order])) + 1
    counts = np.diff(np.concatenate([[0], ends, [len(order)]]))
    starts = np.concatenate([[0], ends])
    return [
        order[start : start + count]
        for start, count in zip(starts, counts, strict=True)
        if count > 1
    ]


def _near_pairs(looks: Looks, chosen: Positions) -> NDArray[np.int64]:
    """(pairs, 2) of places among the chosen images whose images look the same."""
    if len(chosen) < 2:
        return np.empty((0, 2), np.int64)
    places = _places(looks, chosen)
    one, other = _candidates(places[:, -CELL_AXES:])
    near = _squares(places[one] - places[other]) <= NEAR**2
    one, other = one[near], other[near]
    alike = np.ones(len(one), bool)
    for start in range(0, len(one), _BLOCK):
        block = slice(start, start + _BLOCK)
        alike[block] = _look_alike(looks, chosen[one[block]], chosen[other[block]])
    return np.stack([one[alike], other[alike]], axis=1)


def _normalised(brightness: NDArray[np.uint8]) -> Floats:
    """(n, 256), scaled so that the distance of two rows is the root mean square difference."""
    values = brightness.astype(np.float32)
    values -= values.mean(axis=1, keepdims=True)
    spread = np.sqrt(_squares(values) / values.shape[1])
    values /= np.maximum(spread, FLAT)[:, np.newaxis] * SIDE
    return values


def _places(looks: Looks, chosen: Positions) -> Floats:
    """(n, AXES): where images lie along the axes; never farther apart than the images are."""
    sample = _normalised(looks.brightness[chosen[:: max(1, len(chosen) // SAMPLED)]])
    coarse = sample @ _COARSE
    coarse -= coarse.mean(axis=0)
    axes = _COARSE @ np.linalg.eigh(coarse.T @ coarse)[1][:, -AXES:]
    blocks = (chosen[start : start + _BLOCK] for start in range(0, len(chosen), _BLOCK))
    return np.concatenate([_normalised(looks.brightness[block]) @ axes for block in blocks])


def _candidates(places: Floats) -> tuple[Positions, Positions]:
    """Pairs of images that lie in the same cell of a grid, next to each other, and near by."""
    random, count = np.random.default_rng(0), len(places)
    found = [np.empty(0, np.int64)]
    for grid in range(GRIDS):
        cells = np.floor((places + random.uniform(0, CELL, CELL_AXES)) / CELL).astype(np.int64)
        keys = cells @ random.integers(1, 2**40, CELL_AXES)  # wraps around, which does no harm
        order = np.lexsort((places[:, grid], keys))
        keys, placed = keys[order], places[order]
        for step in range(1, min(NEIGHBOURS, count - 1) + 1):
            near = _squares(placed[step:] - placed[:-step]) <= NEAR**2
            near &= keys[step:] == keys[:-step]
            ends = order[:-step][near], order[step:][near]
            found.append(np.minimum(*ends) * count + np.maximum(*ends))
    pairs = np.sort(np.concatenate(found))
    return np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], count)


def _squares(rows: Floats) -> Floats:
    """The squared length of each row."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))


def _look_alike(looks: Looks, one: Positions, other: Positions) -> NDArray[np.bool_]:
    first, second = looks.brightness[one], looks.brightness[other]
    apart = _normalised(first) - _normalised(second)
    lighter = np.abs(first.mean(axis=1) - second.mean(axis=1))
    tints = looks.colours[one].astype(np.float32) - looks.colours[other]
    alike: NDArray[np.bool_] = (
        (_squares(apart) <= NEAR**2) & (lighter <= LIGHT) & (np.abs(tints).mean(axis=1) <= TINT)
    )
    return alike


def _connected(count: int, pairs: NDArray[np.int64]) -> Positions:
    """For each of so many the first one that pairs lead to."""
    firsts = list(range(count))

    def first_of(one: int) -> int:
        while firsts[one] != one:
            firsts[one] = firsts[firsts[one]]
            one = firsts[one]
        return one

    for one, other in pairs.tolist():
        a, b = first_of(one), first_of(other)
        firsts[max(a, b)] = min(a, b)
    for one in np.unique(pairs).tolist():
        firsts[one] = first_of(one)
    return np.array(firsts, np.int64)


def _coarse() -> Floats:
    """(256, 64): means of 2 x 2 neighbours of 16 x 16, scaled to keep distances."""
    halves = np.kron(np.eye(SIDE // 2), np.ones((2, 1))) / np.sqrt(2)
    return np.kron(halves, halves).astype(np.float32)


_COARSE = _coarse()
