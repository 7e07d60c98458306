"""Trainings of several epochs against plain Keras scripts, which may be timed on fewer epochs."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from benchmarks import ours
from benchmarks.options import Options, image_counts
from benchmarks.processes import run_plain
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median

MINUTES: dict[str, float] = {
    "vgg16-digits-4096": 3,
    "vgg16-finetune": 13,
    "cnn-digits-augmented": 28,
    "backbones": 4,
}
"""What a repeat takes on two quiet cores, about."""
ONCE = ("cnn-digits-augmented",)
"""Measured once, however many repeats are asked for."""


@dataclass(frozen=True)
class Contest:
    """A recipe with settings changed, and the plain script that does the same.

    timed_epochs: those that the script takes where nobody asks for others; at least 2.
    """

    recipe: str
    script: str
    epochs: int
    timed_epochs: int
    images: int
    test_images: int
    settings: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    prefix: str = ""

    @property
    def own_step(self) -> str:
        """Name of the step that trains by the command line."""
        return f"{self.prefix}ours"

    @property
    def plain_step(self) -> str:
        """Name of the step that runs the script."""
        return f"{self.prefix}plain"

    def steps(self, options: Options) -> list[Step]:
        """Ours, then the script, with the same images and the number of the repeat as seed."""
        images, test_images = image_counts(options.fraction, self.images, self.test_images)
        size = ["--images", str(images), "--test-images", str(test_images)]
        size += ["--epochs", str(self._timed(options))]

        def train(repeat: int) -> Sample:
            settings = {
                **self.settings,
                "epochs": self.epochs,
                "data.train_images": images,
                "data.test_images": test_images,
                "seed": repeat,
            }
            with ours.new_workspace(options, f"epochs-{repeat}") as workspace:
                return ours.train(self.recipe, settings, workspace)

        def run_script(repeat: int) -> Sample:
            return run_plain(self.script, *size, "--seed", str(repeat), *self.arguments)

        return [Step(self.own_step, train), Step(self.plain_step, run_script)]

    def seconds(self, samples: Samples) -> tuple[float | None, float | None]:
        """Median seconds of the whole process: ours, and the script's for all epochs."""
        plain = [whole_seconds(sample, self.epochs) for sample in samples.get(self.plain_step, [])]
        taken = median(samples.get(self.own_step, []), "process_seconds")
        return taken, statistics.median(plain) if plain else None

    def accuracies(self, samples: Samples, options: Options) -> tuple[float | None, float | None]:
        """Median test accuracy after the last epoch; of the script only where it came so far."""
        plain = median(samples.get(self.plain_step, []), "test_accuracy")
        complete = self._timed(options) == self.epochs
        return median(samples.get(self.own_step, []), "last_accuracy"), plain if complete else None

    def note(self, options: Options) -> str:
        """How the script was timed."""
        timed = self._timed(options)
        if timed == self.epochs:
            return f"baseline measured in full, all {self.epochs} epochs"
        return (
            f"baseline not measured in full: its whole process timed with {timed} of {self.epochs} "
            "epochs, and the median of its epochs after the first added for each that is missing"
        )

    def _timed(self, options: Options) -> int:
        most = options.baseline_epochs or self.timed_epochs
        return min(max(2, most), self.epochs)


def whole_seconds(sample: Sample, epochs: int) -> float:
    """Seconds of a script's process for so many epochs, by its own times where it ran fewer.

    >>> whole_seconds({"process_seconds": 20.0, "seconds_by_epoch": [6.0, 4.0, 5.0]}, 10)
    51.5
    """
    later = sample["seconds_by_epoch"][1:]
    missing = epochs - len(sample["seconds_by_epoch"])
    return float(sample["process_seconds"] + missing * statistics.median(later))


VGG16_4096 = Contest(
    recipe="vgg16-digits-4096",
    script="benchmarks.plain_vgg16_4096",
    epochs=100,
    timed_epochs=10,
    images=1000,
    test_images=100,
)
FINETUNE = Contest(
    recipe="vgg16-digits",
    script="benchmarks.plain_vgg16_finetune",
    epochs=5,
    timed_epochs=5,
    images=10_000,
    test_images=10_000,
    settings={
        "network.mode": "finetune",
        "network.frozen_layers": "block4",
        "learning_rate": 1e-4,
        "schedule": "constant",
    },
)
BACKBONES = {
    name: Contest(
        recipe="vgg16-digits",
        script="benchmarks.plain_backbones",
        epochs=2,
        timed_epochs=2,
        images=2000,
        test_images=500,
        settings={
            "network.architecture": name,
            "network.weights": "random",
            "network.side": 96,
            "network.head.pooling": "average",
            "network.head.dense": [64],
            "network.head.dropout": 0,
            "learning_rate": 1e-3,
            "schedule": "constant",
            "batch_size": 64,
        },
        arguments=("--architecture", name),
        prefix=f"{name}: ",
    )
    for name in ("inceptionv3", "mobilenet", "resnet50")
}


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmarks in the order of their names."""
    return [
        Benchmark(
            "vgg16-digits-4096",
            VGG16_4096.steps(options),
            lambda samples: _4096_rows(samples, options),
        ),
        Benchmark(
            "vgg16-finetune",
            FINETUNE.steps(options),
            lambda samples: _finetune_rows(samples, options),
        ),
        Benchmark(
            "cnn-digits-augmented",
            [Step("ours", _train_augmented(options), needed=lambda samples: "ours" not in samples)],
            lambda samples: _augmented_rows(samples, options),
        ),
        Benchmark(
            "backbones",
            [step for contest in BACKBONES.values() for step in contest.steps(options)],
            lambda samples: _backbone_rows(samples, options),
        ),
    ]


def _train_augmented(options: Options) -> Callable[[int], Sample]:
    images, test_images = image_counts(options.fraction)
    settings = {"data.train_images": images, "data.test_images": test_images}

    def train(repeat: int) -> Sample:
        with ours.new_workspace(options, "augmented") as workspace:
            return ours.train("cnn-digits-augmented", settings, workspace)

    return train


# --- rows -------------------------------------------------------------------------------------


def _4096_rows(samples: Samples, options: Options) -> list[Row]:
    return [
        _time_row(
            "VGG16 under two layers of 4096, 100 epochs of 1,000 images: whole process, against "
            "plain Keras",
            VGG16_4096,
            samples,
            options,
            Goal("at least", 10, "ratio"),
        ),
        Row(
            "VGG16 under two layers of 4096: test accuracy after the last epoch",
            "%",
            *VGG16_4096.accuracies(samples, options),
        ),
    ]


def _finetune_rows(samples: Samples, options: Options) -> list[Row]:
    return [
        _time_row(
            "VGG16 with block 5 trained along, 5 epochs of 10,000 images: whole process, against "
            "plain Keras",
            FINETUNE,
            samples,
            options,
            Goal("at least", 3, "ratio"),
        ),
        Row(
            "VGG16 with block 5 trained along: test accuracy after the last epoch",
            "%",
            *FINETUNE.accuracies(samples, options),
            Goal("at most", 0.005, "difference"),
            judged=options.whole,
        ),
    ]


def _augmented_rows(samples: Samples, options: Options) -> list[Row]:
    taken = samples.get("ours", [])
    note = "".join(
        f"epoch {sample['best_epoch']} of {len(sample['accuracy_by_epoch'])} was the best, chosen "
        "by its accuracy on the test images themselves, as in the articles, and so a little "
        "flattering; the last epoch is not chosen"
        for sample in taken
    )
    return [
        Row(
            "CNN on varied digits, 30 epochs: test accuracy of the best epoch",
            "%",
            median(taken, "test_accuracy"),
            goal=Goal("at least", 0.9967),
            note=note,
            judged=options.whole,
        ),
        Row(
            "CNN on varied digits, 30 epochs: test accuracy of the last epoch",
            "%",
            median(taken, "last_accuracy"),
            note=note,
        ),
        Row(
            "CNN on varied digits, 30 epochs: whole process",
            "s",
            median(taken, "process_seconds"),
        ),
    ]


def _backbone_rows(samples: Samples, options: Options) -> list[Row]:
    return [
        _time_row(
            f"{name} of random weights, frozen, 96x96, 2 epochs of 2,000 images: whole process, "
            "against plain Keras",
            contest,
            samples,
            options,
        )
        for name, contest in BACKBONES.items()
    ]


def _time_row(
    what: str, contest: Contest, samples: Samples, options: Options, goal: Goal | None = None
) -> Row:
    seconds = contest.seconds(samples)
    return Row(what, "s", *seconds, goal, contest.note(options), judged=options.whole)
