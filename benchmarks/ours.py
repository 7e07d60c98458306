"""Training by the command line, as a person does who wants no page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.options import Options
from benchmarks.processes import LONGEST, end_runs, run_module
from benchmarks.record import Failed, Sample
from core.registry.runs import Runs
from core.training.metrics import read_events
from core.workspace import Workspace


@contextmanager
def new_workspace(options: Options, name: str) -> Iterator[Path]:
    """A workspace that is not there yet, so without features, and gone afterwards."""
    workspace = options.scratch / name
    try:
        yield workspace
    finally:
        shutil.rmtree(workspace, ignore_errors=True)


def train(recipe: str, settings: Mapping[str, Any], workspace: Path) -> Sample:
    """Train and wait; what the command printed, and what the run's folder says.

    `process_seconds` are those from the start of the command to its end. Raises Failed.
    """
    assignments = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    arguments = [word for assignment in assignments for word in ("--set", assignment)]
    place = ["--json", "--workspace", str(workspace)]
    try:
        finished = run_module("core", "train", recipe, *place, *arguments, timeout=LONGEST)
    except Failed as failure:
        raise Failed(_reason(workspace) or str(failure)) from None
    finally:
        end_runs(Workspace(workspace))
    printed = json.loads(finished.output)
    run = Runs(Workspace(workspace)).find(printed["run"])
    events, _ = read_events(run.folder.metrics)
    epochs = [event for event in events if event["event"] == "epoch"]
    if not epochs:
        raise Failed(f"{recipe} ended as {run.status} without an epoch")
    return {
        "process_seconds": finished.seconds,
        "epoch_seconds": epochs[0]["seconds"],
        "seconds_by_epoch": [epoch["seconds"] for epoch in epochs],
        "run_seconds": printed["seconds"],
        "test_accuracy": printed["metrics"]["test_accuracy"],
        "accuracy_by_epoch": [epoch["test_accuracy"] for epoch in epochs],
        "last_accuracy": epochs[-1]["test_accuracy"],
        "best_epoch": printed["best_epoch"],
        "peak_memory": run.state.peak_memory,
        "precision": printed["precision"],
        "images": run.config.data.train_images,
        "test_images": run.config.data.test_images,
        "seed": run.config.seed,
    }


def _reason(workspace: Path) -> str | None:
    """What the newest run says about its failure."""
    errors = (run.state.error for run in Runs(Workspace(workspace)).all())
    return next((error.sentence for error in errors if error is not None), None)
