"""How many of MNIST's published wrong test labels stand among the first suspects of a list."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import ours
from benchmarks.options import Options, image_counts
from benchmarks.record import Benchmark, Row, Sample, Samples, Step, median
from core.analysis.comparison import compare
from core.analysis.images import Images
from core.analysis.selection import Positions
from core.analysis.suspects import agreed, doubts
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

MINUTES = {"wrong-labels": 8}
"""What a repeat takes on two quiet cores, about."""
PUBLISHED = Path(__file__).parent / "mnist_wrong_labels.json"
FIRST = 50
"""So many of a list a person looks through."""
LISTS = {"agreed": "both say otherwise", "average": "confident learning, both averaged"}
PAIRS = {"cnn and vgg16": ("cnn", "vgg16"), "two cnns": ("cnn", "other")}


def benchmarks(options: Options) -> list[Benchmark]:
    """The one benchmark: how it finds wrong labels, not how long it takes."""
    step = Step("ours", lambda repeat: _measure(options, repeat))
    return [Benchmark("wrong-labels", [step], lambda samples: _rows(samples, options))]


def found(first: Positions, indices: Positions) -> int:
    """How many of the published wrong labels are among the first of a list of positions."""
    published = {image["index"] for image in json.loads(PUBLISHED.read_text())["images"]}
    return len(published.intersection(indices[first[:FIRST]].tolist()))


def find(a: Run, b: Run) -> dict[str, int]:
    """How many each list finds, given two networks."""
    images = Images(compare(a, b))
    indices = images.comparison.a.predictions.indices
    probabilities = (side.predictions.probabilities for side in images.comparison.sides)
    return {
        "agreed": found(agreed(images), indices),
        "average": found(doubts(images.truth, *probabilities).ranked, indices),
    }


def _measure(options: Options, repeat: int) -> Sample:
    images, test_images = image_counts(options.fraction)
    with ours.new_workspace(options, f"wrong-labels-{repeat}") as workspace:
        recipes = {"cnn": "cnn-digits", "vgg16": "vgg16-digits", "other": "cnn-digits"}
        for name, recipe in recipes.items():
            seed = repeat + 1000 if name == "other" else repeat
            sizes = {"data.train_images": images, "data.test_images": test_images}
            ours.train(recipe, {"seed": seed, **sizes}, workspace)
        trained = Runs(Workspace(workspace)).all()  # the newest first
        runs = dict(zip(recipes, reversed(trained), strict=True))
        return {
            f"{pair}, {name}": count
            for pair, (a, b) in PAIRS.items()
            for name, count in find(runs[a], runs[b]).items()
        }


def _rows(samples: Samples, options: Options) -> list[Row]:
    return [
        Row(
            f"wrong labels of 15 among the first {FIRST}: {pair}, {words}",
            "images",
            median(samples["ours"], f"{pair}, {name}"),
            judged=options.whole,
        )
        for pair in PAIRS
        for name, words in LISTS.items()
    ]
