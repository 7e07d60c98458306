"""Whether the weights of the sample runs that come along give the accuracy that is told of them."""

from __future__ import annotations

import json
from functools import partial

from benchmarks import ours
from benchmarks.options import Options
from benchmarks.processes import HOUR, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median
from core.registry import samples
from core.registry.runs import Runs
from core.registry.samples import SAMPLED, id_of
from core.workspace import Workspace

MINUTES = {"samples": 2}
"""What a repeat takes on two quiet cores, about."""
FARTHEST = 0.001
"""Apart, as shares of 10,000 images: another precision was seen to change the class of 6."""


def benchmarks(options: Options) -> list[Benchmark]:
    """The one benchmark: a step for each sample, over all test images."""
    steps = [Step(recipe, partial(_measure, options, recipe)) for recipe in SAMPLED]
    return [Benchmark("samples", steps, _rows)]


def _measure(options: Options, recipe: str, repeat: int) -> Sample:
    with ours.new_workspace(options, f"samples-{recipe}-{repeat}") as root:
        runs = Runs(Workspace(root))
        samples.bring(runs)
        run = runs.find(id_of(recipe))
        place = ("--json", "--workspace", str(root))
        finished = run_module("core", "evaluate", run.id, *place, timeout=HOUR)
        measured = json.loads(finished.output)["metrics"]["accuracy"]
        return {"accuracy": measured, "told": run.state.metrics["test_accuracy"]}


def _rows(taken: Samples) -> list[Row]:
    return [
        Row(
            f"sample {recipe}: test accuracy by its weights, against what is told of it",
            "%",
            median(taken[recipe], "accuracy"),
            median(taken[recipe], "told"),
            Goal("at most", FARTHEST, "difference"),
        )
        for recipe in SAMPLED
    ]
