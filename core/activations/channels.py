"""What the channels of a network's layers put out: over one image, and at their strongest."""

from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from core.activations.receptive_field import Field, Window, joined, padding_before
from core.activations.seen_layers import seen_layers
from core.data.preprocessing import Pixels
from core.errors import Diverged, InvalidRequest
from core.network.networks import Network

Numbers = NDArray[np.float32]
POOLED = (keras.layers.MaxPooling2D, keras.layers.AveragePooling2D)
CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


class Channels:
    """Looks into the layers of one network, see `seen_layers`."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._layers = seen_layers(network.config.graph)
        self._maps: Any = None
        self._strongest: Any = None

    def maps(self, fed: Pixels, layer: int) -> Numbers:
        """What a layer makes of an image as the network takes it, (rows, columns, channels).

        layer: its position in the graph. Raises InvalidRequest where it is none to look into,
        Diverged where the network's numbers are not finite.
        """
        if layer not in self._layers:
            known = ", ".join(map(str, self._layers))
            raise InvalidRequest(f"layer must be one of {known}, got {layer}")
        if self._maps is None:  # of all layers: going from one to the next compiles nothing anew
            self._maps = self._compiled(lambda maps: maps)
        return _finite(self._maps(fed[None])[self._layers.index(layer)][0].numpy())

    def strongest(self, fed: Pixels) -> Numbers:
        """How strongly each channel answers to images, and where, (count, channels, 2).

        The channels are those of all layers to look into, one after the other. Of each it tells
        the largest number it puts out and the place of that among its fields, row by row. Raises
        Diverged.
        """
        if self._strongest is None:
            self._strongest = self._compiled(_strongest)
        return _finite(self._strongest(fed).numpy())

    def fields(self) -> NDArray[np.int64]:
        """What the fields of each layer see, down and across, (layers, 2, 3) as `Field` has it."""
        return np.array([self._fields()[layer] for layer in self._layers], np.int64)

    def kernels(self) -> Numbers:
        """The first convolution's kernels, (channels, rows, columns, grey or RGB)."""
        layers = self._network.backbone.layers
        first = next(layer for layer in layers if isinstance(layer, keras.layers.Conv2D))
        kernels = np.asarray(tf.cast(first.kernel, tf.float32)).transpose(3, 0, 1, 2)
        return _finite(kernels[..., self._places_of_colors()])

    def _places_of_colors(self) -> NDArray[np.int64]:
        """Where scaling puts each colour of an image: some networks take blue first."""
        colors = self._network.config.channels
        bright = np.eye(colors, dtype=np.uint8).reshape(colors, 1, 1, colors) * 255
        scaled = [
            np.asarray(self._network.scaling(tf.constant(each))) for each in (bright, 0 * bright)
        ]
        return np.asarray((scaled[0] - scaled[1]).reshape(colors, colors).argmax(axis=1))

    def _compiled(self, told: Any) -> Any:
        """A function from images as the network takes them to what is told of all layers' maps."""
        backbone, scaling = self._network.backbone, self._network.scaling
        for weight in backbone.weights:  # a rectifier makes 0 of what is no number
            _finite(tf.cast(weight, tf.float32).numpy())
        outputs = [backbone.layers[layer].output for layer in self._layers]
        seen = keras.Model(backbone.inputs, outputs)
        config = self._network.config
        shape = (None, config.side, config.side, config.channels)

        def look(images: Any) -> Any:
            maps = tf.nest.flatten(seen(scaling(images), training=False))  # one comes alone
            return told([tf.cast(each, tf.float32) for each in maps])

        return tf.function(look, input_signature=[tf.TensorSpec(shape, tf.uint8)])

    def _fields(self) -> list[tuple[Field, Field]]:
        """What the fields of every layer see, down and across."""
        found: list[tuple[Field, Field]] = []
        drawn = zip(self._network.config.graph.layers, self._network.backbone.layers, strict=True)
        for known, layer in drawn:
            if not known.inputs:
                found.append((Field(), Field()))
                continue
            before = [found[feed] for feed in known.inputs]
            down, across = (joined(axis) for axis in zip(*before, strict=True))
            windows = _windows(layer)
            found.append((down.through(windows[0]), across.through(windows[1])))
        return found


def _strongest(layers: list[Any]) -> Any:
    values, places = [], []
    for maps in layers:
        flat = tf.reshape(maps, (tf.shape(maps)[0], -1, maps.shape[-1]))
        values.append(tf.reduce_max(flat, axis=1))
        places.append(tf.cast(tf.argmax(flat, axis=1), tf.float32))
    return tf.stack([tf.concat(values, axis=1), tf.concat(places, axis=1)], axis=-1)


def _windows(layer: keras.layers.Layer) -> tuple[Window, Window]:
    """How a layer looks at what it is fed, down and across."""
    if isinstance(layer, keras.layers.ZeroPadding2D):
        (above, _), (left, _) = layer.padding
        return Window(before=above), Window(before=left)
    if not isinstance(layer, CONVOLUTIONS + POOLED):
        return Window(), Window()
    sizes = layer.pool_size if isinstance(layer, POOLED) else layer.kernel_size
    _, height, width, _ = layer.input.shape
    down, across = (
        Window(size, stride, padding_before(side, size, stride) if layer.padding == "same" else 0)
        for side, size, stride in zip((height, width), sizes, layer.strides, strict=True)
    )
    return down, across


def _finite(numbers: Numbers) -> Numbers:
    if not np.isfinite(numbers).all():
        raise Diverged(
            "the network's numbers are not finite, so there is nothing to see in its layers; "
            "choose another epoch or run"
        )
    return numbers
