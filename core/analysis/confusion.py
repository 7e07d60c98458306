"""Which classes two networks take for which: confusion matrices and what follows from them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import Comparison

Matrix = NDArray[np.int64]
"""Images by their true class and the class they were taken for, (classes, classes)."""
Scores = NDArray[np.float64]
"""One number for each class, (classes,); NaN where there is nothing to compute it from."""
Classes = NDArray[np.int64]
"""Classes by number, (n,)."""
PairOrder = Literal["total", "difference"]
ClassOrder = Literal["difference", "worst", "class"]


def confusion_matrix(labels: NDArray[np.int64], said: NDArray[np.int64], classes: int) -> Matrix:
    """How many images of each class, by row, were taken for each class, by column.

    >>> confusion_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(labels * classes + said, minlength=classes * classes)
    return cells.reshape(classes, classes)


@dataclass(frozen=True)
class ClassScores:
    """How well one network tells each class from the others.

    What would be divided by 0 is NaN, as in scikit-learn with zero_division=nan: the precision of a
    class that no image was taken for, the recall of one without images, F1 where both hold.
    support: images of the class, (classes,) int64.
    """

    precision: Scores
    recall: Scores
    f1: Scores
    support: NDArray[np.int64]


def class_scores(matrix: Matrix) -> ClassScores:
    """Precision, recall and F1 of each class."""
    right = np.diagonal(matrix)
    support, said = matrix.sum(axis=1), matrix.sum(axis=0)
    return ClassScores(
        precision=_share(right, said),
        recall=_share(right, support),
        f1=_share(2 * right, support + said),
        support=support,
    )


def ranked_classes(a: Scores, b: Scores, order: ClassOrder) -> Classes:
    """The classes by their scores of two networks, (classes,); those without come last.

    "difference" begins with the largest, whichever network is ahead; "worst" with the lowest score
    that either reaches; "class" keeps them as they are.
    """
    keys = {
        "difference": -np.abs(a - b),
        "worst": np.fmin(a, b),
        "class": np.arange(len(a)),
    }
    return np.argsort(keys[order], kind="stable")


class Pair(NamedTuple):
    """A class that is taken for another: how many images A and B do that with."""

    truth: int
    said: int
    a: int
    b: int


@dataclass(frozen=True, eq=False)
class Confusions:
    """The confusion matrices of two networks on the same images."""

    a: Matrix
    b: Matrix

    @classmethod
    def of(cls, comparison: Comparison) -> "Confusions":
        """Those of the two networks of a comparison."""
        labels, classes = comparison.labels, len(comparison.class_names)
        a, b = (
            confusion_matrix(labels, side.predictions.classes, classes) for side in comparison.sides
        )
        return cls(a, b)

    @property
    def difference(self) -> Matrix:
        """A minus B."""
        return self.a - self.b

    @property
    def support(self) -> NDArray[np.int64]:
        """Images of each class, (classes,)."""
        support: NDArray[np.int64] = self.a.sum(axis=1)
        return support

    def pairs(self, order: PairOrder, most: int) -> list[Pair]:
        """The pairs of classes that are confused most, by both together or most differently.

        What is equal in that comes in the order of the other, then of the classes.
        """
        truths, said = (column[:most] for column in self._ranked_pairs[order])
        columns = (truths, said, self.a[truths, said], self.b[truths, said])
        return [Pair(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]

    @cached_property
    def mistakes(self) -> tuple[int, int]:
        """How many mistakes A makes, and B."""
        a, b = (int(matrix.sum() - matrix.trace()) for matrix in (self.a, self.b))
        return a, b

    @cached_property
    def commonest(self) -> tuple[Pair | None, Pair | None]:
        """The pair of classes that A confuses most, and B; None where one makes no mistake."""
        truths, said = self._ranked_pairs["total"]
        a, b = (self._pair(truths, said, matrix) for matrix in (self.a, self.b))
        return a, b

    def _pair(self, truths: Classes, said: Classes, matrix: Matrix) -> Pair | None:
        """The pair of these that has most images in a matrix, None without any."""
        counts = matrix[truths, said]
        if not counts.any():
            return None
        at = int(truths[counts.argmax()]), int(said[counts.argmax()])
        return Pair(*at, int(self.a[at]), int(self.b[at]))

    def confused_classes(self, most: int) -> Classes:
        """The classes of the pairs that both together confuse most, in the order of classes.

        Where mistakes are made in fewer than that, the first of the others come with them.
        """
        pairs = np.stack(self._ranked_pairs["total"], axis=1)
        classes = np.append(pairs, np.arange(len(self.a)))
        numbers, found_at = np.unique(classes, return_index=True)
        return np.sort(numbers[np.argsort(found_at)[:most]])

    @cached_property
    def _ranked_pairs(self) -> dict[PairOrder, tuple[Classes, Classes]]:
        """In each order: the true classes of all confused pairs, and what they were taken for."""
        truths, said = np.nonzero(self._mistakes)
        a, b = self.a[truths, said], self.b[truths, said]
        total, difference = a + b, np.abs(a - b)
        by_total = np.lexsort((-difference, -total))
        by_difference = np.lexsort((-total, -difference))
        return {
            "total": (truths[by_total], said[by_total]),
            "difference": (truths[by_difference], said[by_difference]),
        }

    @cached_property
    def _mistakes(self) -> Matrix:
        """Wrong answers of both together; nothing on the diagonal."""
        mistakes = self.a + self.b
        np.fill_diagonal(mistakes, 0)
        return mistakes


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    undefined = np.full(np.broadcast_shapes(part.shape, whole.shape), np.nan)
    shares: NDArray[np.float64] = np.divide(part, whole, out=undefined, where=whole > 0)
    return shares
