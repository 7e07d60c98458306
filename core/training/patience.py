"""Waiting for a metric to improve: when training ends early, when the rate falls on a plateau."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypedDict

from core.registry.config import DecayConfig, Monitor

DIRECTIONS = {"val_loss": -1, "val_accuracy": 1}
"""Whether a metric gets better as it falls or as it grows."""


def better(metrics: Mapping[str, float], than: Mapping[str, float], by: Monitor) -> bool:
    """Whether one epoch's metrics beat another's; of equal accuracies, the lower loss does.

    >>> better({"val_accuracy": 0.9, "val_loss": 0.3}, {"val_accuracy": 0.9, "val_loss": 0.4},
    ...        "val_accuracy")
    True
    """
    if by == "val_loss":
        return metrics["val_loss"] < than["val_loss"]
    return (metrics["val_accuracy"], -metrics["val_loss"]) > (
        than["val_accuracy"],
        -than["val_loss"],
    )


MIN_DELTA = 1e-4
"""What a metric must gain to keep the rate: the default of Keras's ReduceLROnPlateau."""


class PatienceState(TypedDict):
    """What a Patience has seen, to go on from."""

    best: float | None
    waited: int


class PlateauState(PatienceState):
    """What a Plateau has seen and decided, to go on from."""

    rate: float


@dataclass
class Patience:
    """How long a monitored metric has not improved.

    It improves where it passes its best by more than `min_delta`, and with its first value; not a
    number never improves. With a patience of 1 or more this is what Keras's EarlyStopping decides,
    which takes 0 to end at the first epoch that is no better; here 0 waits for ever.
    """

    monitor: Monitor
    patience: int
    min_delta: float = 0.0
    best: float | None = None
    waited: int = 0

    def improved(self, metrics: Mapping[str, float]) -> bool:
        """Take in the metrics of one epoch; True where the monitored one is the best so far."""
        value, direction = metrics[self.monitor], DIRECTIONS[self.monitor]
        if self.best is None:
            better = not math.isnan(value)
        else:
            better = direction * value - self.min_delta > direction * self.best
        if better:
            self.best, self.waited = value, 0
        else:
            self.waited += 1
        return better

    @property
    def exhausted(self) -> bool:
        """Whether as many epochs as there is patience brought no improvement."""
        return self.left == 0

    @property
    def left(self) -> int | None:
        """Epochs without an improvement that are still waited for; None where there is no end."""
        return max(self.patience - self.waited, 0) if self.patience else None

    def state(self) -> PatienceState:
        return {"best": self.best, "waited": self.waited}

    def restore(self, state: PatienceState) -> None:
        self.best, self.waited = state["best"], state["waited"]


class Plateau:
    """The most that the learning rate may be, which falls whenever a metric stops improving.

    It falls as with Keras's ReduceLROnPlateau without cooldown: after `decay.patience` epochs in
    which the metric gained no more than 1e-4, by `decay.factor`, down to `decay.minimum`. A rate
    that begins below the minimum stays.
    """

    def __init__(self, decay: DecayConfig, rate: float) -> None:
        self.rate = rate
        self._decay = decay
        self._waiting = Patience(decay.monitor, decay.patience, MIN_DELTA)

    def after(self, metrics: Mapping[str, float]) -> float:
        """Take in the metrics of one epoch; the most that the rate may be in the next."""
        self._waiting.improved(metrics)
        if self._waiting.exhausted and self.rate > self._decay.minimum:
            self.rate = self.next_rate
            self._waiting.waited = 0
        return self.rate

    @property
    def next_rate(self) -> float:
        """What the rate is after its next fall."""
        return max(self.rate * self._decay.factor, self._decay.minimum)

    @property
    def left(self) -> int | None:
        """Epochs without an improvement after which the rate falls; None at its lowest."""
        return self._waiting.left if self.rate > self._decay.minimum else None

    def state(self) -> PlateauState:
        return {**self._waiting.state(), "rate": self.rate}

    def restore(self, state: PlateauState) -> None:
        self.rate = state["rate"]
        self._waiting.restore(state)
