"""The commands of `python -m core`: each takes the workspace and its arguments, returns JSON."""

import contextlib
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from core import comparison
from core.architectures import ARCHITECTURES
from core.catalogue import DATASETS
from core.config import change, parse_settings
from core.datasets import load_splits
from core.engine import LocalEngine
from core.errors import InvalidRequest, UnreadableImage
from core.export import export_comparison
from core.metrics import read_events
from core.preprocessing import Pixels, decode, to_digit, to_grey
from core.recipes import RECIPES, find_recipe
from core.runs import WAITING_OR_WORKING, Run, Runs
from core.workspace import Workspace

SPLITS = ("train", "validation", "test")
POLL_SECONDS = 0.2
FAILED = ("failed", "interrupted")


@dataclass(frozen=True)
class Result:
    """What a command found, and the exit status that goes with it."""

    content: dict[str, Any]
    status: int = 0


def recipes(workspace: Workspace, options: Namespace) -> Result:
    """Every recipe with its configuration; as text, without."""
    listed = [
        {
            "recipe": recipe.name,
            "reported_accuracy": recipe.reported_accuracy,
            "summary": recipe.summary,
            **({"config": recipe.config.model_dump(mode="json")} if options.json else {}),
        }
        for recipe in RECIPES.values()
    ]
    return Result({"recipes": listed})


def architectures(workspace: Workspace, options: Namespace) -> Result:
    """Every network with what it can take."""
    listed = [
        {
            "architecture": name,
            "modes": list(known.modes),
            "weights": list(known.weights),
            "smallest_side": known.smallest_side,
            "channels": known.channels,
            "summary": known.summary,
        }
        for name, known in ARCHITECTURES.items()
    ]
    return Result({"architectures": listed})


def datasets(workspace: Workspace, options: Namespace) -> Result:
    """Every dataset with its size."""
    listed = [
        {
            "dataset": name,
            "classes": len(facts.class_names),
            "train_images": facts.train_images,
            "test_images": facts.test_images,
            "source": facts.source,
        }
        for name, facts in DATASETS.items()
    ]
    return Result({"datasets": listed})


def train(workspace: Workspace, options: Namespace) -> Result:
    """Queue a run and wait for its end, unless detached."""
    config = change(find_recipe(options.recipe).config, parse_settings(options.settings))
    runs, engine = Runs(workspace), LocalEngine(workspace)
    run = runs.create(config, options.name)
    engine.submit(run)
    if options.detach:
        return Result(describe(run))
    try:
        run = _wait(runs, run)
    except KeyboardInterrupt:
        with contextlib.suppress(InvalidRequest):  # it ended just now
            engine.stop(run)
        run = _wait(runs, run)
    return Result(describe(run), status=1 if run.status in FAILED else 0)


def runs(workspace: Workspace, options: Namespace) -> Result:
    """Every run, newest first, and the folders that cannot be read."""
    listed = [
        {
            "run": run.id,
            "name": run.name,
            "status": run.status,
            "recipe": run.config.recipe,
            "epochs": run.state.epochs_done,
            "test_accuracy": run.state.metrics.get("test_accuracy"),
            "seconds": round(run.state.seconds, 1),
        }
        for run in Runs(workspace).all()
    ]
    damaged = [{"damaged": run.id, "reason": run.reason} for run in Runs(workspace).damaged()]
    return Result({"runs": listed, "damaged": damaged})


def show(workspace: Workspace, options: Namespace) -> Result:
    """One run."""
    return Result(describe(Runs(workspace).find(options.run)))


def stop(workspace: Workspace, options: Namespace) -> Result:
    """Ask a run to stop."""
    runs = Runs(workspace)
    run = runs.find(options.run)
    LocalEngine(workspace).stop(run)
    return Result(describe(runs.again(run)))


def delete(workspace: Workspace, options: Namespace) -> Result:
    """Delete a run, also one whose files are damaged."""
    runs = Runs(workspace)
    run = runs.find_any(options.run)
    runs.delete(run)
    return Result({"deleted": run.id})


def evaluate(workspace: Workspace, options: Namespace) -> Result:
    """Measure a run's best weights on one of its splits."""
    run = Runs(workspace).find(options.run)
    split = getattr(load_splits(run.config.data, run.config.seed), options.split)
    from core.quiet import load_tensorflow

    load_tensorflow()
    from core.models import load_run
    from core.predictor import LoadedNetwork
    from core.training import measure

    network = LoadedNetwork(load_run(run), run.config.network)
    with tqdm(total=len(split), unit="image", desc="evaluating") as bar:
        probabilities = network.probabilities(split.images, lambda done: _move(bar, done))
    metrics = measure(probabilities, split.labels)
    return Result(
        {
            "run": run.id,
            "name": run.name,
            "split": options.split,
            "images": len(split),
            "metrics": metrics,
        }
    )


def compare(workspace: Workspace, options: Namespace) -> Result:
    """Compare two runs from their stored predictions."""
    runs = Runs(workspace)
    compared = comparison.compare(runs.find(options.run_a), runs.find(options.run_b))
    content = comparison.as_json(compared)
    if options.export:
        content["exported"] = export_comparison(compared, Path(options.export))
    return Result(content)


def predict(workspace: Workspace, options: Namespace) -> Result:
    """Rank the classes of each picture; one that cannot be read gets its error instead."""
    run = Runs(workspace).find(options.run)
    from core.quiet import load_tensorflow

    load_tensorflow()
    from core.models import load_run
    from core.predictor import LoadedNetwork

    network = LoadedNetwork(load_run(run), run.config.network)
    predictions = [_predict_one(network, run, path) for path in options.images]
    failed = any("error" in prediction for prediction in predictions)
    return Result({"run": run.id, "predictions": predictions}, status=2 if failed else 0)


def describe(run: Run) -> dict[str, Any]:
    """A run as `train` and `show` print it."""
    state, counted = run.state, run.config.parameters
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "recipe": run.config.recipe,
        "epochs": state.epochs_done,
        "best_epoch": state.best_epoch,
        "seconds": state.seconds,
        "precision": state.precision,
        "metrics": state.model_dump(mode="json")["metrics"],
        "parameters": {"total": counted.total, "trainable": counted.trainable},
        "config": run.config.model_dump(mode="json"),
        **({"error": state.error.model_dump()} if state.error else {}),
    }


def _predict_one(network: Any, run: Run, path: str) -> dict[str, Any]:
    try:
        image = _image_for(run, Path(path))
    except UnreadableImage as error:
        return {"path": path, "error": str(error)}
    probabilities = network.probabilities(image[None])[0]
    ranked = [
        {"class": run.config.class_names[label], "probability": float(probabilities[label])}
        for label in (-probabilities).argsort(kind="stable")
    ]
    return {"path": path, "ranked": ranked}


def _image_for(run: Run, path: Path) -> Pixels:
    try:
        picture = decode(path.read_bytes())
    except OSError as error:
        raise UnreadableImage(f"the file cannot be read: {error.strerror or error}") from None
    return to_digit(picture).digit if DATASETS[run.config.data.name].digits else to_grey(picture)


def _wait(runs: Runs, run: Run) -> Run:
    """Follow a run to its end with a progress bar for each phase."""
    offset = 0
    with _Bars() as bars:
        while True:
            run = runs.again(run)
            events, offset = read_events(run.folder.metrics, offset)
            for event in events:
                bars.show(event)
            if run.status not in WAITING_OR_WORKING:
                return run
            time.sleep(POLL_SECONDS)


class _Bars:
    """One progress bar on standard error, begun anew for each phase or epoch."""

    def __init__(self) -> None:
        self._title = ""
        self._bar: Any = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def show(self, event: dict[str, Any]) -> None:
        if event["event"] == "phase":
            self._move(event["phase"], event["done"], event["total"], event["unit"])
        elif event["event"] == "batch":
            self._move(f"epoch {event['epoch']}", event["batch"], event["batches"], "batches")
            self._bar.set_postfix(loss=event["loss"], accuracy=event["accuracy"])

    def _move(self, title: str, done: int, total: int, unit: str) -> None:
        if title != self._title:
            self._close()
            self._title = title
            self._bar = tqdm(total=total, desc=title, unit=f" {unit}")
        _move(self._bar, done)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
