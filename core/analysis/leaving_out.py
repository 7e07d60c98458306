"""What becomes of a comparison on some of its images."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import SIGNIFICANT, Comparison
from core.analysis.statistics import mcnemar_p, paired_difference_interval, wilson_interval

Interval = tuple[float, float]


@dataclass(frozen=True)
class Rest:
    """Two networks on the images that are left; intervals are at 95 %.

    right: how many A and B take for what they are. only: how many only A, and only B.
    """

    total: int
    right: tuple[int, int]
    only: tuple[int, int]

    @property
    def accuracies(self) -> tuple[float, float]:
        """Of A and of B."""
        of_a, of_b = self.right
        return of_a / self.total, of_b / self.total

    @property
    def intervals(self) -> tuple[Interval, Interval]:
        """Of the accuracies of A and of B (Wilson)."""
        of_a, of_b = self.right
        return wilson_interval(of_a, self.total), wilson_interval(of_b, self.total)

    @property
    def difference(self) -> float:
        """The accuracy of A minus that of B."""
        only_a, only_b = self.only
        return (only_a - only_b) / self.total

    @property
    def difference_interval(self) -> Interval:
        """Of the difference (paired bootstrap)."""
        return paired_difference_interval(*self.only, self.total)

    @property
    def mcnemar_p(self) -> float:
        """Two-sided exact p of McNemar's test."""
        return mcnemar_p(*self.only)

    @property
    def better(self) -> int | None:
        """0 where A is right more often by more than chance explains, 1 where B is, else None."""
        if self.mcnemar_p >= SIGNIFICANT:
            return None
        return 0 if self.difference > 0 else 1


def without(comparison: Comparison, left_out: NDArray[np.int64]) -> Rest | None:
    """The comparison without the images at some positions; None where no image is left."""
    return only(comparison, np.setdiff1d(np.arange(comparison.total), left_out))


def only(comparison: Comparison, kept: NDArray[np.int64]) -> Rest | None:
    """The comparison on the images at some positions; None where there are none."""
    if not len(kept):
        return None
    a, b = (side.predictions.correct[kept] for side in comparison.sides)

    def count(mask: NDArray[np.bool_]) -> int:
        return int(np.count_nonzero(mask))

    return Rest(len(kept), (count(a), count(b)), (count(a & ~b), count(b & ~a)))
