"""Running a trained network up to its last layer."""

from collections.abc import Iterator

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.data.datasets import Split
from core.data.pictures import Pictures, Positions, ahead
from core.feature_space.space import Array, Reader
from core.network.models import load_run
from core.registry.run import Run
from core.training.feature_cache import FeatureCache
from core.training.features import FrozenLayers, cut_name, stored_as
from core.training.inputs import CachedInputs, ImageInputs, Inputs, LiveInputs
from core.training.progress import Report

BATCH = 256


class Extractor:
    """What the last layer of a run's network is fed after an epoch.

    What frozen layers put out is taken from the cache, and kept there where it fits. Raises what
    `load_run` raises.
    """

    def __init__(self, run: Run, epoch: int, cache: FeatureCache) -> None:
        network = load_run(run, epoch).without_answer()
        self._config, number_format = run.config.network, run.state.precision
        # The layers that no phase changed: of every epoch the cache then holds the same.
        frozen_count = min(phase.frozen_count for phase in run.config.phases)
        parts = network.parts(frozen_count, stored_as(number_format))
        self._frozen = None
        if parts.frozen is not None:
            cut = cut_name(self._config, frozen_count)
            self._frozen = FrozenLayers(parts.frozen, self._config, cut, number_format, cache)
        self._forward = _compiled(parts.trained)
        self.width = int(parts.trained.output_shape[1])

    def reader(self, split: Split, part: str, report: Report) -> Reader:
        """Features of the images of a split; `part` names them in what is reported."""
        inputs = self._inputs(split, part, report)
        return lambda positions: self._rows(inputs, positions)

    def _inputs(self, split: Split, part: str, report: Report) -> Inputs:
        """What the layers that train are fed for each image."""
        frozen = self._frozen
        pictures = Pictures(split, self._config, may_hold=0)
        if frozen is None:
            return ImageInputs(pictures)
        if not frozen.fits(frozen.size(len(split))):
            return LiveInputs(pictures, frozen)
        return CachedInputs([frozen.cached(pictures, 1, part, report, lambda: False)])

    def _rows(self, inputs: Inputs, positions: Positions) -> Iterator[Array]:
        batches = (positions[start : start + BATCH] for start in range(0, len(positions), BATCH))
        for fed in ahead(inputs.rows, batches):
            features: NDArray[np.float32] = self._forward(list(fed)).numpy()
            yield features


def _compiled(model: keras.Model) -> tf.types.experimental.PolymorphicFunction:
    tensors = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]

    def forward(rows: list[tf.Tensor]) -> tf.Tensor:
        return tf.cast(model(rows[0] if len(rows) == 1 else rows, training=False), tf.float32)

    return tf.function(forward, input_signature=[tensors])
