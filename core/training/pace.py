"""How quick a training is, and how long it still takes."""

import time
from collections.abc import Callable

from core.registry.config import RunConfig
from core.training.progress import BatchEnd, EpochEnd, Progress

WINDOW = 20.0
"""Seconds over which images are counted: long enough to be steady, short enough to be now."""


class Pace:
    """Takes in what training tells; knows images per second and the seconds that are left.

    What is left is counted in steps at the pace of the last seconds, and in the time after the
    steps that the last epoch took. A phase that is still to come is taken to be as quick as this
    one, unless `later` tells how many seconds it was estimated to take.
    """

    def __init__(
        self,
        config: RunConfig,
        later: Callable[[int], float | None] = lambda phase: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config = config
        self._later = later
        self._clock = clock
        self._seen: list[tuple[float, int]] = []
        self._speed = 0.0
        self._per_step: float | None = None
        self._after_steps = 0.0
        self._last: BatchEnd | None = None
        self._stretch: tuple[str, float, int] | None = None
        self._phase = 1
        self._phase_start = 0

    def at(self, phase: int, start: int) -> None:
        """Training is in a phase, from 1, that began after `start` epochs."""
        if (phase, start) != (self._phase, self._phase_start):
            self._phase, self._phase_start = phase, start
            self._seen.clear()
            self._last, self._per_step, self._speed = None, None, 0.0

    def progress(self, event: Progress) -> float:
        """How many a second are done in a stretch such as the features of all images.

        Counted from its first report, since what comes before that is mostly getting ready; 0
        before that can be told.
        """
        now = self._clock()
        if self._stretch is None or self._stretch[0] != event.phase:
            self._stretch = event.phase, now, event.done
        _, began, before = self._stretch
        return (event.done - before) / (now - began) if now > began else 0.0

    def batch(self, event: BatchEnd) -> None:
        """One more training step."""
        now = self._clock()
        if event.batch == 1:
            self._seen.clear()  # what lay between the epochs was no training
        self._seen.append((now, event.images))
        while len(self._seen) > 2 and now - self._seen[0][0] > WINDOW:
            del self._seen[0]
        self._last = event
        elapsed = now - self._seen[0][0]
        if elapsed:
            self._per_step = elapsed / (len(self._seen) - 1)
            self._speed = sum(images for _, images in self._seen[1:]) / elapsed

    def epoch(self, event: EpochEnd) -> None:
        """The epoch ended and was evaluated."""
        if self._seen:
            self._after_steps = self._clock() - self._seen[-1][0]

    @property
    def images_per_second(self) -> float:
        """Images trained on in each of the last seconds; 0 before that can be told.

        At the first step of an epoch it is still that of the epoch before.
        """
        return self._speed

    @property
    def seconds_left(self) -> float | None:
        """Until the last epoch ends, None before that can be told."""
        per_step = self._per_step
        if self._last is None or per_step is None:
            return None
        of_epoch = self._last.batches * per_step + self._after_steps
        phase = self._config.phases[self._phase - 1]
        epochs = self._phase_start + phase.epochs - self._last.epoch
        left = (self._last.batches - self._last.batch) * per_step + self._after_steps
        left += epochs * of_epoch
        for later in self._config.phases[self._phase :]:
            estimated = self._later(later.number)
            left += later.epochs * of_epoch if estimated is None else estimated
        return left
