"""Running frozen layers over a split once, or taking their output from the cache."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from core import weights
from core.config import NetworkConfig
from core.datasets import Split
from core.feature_cache import FeatureCache, Features
from core.preprocessing import Pixels, for_network
from core.progress import Progress, Report, ShouldStop

CUT = "end of backbone"
PIXELS_AT_ONCE = 256 * 48 * 48
"""Pixels of one batch: enough to keep two cores busy, few enough for the activations of VGG16."""


class Stopped(Exception):
    """Somebody asked to stop before there was anything to evaluate."""


class FrozenLayers:
    """The frozen part of a network, in one precision, with the cache of what it puts out."""

    def __init__(
        self, model: keras.Model, config: NetworkConfig, precision: str, cache: FeatureCache
    ) -> None:
        self._model = model
        self._config = config
        self._precision = precision
        self._cache = cache
        self._hash = weights.fingerprint(model)

    def features(
        self, split: Split, part: str, report: Report, should_stop: ShouldStop
    ) -> Features:
        """The output for every image of a split, (count, ...), memory-mapped.

        In float32 exactly as computed, else float16, which holds more digits than bfloat16 does.
        `part` names the split in what is reported. Raises Stopped, leaving nothing half done.
        """
        key = self._key(split)
        found = self._cache.find(key)
        if found is not None:
            return found
        shape = (len(split), *self._model.output_shape[1:])
        batches = self._run(split, part, report, should_stop)
        stored_as = np.float32 if self._precision == "float32" else np.float16
        return self._cache.store(key, shape, stored_as, batches)

    def _key(self, split: Split) -> dict[str, Any]:
        return {
            "dataset": split.fingerprint(),
            "backbone": self._hash,
            "cut": CUT,
            "side": self._config.side,
            "scaling": self._config.scaling,
            "precision": self._precision,
        }

    def _run(
        self, split: Split, part: str, report: Report, should_stop: ShouldStop
    ) -> Iterator[Features]:
        side, channels = self._config.side, self._config.channels
        size = max(1, min(256, PIXELS_AT_ONCE // side**2))
        forward = _compiled(self._model)

        def prepared(start: int) -> Pixels:
            return for_network(split.images[start : start + size], side, channels)

        # OpenCV prepares the next batch while this one runs.
        with ThreadPoolExecutor(max_workers=1) as pool:
            following = pool.submit(prepared, 0)
            for start in range(0, len(split), size):
                if should_stop():
                    raise Stopped
                images, following = following.result(), pool.submit(prepared, start + size)
                yield forward(images)
                done = min(start + size, len(split))
                report(Progress(f"features of {part} images", done, len(split), "images"))


def _compiled(model: keras.Model) -> Callable[[Pixels], Features]:
    """The model as a function whose weights are constants.

    oneDNN then brings them into its own layout once and not with every batch: VGG16 in bfloat16
    runs 8 % faster so.
    """
    images = tf.TensorSpec(model.input_shape, model.inputs[0].dtype)
    function = tf.function(lambda batch: model(batch, training=False), input_signature=[images])
    constant = convert_variables_to_constants_v2(function.get_concrete_function())

    def run(batch: Pixels) -> Features:
        (features,) = constant(tf.constant(batch))
        output: Features = features.numpy()
        return output

    return run
