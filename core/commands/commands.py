"""The commands of `python -m core`: each takes the workspace and its arguments, returns JSON."""

import sys
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from core.commands.describing import describe
from core.commands.following import follow
from core.data.catalogue import DATASETS
from core.data.datasets import load_splits
from core.data.label_warnings import label_warnings
from core.errors import DamagedFile, InvalidConfig, InvalidRequest
from core.imported.dataset import About
from core.imported.library import Library
from core.network.architectures import ARCHITECTURES
from core.network.network_config import NetworkConfig
from core.preferences import change_preferences, load_preferences
from core.registry import preflight
from core.registry.places import in_queue_order
from core.registry.recipes import RECIPES, find_recipe
from core.registry.run import Run
from core.registry.run_files import WORKING
from core.registry.runs import Runs
from core.registry.settings import change, parse_settings
from core.training import estimates, memory_needs
from core.training.engine import LocalEngine
from core.training.metrics import read_events
from core.workspace import Workspace

FAILED = ("failed", "interrupted")
SPLITS = ("train", "validation", "test")


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
            "modes": list(get_args(NetworkConfig.model_fields["mode"].annotation)),
            "weights": list(known.sources),
            "smallest_side": known.smallest_side,
            "channels": list(known.channels),
            "summary": known.summary,
        }
        for name, known in ARCHITECTURES.items()
    ]
    return Result({"architectures": listed})


def datasets(workspace: Workspace, options: Namespace) -> Result:
    """Every dataset with its size, those imported into the workspace too."""
    listed = [
        {
            "dataset": name,
            "classes": len(facts.class_names) or None,
            "train_images": facts.train_images,
            "validation_images": None,
            "test_images": facts.test_images,
            "source": facts.source,
        }
        for name, facts in DATASETS.items()
    ]
    library, damaged = Library(workspace), []
    for name in library.names():
        try:
            listed.append(_imported(library.find(name).about))
        except DamagedFile as error:
            damaged.append({"damaged": name, "reason": str(error)})
    return Result({"datasets": listed, "damaged": damaged})


def _imported(about: About) -> dict[str, Any]:
    return {
        "dataset": about.name,
        "classes": len(about.class_names),
        **{f"{part}_images": about.images[part] for part in ("train", "validation", "test")},
        "source": f"imported from {about.kind}, {about.source}",
    }


def train(workspace: Workspace, options: Namespace) -> Result:
    """Queue a run and wait for its end, unless detached."""
    runs, engine = Runs(workspace), LocalEngine(workspace)
    config = change(find_recipe(options.recipe).config, parse_settings(options.settings))
    config = preflight.settle(config, runs)
    for warning in label_warnings(config.augmentation, config.data.shows_digits):
        sys.stderr.write(f"python -m core: {warning}\n")
    expected = estimates.find(config, workspace)
    impossible = memory_needs.blocked(config, expected)
    if impossible:
        raise InvalidConfig(impossible)
    run = runs.create(config, options.name, options.note)
    if expected:
        estimates.keep(expected, run)
    return _see_through(runs, engine, run, options.detach)


def _see_through(runs: Runs, engine: LocalEngine, run: Run, detach: bool) -> Result:
    """Have a queued run trained and wait for its end, unless detached."""
    _, told = read_events(run.folder.metrics)  # what it did before it was resumed
    engine.submit(run)
    if detach:
        return Result(describe(run))
    run = follow(runs, run, told)
    return Result(describe(run), status=1 if run.status in FAILED else 0)


def runs(workspace: Workspace, options: Namespace) -> Result:
    """Every run, newest first, and the folders that cannot be read."""
    known, broken = Runs(workspace).read()
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
        for run in known
    ]
    damaged = [{"damaged": run.id, "reason": run.reason} for run in broken]
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


def resume(workspace: Workspace, options: Namespace) -> Result:
    """Let a run go on from where it was, for more epochs if asked."""
    runs = Runs(workspace)
    run = runs.resume(runs.find(options.run), options.more_epochs)
    return _see_through(runs, LocalEngine(workspace), run, options.detach)


def edit(workspace: Workspace, options: Namespace) -> Result:
    """Call a run otherwise, tag it or keep a note with it."""
    if options.name is None and options.tags is None and options.note is None:
        raise InvalidRequest("edit needs something to change: --name, --tags or --note")
    runs = Runs(workspace)
    run = runs.find(options.run)
    if options.name is not None:
        runs.rename(run, options.name)
    if options.tags is not None:
        runs.tag(run, filter(None, options.tags.split(",")))
    if options.note is not None:
        runs.annotate(run, options.note)
    return Result(describe(runs.again(run)))


def queue(workspace: Workspace, options: Namespace) -> Result:
    """The runs that wait and those that train; paused, reordered or widened if asked."""
    runs, engine = Runs(workspace), LocalEngine(workspace)
    asked = {"paused": options.paused, "at_once": options.at_once}
    if changes := {key: value for key, value in asked.items() if value is not None}:
        change_preferences(workspace, **changes)
    if options.first is not None:
        runs.move(runs.find(options.first), 0)
    if options.paused is False and runs.queue():
        engine.wake()  # a runner that is about to leave looks no more whether it is paused
    else:
        engine.wake_if_asleep()
    preferences, known = load_preferences(workspace), runs.all()
    told = {"paused": preferences.paused, "at_once": preferences.at_once}
    training = [run for run in known if run.status in WORKING]
    return Result(told | {"training": _named(training), "waiting": _named(in_queue_order(known))})


def _named(runs: list[Run]) -> list[dict[str, Any]]:
    return [{"run": run.id, "name": run.name, "status": run.status} for run in runs]


def delete(workspace: Workspace, options: Namespace) -> Result:
    """Delete a run, also one whose files are damaged."""
    runs = Runs(workspace)
    run = runs.find_any(options.run)
    runs.delete(run)
    return Result({"deleted": run.id})


def evaluate(workspace: Workspace, options: Namespace) -> Result:
    """Measure a run's best weights on one of its splits."""
    run = Runs(workspace).find(options.run)
    splits = load_splits(
        run.config.data, run.config.seed, side=run.config.network.side, workspace=workspace
    )
    split = getattr(splits, options.split)
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.network.models import load_run
    from core.predicting.predictor import LoadedNetwork
    from core.training.evaluating import measure

    network = LoadedNetwork(load_run(run, options.epoch), run.config.network)
    with tqdm(total=len(split), unit="image", desc="evaluating") as bar:
        probabilities = network.probabilities(split.images, lambda done: _move(bar, done))
    metrics = measure(probabilities, split.labels)
    return Result(
        {
            "run": run.id,
            "name": run.name,
            "epoch": options.epoch or run.state.best_epoch,
            "split": options.split,
            "images": len(split),
            "metrics": metrics,
        }
    )


def export(workspace: Workspace, options: Namespace) -> Result:
    """Write a run's whole network as one file that needs nothing of this project."""
    run = Runs(workspace).find(options.run)
    from core.training.quiet import load_tensorflow

    load_tensorflow()
    from core.network.models import export_keras

    path = export_keras(run, Path(options.output))
    return Result({"run": run.id, "exported": str(path), "bytes": path.stat().st_size})


def _move(bar: Any, done: int) -> None:
    bar.update(done - bar.n)
