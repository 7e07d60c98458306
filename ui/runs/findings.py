"""What curves show, in the few words of a title."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.registry.history import Line
from ui import units
from ui.names import shortened

MUCH = 1.02
"""Times the lowest loss from which on a later one is worse by more than chance makes it."""

NEARLY_NOTHING = 1e-3
"""Of the highest learning rate: the end of a schedule that falls to 0."""


class Measure(NamedTuple):
    """What a chart is about: how it is called and written; `rises` where more of it is better."""

    value: str
    name: str
    axis: str
    number_format: str
    hint: str
    rises: bool
    written: Callable[[float], str]


LOSS = Measure(
    "loss",
    "Loss",
    "loss (cross-entropy)",
    ".3~f",
    "Lower is better.",
    False,
    lambda loss: f"{loss:.3g}",
)
ACCURACY = Measure(
    "accuracy",
    "Accuracy",
    "share of images right",
    ".2~%",
    "Higher is better.",
    True,
    units.percent,
)
MEASURES = (LOSS, ACCURACY)


def of_run(measure: Measure, watched: Line) -> str:
    """What became of a measure with the epochs, by the images that a network did not learn from."""
    epochs, values = watched
    if not len(values):
        return f"{measure.name}, as the network learns"
    if not np.isfinite(values[-1]):
        return f"{measure.name} is no number after epoch {epochs[-1]:g}: the training diverged"
    if len(values) == 1:
        return f"{measure.name} is {measure.written(values[0])} after epoch {epochs[0]:g}"
    best = best_of(measure, values)
    if best < len(values) - 1:
        extreme = "highest" if measure.rises else "lowest"
        told = measure.written(values[best])
        return f"{measure.name} was {extreme} after epoch {epochs[best]:g}: {told}"
    way = "rose" if measure.rises else "fell"
    return f"{measure.name} {way} to {measure.written(values[-1])} in {epochs[-1]:g} epochs"


def by_heart(trained: Line, watched: Line) -> bool:
    """Whether the loss still fell on images that were learned from, but rose on others."""
    (epochs, losses), (own_epochs, own) = watched, trained
    if len(losses) < 2 or not np.isfinite(losses).all() or len(own_epochs) < 2:
        return False
    best = best_of(LOSS, losses)
    then = own[np.searchsorted(own_epochs, epochs[best]).clip(max=len(own) - 1)]
    return bool(losses[-1] > MUCH * losses[best] and own[-1] < then)


def of_runs(measure: Measure, names: Sequence[str], lines: Sequence[Line]) -> str:
    """Which of several runs ends best."""
    ends = [float(values[-1]) if len(values) else np.nan for _, values in lines]
    if len(names) < 2 or not np.isfinite(ends).any():
        return f"{measure.name}, as the network learns"
    best = best_of(measure, np.array(ends))
    extreme = "Highest" if measure.rises else "Lowest"
    told = measure.written(ends[best])
    return f"{extreme} {measure.value} in the end: {shortened(names[best], 40)}, {told}"


def best_of(measure: Measure, values: NDArray[np.float64]) -> int:
    """The place of the best of some values, of which at least one is a number."""
    return int(np.nanargmax(values) if measure.rises else np.nanargmin(values))


def of_rates(rates: ArrayLike) -> str:
    """How a learning rate goes from its first step to its last."""
    values = np.asarray(rates, np.float64)
    if not len(values):
        return "Learning rate"
    first, highest, last = values[0], values.max(), values[-1]
    if np.isclose(values.min(), highest):
        return f"Learning rate stays at {highest:.3g}"
    end = f"{last:.3g}" if last > NEARLY_NOTHING * highest else "almost 0"
    if highest > first and last < highest:
        return f"Learning rate rises to {highest:.3g}, then falls to {end}"
    return f"Learning rate {'falls' if last < first else 'rises'} from {first:.3g} to {end}"
