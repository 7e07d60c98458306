"""Answering what trained networks see in a picture, with each run loaded once."""

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.explaining.grad_cam import GradCam
from core.explaining.heat import Heat
from core.models import load_run
from core.network_config import NetworkConfig
from core.networks import Network, example
from core.preprocessing import Pixels, for_network
from core.runs import Run, Runs

MOST_NETWORKS = 4
BATCH = 256


class Predictor:
    """Keeps the networks asked for last, up to `most` of them.

    One process may use it from one thread at a time. epoch: one whose weights the run kept, by
    default its best. Weights that were written anew since are loaded anew.
    """

    def __init__(self, runs: Runs, most: int = MOST_NETWORKS) -> None:
        self._runs = runs
        self._most = most
        self._loaded: OrderedDict[_Key, LoadedNetwork] = OrderedDict()

    def predict(self, run_id: str, images: Pixels, epoch: int | None = None) -> NDArray[np.float32]:
        """Probabilities, (count, classes), of images (count, height, width[, 3]) uint8.

        Raises UnknownRun, NotComparable or DamagedFile where the run cannot answer.
        """
        return self._network(run_id, epoch).probabilities(images)

    def grad_cam(
        self, run_id: str, image: Pixels, of_class: int, epoch: int | None = None, finer: int = 0
    ) -> Heat:
        """Which fields of an image (height, width[, 3]) uint8 speak for a class, from 0.

        finer: how many sizes smaller the fields shall be than those of the last layer that has
        some. Raises what `predict` does, InvalidRequest where there is no such class, and Diverged.
        """
        return self._network(run_id, epoch).grad_cam(image, of_class, finer)

    def load(self, run_id: str, epoch: int | None = None) -> None:
        """Make a run ready to answer at once."""
        self._network(run_id, epoch)

    def _network(self, run_id: str, epoch: int | None) -> "LoadedNetwork":
        run = self._runs.find(run_id)
        key = _key(run, run.state.best_epoch if epoch is None else epoch)
        if key not in self._loaded:
            self._loaded[key] = LoadedNetwork(load_run(run, epoch), run.config.network)
        self._loaded.move_to_end(key)
        while len(self._loaded) > self._most:
            self._loaded.popitem(last=False)
        return self._loaded[key]


_Key = tuple[str, int, int]
"""A run, an epoch, and when the weights of that epoch were written."""


def _key(run: Run, epoch: int) -> _Key:
    try:
        written = run.folder.weights(epoch).stat().st_mtime_ns
    except OSError:
        written = 0  # they are not there: loading them says so
    return run.id, epoch, written


class LoadedNetwork:
    """A network that takes plain images, compiled and warm."""

    def __init__(self, network: Network, config: NetworkConfig) -> None:
        whole = network.parts(frozen_count=0).trained
        images = tf.TensorSpec([None, config.side, config.side, config.channels], tf.uint8)
        self._config = config
        self._network = network
        self._explained: dict[int, GradCam] = {}
        self._forward = tf.function(
            lambda images: whole(images, training=False), input_signature=[images]
        )
        self._forward(example(config))

    def probabilities(
        self, images: Pixels, progress: Callable[[int], None] = lambda done: None
    ) -> NDArray[np.float32]:
        """(count, height, width[, 3]) uint8 images to (count, classes) probabilities."""
        parts = []
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            parts.append(self._forward(self._fed(batch)).numpy())
            progress(start + len(batch))
        return np.concatenate(parts)

    def grad_cam(self, image: Pixels, of_class: int, finer: int = 0) -> Heat:
        """Which fields of a (height, width[, 3]) uint8 image speak for a class."""
        if finer not in self._explained:
            self._explained[finer] = GradCam(self._network, finer)
        (fed,) = self._fed(image[None])
        return self._explained[finer].heat(fed, of_class)

    def _fed(self, images: Pixels) -> Pixels:
        return for_network(images, self._config.side, self._config.channels)
