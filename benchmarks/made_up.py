"""Runs that never were, in the real form, to see how pages fare among many."""

from __future__ import annotations

import time

import numpy as np

from core.data.catalogue import DATASETS
from core.data.datasets import Split, load_test
from core.processes import this_process
from core.registry.config import RunConfig
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.run_files import Parameters, Status, Usage
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import append_event
from core.workspace import Workspace

STATUSES: tuple[Status, ...] = (*["finished"] * 9, "stopped")  # type: ignore[assignment]
"""Given in turn."""
POINTS = 150
"""Batch events of each run, about what a minute of training leaves."""
LIVE_BATCHES, LIVE_EPOCHS = 260, 20
"""Batch events of each epoch of a run that seems to train, and its epochs."""
CURVE = 60
"""Values of the loss that a run's state holds."""
TAGS = ((), ("baseline",), ("baseline", "paper"))
"""Given in turn."""
PREDICTED = 200
"""The newest runs, which alone have predictions: no page reads those of hundreds."""


def make_runs(workspace: Workspace, count: int) -> None:
    """Create runs that look trained on all of MNIST: state, metrics and predictions, no weights."""
    runs, random = Runs(workspace), np.random.default_rng(0)
    every = [recipe.config for recipe in RECIPES.values()]
    configs = [config for config in every if DATASETS[config.data.name].bundled]
    tests = {config.data: load_test(config.data) for config in configs}
    fingerprints = {data: test.fingerprint() for data, test in tests.items()}
    for number in range(count):
        config = configs[number % len(configs)]
        run = runs.create(config, f"made up {number}", note="Less dropout" if number % 3 else "")
        runs.tag(run, TAGS[number % len(TAGS)])
        right = random.uniform(0.95, 0.995)
        if number >= count - PREDICTED:
            test, truth = tests[config.data], fingerprints[config.data]
            write_truth(run.folder.predictions, test.labels, test.indices, truth)
            right = _predict(run, test, right, random)
        _finish(run, config, fingerprints[config.data], right, random, number)
        _write_metrics(run, random)


def make_pair(workspace: Workspace, images: int) -> None:
    """Create two runs that look tested on so many images, MNIST's moved about, of three epochs."""
    random, bundled = np.random.default_rng(0), load_test(RECIPES["cnn-digits"].config.data)
    rows = np.arange(images) % len(bundled)
    moved = np.roll(bundled.images[rows], 1, axis=2) if images > len(bundled) else bundled.images
    labels = bundled.labels[rows]
    workspace.root.mkdir(parents=True)
    path = workspace.root / "many.npz"
    few = {"x_train": bundled.images[:100], "y_train": bundled.labels[:100]}
    np.savez(path, allow_pickle=False, x_test=moved, y_test=labels, **few)
    test = Split(moved, labels, np.arange(images))
    for recipe, right in (("cnn-digits", 0.99), ("vgg16-digits", 0.96)):
        changes = {"data.path": str(path), "data.test_images": images, "data.train_images": 100}
        config = change(RECIPES[recipe].config, changes)
        run = Runs(workspace).create(config, f"{recipe} on {images:,}")
        write_truth(run.folder.predictions, labels, test.indices, test.fingerprint())
        for epoch in (3, 2, 1):
            reached = _predict(run, test, right - (3 - epoch) / 50, random, epoch)
            if epoch == 3:
                _finish(run, config, test.fingerprint(), reached, random)
        _write_metrics(run, random)
        Runs(workspace).find(run.id).write_state(epoch=3, epochs_done=3, best_epoch=3)


def training_run(workspace: Workspace, points: int) -> Run:
    """A run that this process seems to train, with so many batches told of in 20 epochs."""
    config = change(RECIPES["cnn-digits"].config, {"epochs": LIVE_EPOCHS, "schedule": "cosine"})
    run = Runs(workspace).create(config, "trains now")
    tell_batches(run, 0, points)
    usage = Usage(cores=1.8, memory=2**30, free_memory=2**31)
    return run.write_state(
        status="running", process=this_process(), phase="training", heartbeat=time.time(),
        epoch=LIVE_EPOCHS, epochs_done=LIVE_EPOCHS - 1, best_epoch=LIVE_EPOCHS - 1,
        done=1, total=698, unit="batches", seconds=points / 4, seconds_left=60.0, usage=usage,
        images_per_second=1500.0, metrics={"val_accuracy": 0.99},
    )  # fmt: skip


def tell_batches(run: Run, told: int, more: int) -> None:
    """Append so many batches to the metrics, and the epochs that end with them."""
    each = LIVE_BATCHES
    for step in range(told + 1, told + more + 1):
        epoch, batch = divmod(step - 1, each)
        place = {"epoch": epoch + 1, "batch": batch + 1, "batches": each, "step": step}
        wave = 1 / step + 0.1 * np.sin(step)
        values = {"loss": 1 + wave, "accuracy": 0.5 - wave, "learning_rate": 1e-3}
        time_taken = {"seconds_since_start": step / 4}
        append_event(run.folder.metrics, {"event": "batch", **place, **values, **time_taken})
        if batch + 1 == each:
            ended = {"event": "epoch", "epoch": epoch + 1, "phase": 1, "step": step}
            seconds = {"seconds": 60.0, "test_seconds": 2.0}
            watched = {"val_loss": 1 + wave, "val_accuracy": 0.5 - wave, **time_taken, **seconds}
            append_event(run.folder.metrics, {**ended, **values, **watched})


def _predict(
    run: Run, test: Split, accuracy: float, random: np.random.Generator, epoch: int = 1
) -> float:
    """Write what the run made of the test images; returns the share that it got right."""
    probabilities = _probabilities(test.labels, accuracy, random)
    write_epoch(run.folder.predictions, epoch, probabilities)
    return float((probabilities.argmax(axis=1) == test.labels).mean())


def _finish(
    run: Run,
    config: RunConfig,
    fingerprint: str,
    right: float,
    random: np.random.Generator,
    number: int = 0,
) -> None:
    counted = config.parameters
    run.write_state(
        status=STATUSES[number % len(STATUSES)],
        epoch=1,
        epochs_done=1,
        best_epoch=1,
        seconds=random.uniform(20, 400),
        heartbeat=time.time(),
        precision="float32",
        parameters=Parameters(total=counted.total, trainable=counted.trainable),
        test_fingerprint=fingerprint,
        curve=tuple(2.0 / point + 0.05 * random.random() for point in range(1, CURVE + 1)),
        metrics={
            "loss": 0.2,
            "accuracy": 0.95,
            "test_loss": 0.1,
            "test_accuracy": right,
            "val_loss": 0.1,
            "val_accuracy": right,
        },
    )


def _probabilities(labels: np.ndarray, accuracy: float, random: np.random.Generator) -> np.ndarray:
    """(count, 10) float16, of which about so many have the true class on top."""
    shown = np.where(
        random.random(len(labels)) < accuracy, labels, random.integers(0, 10, len(labels))
    )
    scores = random.exponential(1.0, (len(labels), 10))
    scores[np.arange(len(labels)), shown] += 20
    return (scores / scores.sum(axis=1, keepdims=True)).astype(np.float16)


def _write_metrics(run: Run, random: np.random.Generator) -> None:
    for point in range(1, POINTS + 1):
        loss = 2.0 / point + 0.05 * random.random()
        values = {"loss": loss, "accuracy": 1 - loss / 3, "learning_rate": 1e-3}
        place = {"epoch": 1, "batch": point, "batches": POINTS, "step": point, "images": 400}
        append_event(run.folder.metrics, {"event": "batch", **place, **values})
    last = {"loss": 0.2, "accuracy": 0.95, "val_loss": 0.1, "val_accuracy": 0.97}
    append_event(run.folder.metrics, {"event": "epoch", "epoch": 1, "complete": True, **last})
