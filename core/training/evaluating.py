"""What a network makes of images without being trained, and how good that is."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.data.datasets import Splits
from core.data.pictures import Pictures, Positions, ahead
from core.network.networks import Network
from core.registry.config import Phase, RunConfig
from core.registry.predictions import as_stored
from core.training.inputs import ImageInputs, Inputs
from core.training.progress import (
    Progress,
    Report,
)
from core.training.steps import one_or_several

MOST_EVALUATED = 500
"""Images that are evaluated at once, where their activations are small."""
ACTIVATIONS_AT_ONCE = 2**28
"""Numbers that the layers may put out for one evaluated batch: 1 GiB in float32."""


def evaluated_at_once(config: RunConfig, phase: Phase) -> int:
    """Images that can be evaluated together without their activations filling the memory."""
    _, trained = config.blueprint.activations(phase.number - 1)
    return max(1, min(MOST_EVALUATED, ACTIVATIONS_AT_ONCE // max(trained, 1)))


class Evaluation:
    """The probabilities of a network without training it, `at_once` images at a time."""

    def __init__(self, model: keras.Model, at_once: int = MOST_EVALUATED) -> None:
        self._at_once = at_once
        rows = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
        self._forward = tf.function(
            lambda rows: model(one_or_several(rows), training=False), input_signature=[rows]
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


def measure(
    probabilities: NDArray[np.floating[Any]], labels: NDArray[np.int64], prefix: str = ""
) -> dict[str, float]:
    """Accuracy and mean cross-entropy, from probabilities as they are stored."""
    stored = as_stored(probabilities)
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    loss = -np.log(np.clip(of_truth, keras.backend.epsilon(), 1.0))
    right = np.argmax(stored, axis=1) == labels
    return {f"{prefix}loss": float(loss.mean()), f"{prefix}accuracy": float(right.mean())}
