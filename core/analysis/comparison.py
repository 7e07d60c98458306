"""Setting two runs side by side, from their stored predictions alone."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics import mcnemar_p, paired_difference_interval, wilson_interval
from core.errors import NotComparable
from core.predictions import Predictions, read_predictions
from core.runs import Run

Outcome = Literal["both_right", "only_a_right", "only_b_right", "both_wrong"]
OUTCOMES: tuple[Outcome, ...] = ("both_right", "only_a_right", "only_b_right", "both_wrong")
SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Comparison:
    """Two runs on one test split.

    `counts` holds the images of each outcome; intervals are at 95 %; `difference` is the
    accuracy of A minus that of B.
    """

    a: Run
    b: Run
    predictions_a: Predictions
    predictions_b: Predictions
    counts: dict[Outcome, int]
    accuracy_a: float
    accuracy_b: float
    interval_a: tuple[float, float]
    interval_b: tuple[float, float]
    difference: float
    difference_interval: tuple[float, float]
    mcnemar_p: float

    @property
    def total(self) -> int:
        """Images in the test split."""
        return len(self.predictions_a.labels)

    @property
    def better(self) -> Run | None:
        """The run that is right more often by more than chance explains, if either is."""
        if self.mcnemar_p >= SIGNIFICANT:
            return None
        return self.a if self.difference > 0 else self.b

    def positions(self, outcome: Outcome) -> NDArray[np.int64]:
        """Positions in the test split of the images with an outcome."""
        right_a, right_b = self.predictions_a.correct, self.predictions_b.correct
        return np.flatnonzero(_masks(right_a, right_b)[outcome])

    def disagreements(self) -> NDArray[np.int64]:
        """Positions of the images that the two take for different classes."""
        return np.flatnonzero(self.predictions_a.classes != self.predictions_b.classes)


def compare(a: Run, b: Run) -> Comparison:
    """Compare the best epochs of two runs.

    Raises NotComparable where a run has no predictions or their test splits differ.
    """
    if a.id == b.id:
        raise NotComparable(f"{a.name!r} cannot be compared with itself; choose another run")
    pa, pb = read_predictions(a), read_predictions(b)
    if pa.fingerprint != pb.fingerprint:
        raise NotComparable(_what_differs(a, b, pa, pb))
    counts = _count(pa.correct, pb.correct)
    total = len(pa.labels)
    only_a, only_b = counts["only_a_right"], counts["only_b_right"]
    right_a, right_b = counts["both_right"] + only_a, counts["both_right"] + only_b
    return Comparison(
        a=a,
        b=b,
        predictions_a=pa,
        predictions_b=pb,
        counts=counts,
        accuracy_a=right_a / total,
        accuracy_b=right_b / total,
        interval_a=wilson_interval(right_a, total),
        interval_b=wilson_interval(right_b, total),
        difference=(right_a - right_b) / total,
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
        "a": {"run": c.a.id, "accuracy": c.accuracy_a, "interval": list(c.interval_a)},
        "b": {"run": c.b.id, "accuracy": c.accuracy_b, "interval": list(c.interval_b)},
        "counts": dict(c.counts),
        "mcnemar_p": c.mcnemar_p,
        "difference": c.difference,
        "difference_interval": list(c.difference_interval),
        "verdict": verdict(c),
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


def _what_differs(a: Run, b: Run, pa: Predictions, pb: Predictions) -> str:
    start = f"{a.name!r} and {b.name!r} were not tested on the same images"
    way_out = "train one of them again on the other's test images"
    if a.config.data.name != b.config.data.name:
        return f"{start}: {a.config.data.name} against {b.config.data.name}; {way_out}"
    if len(pa.labels) != len(pb.labels):
        return f"{start}: {len(pa.labels):,} against {len(pb.labels):,} of them; {way_out}"
    return f"{start}, though equally many: their pixels or labels differ; {way_out}"


def _chance(p: float) -> str:
    if p == 0:
        return "less than 1 in 10^300"
    if p >= 0.01:
        return f"{100 * p:.0f} in 100"
    power = math.floor(-math.log10(p))
    return f"less than 1 in {10**power:,}" if power < 6 else f"less than 1 in 10^{power}"
