"""What one epoch of a run makes of the test images, as stored then or as computed since."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.analysis.statistics import wilson_interval
from core.registry.history import History
from core.registry.predictions import read_predictions, stored_epochs
from core.registry.run import Run

SMALLEST = 1e-7
"""What a probability of 0 counts as in the loss; Keras's epsilon."""


@dataclass(frozen=True)
class Evaluation:
    """How many of so many test images were taken for what they are, and the mean cross-entropy."""

    correct: int
    images: int
    loss: float

    @property
    def accuracy(self) -> float:
        """Share of the images taken for what they are."""
        return self.correct / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """95 % interval of the accuracy."""
        return wilson_interval(self.correct, self.images)


def stored_evaluation(run: Run, epoch: int) -> Evaluation | None:
    """That of the predictions that were kept of an epoch, None where none were.

    Raises DamagedFile where they cannot be read.
    """
    if epoch not in stored_epochs(run):
        return None
    made, history = read_predictions(run, epoch), History()
    history.read_on(run.folder.metrics)
    measured = history.epoch(epoch) or {}
    return Evaluation(
        correct=int(made.correct.sum()),
        images=len(made.labels),
        loss=measured.get("test_loss", _loss(made.probabilities, made.labels)),
    )


def evaluate(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> Evaluation:
    """That of probabilities, (count, classes), of images with these labels."""
    # As predictions are stored, so that both ways agree on every image.
    classes = probabilities.astype(np.float16).argmax(axis=1)
    return Evaluation(
        correct=int((classes == labels).sum()),
        images=len(labels),
        loss=_loss(probabilities, labels),
    )


def _loss(probabilities: NDArray[np.float32], labels: NDArray[np.int64]) -> float:
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(np.clip(of_truth, SMALLEST, 1.0)).mean())
