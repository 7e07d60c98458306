"""Training a network on a run's splits. Knows Keras, but no run folder and no process."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core import schedules
from core.config import RunConfig
from core.datasets import Split, Splits
from core.errors import Diverged
from core.feature_cache import FeatureCache
from core.features import FrozenLayers, Stopped
from core.networks import Network
from core.predictions import as_stored
from core.preprocessing import for_network
from core.progress import BatchEnd, EpochEnd, Progress, Report, ShouldStop

EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Inputs:
    """What the trained part of a network is fed for one split, with the true classes.

    rows: (count, ...) uint8 images or features, possibly memory-mapped. labels: (count,) int64.
    """

    rows: NDArray[Any]
    labels: NDArray[np.int64]


def train(
    config: RunConfig,
    splits: Splits,
    network: Network,
    cache: FeatureCache,
    precision: str,
    report: Report,
    should_stop: ShouldStop,
) -> None:
    """Train a network in place, telling of each batch and epoch.

    Frozen layers are run once over all images, or not at all where the cache has their output.
    A stop ends the epoch at once; what was learned is evaluated and reported like any epoch.
    Raises Stopped where the stop came before the first step.
    """
    frozen = network.frozen and FrozenLayers(network.frozen, config.network, precision, cache)

    def prepare(split: Split, part: str) -> Inputs:
        if frozen:
            return Inputs(frozen.features(split, part, report, should_stop), split.labels)
        network = config.network
        return Inputs(for_network(split.images, network.side, network.channels), split.labels)

    inputs = prepare(splits.train, "training")
    test = prepare(splits.test, "test")
    watched = test if splits.validation is splits.test else prepare(splits.validation, "validation")
    if should_stop():
        raise Stopped
    step = TrainingStep(config, network.trained)
    evaluate = Evaluation(network.trained)
    for epoch in range(1, config.epochs + 1):
        started = time.perf_counter()
        metrics, complete = _train_epoch(config, epoch, inputs, step, report, should_stop)
        probabilities = evaluate(test.rows, report)
        metrics |= measure(probabilities, test.labels, "test_")
        watched_output = probabilities if watched is test else evaluate(watched.rows, report)
        metrics |= measure(watched_output, watched.labels, "val_")
        if not math.isfinite(metrics["test_loss"] + metrics["val_loss"]):
            raise _diverged(config, f"after epoch {epoch}", config.learning_rate)
        seconds = time.perf_counter() - started
        report(EpochEnd(epoch, complete, seconds, metrics, as_stored(probabilities)))
        if not complete or should_stop():
            return


def _train_epoch(
    config: RunConfig,
    epoch: int,
    inputs: Inputs,
    step: "TrainingStep",
    report: Report,
    should_stop: ShouldStop,
) -> tuple[dict[str, float], bool]:
    batches = -(-len(inputs.labels) // config.batch_size)
    images, loss_sum, correct_sum = 0, 0.0, 0.0
    for batch, chosen in enumerate(batch_indices(config, epoch, len(inputs.labels)), start=1):
        number = (epoch - 1) * batches + batch
        rate = schedules.learning_rate(
            config.schedule, config.learning_rate, number - 1, config.epochs * batches
        )
        loss, accuracy = step(inputs.rows[chosen], inputs.labels[chosen], rate)
        if not math.isfinite(loss):
            raise _diverged(config, f"at step {number}", rate)
        count = len(chosen)
        images, loss_sum = images + count, loss_sum + loss * count
        correct_sum += accuracy * count
        report(BatchEnd(epoch, batch, batches, number, count, loss, accuracy, rate))
        if should_stop():
            break
    metrics = {"loss": loss_sum / images, "accuracy": correct_sum / images}
    return metrics, images == len(inputs.labels)


def _diverged(config: RunConfig, when: str, rate: float) -> Diverged:
    return Diverged(
        f"the loss is no longer a number {when}, with a learning rate of {rate:.2g}; "
        f"try a learning_rate of {config.learning_rate / 10:.2g}"
    )


def batch_indices(config: RunConfig, epoch: int, count: int) -> Iterator[NDArray[np.int64]]:
    """Which images each batch of an epoch takes: a shuffle decided by seed and epoch alone."""
    order = np.random.default_rng([config.seed, epoch]).permutation(count)
    for start in range(0, count, config.batch_size):
        yield order[start : start + config.batch_size]


class TrainingStep:
    """One step of gradient descent, compiled at its first call."""

    def __init__(self, config: RunConfig, model: keras.Model) -> None:
        optimizer = OPTIMIZERS[config.optimizer](config.learning_rate)
        if model.dtype_policy.compute_dtype == "float16":
            optimizer = keras.mixed_precision.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
        self._model = model
        self._optimizer = optimizer
        self._rate = optimizer.learning_rate
        rows = tf.TensorSpec(model.input_shape, model.inputs[0].dtype)
        labels, rate = tf.TensorSpec([None], tf.int64), tf.TensorSpec([], tf.float32)
        self._compiled = tf.function(self._step, input_signature=[rows, labels, rate])

    def __call__(
        self, rows: NDArray[Any], labels: NDArray[np.int64], rate: float
    ) -> tuple[float, float]:
        """Train on one batch; returns its mean loss and accuracy before the step."""
        loss, accuracy = self._compiled(_as_input(self._model, rows), labels, np.float32(rate))
        return float(loss), float(accuracy)

    def _step(self, rows: Any, labels: Any, rate: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            probabilities = self._model(rows, training=True)
            losses = keras.ops.sparse_categorical_crossentropy(labels, probabilities)
            loss = tf.reduce_mean(losses)
            scaled = self._optimizer.scale_loss(loss)
        self._rate.assign(rate)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(scaled, [v.value for v in variables]), variables)
        right = tf.equal(tf.argmax(probabilities, axis=1), labels)
        return loss, tf.reduce_mean(tf.cast(right, tf.float32))


OPTIMIZERS: dict[str, Callable[[float], keras.optimizers.Optimizer]] = {
    "rmsprop": lambda rate: keras.optimizers.RMSprop(rate, rho=0.9, epsilon=1e-8),
    "adam": keras.optimizers.Adam,
    "sgd": keras.optimizers.SGD,
}


class Evaluation:
    """The probabilities of a network without training it."""

    def __init__(self, model: keras.Model) -> None:
        self._model = model
        rows = tf.TensorSpec(model.input_shape, model.inputs[0].dtype)
        self._forward = tf.function(
            lambda rows: model(rows, training=False), input_signature=[rows]
        )

    def __call__(self, rows: NDArray[Any], report: Report) -> NDArray[np.float32]:
        """(count, ...) images or features to (count, classes) probabilities."""
        parts = []
        for start in range(0, len(rows), EVALUATION_BATCH):
            batch = _as_input(self._model, rows[start : start + EVALUATION_BATCH])
            parts.append(self._forward(batch).numpy())
            done = min(start + EVALUATION_BATCH, len(rows))
            report(Progress("evaluating", done, len(rows), "images"))
        return np.concatenate(parts)


def measure(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64], prefix: str = ""
) -> dict[str, float]:
    """Accuracy and mean cross-entropy, from probabilities as they are stored."""
    stored = as_stored(probabilities)
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(np.clip(of_truth, keras.backend.epsilon(), 1.0))
    right = np.argmax(stored, axis=1) == labels
    return {f"{prefix}loss": float(loss.mean()), f"{prefix}accuracy": float(right.mean())}


def _as_input(model: keras.Model, rows: NDArray[Any]) -> NDArray[Any]:
    """Rows in the number format the model takes: stored features are shorter."""
    return np.asarray(rows, dtype=model.inputs[0].dtype)


def gpu_capabilities() -> list[tuple[int, int]]:
    """CUDA compute capability of each GPU that TensorFlow sees."""
    devices = tf.config.list_physical_devices("GPU")
    details = (tf.config.experimental.get_device_details(device) for device in devices)
    return [detail["compute_capability"] for detail in details if "compute_capability" in detail]
