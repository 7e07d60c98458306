"""One step of gradient descent, and the optimizers that take it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.registry.config import RunConfig
from core.training.checkpoints import Arrays
from core.training.inputs import Rows


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
            probabilities = self._model(one_or_several(rows), training=True)
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


def one_or_several(rows: Sequence[Any]) -> Any:
    """What a Keras model is called with: a list only where it has several inputs."""
    return rows[0] if len(rows) == 1 else list(rows)
