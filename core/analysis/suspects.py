"""Images whose label may be wrong, judging by what networks said of them.

Confident learning: Northcutt, Jiang and Chuang, "Confident Learning: Estimating Uncertainty in
Dataset Labels", Journal of Artificial Intelligence Research 70, 2021.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.images import Images, Values

Labels = NDArray[np.int64]
Probabilities = NDArray[np.float32]
AT_ONCE = 2**19
"""Probabilities that are worked on together: few enough for a processor's cache."""
TOLERANCE = np.float32(1e-6)
"""Mean probabilities are rounded; an image that reaches the mean of equals counts as confident."""


@dataclass(frozen=True, eq=False)
class Doubts:
    """What confident learning makes of labels, from one network or the average of several.

    margins: (count,), the probability of an image's label less that of the likeliest other class,
    -1 to 1; the lower, the more is the label in doubt. confident: (count,), the class that an
    image confidently belongs to, -1 where it belongs to none.
    """

    labels: Labels
    margins: Values
    confident: Labels

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Which images confidently belong to another class than their label's, (count,).

        They stand off the diagonal of the confident joint.
        """
        mask: NDArray[np.bool_] = (self.confident >= 0) & (self.confident != self.labels)
        return mask

    @property
    def ranked(self) -> NDArray[np.int64]:
        """Positions of the images whose label is in doubt, the most doubtful first.

        First those that confident learning counts as wrong, then the others that are taken for
        another class than their label's; both by the margin.
        """
        doubtful = np.flatnonzero(self.counted | (self.margins < 0))
        order = np.lexsort((doubtful, self.margins[doubtful], ~self.counted[doubtful]))
        return doubtful[order]

    def joint(self, classes: int) -> NDArray[np.int64]:
        """The confident joint: images of each label, by row, and confident class, by column."""
        known = self.confident >= 0
        places = self.labels[known] * classes + self.confident[known]
        return np.bincount(places, minlength=classes**2).reshape(classes, classes)


def doubts(
    labels: Labels,
    *networks: Probabilities,
    progress: Callable[[float], object] = lambda share: None,
) -> Doubts:
    """What confident learning makes of labels, (count,), given probabilities, (count, classes).

    Those of several networks are averaged. A class's threshold is the mean probability that it is
    given on images labelled with it; an image confidently belongs to the likeliest class of those
    whose thresholds it reaches. progress is told the share that is done.
    """
    classes = networks[0].shape[1]
    limits = thresholds(labels, *networks, progress=progress).astype(np.float32) - TOLERANCE
    margins = np.empty(len(labels), np.float32)
    confident = np.empty(len(labels), np.int64)
    for rows, probabilities in _averaged(networks):
        own = np.arange(len(probabilities)), labels[rows]
        reached = np.where(probabilities >= limits, probabilities, np.float32(-1))
        likeliest = reached.argmax(axis=1)
        none = reached[np.arange(len(reached)), likeliest] < 0
        confident[rows] = np.where(none, -1, likeliest)
        of_label = probabilities[own]
        others = reached
        np.copyto(others, probabilities)
        others[own] = 0 if classes == 1 else -1
        margins[rows] = of_label - others.max(axis=1)
        progress((1 + rows.stop / len(labels)) / 2)
    return Doubts(labels, margins, confident)


def thresholds(
    labels: Labels,
    *networks: Probabilities,
    progress: Callable[[float], object] = lambda share: None,
) -> NDArray[np.float64]:
    """The mean probability of each class on the images labelled with it, (classes,).

    Infinite for a class that no image is labelled with: none can confidently belong to it.
    progress is told the share that is done, up to a half.

    >>> thresholds(np.array([0, 0]), np.float32([[0.9, 0.1], [0.7, 0.3]])).round(2).tolist()
    [0.8, inf]
    """
    classes = networks[0].shape[1]
    sums, counts = np.zeros(classes), np.bincount(labels, minlength=classes)
    for rows, probabilities in _averaged(networks):
        of_label = probabilities[np.arange(len(probabilities)), labels[rows]]
        sums += np.bincount(labels[rows], of_label, classes)
        progress(rows.stop / len(labels) / 2)
    means: NDArray[np.float64] = np.full(classes, np.inf)
    return np.divide(sums, counts, out=means, where=counts > 0)


def agreed(images: Images) -> NDArray[np.int64]:
    """Positions of the images that both networks take for the same class, but not their label's.

    Sorted by the lower of the two confidences, the highest first.
    """
    same = (images.a.said == images.b.said) & ~images.a.right
    positions = np.flatnonzero(same)
    lower = np.minimum(images.a.confidence, images.b.confidence)[positions]
    chosen: NDArray[np.int64] = positions[np.argsort(-lower, kind="stable")]
    return chosen


def _averaged(networks: tuple[Probabilities, ...]) -> Iterator[tuple[slice, Probabilities]]:
    """Average probabilities of some images at a time, and which images those are."""
    count, classes = networks[0].shape
    at_once = max(1, AT_ONCE // classes)
    for start in range(0, count, at_once):
        rows = slice(start, min(start + at_once, count))
        total = networks[0][rows]
        for each in networks[1:]:
            total = total + each[rows]
        yield rows, total / np.float32(len(networks)) if len(networks) > 1 else total
