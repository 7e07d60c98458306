"""Running frozen layers over a split once, or taking their output from the cache."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import DTypeLike, NDArray
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from core.data.pictures import Pictures
from core.data.preprocessing import Pixels
from core.errors import WorkFailed
from core.network import graphs, weights
from core.network.network_config import NetworkConfig
from core.training.feature_cache import FeatureCache, Features
from core.training.progress import Progress, Report, ShouldStop

PIXELS_AT_ONCE = 256 * 48 * 48
"""Pixels of one batch: enough to keep two cores busy, few enough for the activations of VGG16."""


class Stopped(Exception):
    """Somebody asked to stop before there was anything to evaluate."""


class FrozenLayers:
    """The frozen part of a network, in one precision, with the cache of what it puts out.

    cut: what `cut_name` calls the place where the network is cut.
    """

    def __init__(
        self,
        model: keras.Model,
        config: NetworkConfig,
        cut: str,
        precision: str,
        cache: FeatureCache,
    ) -> None:
        self._model = model
        self._config = config
        self._cut = cut
        self._precision = precision
        self._cache = cache
        self._hash = weights.fingerprint([model])
        self._forward: Callable[[Pixels], Features] | None = None

    def size(self, images: int) -> int:
        """Bytes that the output for so many images takes in the cache."""
        numbers = sum(math.prod(shape) for shape in self._shapes(images))
        return numbers * np.dtype(stored_as(self._precision)).itemsize

    def cached(
        self, pictures: Pictures, number: int, part: str, report: Report, should_stop: ShouldStop
    ) -> Features:
        """The output for every picture of pass `number`, (count, ...) each, memory-mapped.

        In float32 exactly as computed, else float16, which holds more digits than bfloat16 does.
        `part` names the images in what is reported. Raises Stopped, leaving nothing half done.
        """
        key = self._key(pictures, number)
        found = self._cache.find(key)
        if found is not None:
            return found
        batches = self._run(pictures, number, part, report, should_stop)
        kind = stored_as(self._precision)
        return self._cache.store(key, self._shapes(len(pictures)), kind, batches)

    def run(self, images: Pixels) -> Features:
        """The output for one batch of images as the network takes them, as it would be kept."""
        if self._forward is None:
            self._forward = compiled(self._model)
        kind = np.dtype(stored_as(self._precision))
        return tuple(_as_stored(array, kind) for array in self._forward(images))

    def fits(self, size: int) -> bool:
        """Whether the cache may hold so many bytes."""
        return self._cache.fits(size)

    @property
    def limit(self) -> int:
        """Bytes that the cache may hold."""
        return self._cache.limit

    @property
    def batch_size(self) -> int:
        """Images that are run at once."""
        return max(1, min(256, PIXELS_AT_ONCE // self._config.side**2))

    def _shapes(self, images: int) -> list[tuple[int, ...]]:
        return [(images, *output.shape[1:]) for output in self._model.outputs]

    def _key(self, pictures: Pictures, number: int) -> dict[str, Any]:
        return {
            "dataset": pictures.split.fingerprint(),
            "backbone": self._hash,
            "cut": self._cut,
            "layers": [(layer.name, layer.kind) for layer in self._config.graph.layers],
            "side": self._config.side,
            "scaling": self._config.scaling,
            "precision": self._precision,
            "augmentation": pictures.varied_as(number),
        }

    def _run(
        self, pictures: Pictures, number: int, part: str, report: Report, should_stop: ShouldStop
    ) -> Iterator[Features]:
        count, size = len(pictures), self.batch_size
        every = (np.arange(start, min(start + size, count)) for start in range(0, count, size))
        done = 0
        for images in pictures.batches(every, number):
            if should_stop():
                raise Stopped
            yield self.run(images)
            done += len(images)
            report(Progress(f"features of {part}", done, count, "images"))


def cut_name(config: NetworkConfig, frozen_count: int) -> str:
    """Where a network is cut: how many layers are frozen, and what pools them if all are."""
    all_frozen = len(graphs.cut(config.graph, frozen_count).frozen) == len(config.graph.layers)
    return f"after layer {frozen_count}" + (f", {config.head.pooling}" if all_frozen else "")


def stored_as(precision: str) -> str:
    """The number format in which features are kept and handed to the layers that train."""
    return "float32" if precision == "float32" else "float16"


def _as_stored(array: NDArray[Any], kind: DTypeLike) -> NDArray[np.floating[Any]]:
    with np.errstate(over="ignore"):
        stored = np.asarray(array, dtype=kind)
    if not np.isfinite(stored).all():
        raise WorkFailed(
            f"the frozen layers put out numbers beyond what {np.dtype(kind)} holds; set precision "
            "to float32, or cut the network elsewhere"
        )
    return stored


def compiled(model: keras.Model) -> Callable[[Pixels], Features]:
    """The model as a function whose weights are constants.

    oneDNN then brings them into its own layout once and not with every batch: VGG16 in bfloat16
    runs 8 % faster so.
    """
    images = tf.TensorSpec(model.input_shape, model.inputs[0].dtype)
    function = tf.function(lambda batch: model(batch, training=False), input_signature=[images])
    constant = convert_variables_to_constants_v2(function.get_concrete_function())

    def run(batch: Pixels) -> Features:
        return tuple(output.numpy() for output in constant(tf.constant(batch)))

    return run
