"""Images to try a training on, none of them downloaded and few decoded."""

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from core.data.data_config import DataConfig
from core.data.datasets import Split, Splits, load_part, load_splits
from core.data.resized import DEFAULT_LIMIT
from core.data.rows import Rows
from core.imported.dataset import Part as AnyPart
from core.registry.config import RunConfig
from core.training.feature_cache import FeatureCache, Features
from core.workspace import Workspace

MADE_UP_PICTURES = 256
"""How many pictures are made up of those that lie in files; they come again and again."""


@dataclass(frozen=True)
class Material:
    """The images to try a training on: its own where they are at hand, else made up.

    decoding: seconds that decoding pictures will take. mapped: bytes of pictures that are read
    from disk. waits_for: where images will be that are not there yet.
    """

    splits: Splits
    decoding: float = 0.0
    mapped: int = 0
    waits_for: tuple[Path, ...] = ()


class DecodedPictures(FeatureCache):
    """Finds pictures that were decoded before; of others it decodes a few."""

    def store(
        self,
        key: Mapping[str, Any],
        shapes: Sequence[tuple[int, ...]],
        dtype: DTypeLike,
        batches: Iterable[Features],
    ) -> Features:
        """Raises Undecoded."""
        started = time.perf_counter()
        decoded = len(next(iter(batches))[0])
        per_picture = (time.perf_counter() - started) / decoded
        raise Undecoded(shapes[0][0], per_picture)


class Undecoded(Exception):
    """So many pictures are still to be decoded, each of which takes some seconds."""

    def __init__(self, count: int, per_picture: float) -> None:
        super().__init__(count, per_picture)
        self.count = count
        self.seconds = count * per_picture


def material(config: RunConfig, workspace: Workspace) -> Material:
    """The images of a training, none of them downloaded and few decoded."""
    data, facts = config.data, config.data.facts
    if data.sized:
        return _pictures(config, workspace)
    file = workspace.datasets / f"{data.name}.npz"
    if facts.bundled or data.path or file.is_file():
        return Material(load_splits(data, config.seed, workspace=workspace))
    counts = {"train": facts.train_images or 0, "test": facts.test_images or 0}
    return Material(_made_up(data, counts, facts.image_shape), waits_for=(file,))


def _pictures(config: RunConfig, workspace: Workspace) -> Material:
    """Pictures that are read from disk, decoded before or still to be decoded."""
    data, side = config.data, config.network.side
    cache = DecodedPictures(workspace.pictures, DEFAULT_LIMIT)
    counts: dict[str, int] = {}
    shape, decoding, mapped = (side, side, 3), 0.0, 0
    for part, most in _parts(data).items():
        try:
            read = load_part(data, part, most, side=side, workspace=workspace, pictures=cache)
            counts[part], shape = len(read), read.images.shape[1:]
        except Undecoded as undecoded:
            counts[part] = undecoded.count
            decoding += undecoded.seconds
        mapped += counts[part] * math.prod(shape)
    if not decoding:
        splits = load_splits(data, config.seed, side=side, workspace=workspace)
        return Material(splits, mapped=mapped)
    splits = _made_up(data, counts, shape)
    return Material(splits, decoding, mapped, waits_for=(workspace.pictures,))


def _parts(data: DataConfig) -> dict[AnyPart, int | None]:
    """The parts of a dataset that a run reads, and how many images of each; None for all."""
    parts: dict[AnyPart, int | None] = {"train": data.train_images, "test": data.test_images}
    return parts | ({"validation": None} if data.validation == "own" else {})


def _made_up(data: DataConfig, counts: Mapping[str, int], shape: tuple[int, ...]) -> Splits:
    """Random images and labels, as many as the real ones."""

    def split(count: int) -> Split:
        images: Any = random_numbers((min(count, most), *shape), np.uint8)
        if len(images) < count:
            images = Rows(images, np.arange(count) % len(images))
        labels = np.arange(count) % len(data.class_names)
        digests = np.zeros((count, 32), np.uint8) if data.sized else None
        return Split(images, labels, np.arange(count), digests)

    most = MADE_UP_PICTURES if data.sized else max(counts.values())
    train = min(counts["train"], data.train_images or counts["train"])
    test = split(min(counts["test"], data.test_images or counts["test"]))
    if data.validation == "test":
        return Splits(split(train), test, test)
    if data.validation == "own":
        return Splits(split(train), split(counts["validation"]), test)
    held_out = round(train * data.validation)
    return Splits(split(train - held_out), split(held_out), test)


def random_numbers(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Numbers of a kind, the same ones each time: whole ones below 256, others below 1."""
    random, kind = np.random.default_rng(0), np.dtype(dtype)
    if kind.kind == "u":
        return random.integers(0, 256, shape, kind)
    return random.random(shape, np.float32).astype(kind)
