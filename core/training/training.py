"""Training a network on a run's splits. Knows Keras, but no run folder and no process."""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data.datasets import Splits
from core.data.pictures import Positions, ahead
from core.data.stratified import first_of_each_class
from core.errors import Diverged
from core.network.guessing import only_guesses, slower
from core.network.networks import Network, Parts
from core.network.weights import arrays_of
from core.registry.config import Phase, RunConfig
from core.registry.predictions import as_stored
from core.training import inputs
from core.training.checkpoints import WEIGHTS, Arrays, Checkpoint, Position
from core.training.evaluating import Evaluation, evaluated_at_once, measure
from core.training.feature_cache import FeatureCache
from core.training.features import FrozenLayers, Stopped, cut_name, stored_as
from core.training.inputs import SplitInputs
from core.training.passes import Passes, class_weights
from core.training.patience import Patience, Plateau
from core.training.progress import (
    BatchEnd,
    EpochEnd,
    Note,
    Report,
    ResumePoint,
    ShouldStop,
)
from core.training.schedules import phase_schedule
from core.training.steps import TrainingStep


@dataclass
class Course:
    """What all phases of a training have in common, and how far it has come."""

    config: RunConfig
    splits: Splits
    network: Network
    cache: FeatureCache
    precision: str
    report: Report
    should_stop: ShouldStop
    position: Position
    arrays: Arrays | None = None
    """What the phase at `position` goes on with, where it does not begin."""


def train(
    config: RunConfig,
    splits: Splits,
    network: Network,
    cache: FeatureCache,
    precision: str,
    report: Report,
    should_stop: ShouldStop,
    begin: Checkpoint | None = None,
) -> bool:
    """Train a network in place, telling of each batch and epoch; True if it came to its end.

    Frozen layers are run once over all images, or not at all where the cache has their output.
    A stop ends the epoch at once; what was learned is evaluated and reported like any epoch.
    Raises Stopped where the stop came before the first step.

    begin: where to go on from, with a network that has its weights; all that comes after is, in
    float32 on the same machine, bit for bit what it would have been without the interruption.
    """
    course = Course(config, splits, network, cache, precision, report, should_stop, Position())
    if begin is not None:
        course.position, course.arrays = _extended(begin.position, config), begin.arrays
    for phase in config.phases[course.position.phase - 1 :]:
        begins = course.arrays is None
        if begins and phase.number > 1:
            epoch = course.position.epoch
            course.position = Position(phase.number, epoch, epoch, course.position.step)
            count = len(network.backbone.layers) - phase.frozen_count
            report(Note(epoch, f"{count} layers of the backbone train from here on."))
        try:
            complete = _train_phase(course, phase)
        except Stopped:
            if course.position.step == 0:
                raise
            return False
        if not complete:
            return False
    return True


def _extended(position: Position, config: RunConfig) -> Position:
    """Where more epochs were asked for than before, none was waited for in vain yet."""
    if position.patience is None or config.all_epochs <= position.all_epochs:
        return position
    return replace(position, patience={**position.patience, "waited": 0})


def _train_phase(course: Course, phase: Phase) -> bool:
    """Train on from where the course has come to; False after a stop."""
    config, report, should_stop = course.config, course.report, course.should_stop
    start = course.position.phase_start
    parts = course.network.parts(phase.frozen_count, stored_as(course.precision))
    fed = _inputs(course, phase, parts)
    passes = Passes(config.seed, start + 1, len(fed.train), phase.batch_size)
    steps = config.steps_per_epoch or passes.batches
    schedule = phase_schedule(config, phase.learning_rate, phase.epochs, steps)
    waiting = Waiting(config, phase, course.position)
    step = TrainingStep(config, parts.trained, class_weights(config, course.splits))
    if course.arrays is not None:
        step.restore(course.arrays)
        course.arrays = None
    evaluate = Evaluation(parts.trained, evaluated_at_once(config, phase))
    last = start + phase.epochs
    ends_training = phase.number == len(config.phases)
    for epoch in range(course.position.epoch + 1, last + 1):
        if waiting.patience.exhausted:
            break
        done, ceiling = (epoch - 1 - start) * steps, waiting.ceiling
        rates = [min(schedule.rate(done + number), ceiling) for number in range(steps)]
        epoch_end, complete = _epoch(
            course, phase, fed, step, evaluate, passes.take(done, steps), rates
        )
        report(epoch_end)
        if not complete:
            return False
        for text in waiting.after(epoch_end.metrics, last_epoch=epoch == last):
            report(Note(epoch, text))
        accuracy, labels = epoch_end.metrics["val_accuracy"], course.splits.validation.labels
        if doubt := only_guesses(config, phase, epoch, accuracy, labels):
            report(Note(epoch, doubt))
        stopping = should_stop() and not (epoch == last and ends_training)
        phase_ends = epoch == last or waiting.patience.exhausted
        course.position = Position(
            phase.number, start, epoch, course.position.step, **waiting.seen()
        )
        arrays = partial(_arrays, course.network, phase, step)
        report(ResumePoint(course.position, arrays, needed=stopping or phase_ends))
        if stopping:
            return False
    return True


def _inputs(course: Course, phase: Phase, parts: Parts) -> SplitInputs:
    config, frozen = course.config, None
    if parts.frozen is not None:
        cut = cut_name(config.network, phase.frozen_count)
        frozen = FrozenLayers(parts.frozen, config.network, cut, course.precision, course.cache)
    epoch = course.position.epoch
    fed = inputs.prepare(config, course.splits, frozen, epoch, course.report, course.should_stop)
    if course.should_stop():
        raise Stopped
    return fed


class Waiting:
    """What a phase does where its metrics no longer improve: fall in rate, end early."""

    def __init__(self, config: RunConfig, phase: Phase, position: Position) -> None:
        self._config = config
        self.patience = Patience(config.early_stopping.monitor, config.early_stopping.patience)
        falls = config.schedule == "plateau"
        self._plateau = Plateau(config.decay, phase.learning_rate) if falls else None
        if position.patience is not None:
            self.patience.restore(position.patience)
        if self._plateau is not None and position.plateau is not None:
            self._plateau.restore(position.plateau)

    @property
    def ceiling(self) -> float:
        """The most that the learning rate may be."""
        return self._plateau.rate if self._plateau else math.inf

    def after(self, metrics: Mapping[str, float], *, last_epoch: bool) -> Iterator[str]:
        """Take in the metrics of an epoch; what follows from them, in sentences."""
        before = self.ceiling
        if self._plateau is not None and self._plateau.after(metrics) < before and not last_epoch:
            yield f"No improvement: the learning rate falls to {self._plateau.rate:.2g}."
        self.patience.improved(metrics)
        if self.patience.exhausted and not last_epoch:
            stopping = self._config.early_stopping
            yield (
                f"{stopping.monitor} has not improved for {stopping.patience} epochs: this phase "
                "ends here."
            )

    def seen(self) -> dict[str, Any]:
        """What a position holds of it."""
        return {
            "patience": self.patience.state(),
            "plateau": self._plateau.state() if self._plateau else None,
            "all_epochs": self._config.all_epochs,
        }


def _epoch(
    course: Course,
    phase: Phase,
    fed: SplitInputs,
    step: TrainingStep,
    evaluate: Evaluation,
    batches: Sequence[tuple[int, Positions]],
    rates: Sequence[float],
) -> tuple[EpochEnd, bool]:
    """Train one epoch, or the rest of it, and look at how the network does then.

    Returns what is told of it and whether no stop cut it short.
    """
    started = time.perf_counter() - course.position.seconds
    epoch = course.position.epoch + 1
    complete = _train_epoch(course, phase, fed, step, batches, rates, started)
    sums = course.position
    metrics = {"loss": sums.loss / sums.images, "accuracy": sums.correct / sums.images}
    probabilities, test_seconds = None, 0.0
    every = course.config.test_every
    if fed.validation is fed.test or (every and epoch % every == 0):
        began = time.perf_counter()
        probabilities = evaluate(fed.test, course.report)
        metrics |= measure(probabilities, course.splits.test.labels, "test_")
        test_seconds = time.perf_counter() - began
    metrics |= _validate(course, phase, fed, evaluate, probabilities)
    if not all(map(math.isfinite, metrics.values())):
        raise _diverged(phase, f"after epoch {epoch}", rates[-1])
    stored = None if probabilities is None else as_stored(probabilities)
    seconds = time.perf_counter() - started
    told = EpochEnd(epoch, phase.number, complete, seconds, metrics, stored, test_seconds)
    return told, complete


def _train_epoch(
    course: Course,
    phase: Phase,
    fed: SplitInputs,
    step: TrainingStep,
    batches: Sequence[tuple[int, Positions]],
    rates: Sequence[float],
    started: float,
) -> bool:
    """Take the steps of an epoch that are still to be taken; False where a stop cut it short."""
    labels, begun = course.splits.train.labels, course.position.batch
    epoch = course.position.epoch + 1
    arrays = partial(_arrays, course.network, phase, step)
    rows_of = ahead(lambda batch: fed.train.rows(batch[1], batch[0]), batches[begun:])
    for number, rows in enumerate(rows_of, start=begun + 1):
        chosen, rate = batches[number - 1][1], rates[number - 1]
        loss, accuracy = step(rows, labels[chosen], rate)
        before, count = course.position, len(chosen)
        place = epoch, number, len(batches), before.step + 1
        if not math.isfinite(loss):
            raise _diverged(phase, f"at step {before.step + 1}", rate)
        course.position = replace(
            before,
            step=before.step + 1,
            batch=number,
            images=before.images + count,
            loss=before.loss + loss * count,
            correct=before.correct + accuracy * count,
            seconds=time.perf_counter() - started,
        )
        course.report(BatchEnd(*place, count, loss, accuracy, rate))
        if number == len(batches):
            break
        stopping = course.should_stop()
        course.report(ResumePoint(course.position, arrays, needed=stopping))
        if stopping:
            return False
    return True


def _arrays(network: Network, phase: Phase, step: TrainingStep) -> Arrays:
    """What a checkpoint holds besides the position."""
    return {
        f"{WEIGHTS}{name}": array
        for name, array in arrays_of(network.stored_layers(phase.frozen_count)).items()
    } | step.state()


def _validate(
    course: Course,
    phase: Phase,
    fed: SplitInputs,
    evaluate: Evaluation,
    of_test: NDArray[np.float32] | None,
) -> dict[str, float]:
    """Metrics of the validation images, or of `validation_steps` batches of them.

    Those are the first ones of each class, since images may stand in order of class.
    """
    steps, labels = course.config.validation_steps, course.splits.validation.labels
    most = len(labels) if steps is None else min(len(labels), steps * phase.batch_size)
    chosen = first_of_each_class(labels, most)
    if of_test is not None and fed.validation is fed.test:
        watched = of_test[chosen]
    else:
        watched = evaluate(fed.validation, course.report, chosen)
    return measure(watched, labels[chosen], "val_")


def _diverged(phase: Phase, when: str, rate: float) -> Diverged:
    return Diverged(
        f"the loss is no longer a number {when}, with a learning rate of {rate:.2g}; "
        f"try {slower(phase)}"
    )
