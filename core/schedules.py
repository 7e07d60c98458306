"""The learning rate at each step, as a plain function of the step, so that it can be drawn."""

import math
from collections.abc import Callable

RISE = 0.3
"""Share of training in which one_cycle rises to its peak (Smith and Topin, 2018)."""


def _constant(progress: float) -> float:
    return 1.0


def _linear(progress: float) -> float:
    return 1.0 - progress


def _cosine(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def _one_cycle(progress: float) -> float:
    return progress / RISE if progress < RISE else _cosine((progress - RISE) / (1.0 - RISE))


SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
}
"""From the share of training done, 0 to 1, to the share of the learning rate in force."""


def learning_rate(schedule: str, peak: float, step: int, steps: int) -> float:
    """The learning rate of one step, counted from 0, of `steps` in all.

    The middle of the step is what counts, so that neither the first nor the last step is at 0.

    >>> learning_rate("linear", 0.1, step=0, steps=2), learning_rate("linear", 0.1, 1, 2)
    (0.075..., 0.025...)
    """
    return peak * SCHEDULES[schedule]((step + 0.5) / steps)
