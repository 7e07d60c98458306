"""Training on imported datasets: how quick the store on disk is, and how much memory it takes.

`python -m benchmarks.store FOLDER IMAGES STEPS` compares the store with an array in memory and
prints the seconds of each epoch as JSON.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Options
from benchmarks.ours import new_workspace, train
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median
from core.data.datasets import Split, Splits, load_splits
from core.data.pictures import AT_ONCE_BYTES
from core.files import write_json
from core.imported.dataset import PARTS, About
from core.imported.report import ImportReport, Span
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.workspace import Workspace

MINUTES: dict[str, float] = {"store": 3, "large": 5}
"""What a repeat takes on two quiet cores, about."""
NAME, TESTED = "made-up", 100
SMALL_SIDE, LARGE_SIDE = 64, 224
STORED, LARGE = 92_000, 200_000
"""Pictures of each dataset; those of the first are more than a training holds in memory."""
ROUNDS, STEPS = 4, 200
LARGE_STEPS = 1000
"""So many batches are more pictures than the memory that is allowed could hold."""
BATCH = 32
FEWEST = 200
_BLOCK = {"convolutions": 1, "filters": 8, "kernel": 3, "dropout": 0.0}
SETTINGS: dict[str, Any] = {
    "data.name": NAME,
    "network.channels": 3,
    "network.blocks": [_BLOCK],
    "network.head.pooling": "average",
    "network.head.dense": [16],
    "batch_size": BATCH,
    "schedule": "constant",
}
"""A network so small that reading pictures takes a share of the time that can be seen."""


# --- datasets that were never imported --------------------------------------------------------


def make_dataset(workspace: Workspace, side: int, images: int, filled: bool) -> None:
    """Write a dataset of `images` pictures to train on and TESTED to test with, of two classes.

    filled: with noise; else the file is sparse and takes no room on disk, though reading it takes
    as much memory as reading any other.
    """
    folder, count = workspace.imported / NAME, images + TESTED
    folder.mkdir(parents=True)
    shape = (count, side, side, 3)
    pictures = np.lib.format.open_memmap(folder / "pictures.npy", "w+", np.uint8, shape)
    for rows in _chunks(count) if filled else ():
        random = np.random.default_rng(rows.start)
        size = len(pictures[rows])
        pictures[rows] = random.integers(0, 256, (size, side, side, 3), np.uint8)
    del pictures
    parts = np.where(np.arange(count) < images, PARTS.index("train"), PARTS.index("test"))
    columns: dict[str, NDArray[Any]] = {
        "labels": (np.arange(count) % 2).astype(np.int32),
        "parts": parts.astype(np.uint8),
        "sizes": np.tile(np.array([side, side, 3], np.int32), (count, 1)),
        "digests": np.random.default_rng(0).integers(0, 256, (count, 32), np.uint8),
    }
    for name, array in columns.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    write_json(folder / "names.json", [f"{number}.png" for number in range(count)])
    write_json(folder / "report.json", _report(side, count).model_dump(mode="json"))
    write_json(folder / "about.json", _about(side, images).model_dump(mode="json"))


def _chunks(count: int, size: int = 2000) -> Iterator[slice]:
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _about(side: int, images: int) -> About:
    return About(
        name=NAME,
        class_names=("even", "odd"),
        kind="nothing",
        source="nowhere",
        by_class=False,
        alike=True,
        shape=(side, side, 3),
        images={"train": images, "validation": 0, "test": TESTED, "unlabelled": 0},
        fingerprint="0" * 64,
        created=datetime.now().astimezone(),
    )


def _report(side: int, count: int) -> ImportReport:
    span = Span(smallest=side, usual=side, largest=side)
    return ImportReport(found=count, imported=count, images={}, widths=span, heights=span, grey=0)


# --- the store against an array in memory, in a process of its own ----------------------------


def compare(folder: Path, images: int, steps: int) -> Sample:
    """Seconds of epochs that train from the store and from memory, in turn."""
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.network import models, precision
    from core.registry.runs import Runs
    from core.training import devices

    workspace = Workspace(folder)
    make_dataset(workspace, SMALL_SIDE, images, filled=True)
    settings = {"side": SMALL_SIDE, "steps_per_epoch": steps, "epochs": 3, "test_images": 10}
    config = change(RECIPES["cnn-digits"].config, SETTINGS | settings)
    config = change(config, {"data.classes": ["even", "odd"]})
    stored = load_splits(config.data, config.seed, side=SMALL_SIDE, workspace=workspace)
    kinds = {"store": stored, "memory": in_memory(stored)}
    number_format = precision.resolve(
        config.precision, precision.cpu_flags(), devices.gpu_capabilities()
    )
    network = models.start(config, number_format, Runs(workspace))
    seconds: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(ROUNDS):
        for kind, splits in kinds.items():
            taken = _epochs(config, splits, network, workspace, number_format)
            seconds[kind] += taken[1:]  # the first one compiles
    medians = {f"{kind}_rate": _rate(steps, taken) for kind, taken in seconds.items()}
    size = images * SMALL_SIDE**2 * 3
    return {"images": images, "held": size <= AT_ONCE_BYTES, "seconds": seconds, **medians}


def in_memory(splits: Splits) -> Splits:
    """The same images as arrays."""
    train, test = (
        Split(np.array(split.images), split.labels, split.indices, split.digests)
        for split in (splits.train, splits.test)
    )
    return Splits(train, test, test)


def _epochs(
    config: RunConfig, splits: Splits, network: Any, workspace: Workspace, number_format: str
) -> list[float]:
    """Seconds of each epoch of one training, without its test."""
    from core.training.feature_cache import FeatureCache
    from core.training.progress import EpochEnd, Event
    from core.training.training import train as train_network

    ended: list[float] = []

    def note(event: Event) -> None:
        if isinstance(event, EpochEnd):
            ended.append(event.seconds - event.test_seconds)

    cache = FeatureCache(workspace.features, 0)
    train_network(config, splits, network, cache, number_format, note, lambda: False)
    return ended


def _rate(steps: int, seconds: list[float]) -> float:
    return steps * BATCH / float(np.median(seconds))


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The store against memory, and the memory that a large dataset takes."""

    def both(repeat: int) -> Sample:
        images, steps = (max(FEWEST, round(options.fraction * n)) for n in (STORED, STEPS))
        with new_workspace(options, f"store-{repeat}") as folder:
            words = (str(folder), str(images), str(steps if options.whole else 3))
            return last_json(run_module("benchmarks.store", *words, timeout=HOUR).output)

    def large(repeat: int) -> Sample:
        images = max(FEWEST, round(options.fraction * LARGE))
        steps = LARGE_STEPS if options.whole else 3
        settings = {
            "side": LARGE_SIDE,
            "steps_per_epoch": steps,
            "data.validation": 0.05,
            "validation_steps": 5,
            "data.test_images": 20,
        }
        with new_workspace(options, f"large-{repeat}") as folder:
            make_dataset(Workspace(folder), LARGE_SIDE, images, filled=False)
            return train("cnn-digits", SETTINGS | settings, folder)

    return [
        Benchmark("store", [Step("both", both)], lambda taken: _store(taken, options.whole)),
        Benchmark("large", [Step("ours", large)], lambda taken: _large(taken, options.whole)),
    ]


def _store(samples: Samples, judged: bool) -> list[Row]:
    taken = samples.get("both", [])
    return [
        Row(
            "a small CNN, 64x64: training from the store on disk, against an array in memory",
            "images/s",
            median(taken, "store_rate"),
            median(taken, "memory_rate"),
            Goal("at least", 0.9, "ratio"),
            f"{STORED:,} pictures, more than are held in memory; both in one process, in turn",
            judged,
        )
    ]


def _large(samples: Samples, judged: bool) -> list[Row]:
    taken = samples.get("ours", [])
    size = LARGE * LARGE_SIDE**2 * 3 / 2**30
    return [
        Row(
            f"{LARGE:,} pictures of 224x224 ({size:.0f} GiB): most memory that the worker held",
            "GiB",
            median(taken, "peak_memory"),
            goal=Goal("at most", 3 * 2**30),
            note=f"{LARGE_STEPS:,} batches of {BATCH}, from a sparse file",
            judged=judged,
        )
    ]


if __name__ == "__main__":
    print(json.dumps(compare(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
