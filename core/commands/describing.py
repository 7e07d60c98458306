"""A run as commands print it, with what it was trained on and what was expected of it."""

from typing import Any

from core.registry.environment import read_environments
from core.registry.recipes import command_for
from core.registry.run import Run
from core.training import deviations, estimates


def describe(run: Run) -> dict[str, Any]:
    """A run as `train` and `show` print it."""
    state, counted = run.state, run.config.parameters
    return {
        "run": run.id,
        "name": run.name,
        "status": run.status,
        "recipe": run.config.recipe,
        "note": run.about.note,
        "tags": list(run.about.tags),
        "epochs": state.epochs_done,
        "best_epoch": state.best_epoch,
        "kept_epochs": run.folder.kept_epochs(),
        "seconds": state.seconds,
        "precision": state.precision,
        "metrics": state.model_dump(mode="json")["metrics"],
        "parameters": {"total": counted.total, "trainable": counted.trainable},
        "config": run.config.model_dump(mode="json"),
        **_circumstances(run),
        **({"error": run.failure.model_dump()} if run.failure else {}),
        **_estimated(run),
    }


def _circumstances(run: Run) -> dict[str, Any]:
    """What a run was trained on and with, and how to train it again.

    Environments before the last stand by when the run began in each.
    """
    told = [each.model_dump(mode="json") for each in read_environments(run.folder)]
    content: dict[str, Any] = {"environment": told[-1] if told else None}
    if len(told) > 1:
        content["environments_before"] = {each["began"]: each for each in told[:-1]}
    return content | {"command": command_for(run.config)}


def _estimated(run: Run) -> dict[str, Any]:
    """What was expected of a run, if anything was, and how far off that is once it has ended."""
    expected = estimates.kept(run)
    if expected is None:
        return {}
    content: dict[str, Any] = {"seconds": expected.seconds}
    if run.has_results:
        found = deviations.deviation(expected, run)
        content["seconds_per_epoch"] = [_off(phase) for phase in found.seconds]
        content["memory"] = _off(found.memory)
    return {"estimate": content}


def _off(difference: deviations.Difference) -> dict[str, float]:
    """Both figures, and how far off the estimate was: 0.1 where a tenth more was measured."""
    return {
        "estimated": difference.estimated,
        "measured": difference.measured,
        "off": difference.off,
    }
