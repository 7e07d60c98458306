"""Building the networks, cut in two where the frozen layers end."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.architectures import CNN_BLOCKS, ParameterCount
from core.config import HeadConfig, NetworkConfig
from core.weights import APPLICATIONS, load_weights

CONVOLUTION_DROPOUT = 0.25
IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean colour of ImageNet's training images, as subtracted when VGG16 was first trained."""


@keras.saving.register_keras_serializable("transfer_lab")
class ImageNetScaling(keras.layers.Layer):
    """RGB, 0 to 255, to BGR with ImageNet's mean colour subtracted."""

    def call(self, images: Any) -> Any:
        """images: (batch, height, width, 3), of whole numbers or not."""
        bgr = keras.ops.cast(images[..., ::-1], self.compute_dtype)
        return bgr - keras.ops.cast(IMAGENET_MEAN_BGR, self.compute_dtype)


@dataclass(frozen=True)
class Network:
    """A network as its frozen layers and those that train.

    frozen: images (batch, side, side, channels), 0 to 255, to features; None if nothing is frozen.
    trained: features, or images where nothing is frozen, to probabilities (batch, classes).
    """

    frozen: keras.Model | None
    trained: keras.Model

    @property
    def parameters(self) -> ParameterCount:
        """Parameters of both parts."""
        trainable = sum(math.prod(weight.shape) for weight in self.trained.trainable_weights)
        total = self.trained.count_params() + (self.frozen.count_params() if self.frozen else 0)
        return ParameterCount(total, trainable)


def build(
    config: NetworkConfig, classes: int, precision: str = "float32", seed: int = 0
) -> Network:
    """Build a network with its starting weights.

    precision is Keras's name of a dtype policy, `auto` already resolved. Raises what
    `load_weights` raises where pretrained weights cannot be had.
    """
    keras.utils.set_random_seed(seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        return _BUILDERS[config.architecture](config, classes, seed)
    finally:
        keras.config.set_dtype_policy(policy)


def _build_cnn(config: NetworkConfig, classes: int, seed: int) -> Network:
    images = _images(config)
    x = _scaled(config.scaling)(images)
    for block, (filters, kernel) in enumerate(CNN_BLOCKS):
        for _ in range(2):
            x = keras.layers.Conv2D(filters, kernel, padding="same", activation="relu")(x)
        x = keras.layers.MaxPooling2D(2)(x)
        x = keras.layers.Dropout(CONVOLUTION_DROPOUT, seed=seed + block)(x)
    return Network(None, keras.Model(images, _head(config.head, classes, seed)(x), name="cnn"))


def _build_vgg16(config: NetworkConfig, classes: int, seed: int) -> Network:
    shape = (config.side, config.side, config.channels)
    backbone = APPLICATIONS[config.architecture](include_top=False, weights=None, input_shape=shape)
    load_weights(backbone, config.architecture, config.weights)
    images = _images(config)
    frozen = keras.Model(images, backbone(_scaled(config.scaling)(images), training=False))
    frozen.trainable = False
    features = keras.Input(frozen.output_shape[1:], name="features")
    trained = keras.Model(features, _head(config.head, classes, seed)(features), name="head")
    return Network(frozen, trained)


_BUILDERS: dict[str, Callable[[NetworkConfig, int, int], Network]] = {
    "cnn": _build_cnn,
    "vgg16": _build_vgg16,
}


def _images(config: NetworkConfig) -> keras.KerasTensor:
    return keras.Input((config.side, config.side, config.channels), dtype="uint8", name="images")


def _scaled(scaling: str) -> keras.layers.Layer:
    # In float32 whatever the policy, so that pixels are rounded once and not twice.
    if scaling == "imagenet":
        return ImageNetScaling(dtype="float32")
    return keras.layers.Rescaling(1 / 255, dtype="float32")


def _head(config: HeadConfig, classes: int, seed: int) -> Callable[[Any], Any]:
    layers = [keras.layers.Flatten()]
    layers += [keras.layers.Dense(units, activation="relu") for units in config.dense]
    if config.dropout:
        layers.append(keras.layers.Dropout(config.dropout, seed=seed + len(CNN_BLOCKS)))
    layers.append(keras.layers.Dense(classes, activation="softmax", dtype="float32"))

    def apply(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return apply


def example(config: NetworkConfig) -> NDArray[np.uint8]:
    """One black image as the network takes it, to warm it up with."""
    return np.zeros((1, config.side, config.side, config.channels), np.uint8)
