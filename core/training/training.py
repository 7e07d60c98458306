"""Training a network on a run's splits. Knows Keras, but no run folder and no process."""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.data.datasets import Splits
from core.data.pictures import Pictures, Positions, ahead
from core.data.stratified import first_of_each_class
from core.errors import Diverged
from core.network.guessing import only_guesses, slower
from core.network.networks import Network, Parts
from core.network.weights import arrays_of
from core.registry.config import Phase, RunConfig
from core.registry.predictions import as_stored
from core.training import inputs
from core.training.checkpoints import WEIGHTS, Arrays, Checkpoint, Position
from core.training.feature_cache import FeatureCache
from core.training.features import FrozenLayers, Stopped, cut_name, stored_as
from core.training.inputs import ImageInputs, Inputs, Rows, SplitInputs
from core.training.patience import Patience, Plateau
from core.training.progress import (
    BatchEnd,
    EpochEnd,
    Note,
    Progress,
    Report,
    ResumePoint,
    ShouldStop,
)
from core.training.schedules import phase_schedule

MOST_EVALUATED = 500
"""Images that are evaluated at once, where their activations are small."""
ACTIVATIONS_AT_ONCE = 2**28
"""Numbers that the layers may put out for one evaluated batch: 1 GiB in float32."""


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
    step: "TrainingStep",
    evaluate: "Evaluation",
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
    step: "TrainingStep",
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


def _arrays(network: Network, phase: Phase, step: "TrainingStep") -> Arrays:
    """What a checkpoint holds besides the position."""
    return {
        f"{WEIGHTS}{name}": array
        for name, array in arrays_of(network.stored_layers(phase.frozen_count)).items()
    } | step.state()


def _validate(
    course: Course,
    phase: Phase,
    fed: SplitInputs,
    evaluate: "Evaluation",
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


def evaluated_at_once(config: RunConfig, phase: Phase) -> int:
    """Images that can be evaluated together without their activations filling the memory."""
    _, trained = config.blueprint.activations(phase.number - 1)
    return max(1, min(MOST_EVALUATED, ACTIVATIONS_AT_ONCE // max(trained, 1)))


@dataclass(frozen=True)
class Passes:
    """The batches of pass after pass over `count` images, the first pass numbered `first`.

    Each pass takes every image once, in an order that seed and pass alone decide.
    """

    seed: int
    first: int
    count: int
    batch_size: int

    @property
    def batches(self) -> int:
        """Batches of one pass; the last may be smaller."""
        return -(-self.count // self.batch_size)

    def take(self, done: int, steps: int) -> list[tuple[int, Positions]]:
        """The next `steps` batches after the first `done`: the pass and the images' positions."""
        taken: list[tuple[int, Positions]] = []
        while len(taken) < steps:
            complete, within = divmod(done + len(taken), self.batches)
            number = self.first + complete
            upcoming = self._pass(number)[within : within + steps - len(taken)]
            taken += [(number, positions) for positions in upcoming]
        return taken

    def _pass(self, number: int) -> list[Positions]:
        order = np.random.default_rng([self.seed, number]).permutation(self.count)
        starts = range(0, self.count, self.batch_size)
        return [order[start : start + self.batch_size] for start in starts]


def class_weights(config: RunConfig, splits: Splits) -> NDArray[np.float32] | None:
    """How much an image of each class counts, (classes,); None where all count alike.

    `balanced` is images / (classes * images of the class) (King and Zeng, 2001; scikit-learn's
    word for it). A class without images counts nothing.
    """
    if config.class_weights == "none":
        return None
    if config.class_weights == "balanced":
        classes = len(config.class_names)
        counts = np.bincount(splits.train.labels, minlength=classes)
        return np.where(counts, len(splits.train) / (classes * np.maximum(counts, 1)), 0).astype(
            np.float32
        )
    return np.array(config.class_weights, np.float32)


class TrainingStep:
    """One step of gradient descent, compiled at its first call.

    On several GPUs each takes its share of the batch and the gradients are summed
    (tf.distribute.MirroredStrategy); the model must have been built under that strategy.
    """

    def __init__(
        self,
        config: RunConfig,
        model: keras.Model,
        class_weights: NDArray[np.float32] | None = None,
    ) -> None:
        self._strategy = tf.distribute.get_strategy()
        self._replicas = self._strategy.num_replicas_in_sync
        with self._strategy.scope():
            optimizer = OPTIMIZERS[config.optimizer](config)
            if any(layer.compute_dtype == "float16" for layer in model.layers):
                optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
            optimizer.build(model.trainable_variables)
        self._model = model
        self._optimizer = optimizer
        self._rate = optimizer.learning_rate
        self._smoothing = config.label_smoothing
        self._class_weights = None if class_weights is None else tf.constant(class_weights)
        rows = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        labels, shares = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)
        rate = tf.TensorSpec([], tf.float32)
        self._compiled = tf.function(self._step, input_signature=[rows, labels, shares, rate])
        self._distributed = tf.function(
            lambda *arguments: self._strategy.run(self._step, args=arguments), reduce_retracing=True
        )

    def __call__(self, rows: Rows, labels: NDArray[np.int64], rate: float) -> tuple[float, float]:
        """Train on one batch; returns its mean loss and accuracy before the step."""
        shares = np.full(len(labels), 1 / len(labels), np.float32)
        if self._replicas == 1:
            loss, accuracy = self._compiled(list(rows), labels, shares, np.float32(rate))
            return float(loss), float(accuracy)
        missing = max(0, self._replicas - len(labels))
        of_replicas = self._distributed(
            [self._spread(array) for array in rows],
            self._spread(labels),
            self._spread(np.pad(shares, (0, missing))),
            np.float32(rate),
        )
        loss, accuracy = (
            self._strategy.reduce(tf.distribute.ReduceOp.SUM, value, axis=None)
            for value in of_replicas
        )
        return float(loss), float(accuracy)

    def state(self) -> Arrays:
        """All that the next step depends on, weights and batch aside, by name."""
        return {name: variable.value.numpy() for name, variable in self._variables().items()}

    def restore(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Go on from what `state` gave. Raises KeyError where something is missing."""
        for name, variable in self._variables().items():
            variable.assign(state[name])

    def _variables(self) -> dict[str, Any]:
        weights = {id(variable) for variable in self._model.weights}
        random = [v for v in self._model.variables if id(v) not in weights]
        return {
            f"{kind}/{place}": variable
            for kind, variables in (("optimizer", self._optimizer.variables), ("random", random))
            for place, variable in enumerate(variables)
        }

    def _spread(self, array: NDArray[Any]) -> Any:
        """The rows of each replica; rows come again where there are fewer than replicas."""
        enough = max(len(array), self._replicas)
        pieces = np.array_split(np.resize(array, (enough, *array.shape[1:])), self._replicas)
        return self._strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(pieces[context.replica_id_in_sync_group])
        )

    def _step(self, rows: Any, labels: Any, shares: Any, rate: Any) -> tuple[Any, Any]:
        """shares: how much each image counts in the mean over the whole batch, (images,)."""
        with tf.GradientTape() as tape:
            probabilities = self._model(_one_or_several(rows), training=True)
            loss = tf.reduce_sum(self._losses(labels, probabilities) * shares)
            scaled = self._optimizer.scale_loss(loss)
        self._rate.assign(rate)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, [v.value for v in variables]), variables)
        right = tf.equal(tf.argmax(probabilities, axis=1), labels)
        return loss, tf.reduce_sum(tf.cast(right, tf.float32) * shares)

    def _losses(self, labels: Any, probabilities: Any) -> Any:
        """Cross-entropy of each image, (batch,), against the truth as it is smoothed."""
        if self._smoothing:
            classes = probabilities.shape[-1]
            truth = tf.one_hot(labels, classes) * (1 - self._smoothing) + self._smoothing / classes
            losses = keras.ops.categorical_crossentropy(truth, probabilities)
        else:
            losses = keras.ops.sparse_categorical_crossentropy(labels, probabilities)
        if self._class_weights is not None:
            losses *= tf.gather(self._class_weights, labels)
        return losses


OPTIMIZERS: dict[str, Callable[[RunConfig], keras.optimizers.Optimizer]] = {
    "sgd": lambda config: keras.optimizers.SGD(
        config.learning_rate, momentum=config.momentum, nesterov=config.nesterov
    ),
    "rmsprop": lambda config: keras.optimizers.RMSprop(config.learning_rate, rho=0.9, epsilon=1e-8),
    "adam": lambda config: keras.optimizers.Adam(config.learning_rate),
    "adamw": lambda config: keras.optimizers.AdamW(
        config.learning_rate, weight_decay=config.weight_decay
    ),
    "adagrad": lambda config: keras.optimizers.Adagrad(config.learning_rate),
}


class Evaluation:
    """The probabilities of a network without training it, `at_once` images at a time."""

    def __init__(self, model: keras.Model, at_once: int = MOST_EVALUATED) -> None:
        self._at_once = at_once
        rows = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        self._forward = tf.function(
            lambda rows: model(_one_or_several(rows), training=False), input_signature=[rows]
        )

    def __call__(
        self, inputs: Inputs, report: Report, chosen: Positions | None = None
    ) -> NDArray[np.float32]:
        """(count, classes) probabilities of all inputs, or of those at some positions."""
        chosen = np.arange(len(inputs)) if chosen is None else chosen
        count = len(chosen)
        every = (chosen[start : start + self._at_once] for start in range(0, count, self._at_once))
        parts, done = [], 0
        for rows in ahead(inputs.rows, every):
            parts.append(self._forward(list(rows)).numpy())
            done += len(parts[-1])
            report(Progress("evaluating", done, count, "images"))
        return np.concatenate(parts)


def test(
    network: Network, splits: Splits, report: Report
) -> tuple[NDArray[np.float16], dict[str, float]]:
    """What a network makes of the test images, as it is stored, and their metrics."""
    pictures = ImageInputs(Pictures(splits.test, network.config))
    evaluate = Evaluation(network.parts(frozen_count=0).trained)
    probabilities = evaluate(pictures, report)
    return as_stored(probabilities), measure(probabilities, splits.test.labels, "test_")


def _one_or_several(rows: Sequence[Any]) -> Any:
    return rows[0] if len(rows) == 1 else list(rows)


def measure(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64], prefix: str = ""
) -> dict[str, float]:
    """Accuracy and mean cross-entropy, from probabilities as they are stored."""
    stored = as_stored(probabilities)
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(np.clip(of_truth, keras.backend.epsilon(), 1.0))
    right = np.argmax(stored, axis=1) == labels
    return {f"{prefix}loss": float(loss.mean()), f"{prefix}accuracy": float(right.mean())}


def gpu_capabilities() -> list[tuple[int, int]]:
    """CUDA compute capability of each GPU that TensorFlow sees."""
    devices = tf.config.list_physical_devices("GPU")
    details = (tf.config.experimental.get_device_details(device) for device in devices)
    return [detail["compute_capability"] for detail in details if "compute_capability" in detail]


def strategy() -> tf.distribute.Strategy:
    """All GPUs of the machine at once where it has several, else TensorFlow's default."""
    if len(tf.config.list_logical_devices("GPU")) > 1:
        return tf.distribute.MirroredStrategy()
    return tf.distribute.get_strategy()
