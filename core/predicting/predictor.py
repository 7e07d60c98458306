"""Answering what trained networks see in a picture, with each run loaded once."""

import gc
import math
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import tensorflow as tf
from numpy.typing import NDArray

from core.activations.channels import Channels
from core.data.preprocessing import Pixels, for_network
from core.explaining.grad_cam import GradCam
from core.explaining.heat import Heat
from core.jobs import Tell, silently
from core.network.graphs import Graph
from core.network.models import export_keras, load_run
from core.network.network_config import NetworkConfig
from core.network.networks import Network, example
from core.predicting.turns import Turns
from core.registry.run import Run
from core.registry.runs import Runs

Numbers = NDArray[np.float32]

SHARE_OF_MEMORY = 1 / 8
"""Of the machine's memory, what loaded networks may take together."""
TIMES_WEIGHTS = 2
"""Memory of a loaded network over that of its weights: VGG16 and ResNet50 were measured at 1.9 to
2.2 times, as oneDNN keeps weights a second time in the order it computes in."""
WORK_OF_A_TURN = 4_000_000_000
"""Multiplications that a network may do in one turn, some hundredths of a second on two cores."""
MOST_AT_ONCE = 256
"""Images that even a small network is given at once."""


WAITING = "waiting for another network to be loaded"
READING = "reading its weights"
COMPILING = "compiling it"
WRITING = "writing it"
ASKING = "asking it"
"""What is being done for an answer, as whoever waits is told."""


class Predictor:
    """Answers from any number of threads, with each network loaded once.

    Networks used least recently are freed where all would take more than `limit` bytes; the one
    used last is always kept. A long question is answered in parts and loading one network holds
    up no answer of another, so that somebody's drawing never waits for somebody else's 10,000
    images. epoch: one whose weights the run kept, by default its best. Weights that were written
    anew since are loaded anew. tell: told how far it is, between two parts of the work; may raise
    Cancelled.
    """

    def __init__(self, runs: Runs, limit: int | None = None) -> None:
        self._runs = runs
        self._limit = usual_limit() if limit is None else limit
        self._loaded: OrderedDict[_Key, LoadedNetwork] = OrderedDict()
        self._access = threading.Lock()  # held for a look at what is loaded
        self._loading = Turns()  # had while one network is loaded
        self._computing = Turns()  # had while a loaded network computes

    def predict(
        self, run_id: str, images: Pixels, epoch: int | None = None, tell: Tell = silently
    ) -> Numbers:
        """Probabilities, (count, classes), of images (count, height, width[, 3]) uint8.

        Raises UnknownRun, NotComparable or DamagedFile where the run cannot answer.
        """
        return self._network(run_id, epoch, tell).probabilities(images, _of(images, tell))

    def features(
        self, run_id: str, images: Pixels, epoch: int | None = None, tell: Tell = silently
    ) -> Numbers:
        """What the network's last layer is fed of images, (count, width). Raises as `predict`."""
        return self._network(run_id, epoch, tell).features(images, _of(images, tell))

    def grad_cam(
        self,
        run_id: str,
        image: Pixels,
        of_class: int,
        epoch: int | None = None,
        finer: int = 0,
        tell: Tell = silently,
    ) -> Heat:
        """Which fields of an image (height, width[, 3]) uint8 speak for a class, from 0.

        finer: how many sizes smaller the fields shall be than those of the last layer that has
        some. Raises what `predict` does, InvalidRequest where there is no such class, and Diverged.
        """
        return self._network(run_id, epoch, tell).grad_cam(image, of_class, finer)

    def feature_maps(
        self, run_id: str, image: Pixels, layer: int, epoch: int | None = None
    ) -> Numbers:
        """What a layer makes of an image (height, width[, 3]) uint8, (rows, columns, channels).

        layer: its position in the network's graph, one of `seen_layers`. Raises what `predict`
        does, InvalidRequest where it is none of them, and Diverged.
        """
        return self._network(run_id, epoch).feature_maps(image, layer)

    def strongest(self, run_id: str, images: Pixels, epoch: int | None = None) -> Numbers:
        """How strongly each channel answers to images, and where, see `Channels.strongest`.

        Raises what `predict` does, and Diverged.
        """
        return self._network(run_id, epoch).strongest(images)

    def receptive_fields(self, run_id: str, epoch: int | None = None) -> NDArray[np.int64]:
        """What the fields of each layer see, see `Channels.fields`. Raises what `predict` does."""
        return self._network(run_id, epoch).receptive_fields()

    def kernels(self, run_id: str, epoch: int | None = None) -> Numbers:
        """The first convolution's kernels, see `Channels.kernels`. Raises as `feature_maps`."""
        return self._network(run_id, epoch).kernels()

    def load(self, run_id: str, epoch: int | None = None, tell: Tell = silently) -> None:
        """Make a run ready to answer at once."""
        self._network(run_id, epoch, tell)

    def export(self, run_id: str, tell: Tell = silently) -> NDArray[np.uint8]:
        """A run's best network as the bytes of a `.keras` file, see `export_keras`.

        Raises what `predict` does, and InvalidRequest where there is no room to write it.
        """
        run = self._runs.find(run_id)
        tell(0.0, WAITING)
        with self._loading, tempfile.TemporaryDirectory() as folder:
            tell(0.0, WRITING)
            path = export_keras(run, Path(folder) / "network.keras")
            return np.fromfile(path, np.uint8)

    def _network(self, run_id: str, epoch: int | None, tell: Tell = silently) -> "LoadedNetwork":
        run = self._runs.find(run_id)
        key = _key(run, run.state.best_epoch if epoch is None else epoch)
        if (known := self._find(key)) is not None:
            tell(0.0, ASKING)
            return known
        tell(0.0, WAITING)
        with self._loading:
            if (known := self._find(key)) is None:
                tell(0.0, READING)
                loaded = load_run(run, epoch)
                tell(0.0, COMPILING)
                known = LoadedNetwork(loaded, run.config.network, self._computing)
                self._keep(key, known)
        tell(0.0, ASKING)
        return known

    def _find(self, key: "_Key") -> "LoadedNetwork | None":
        with self._access:
            if key in self._loaded:
                self._loaded.move_to_end(key)
            return self._loaded.get(key)

    def _keep(self, key: "_Key", network: "LoadedNetwork") -> None:
        freed = []
        with self._access:
            self._loaded[key] = network
            while len(self._loaded) > 1 and self._size() > self._limit:
                freed.append(self._loaded.popitem(last=False))
        if freed:
            freed.clear()
            gc.collect()  # the layers of a network refer to each other

    def _size(self) -> int:
        return sum(network.size for network in self._loaded.values())


_Key = tuple[str, int, int]
"""A run, an epoch, and when the weights of that epoch were written."""


def _key(run: Run, epoch: int) -> _Key:
    try:
        written = run.folder.weights(epoch).stat().st_mtime_ns
    except OSError:
        written = 0  # they are not there: loading them says so
    return run.id, epoch, written


def usual_limit() -> int:
    """Bytes of memory that loaded networks may take on this machine."""
    return int(psutil.virtual_memory().total * SHARE_OF_MEMORY)


def _of(images: Pixels, tell: Tell) -> Callable[[int], None]:
    """Tells how much is done, told how many images are."""
    return lambda done: tell(done / len(images), ASKING)


class LoadedNetwork:
    """A network that takes plain images, compiled and warm.

    Threads that ask at once are answered in turns, those of all networks that share `turns`.
    """

    def __init__(self, network: Network, config: NetworkConfig, turns: Turns | None = None) -> None:
        self._config = config
        self._network = network
        self._turns = turns or Turns()
        self._answer = _Function(network)
        self._before_answer: _Function | None = None
        self._explained: dict[int, GradCam] = {}
        self._channels = Channels(network)
        self._answer(example(config))

    @property
    def size(self) -> int:
        """Bytes of memory that it takes, about."""
        return TIMES_WEIGHTS * self._answer.bytes_of_weights

    def probabilities(
        self, images: Pixels, progress: Callable[[int], None] = lambda done: None
    ) -> Numbers:
        """(count, height, width[, 3]) uint8 images to (count, classes) probabilities."""
        return self._in_turns(self._answer, images, progress)

    def features(
        self, images: Pixels, progress: Callable[[int], None] = lambda done: None
    ) -> Numbers:
        """(count, height, width[, 3]) uint8 images to what the last layer is fed, (count, n)."""
        with self._turns:
            if self._before_answer is None:
                self._before_answer = _Function(self._network.without_answer())
            function = self._before_answer
        return self._in_turns(function, images, progress)

    def grad_cam(self, image: Pixels, of_class: int, finer: int = 0) -> Heat:
        """Which fields of a (height, width[, 3]) uint8 image speak for a class."""
        (fed,) = self._fed(image[None])
        with self._turns:
            if finer not in self._explained:
                self._explained[finer] = GradCam(self._network, finer)
            return self._explained[finer].heat(fed, of_class)

    def feature_maps(self, image: Pixels, layer: int) -> Numbers:
        """What a layer makes of a (height, width[, 3]) uint8 image, (rows, columns, channels)."""
        (fed,) = self._fed(image[None])
        with self._turns:
            return self._channels.maps(fed, layer)

    def strongest(self, images: Pixels) -> Numbers:
        """(count, height, width[, 3]) uint8 images to how each channel answers, (count, n, 2)."""
        parts, at_once = [], images_of_a_turn(self._config.graph)
        for start in range(0, len(images), at_once):
            batch = self._fed(images[start : start + at_once])
            with self._turns:
                parts.append(self._channels.strongest(batch))
        return np.concatenate(parts)

    def receptive_fields(self) -> NDArray[np.int64]:
        """What the fields of each layer see, down and across, (layers, 2, 3)."""
        return self._channels.fields()

    def kernels(self) -> Numbers:
        """The first convolution's kernels, (channels, rows, columns, channels of the image)."""
        return self._channels.kernels()

    def _in_turns(
        self,
        function: "_Function",
        images: Pixels,
        progress: Callable[[int], None] = lambda done: None,
    ) -> Numbers:
        parts, at_once = [function.nothing], images_of_a_turn(self._config.graph)
        for start in range(0, len(images), at_once):
            batch = self._fed(images[start : start + at_once])
            with self._turns:
                parts.append(function(batch))
            progress(start + len(batch))
        return np.concatenate(parts)

    def _fed(self, images: Pixels) -> Pixels:
        return for_network(images, self._config.side, self._config.channels)


class _Function:
    """A network as a function that is compiled once, from images as it takes them to rows."""

    def __init__(self, network: Network) -> None:
        whole = network.parts(frozen_count=0).trained
        (images,) = whole.inputs
        self._whole = whole
        self._compiled = tf.function(
            lambda images: tf.cast(whole(images, training=False), tf.float32),
            input_signature=[tf.TensorSpec(images.shape, images.dtype)],
        )

    def __call__(self, images: Pixels) -> Numbers:
        rows: Numbers = self._compiled(images).numpy()
        return rows

    @property
    def nothing(self) -> Numbers:
        """What it makes of no images."""
        return np.zeros((0, *self._whole.output_shape[1:]), np.float32)

    @property
    def bytes_of_weights(self) -> int:
        """Memory of the weights alone."""
        weights = self._whole.weights
        return sum(math.prod(each.shape) * tf.as_dtype(each.dtype).size for each in weights)


def images_of_a_turn(graph: Graph) -> int:
    """How many images a backbone is given at once, fewer the more it computes for each.

    Always as many for the same network, so that it answers the same whatever else is asked.

    >>> from core.network.graphs import backbone
    >>> images_of_a_turn(backbone("cnn", 28, 1)), images_of_a_turn(backbone("vgg16", 224, 3))
    (126, 1)
    """
    return min(max(WORK_OF_A_TURN // max(graph.work, 1), 1), MOST_AT_ONCE)
