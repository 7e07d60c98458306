"""Training by a recipe against the plain Keras script: seconds, accuracy and memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import ours
from benchmarks.options import Options, image_counts
from benchmarks.processes import run_plain
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step, median

SMALLER = 4
"""The baseline is timed at its share of the images and at this part of it, if extrapolated."""
MEMORY_GOAL = Goal("at most", 3 * 2**30)
OWN_SHARES = {"cnn-digits": 1.0, "vgg16-digits": 0.1}
PLAIN_SCRIPTS = {"cnn-digits": "benchmarks.plain_cnn", "vgg16-digits": "benchmarks.plain_vgg16"}
MINUTES = {"cnn-digits": 3, "vgg16-digits": 6}
"""What a repeat takes on two quiet cores, about."""
WAYS: dict[str, list[str]] = {"plain": [], "plain no XLA": ["--no-xla"]}
"""The baselines: as Keras compiles by default, and without XLA. Without a GPU Keras 3.15 takes no
XLA by itself: there both are the same, and only the first is measured."""


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmarks of both recipes."""
    cnn = Baseline.of("cnn-digits", options)
    vgg16 = Baseline.of("vgg16-digits", options)
    return [
        Benchmark(
            "cnn-digits",
            [Step("ours", lambda repeat: _train_once(options, repeat)), *cnn.steps()],
            lambda samples: _cnn_rows(samples, cnn),
        ),
        Benchmark(
            "vgg16-digits",
            [Step("ours", lambda repeat: _train_twice(options, repeat)), *vgg16.steps()],
            lambda samples: _vgg16_rows(samples, vgg16),
        ),
    ]


# --- ours -------------------------------------------------------------------------------------


def _train(recipe: str, options: Options, workspace: Path, seed: int) -> Sample:
    images, test_images = image_counts(options.fraction)
    settings = {"seed": seed, "data.train_images": images, "data.test_images": test_images}
    return ours.train(recipe, settings, workspace)


def _train_once(options: Options, repeat: int) -> Sample:
    with ours.new_workspace(options, f"cnn-{repeat}") as workspace:
        return _train("cnn-digits", options, workspace, seed=repeat)


def _train_twice(options: Options, repeat: int) -> Sample:
    """First in an empty workspace, features included, then again with the features there."""
    with ours.new_workspace(options, f"vgg16-{repeat}") as workspace:
        first = _train("vgg16-digits", options, workspace, seed=repeat)
        second = _train("vgg16-digits", options, workspace, seed=repeat)
    return {
        **first,
        "second_process_seconds": second["process_seconds"],
        "second_epoch_seconds": second["epoch_seconds"],
        "second_test_accuracy": second["test_accuracy"],
        "second_peak_memory": second["peak_memory"],
    }


# --- the baseline -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Baseline:
    """The plain script of a recipe, run on a share of the images.

    Where `share` is less than `wanted` the script is timed on two shares, and the line through
    the two tells the seconds for `wanted`: what is there with no image at all, such as imports
    and compiling, counts once.
    """

    recipe: str
    share: float
    wanted: float

    @classmethod
    def of(cls, recipe: str, options: Options) -> Baseline:
        """The baseline that the options ask for."""
        own = OWN_SHARES[recipe]
        most = own if options.baseline_fraction is None else options.baseline_fraction
        return cls(recipe, min(most, options.fraction), options.fraction)

    @property
    def extrapolated(self) -> bool:
        """Whether the seconds are those of fewer images, carried on."""
        return self.share < self.wanted

    def note(self, samples: Samples) -> str:
        """How the baseline was timed, for below the table."""
        images = image_counts(self.wanted)[0]
        note = f"baseline measured in full, on {images:,} training images"
        if self.extrapolated:
            small, large = (image_counts(share)[0] for share in (self.share / SMALLER, self.share))
            note = (
                f"baseline not measured in full: timed on {small:,} and on {large:,} training "
                "images, with test images in proportion, and extrapolated along the line to "
                f"{images:,}"
            )
        if not self.differ(samples):
            note += "; Keras took no XLA by itself, so jit_compile=False would be the same"
        return note

    def steps(self) -> list[Step]:
        """Each way of compiling, on each share that is needed."""
        shares = [self.share / SMALLER] if self.extrapolated else []
        return [
            Step(
                _step_name(way, share),
                self._measure(flags, share),
                needed=lambda samples, way=way: way == "plain" or self.differ(samples),
            )
            for way, flags in WAYS.items()
            for share in [*shares, self.share]
        ]

    def differ(self, samples: Samples) -> bool:
        """Whether plain Keras took XLA, so that leaving it out is another baseline."""
        plain = samples.get(_step_name("plain", self.share), [])
        return not plain or any(sample["xla"] for sample in plain)

    def value(self, samples: Samples, way: str, key: str) -> float | None:
        """Median seconds for the wanted share of the images."""
        large = median(samples.get(_step_name(way, self.share), []), key)
        if not self.extrapolated or large is None:
            return large
        small = median(samples.get(_step_name(way, self.share / SMALLER), []), key)
        if small is None:
            return None
        more, many, all_ = (
            sum(image_counts(share)) for share in (self.share / SMALLER, self.share, self.wanted)
        )
        return large + (large - small) * (all_ - many) / (many - more)

    def accuracy(self, samples: Samples) -> float | None:
        """Median test accuracy, where it was trained on as many images as ours."""
        if self.extrapolated:
            return None
        return median(samples.get(_step_name("plain", self.share), []), "test_accuracy")

    def peak_memory(self, samples: Samples) -> float | None:
        """Most memory that it took, where it held as many images as ours."""
        if self.extrapolated:
            return None
        return median(samples.get(_step_name("plain", self.share), []), "peak_memory")

    def _measure(self, flags: list[str], share: float) -> Callable[[int], Sample]:
        images, test_images = image_counts(share)
        size = ["--images", str(images), "--test-images", str(test_images)]

        def measure(repeat: int) -> Sample:
            seed = ["--seed", str(repeat)]
            return run_plain(PLAIN_SCRIPTS[self.recipe], *size, *seed, *flags)

        return measure


def _step_name(way: str, share: float) -> str:
    return f"{way}, {100 * share:g} % of the images"


# --- rows -------------------------------------------------------------------------------------


def _cnn_rows(samples: Samples, baseline: Baseline) -> list[Row]:
    return [
        _accuracy_row("CNN", 0.9895, samples, baseline),
        *_time_rows("CNN: epoch with validation", ("epoch_seconds",) * 2, 2, samples, baseline),
        _memory_row("CNN", samples, baseline),
    ]


def _vgg16_rows(samples: Samples, baseline: Baseline) -> list[Row]:
    first, second = "process_seconds", "second_process_seconds"
    return [
        _accuracy_row("VGG16", 0.9565, samples, baseline),
        *_time_rows("VGG16: first run, whole process", (first, first), 3, samples, baseline),
        *_time_rows("VGG16: second run, whole process", (second, first), 50, samples, baseline),
        _memory_row("VGG16", samples, baseline),
    ]


def _accuracy_row(network: str, goal: float, samples: Samples, baseline: Baseline) -> Row:
    ours = samples.get("ours", [])
    return Row(
        f"{network}, 1 epoch: test accuracy, median of {len(ours)} seeds",
        "%",
        median(ours, "test_accuracy"),
        baseline.accuracy(samples),
        Goal("at least", goal),
        judged=baseline.wanted == 1,
    )


def _time_rows(
    what: str, keys: tuple[str, str], goal: float, samples: Samples, baseline: Baseline
) -> list[Row]:
    """Ours against the baseline as written; also against it without XLA, where that differs.

    keys: which seconds of ours, which of the baseline's.
    """
    ours = median(samples.get("ours", []), keys[0])
    common: dict[str, Any] = {"note": baseline.note(samples), "judged": baseline.wanted == 1}
    plain, without = (baseline.value(samples, way, keys[1]) for way in WAYS)
    rows = [Row(f"{what}, against plain Keras", "s", ours, plain, _times(goal), **common)]
    if baseline.differ(samples):
        rows.append(Row(f"{what}, against plain Keras without XLA", "s", ours, without, **common))
    return rows


def _times(goal: float) -> Goal:
    return Goal("at least", goal, "ratio")


def _memory_row(network: str, samples: Samples, baseline: Baseline) -> Row:
    return Row(
        f"{network}: peak memory of the training process",
        "GiB",
        max((sample["peak_memory"] for sample in samples.get("ours", [])), default=None),
        baseline.peak_memory(samples),
        MEMORY_GOAL,
        judged=baseline.wanted == 1,
    )
