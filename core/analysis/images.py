"""What can be told of each test image from the predictions of two networks."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import Comparison
from core.registry.predictions import Predictions

SMALLEST = 1e-7
"""What a probability of 0 counts as in a loss; Keras's epsilon."""
AT_ONCE = 10_000
"""Images whose probabilities are worked on together, so that a thousand classes need no memory."""

Values = NDArray[np.float32]
"""One number for each test image, (count,)."""


@dataclass(frozen=True, eq=False)
class Judgement:
    """How one network judged each test image; arrays are (count,), computed when asked for."""

    predictions: Predictions

    @property
    def said(self) -> NDArray[np.int64]:
        """The class it took each for."""
        return self.predictions.classes

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether that is the true one."""
        return self.predictions.correct

    @cached_property
    def confidence(self) -> Values:
        """The probability of the class it took each for, 0 to 1."""
        highest: Values = self.predictions.probabilities.max(axis=1)
        return highest

    @cached_property
    def of_truth(self) -> Values:
        """The probability of the true class, 0 to 1."""
        made = self.predictions
        return made.probabilities[np.arange(len(made.labels)), made.labels]

    @cached_property
    def loss(self) -> Values:
        """Cross-entropy in nats: minus the logarithm of the true class's probability."""
        losses: Values = -np.log(np.maximum(self.of_truth, SMALLEST))
        return losses

    @cached_property
    def margin(self) -> Values:
        """How far the most probable class is ahead of the second, 0 to 1."""
        if self.predictions.probabilities.shape[1] < 2:
            return self.confidence
        top = np.partition(self.predictions.probabilities, -2, axis=1)
        ahead: Values = top[:, -1] - top[:, -2]
        return ahead


@dataclass(frozen=True, eq=False)
class Images:
    """The test images as two networks judge them."""

    comparison: Comparison

    @cached_property
    def a(self) -> Judgement:
        """What A makes of them."""
        return Judgement(self.comparison.a.predictions)

    @cached_property
    def b(self) -> Judgement:
        """What B makes of them."""
        return Judgement(self.comparison.b.predictions)

    @property
    def truth(self) -> NDArray[np.int64]:
        """The true class of each, (count,)."""
        return self.comparison.labels

    def __len__(self) -> int:
        return self.comparison.total

    @cached_property
    def confidence(self) -> Values:
        """That of the surer network."""
        return np.maximum(self.a.confidence, self.b.confidence)

    @cached_property
    def loss(self) -> Values:
        """That of the network that is further off."""
        return np.maximum(self.a.loss, self.b.loss)

    @cached_property
    def margin(self) -> Values:
        """That of the network that is less decided."""
        return np.minimum(self.a.margin, self.b.margin)

    @cached_property
    def divergence(self) -> Values:
        """How differently the two judge each, in bits: 0 is alike, 1 nothing in common.

        Jensen-Shannon divergence to the base of 2 (Lin, 1991).
        """
        a, b = (side.predictions.probabilities for side in self.comparison.sides)
        parts = [
            jensen_shannon(a[start : start + AT_ONCE], b[start : start + AT_ONCE])
            for start in range(0, len(a), AT_ONCE)
        ]
        return np.concatenate(parts)


def jensen_shannon(p: NDArray[np.float32], q: NDArray[np.float32]) -> Values:
    """Divergence in bits of each row of p and q, (count, classes), whose rows sum to 1.

    >>> sure, torn = np.float32([[1, 0]]), np.float32([[0.5, 0.5]])
    >>> jensen_shannon(sure, torn).round(2).tolist()
    [0.31...]
    """
    middle = (p + q) / np.float32(2)
    bits = (_relative_entropy(p, middle) + _relative_entropy(q, middle)) / 2
    limited: Values = np.clip(bits, 0, 1)
    return limited


def _relative_entropy(p: NDArray[np.float32], q: NDArray[np.float32]) -> Values:
    ratio = np.divide(p, q, out=np.ones_like(p), where=p > 0)
    bits: Values = np.sum(p * np.log2(ratio), axis=1)
    return bits
