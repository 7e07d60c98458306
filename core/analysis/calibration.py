"""How far a network's confidence can be relied on: calibration, and answering only where sure."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.images import Judgement, Values
from core.analysis.statistics import wilson_interval

BINS = 15
"""As many, equally wide, as Guo et al. (2017) use."""
CURVE_POINTS = 300


@dataclass(frozen=True, eq=False)
class Bins:
    """Images by the confidence they were judged with; each bin holds its upper edge.

    edges: (bins + 1,) from 0 to 1. counts, right: (bins,) images, and how many of them were taken
    for what they are. confidence: (bins,) their mean confidence, NaN where there are none.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    right: NDArray[np.int64]
    confidence: NDArray[np.float64]

    @property
    def wrong(self) -> NDArray[np.int64]:
        """Images taken for something else, (bins,)."""
        return self.counts - self.right

    @property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of the images of each bin taken for what they are, NaN where there are none."""
        return _shares(self.right, self.counts)

    @cached_property
    def intervals(self) -> NDArray[np.float64]:
        """The ends of each accuracy's 95 % interval (Wilson), (bins, 2), NaN without images."""
        return np.array(
            [
                wilson_interval(right, count) if count else (np.nan, np.nan)
                for right, count in zip(self.right.tolist(), self.counts.tolist(), strict=True)
            ]
        )

    @property
    def expected_error(self) -> float:
        """Expected calibration error: how far confidence is from accuracy, over all images.

        Mean of the distances in all bins, each weighted with its images (Guo et al., 2017); NaN
        without images.
        """
        filled = self.counts > 0
        if not filled.any():
            return np.nan
        distances = np.abs(self.confidence[filled] - self.accuracy[filled])
        return float(np.average(distances, weights=self.counts[filled]))

    def span(self, place: int) -> tuple[float, float]:
        """The confidence that a bin holds, from and to."""
        return float(self.edges[place]), float(self.edges[place + 1])


def bin_by_confidence(confidence: Values, right: NDArray[np.bool_], bins: int = BINS) -> Bins:
    """Sort images, (count,), into equally wide bins; one whose confidence is NaN is in none."""
    edges = np.linspace(0, 1, bins + 1)
    known = ~np.isnan(confidence)
    sure, hits = confidence[known].astype(np.float64), right[known]
    places = np.searchsorted(edges[1:-1], sure)
    counts = np.bincount(places, minlength=bins)
    return Bins(
        edges=edges,
        counts=counts,
        right=np.bincount(places[hits], minlength=bins),
        confidence=_shares(np.bincount(places, weights=sure, minlength=bins), counts),
    )


@dataclass(frozen=True)
class Answered:
    """What is left where a network answers only if it is surer than a threshold.

    answered, right: images. total, total_right: the same where it always answers.
    """

    threshold: float
    answered: int
    right: int
    total: int
    total_right: int

    @property
    def turned_away(self) -> int:
        """Images that it does not answer."""
        return self.total - self.answered

    @property
    def right_turned_away(self) -> int:
        """Those of them that it would have got right."""
        return self.total_right - self.right

    @property
    def coverage(self) -> float:
        """Share of the images that it answers."""
        return self.answered / self.total

    @property
    def accuracy(self) -> float:
        """Share of the answers that are right, NaN without an answer."""
        return self.right / self.answered if self.answered else np.nan


@dataclass(frozen=True, eq=False)
class Coverage:
    """Accuracy against the share of images answered, for every threshold at once.

    confidence: (count,), the surest first; right: (count,) how many of the images up to each were
    taken for what they are. Images whose confidence is NaN are never answered.
    """

    confidence: Values
    right: NDArray[np.int64]
    total: int
    total_right: int

    def at(self, threshold: float) -> Answered:
        """What is answered, and how well, where confidence is above a threshold."""
        # The confidences fall, and searchsorted needs them to rise.
        answered = int(np.searchsorted(-self.confidence.astype(np.float64), -threshold))
        right = int(self.right[answered - 1]) if answered else 0
        return Answered(threshold, answered, right, self.total, self.total_right)

    def curve(self, points: int = CURVE_POINTS) -> NDArray[np.float64]:
        """Share answered, accuracy among those and confidence of the least sure of them, (3, n).

        Images of the same confidence are answered together or not at all. Of many thresholds about
        `points` are kept, evenly spread over the shares.
        """
        if not len(self.confidence):
            return np.empty((3, 0))
        last = np.append(np.flatnonzero(np.diff(self.confidence)), len(self.confidence) - 1)
        if len(last) > points:
            wanted = np.linspace(last[0], last[-1], points)
            last = last[np.unique(np.searchsorted(last, wanted))]
        answered = last + 1
        return np.array([answered / self.total, self.right[last] / answered, self.confidence[last]])


def cover(confidence: Values, right: NDArray[np.bool_]) -> Coverage:
    """The coverage of images judged with a confidence and rightly or not, both (count,)."""
    known = np.flatnonzero(~np.isnan(confidence))
    order = known[np.argsort(-confidence[known], kind="stable")]
    return Coverage(
        confidence=confidence[order],
        right=np.cumsum(right[order]),
        total=len(right),
        total_right=int(np.count_nonzero(right)),
    )


@dataclass(frozen=True, eq=False)
class Calibration:
    """How far the confidence of one network can be relied on.

    excess: mean confidence minus accuracy, above 0 where the network is surer than it is right.
    brier: Brier score. unsure: images whose confidence is no number, because training diverged.
    """

    bins: Bins
    coverage: Coverage
    excess: float
    brier: float
    unsure: int


def calibrate(judgement: Judgement) -> Calibration:
    """How far the confidence of a network can be relied on, from how it judged the test images."""
    confidence, right = judgement.confidence, judgement.right
    bins = bin_by_confidence(confidence, right)
    known = int(bins.counts.sum())
    sure = float(np.nansum(bins.confidence * bins.counts))
    return Calibration(
        bins=bins,
        coverage=cover(confidence, right),
        excess=(sure - int(bins.right.sum())) / known if known else np.nan,
        brier=brier(judgement),
        unsure=len(right) - known,
    )


def brier(judgement: Judgement) -> float:
    """Mean squared distance of the probabilities from the truth, 0 to 2 (Brier, 1950)."""
    made = judgement.predictions.probabilities
    squares = np.einsum("ij,ij->i", made, made)
    return float(np.mean(squares - 2 * judgement.of_truth + 1, dtype=np.float64))


def _shares(part: NDArray[np.generic], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    shares = np.full(len(whole), np.nan)
    np.divide(part, whole, out=shares, where=whole > 0)
    return shares
