"""Runs that never were, in the real form, to see how pages fare among many."""

from __future__ import annotations

import time

import numpy as np

from core.catalogue import DATASETS
from core.config import RunConfig
from core.datasets import Split, load_test
from core.metrics import append_event
from core.predictions import write_epoch, write_truth
from core.recipes import RECIPES
from core.run_files import Parameters, Status
from core.runs import Run, Runs
from core.workspace import Workspace

STATUSES: tuple[Status, ...] = (*["finished"] * 9, "stopped")  # type: ignore[assignment]
"""Given in turn."""
POINTS = 150
"""Batch events of each run, about what a minute of training leaves."""


def make_runs(workspace: Workspace, count: int) -> None:
    """Create runs that look trained on all of MNIST: state, metrics and predictions, no weights."""
    runs, random = Runs(workspace), np.random.default_rng(0)
    every = [recipe.config for recipe in RECIPES.values()]
    configs = [config for config in every if DATASETS[config.data.name].bundled]
    tests = {config.data: load_test(config.data) for config in configs}
    fingerprints = {data: test.fingerprint() for data, test in tests.items()}
    for number in range(count):
        config = configs[number % len(configs)]
        run = runs.create(config, f"made up {number}")
        test = tests[config.data]
        write_truth(run.folder.predictions, test.labels, test.indices, fingerprints[config.data])
        _finish(run, config, test, fingerprints[config.data], random)
        _write_metrics(run, random)


def _finish(
    run: Run, config: RunConfig, test: Split, fingerprint: str, random: np.random.Generator
) -> None:
    accuracy = random.uniform(0.95, 0.995)
    probabilities = _probabilities(test.labels, accuracy, random)
    write_epoch(run.folder.predictions, 1, probabilities)
    right = float((probabilities.argmax(axis=1) == test.labels).mean())
    counted = config.parameters
    run.write_state(
        status=STATUSES[int(run.name.split()[-1]) % len(STATUSES)],
        epoch=1,
        epochs_done=1,
        best_epoch=1,
        seconds=random.uniform(20, 400),
        heartbeat=time.time(),
        precision="float32",
        parameters=Parameters(total=counted.total, trainable=counted.trainable),
        test_fingerprint=fingerprint,
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
