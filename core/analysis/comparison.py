"""Setting two networks side by side, from their stored predictions alone."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics import mcnemar_p, paired_difference_interval, wilson_interval
from core.errors import NotComparable
from core.registry.predictions import Predictions, read_predictions
from core.registry.run import Run

Outcome = Literal["both_right", "only_a_right", "only_b_right", "both_wrong"]
OUTCOMES: tuple[Outcome, ...] = ("both_right", "only_a_right", "only_b_right", "both_wrong")
SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class Side:
    """One of the networks compared: a run as it was after one epoch, and what it predicted."""

    run: Run
    epoch: int
    predictions: Predictions
    name: str

    @classmethod
    def read(cls, run: Run, epoch: int | None = None) -> "Side":
        """A run after an epoch, by default its best.

        Raises NotComparable where it has no predictions, DamagedFile where they cannot be read.
        """
        return cls.of(run, epoch or run.state.best_epoch, read_predictions(run, epoch))

    @classmethod
    def of(cls, run: Run, epoch: int, predictions: Predictions) -> "Side":
        """A run after an epoch, and what it predicted then."""
        best = epoch == run.state.best_epoch
        return cls(run, epoch, predictions, run.name if best else f"{run.name}, epoch {epoch}")

    @property
    def version(self) -> tuple[str, float, int, str]:
        """Tells what was predicted from all else, for what is kept of it."""
        folder, heartbeat = str(self.run.folder.path), self.run.state.heartbeat
        return folder, heartbeat, self.epoch, self.predictions.fingerprint

    @property
    def right(self) -> int:
        """Images taken for what they are."""
        return int(np.count_nonzero(self.predictions.correct))

    @property
    def accuracy(self) -> float:
        """Share of the images taken for what they are."""
        return self.right / len(self.predictions.labels)

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy (Wilson)."""
        return wilson_interval(self.right, len(self.predictions.labels))


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two networks on one test split.

    `counts` holds the images of each outcome; the interval is at 95 %; `difference` is the
    accuracy of A minus that of B.
    """

    a: Side
    b: Side
    counts: dict[Outcome, int]
    difference: float
    difference_interval: tuple[float, float]
    mcnemar_p: float

    @property
    def sides(self) -> tuple[Side, Side]:
        """A and B."""
        return self.a, self.b

    @property
    def labels(self) -> NDArray[np.int64]:
        """The true classes, (count,)."""
        return self.a.predictions.labels

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.a.run.config.class_names

    @property
    def total(self) -> int:
        """Images in the test split."""
        return len(self.labels)

    @property
    def better(self) -> Side | None:
        """The network that is right more often by more than chance explains, if either is."""
        if self.mcnemar_p >= SIGNIFICANT:
            return None
        return self.a if self.difference > 0 else self.b

    def mask(self, outcome: Outcome) -> NDArray[np.bool_]:
        """Which images of the test split have an outcome, (count,)."""
        return _masks(self.a.predictions.correct, self.b.predictions.correct)[outcome]

    def positions(self, outcome: Outcome) -> NDArray[np.int64]:
        """Positions in the test split of the images with an outcome."""
        return np.flatnonzero(self.mask(outcome))

    def disagreements(self) -> NDArray[np.int64]:
        """Positions of the images that the two take for different classes."""
        return np.flatnonzero(self.a.predictions.classes != self.b.predictions.classes)


def compare(
    a: Run, b: Run, *, epoch_a: int | None = None, epoch_b: int | None = None
) -> Comparison:
    """Compare two runs, or two epochs of one; the best epochs unless told.

    Raises NotComparable where there are no predictions, their test splits differ or both are the
    same, DamagedFile where predictions cannot be read.
    """
    return compare_sides(Side.read(a, epoch_a), Side.read(b, epoch_b))


def compare_sides(a: Side, b: Side) -> Comparison:
    """Compare two networks. Raises NotComparable where their test splits differ."""
    if (a.run.id, a.epoch) == (b.run.id, b.epoch):
        raise NotComparable(
            f"{a.name!r} cannot be compared with itself; choose another run, or another epoch of it"
        )
    if a.predictions.fingerprint != b.predictions.fingerprint:
        raise NotComparable(what_differs(a, b))
    if a.predictions.probabilities.shape != b.predictions.probabilities.shape:
        raise NotComparable(
            f"{a.name!r} and {b.name!r} tell different numbers of classes apart, "
            f"{a.predictions.probabilities.shape[1]} and {b.predictions.probabilities.shape[1]}; "
            "choose two runs of the same dataset"
        )
    counts = _count(a.predictions.correct, b.predictions.correct)
    total = len(a.predictions.labels)
    only_a, only_b = counts["only_a_right"], counts["only_b_right"]
    return Comparison(
        a=a,
        b=b,
        counts=counts,
        difference=(only_a - only_b) / total,
        difference_interval=paired_difference_interval(only_a, only_b, total),
        mcnemar_p=mcnemar_p(only_a, only_b),
    )


def verdict(comparison: Comparison) -> str:
    """The outcome in one sentence that needs no statistics to be understood."""
    c = comparison
    only_a, only_b = c.counts["only_a_right"], c.counts["only_b_right"]
    if only_a + only_b == 0:
        return (
            f"{c.a.name} and {c.b.name} are right and wrong on exactly the same images, "
            f"{c.counts['both_right']:,} of {c.total:,} right."
        )
    more = abs(only_a - only_b)
    images = f"{more:,} more image{'s' if more > 1 else ''} right out of {c.total:,}"
    chance = f"a difference this large by chance alone: {_chance(c.mcnemar_p)}"
    if c.better is not None:
        return f"{c.better.name} is better: {images}; {chance}."
    if only_a == only_b:
        return f"{c.a.name} and {c.b.name} get equally many images right out of {c.total:,}."
    ahead = c.a if only_a > only_b else c.b
    return f"No clear winner: {ahead.name} gets {images}, but {chance}."


def as_json(comparison: Comparison) -> dict[str, Any]:
    """The comparison as the command line prints it."""
    c = comparison
    return {
        "a": _side_as_json(c.a),
        "b": _side_as_json(c.b),
        "counts": dict(c.counts),
        "mcnemar_p": c.mcnemar_p,
        "difference": c.difference,
        "difference_interval": list(c.difference_interval),
        "verdict": verdict(c),
    }


def what_differs(a: Side, b: Side) -> str:
    """Why two networks cannot be compared image by image, and what to do about it."""
    start = f"{a.name!r} and {b.name!r} were not tested on the same images"
    way_out = "train one of them again on the other's test images"
    if a.run.config.data.name != b.run.config.data.name:
        return f"{start}: {a.run.config.data.name} against {b.run.config.data.name}; {way_out}"
    of_a, of_b = len(a.predictions.labels), len(b.predictions.labels)
    if of_a != of_b:
        return f"{start}: {of_a:,} against {of_b:,} of them; {way_out}"
    return f"{start}, though equally many: their pixels or labels differ; {way_out}"


def _side_as_json(side: Side) -> dict[str, Any]:
    return {
        "run": side.run.id,
        "epoch": side.epoch,
        "accuracy": side.accuracy,
        "interval": list(side.interval),
    }


def _masks(
    right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]
) -> dict[Outcome, NDArray[np.bool_]]:
    return {
        "both_right": right_a & right_b,
        "only_a_right": right_a & ~right_b,
        "only_b_right": ~right_a & right_b,
        "both_wrong": ~right_a & ~right_b,
    }


def _count(right_a: NDArray[np.bool_], right_b: NDArray[np.bool_]) -> dict[Outcome, int]:
    return {
        outcome: int(np.count_nonzero(mask)) for outcome, mask in _masks(right_a, right_b).items()
    }


def _chance(p: float) -> str:
    if p == 0:
        return "less than 1 in 10^300"
    if p >= 0.01:
        return f"{100 * p:.0f} in 100"
    power = math.floor(-math.log10(p))
    return f"less than 1 in {10**power:,}" if power < 6 else f"less than 1 in 10^{power}"
