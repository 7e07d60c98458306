"""Figures of two networks beside each other, and which of the two does better in each."""

import math
from typing import Literal, NamedTuple

import numpy as np

from core.analysis.calibration import bin_by_confidence
from core.analysis.confusion import Confusions, Scores, class_scores
from core.analysis.images import Judgement

Figure = Literal["precision", "recall", "f1", "confidence", "ece", "loss"]
LESS_IS_BETTER: tuple[Figure, ...] = ("ece", "loss")
NEITHER: tuple[Figure, ...] = ("confidence",)
"""A network can be too sure or not sure enough; more is neither better nor worse."""


class Standing(NamedTuple):
    """One figure of both networks; NaN where there is nothing to compute it from."""

    figure: Figure
    a: float
    b: float

    @property
    def difference(self) -> float:
        """A minus B."""
        return self.a - self.b

    @property
    def better(self) -> int | None:
        """0 where A does better, 1 where B does; None where neither does or more is not better."""
        if self.figure in NEITHER or self.a == self.b or math.isnan(self.difference):
            return None
        return int((self.a < self.b) != (self.figure in LESS_IS_BETTER))


def summary(a: Judgement, b: Judgement, confusions: Confusions) -> list[Standing]:
    """The figures of A and B over all images.

    Precision, recall and F1 are means over the classes that have one (macro), so that each class
    counts alike; confidence and loss are means over the images, the loss in nats.
    """
    scores = [class_scores(matrix) for matrix in (confusions.a, confusions.b)]
    judged = (a, b)
    pairs: dict[Figure, list[float]] = {
        "precision": [_mean(each.precision) for each in scores],
        "recall": [_mean(each.recall) for each in scores],
        "f1": [_mean(each.f1) for each in scores],
        "confidence": [float(each.confidence.mean(dtype=np.float64)) for each in judged],
        "ece": [bin_by_confidence(each.confidence, each.right).expected_error for each in judged],
        "loss": [float(each.loss.mean(dtype=np.float64)) for each in judged],
    }
    return [Standing(figure, *pair) for figure, pair in pairs.items()]


def _mean(scores: Scores) -> float:
    return float(np.nanmean(scores)) if np.isfinite(scores).any() else math.nan
