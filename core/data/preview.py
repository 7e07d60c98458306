"""Training images as a run would vary them, without the run: the very pixels that it gets."""

import os
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.augmentation import vary_few
from core.data.preprocessing import Pixels, for_network
from core.data.stratified import held_out_positions
from core.registry.choices import settings_of
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change, with_full_keys

Indices = NDArray[np.int64]
Settings = Mapping[str, Any]

BEGINNING: RunConfig = RECIPES["cnn-digits"].config
"""What a preview begins with: a configuration that takes images of any side, grey or in colours."""
OTHERS = ("seed", "network.side", "network.channels", "data.validation")
"""What decides the pixels of a variation beside the augmentation, the images aside."""


def previewed(settings: Settings, config: RunConfig = BEGINNING) -> RunConfig:
    """A configuration whose variations are shown, with what some settings say of them.

    Settings that have no bearing on pixels are left aside. Raises InvalidConfig.
    """
    chosen = with_full_keys(settings, config)
    return change(config, {key: value for key, value in chosen.items() if _decides(key)})


def _decides(key: str) -> bool:
    return key in OTHERS or (key.startswith("augmentation.") and key != "augmentation.passes")


def deciding(config: RunConfig) -> dict[str, Any]:
    """All settings that decide the pixels of variations."""
    settings = settings_of(config)
    return {key: settings[key] for key in settings if _decides(key)}


def trained_on(labels: Indices, config: RunConfig) -> Indices:
    """Indices of the training images, with these labels, that are not held back for validation.

    An image's position among them decides how it is varied.
    """
    validation = config.data.validation
    every = np.arange(len(labels))
    if isinstance(validation, str):
        return every
    return np.setdiff1d(every, held_out_positions(labels, validation, config.seed))


def first_positions(labels: Indices, count: int) -> Indices:
    """Positions of the first images of each class, taken from the classes in turn; by class.

    >>> first_positions(np.array([0, 0, 0, 0, 2, 1]), 5)
    array([0, 1, 2, 5, 4])
    """
    of_class = [np.flatnonzero(labels == label)[:count] for label in np.unique(labels)[:count]]
    in_turn = [
        positions[turn] for turn in range(count) for positions in of_class if turn < len(positions)
    ]
    return _by_class(np.array(in_turn[:count], np.int64), labels)


def random_positions(labels: Indices, count: int, seed: int) -> Indices:
    """Positions of some images, by class; another seed takes others."""
    random = np.random.default_rng(seed)
    chosen = random.choice(len(labels), min(count, len(labels)), replace=False)
    return _by_class(chosen, labels)


def _by_class(positions: Indices, labels: Indices) -> Indices:
    return positions[np.lexsort((positions, labels[positions]))]


def as_trained(pictures: Iterable[Pixels], config: RunConfig, *, from_files: bool) -> Pixels:
    """Pictures in the size and colours of the network: (n, side, side, channels) uint8.

    pictures: each (height, width) or (height, width, 3). from_files: whether the dataset keeps
    files, which are resized in colours before a network may turn them grey.
    """
    side, channels = config.network.side, config.network.channels
    resized = [
        for_network(picture[np.newaxis], side, 3 if from_files else channels)[0]
        for picture in pictures
    ]
    images = np.stack(resized)
    return for_network(images, side, channels) if from_files else images


def varied(images: Pixels, positions: Indices, config: RunConfig, passes: int) -> Pixels:
    """Images at some positions as the first passes vary them: (passes, n, side, side, channels).

    images: (n, side, side, channels), as `as_trained` returns them.
    """
    if not config.augmentation.active:
        return np.repeat(images[np.newaxis], passes, axis=0)

    def varied_by(number: int) -> Pixels:
        return vary_few(images, positions, config.augmentation, config.seed, number)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(varied_by, range(1, passes + 1))))
