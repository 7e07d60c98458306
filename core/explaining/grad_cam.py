"""Grad-CAM of our networks: the places of a picture that speak for a class."""

from typing import Any

import keras
import tensorflow as tf

from core.data.preprocessing import Pixels
from core.errors import Diverged, InvalidRequest
from core.explaining.heat import Heat, heat_of
from core.explaining.layers import explained_layer
from core.network.networks import Network


class GradCam:
    """Explains the answers of one network by one of its layers, see `explained_layer`.

    The gradient is that of the class's score before the softmax: of a network that is sure, the
    softmax answers 1 whatever changes a little, and leaves no gradient to explain anything by.
    """

    def __init__(self, network: Network, finer: int = 0) -> None:
        backbone = network.backbone
        layer = backbone.layers[explained_layer(network.config.graph, finer)]
        self._network = network
        self._seen = keras.Model(backbone.inputs, [layer.output, backbone.output])
        self._hidden = network.classifier.layers[1:-1]
        self._last = network.classifier.layers[-1]

    def heat(self, fed: Pixels, of_class: int) -> Heat:
        """Which fields of an image as the network takes it, (side, side, channels), speak for it.

        of_class: from 0. Raises InvalidRequest where there is no such class, Diverged where the
        network's numbers are not finite.
        """
        if not 0 <= of_class < self._last.units:
            raise InvalidRequest(f"class must be from 0 to {self._last.units - 1}, got {of_class}")
        images = tf.cast(self._network.scaling(tf.constant(fed[None])), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(images)  # frozen layers have no variables that would be
            activations, features = self._seen(images, training=False)
            score = self._scores(self._network.pooling(features))[0, of_class]
        gradients = tape.gradient(score, activations)
        try:
            return heat_of(_numbers(activations), _numbers(gradients))
        except ValueError:
            raise Diverged(
                "the network's numbers for this picture are not finite, so nothing explains its "
                "answer; choose another epoch or run"
            ) from None

    def _scores(self, row: Any) -> Any:
        """What the softmax makes probabilities of, (1, classes)."""
        for layer in self._hidden:
            row = layer(row)
        return tf.cast(row, tf.float32) @ self._last.kernel + self._last.bias


def _numbers(tensor: Any) -> Any:
    return tf.cast(tensor[0], tf.float32).numpy()
