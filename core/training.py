"""Training a network on a run's splits. Knows Keras, but no run folder and no process."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core import inputs
from core.config import Phase, RunConfig
from core.datasets import Splits
from core.errors import Diverged
from core.feature_cache import FeatureCache
from core.features import FrozenLayers, Stopped, cut_name, stored_as
from core.inputs import Inputs, Rows, SplitInputs
from core.networks import Network
from core.patience import Patience, Plateau
from core.pictures import Positions, ahead
from core.predictions import as_stored
from core.progress import BatchEnd, EpochEnd, Note, Progress, Report, ShouldStop
from core.schedules import phase_schedule

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
    epoch: int = 0
    step: int = 0


def train(
    config: RunConfig,
    splits: Splits,
    network: Network,
    cache: FeatureCache,
    precision: str,
    report: Report,
    should_stop: ShouldStop,
) -> bool:
    """Train a network in place, telling of each batch and epoch; True if it came to its end.

    Frozen layers are run once over all images, or not at all where the cache has their output.
    A stop ends the epoch at once; what was learned is evaluated and reported like any epoch.
    Raises Stopped where the stop came before the first step.
    """
    course = Course(config, splits, network, cache, precision, report, should_stop)
    for phase in config.phases:
        if phase.number > 1:
            count = len(network.backbone.layers) - phase.frozen_count
            report(Note(course.epoch, f"{count} layers of the backbone train from here on."))
        try:
            complete = _train_phase(course, phase)
        except Stopped:
            if course.epoch == 0:
                raise
            return False
        if not complete:
            return False
    return True


def _train_phase(course: Course, phase: Phase) -> bool:
    """Train on from where the course has come to; False after a stop."""
    config, report, should_stop = course.config, course.report, course.should_stop
    kind = stored_as(course.precision)
    parts = course.network.parts(phase.frozen_count, kind)
    frozen = None
    if parts.frozen is not None:
        cut = cut_name(config.network, phase.frozen_count)
        frozen = FrozenLayers(parts.frozen, config.network, cut, course.precision, course.cache)
    fed = inputs.prepare(config, course.splits, frozen, course.epoch, report, should_stop)
    if should_stop():
        raise Stopped
    first, last = course.epoch + 1, course.epoch + phase.epochs
    passes = Passes(config.seed, first, len(fed.train), phase.batch_size)
    steps = config.steps_per_epoch or passes.batches
    schedule = phase_schedule(config, phase.learning_rate, phase.epochs, steps)
    falls = config.schedule == "plateau"
    plateau = Plateau(config.decay, phase.learning_rate) if falls else None
    patience = Patience(config.early_stopping.monitor, config.early_stopping.patience)
    step = TrainingStep(config, parts.trained, class_weights(config, course.splits))
    evaluate = Evaluation(parts.trained, evaluated_at_once(config, phase))
    for epoch in range(first, last + 1):
        started = time.perf_counter()
        done = (epoch - first) * steps
        ceiling = plateau.rate if plateau else math.inf
        rates = [min(schedule.rate(done + number), ceiling) for number in range(steps)]
        course.epoch, batches = epoch, passes.take(done, steps)
        metrics, complete = _train_epoch(course, phase, batches, fed, step, rates)
        probabilities = evaluate(fed.test, report)
        metrics |= measure(probabilities, course.splits.test.labels, "test_")
        metrics |= _validate(course, phase, fed, evaluate, probabilities)
        if not math.isfinite(metrics["test_loss"] + metrics["val_loss"]):
            raise _diverged(phase, f"after epoch {epoch}", rates[-1])
        seconds = time.perf_counter() - started
        stored = as_stored(probabilities)
        report(EpochEnd(epoch, phase.number, complete, seconds, metrics, stored))
        at_the_end = epoch == last and phase.number == len(config.phases)
        if not complete or (should_stop() and not at_the_end):
            return False
        if plateau is not None and plateau.after(metrics) < ceiling and epoch < last:
            report(Note(epoch, f"No improvement: the learning rate falls to {plateau.rate:.2g}."))
        patience.improved(metrics)
        if patience.exhausted and epoch < last:
            report(Note(epoch, _given_up(config, epoch)))
            break
    return True


def _given_up(config: RunConfig, epoch: int) -> str:
    stopping = config.early_stopping
    return (
        f"{stopping.monitor} has not improved for {stopping.patience} epochs: this phase ends "
        f"after epoch {epoch}."
    )


def _train_epoch(
    course: Course,
    phase: Phase,
    batches: Sequence[tuple[int, Positions]],
    fed: SplitInputs,
    step: "TrainingStep",
    rates: Sequence[float],
) -> tuple[dict[str, float], bool]:
    labels = course.splits.train.labels
    images, loss_sum, correct_sum = 0, 0.0, 0.0
    rows_of = ahead(lambda batch: fed.train.rows(batch[1], batch[0]), batches)
    for number, rows in enumerate(rows_of, start=1):
        chosen, rate = batches[number - 1][1], rates[number - 1]
        loss, accuracy = step(rows, labels[chosen], rate)
        course.step += 1
        if not math.isfinite(loss):
            raise _diverged(phase, f"at step {course.step}", rate)
        count = len(chosen)
        images, loss_sum = images + count, loss_sum + loss * count
        correct_sum += accuracy * count
        place = course.epoch, number, len(batches), course.step
        course.report(BatchEnd(*place, count, loss, accuracy, rate))
        if course.should_stop():
            break
    metrics = {"loss": loss_sum / images, "accuracy": correct_sum / images}
    return metrics, number == len(batches)


def _validate(
    course: Course,
    phase: Phase,
    fed: SplitInputs,
    evaluate: "Evaluation",
    of_test: NDArray[np.float32],
) -> dict[str, float]:
    """Metrics of the validation images, or of the first `validation_steps` batches of them."""
    steps, labels = course.config.validation_steps, course.splits.validation.labels
    most = len(labels) if steps is None else min(len(labels), steps * phase.batch_size)
    watched = of_test[:most] if fed.validation is fed.test else None
    if watched is None:
        watched = evaluate(fed.validation, course.report, most)
    return measure(watched, labels[:most], "val_")


def _diverged(phase: Phase, when: str, rate: float) -> Diverged:
    setting = "learning_rate" if phase.number == 1 else "second_phase.learning_rate"
    return Diverged(
        f"the loss is no longer a number {when}, with a learning rate of {rate:.2g}; "
        f"try a {setting} of {phase.learning_rate / 10:.2g}"
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
        self, inputs: Inputs, report: Report, most: int | None = None
    ) -> NDArray[np.float32]:
        """(count, classes) probabilities of all inputs, or of the first `most`."""
        count = len(inputs) if most is None else most
        every = (
            np.arange(start, min(start + self._at_once, count))
            for start in range(0, count, self._at_once)
        )
        parts, done = [], 0
        for rows in ahead(inputs.rows, every):
            parts.append(self._forward(list(rows)).numpy())
            done += len(parts[-1])
            report(Progress("evaluating", done, count, "images"))
        return np.concatenate(parts)


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
