"""The learning rate at each step, as a plain function of the step, so that it can be drawn."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from core.registry.config import DecayConfig, RunConfig

RISE = 0.3
"""Share of training in which one_cycle rises to its peak (Smith and Topin, 2018)."""

SAMPLES = 200
"""Steps of a phase that are drawn beside those where its curve breaks."""

MOST_BREAKS = 100
"""Breaks of a phase that are drawn exactly; later ones lie too close to be seen."""


@dataclass(frozen=True)
class Schedule:
    """The learning rate of one phase of training.

    In the first `warmup_steps` the rate rises from 0 to the peak in a line; the schedule called
    `name` then begins and runs over the steps that remain.
    """

    name: str
    peak: float
    steps: int
    steps_per_epoch: int
    warmup_steps: int
    decay: DecayConfig

    def rate(self, step: int) -> float:
        """The learning rate of a step, counted from 0 at the start of the phase.

        Where it is a share of the way, the middle of the step is what counts, so that neither the
        first nor the last step is at 0.

        >>> halving = Schedule("linear", 0.1, 2, 2, 0, DecayConfig())
        >>> halving.rate(0), halving.rate(1)
        (0.075..., 0.025...)
        """
        if step < self.warmup_steps:
            return self.peak * ((step + 0.5) / self.warmup_steps)
        return self.peak * SCHEDULES[self.name](self, step - self.warmup_steps)

    def progress(self, step: int) -> float:
        """Share of the steps after the warm-up that lies before the middle of one of them."""
        return (step + 0.5) / (self.steps - self.warmup_steps)

    @property
    def decay_steps(self) -> Fraction:
        """Steps in `decay.epochs`, exactly: 1.1 times 10 is a little more than 11 in floats."""
        return Fraction(str(self.decay.epochs)) * self.steps_per_epoch

    @property
    def breaks(self) -> list[int]:
        """The steps at which the curve turns a corner or falls at once, the first hundred."""
        corners = BREAKS[self.name](self) if self.name in BREAKS else []
        after_warmup = {self.warmup_steps + step for step in [0, *corners]}
        return sorted(step for step in after_warmup if 0 < step < self.steps)


def _constant(schedule: Schedule, step: int) -> float:
    return 1.0


def _linear(schedule: Schedule, step: int) -> float:
    return 1.0 - schedule.progress(step)


def _half_wave(progress: float) -> float:
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def _cosine(schedule: Schedule, step: int) -> float:
    return _half_wave(schedule.progress(step))


def _one_cycle(schedule: Schedule, step: int) -> float:
    progress = schedule.progress(step)
    return progress / RISE if progress < RISE else _half_wave((progress - RISE) / (1.0 - RISE))


def _time(schedule: Schedule, step: int) -> float:
    return 1.0 / (1.0 + schedule.decay.per_step * step)


def _step(schedule: Schedule, step: int) -> float:
    return float(schedule.decay.factor ** (step // schedule.decay_steps))


def _exponential(schedule: Schedule, step: int) -> float:
    return float(schedule.decay.factor ** float(step / schedule.decay_steps))


SCHEDULES: dict[str, Callable[[Schedule, int], float]] = {
    "constant": _constant,
    "linear": _linear,
    "cosine": _cosine,
    "one_cycle": _one_cycle,
    "time": _time,
    "step": _step,
    "exponential": _exponential,
    "plateau": _constant,
}
"""From a step, counted from 0 after the warm-up, to the share of the peak that is in force.

time is what Keras 1 and 2 did with the argument `decay` of an optimizer. step and exponential
multiply by `decay.factor` in every `decay.epochs`. plateau has the rate that the falls of
`core.training.patience.Plateau` begin from: they depend on how training goes.
"""


def _peak(schedule: Schedule) -> list[int]:
    return [math.ceil(RISE * (schedule.steps - schedule.warmup_steps) - 0.5)]


def _falls(schedule: Schedule) -> list[int]:
    count = min(MOST_BREAKS, schedule.steps // schedule.decay_steps)
    return [math.ceil(fall * schedule.decay_steps) for fall in range(1, count + 1)]


BREAKS: dict[str, Callable[[Schedule], list[int]]] = {"one_cycle": _peak, "step": _falls}
"""Steps after the warm-up at which a schedule is not smooth."""


def phase_schedule(config: RunConfig, peak: float, epochs: int, steps_per_epoch: int) -> Schedule:
    """The learning rate of a phase of so many epochs, of `steps_per_epoch` steps each.

    Every phase begins anew, warm-up included; one that is no longer than the warm-up has none.
    """
    steps = epochs * steps_per_epoch
    warmup = round(config.warmup_epochs * steps_per_epoch)
    return Schedule(
        name=config.schedule,
        peak=peak,
        steps=steps,
        steps_per_epoch=steps_per_epoch,
        warmup_steps=warmup if warmup < steps else 0,
        decay=config.decay,
    )


def drawn(config: RunConfig, steps_per_epoch: Sequence[int]) -> list[tuple[float, float]]:
    """The learning rate of a whole run as a line of (epochs done, rate) to draw.

    steps_per_epoch: of each phase, one or two, whose batches may differ. At a break two points
    share their place: the rate before it and the rate from there on. A phase has some 400 points at
    most. For plateau the line is the most that the rate can be.
    """
    second = config.second_phase
    phases = [(config.learning_rate, config.epochs)]
    if second.epochs:
        phases.append((second.learning_rate, second.epochs))
    line: list[tuple[float, float]] = []
    done = 0
    for (peak, epochs), steps in zip(phases, steps_per_epoch, strict=True):
        schedule = phase_schedule(config, peak, epochs, steps)
        line += [(done + place / steps, rate) for place, rate in _points(schedule)]
        done += epochs
    return line


def _points(schedule: Schedule) -> list[tuple[int, float]]:
    last = schedule.steps - 1
    evenly = {number * last // (SAMPLES - 1) for number in range(SAMPLES)}
    points = [(step, step) for step in evenly] + [(schedule.steps, last)]
    for step in schedule.breaks:
        points += [(step, step - 1), (step, step)]
    return [(place, schedule.rate(step)) for place, step in sorted(set(points))]
