"""How much accuracy is lost on the way from a digit in a picture to the network.

`python -m benchmarks.uploads WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.options import Options, image_counts
from benchmarks.ours import train
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step
from core.data.data_config import DataConfig
from core.data.datasets import load_part
from core.data.preprocessing import decode
from core.predicting.digits import to_digit
from core.registry.runs import Runs
from core.training.quiet import load_tensorflow
from core.workspace import Workspace

UPLOADS = 1000
SIDE = 400
SCALES = (3.0, 12.0)
JPEG_QUALITY = 75
ENLARGEMENTS = {
    "nearest": cv2.INTER_NEAREST,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}
"""Ways to enlarge a digit: from hard squares to soft edges."""
NETWORKS = {"cnn": "CNN", "vgg16": "VGG16"}
RECIPES = ("cnn-digits", "vgg16-digits")
MOST_LOST = 0.015
"""Of accuracy, from 0 to 1."""
AS_IT_IS = "as it is"


def uploads(images: NDArray[np.uint8], enlargement: int, seed: int = 0) -> Iterator[bytes]:
    """Each image enlarged, moved anywhere on a canvas, inverted or not, and saved as JPEG."""
    random = np.random.default_rng(seed)
    for image in images:
        side = round(random.uniform(*SCALES) * len(image))
        large = cv2.resize(image, (side, side), interpolation=enlargement)
        top, left = random.integers(0, SIDE - side + 1, 2)
        canvas = np.zeros((SIDE, SIDE), np.uint8)
        canvas[top : top + side, left : left + side] = large
        if random.random() < 0.5:
            canvas = 255 - canvas
        quality = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
        yield cv2.imencode(".jpg", canvas, quality)[1].tobytes()


def accuracies(workspace: Path) -> Sample:
    """Of each network, its accuracy on test digits as they are and as they come from uploads."""
    load_tensorflow()
    from core.network.models import load_run
    from core.predicting.predictor import LoadedNetwork

    split = load_part(DataConfig(), "test")
    chosen = np.random.default_rng(0).permutation(len(split))[:UPLOADS]
    images, labels = split.images[chosen], split.labels[chosen]
    framed = {
        name: np.stack([to_digit(decode(content)).digit for content in uploads(images, how)])
        for name, how in ENLARGEMENTS.items()
    }
    found: Sample = {}
    for run in Runs(Workspace(workspace)).all():
        network = LoadedNetwork(load_run(run), run.config.network)

        def accuracy(digits: NDArray[np.uint8], network: LoadedNetwork = network) -> float:
            return float((network.probabilities(digits).argmax(axis=1) == labels).mean())

        found[run.config.network.architecture] = {
            AS_IT_IS: accuracy(images),
            **{name: accuracy(digits) for name, digits in framed.items()},
        }
    return {"accuracy": found, "uploads": len(chosen)}


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmark of uploads."""

    def measure(repeat: int) -> Sample:
        workspace = options.scratch / "uploads"
        if not workspace.exists():
            for recipe in RECIPES:
                train(recipe, _settings(options), workspace)
        finished = run_module("benchmarks.uploads", str(workspace), timeout=HOUR / 2)
        return last_json(finished.output)

    step = Step("ours", measure)
    return [Benchmark("uploads", [step], lambda samples: _rows(samples, options))]


def _settings(options: Options) -> dict[str, int]:
    """All of the images, or the share that a quick try takes."""
    if options.whole:
        return {}
    train_images, test_images = image_counts(options.fraction)
    return {"data.train_images": train_images, "data.test_images": test_images}


def _rows(samples: Samples, options: Options) -> list[Row]:
    return [_row(samples, options, key, name) for key, name in NETWORKS.items()]


def _row(samples: Samples, options: Options, key: str, name: str) -> Row:
    """The way to enlarge that loses most stands for all; the note has the others."""
    measured = [sample["accuracy"][key] for sample in samples["ours"]]
    each = {
        way: statistics.median(accuracy[way] for accuracy in measured)
        for way in (AS_IT_IS, *ENLARGEMENTS)
        if measured
    }
    listed = ", ".join(f"{way} {100 * value:.2f} %" for way, value in each.items())
    return Row(
        f"{name}, {UPLOADS:,} test digits from uploads, accuracy of the worst way to enlarge",
        "%",
        min((each[way] for way in ENLARGEMENTS if way in each), default=None),
        each.get(AS_IT_IS),
        goal=Goal("at most", MOST_LOST, "difference"),
        judged=options.whole,
        note=f"scaled by 3 to 12, anywhere on {SIDE}x{SIDE}, inverted at random, JPEG of quality "
        f"{JPEG_QUALITY}: {listed or 'none'}",
    )


MINUTES = {"uploads": 6}
"""What a repeat takes on two quiet cores, about; training, most of it, is done once."""


if __name__ == "__main__":
    print(json.dumps(accuracies(Path(sys.argv[1]))))
