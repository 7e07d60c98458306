"""Telling a network that learns from one that only guesses."""

import numpy as np
from numpy.typing import NDArray

from core.registry.config import Phase, RunConfig

FIRST_EPOCHS = 2
"""Epochs after which a network that still guesses is told of; after the last if there are fewer."""
ENOUGH = 100
"""Images from which on an accuracy says something of a network."""


def only_guesses(
    config: RunConfig, phase: Phase, epoch: int, accuracy: float, labels: NDArray[np.int64]
) -> str | None:
    """What to say of a network that after its first epochs is right no more often than a guess.

    accuracy: that of the validation images, whose `labels` those are. A guess names the most
    frequent class for every image. None where the network does better, or it is not the time to
    tell; nor where classes are weighted, as being right most often then is not what it is for.
    """
    if epoch != min(FIRST_EPOCHS, config.all_epochs) or len(labels) < ENOUGH:
        return None
    guess = float(np.bincount(labels).max() / len(labels))
    if accuracy > guess or config.class_weights != "none":
        return None
    return (
        f"After {epoch} {'epoch' if epoch == 1 else 'epochs'} {accuracy:.1%} of the validation "
        f"images are recognised; naming the most frequent class for each would get {guess:.1%}. "
        f"This network only guesses: try {slower(phase)}, down from {phase.learning_rate:.2g}."
    )


def slower(phase: Phase) -> str:
    """A learning rate to try where that of a phase is too much, with the name of the setting."""
    setting = "learning_rate" if phase.number == 1 else "second_phase.learning_rate"
    return f"a {setting} of {phase.learning_rate / 10:.2g}"
