"""Building networks, and cutting them in two where the frozen layers end."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.network import graphs
from core.network.architectures import ARCHITECTURES, ConvolutionBlock
from core.network.network_config import HeadConfig, NetworkConfig
from core.network.weights import Layers, load_weights

IMAGENET_MEAN_BGR = (103.939, 116.779, 123.68)
"""Mean colour of ImageNet's training images, subtracted when VGG16 and ResNet50 were trained."""


class KeptStatistics(keras.layers.Layer):
    """A backbone whose batch normalization goes by the statistics it has, also while it trains.

    Calling the backbone with `training=False` when the network is put together is not enough:
    Keras 3 puts the outermost `training=True` in its place when the network runs.
    """

    def __init__(self, backbone: keras.Model) -> None:
        super().__init__(dtype=backbone.dtype_policy)
        self.backbone = backbone

    def call(self, inputs: Any) -> Any:
        """What the backbone makes of its inputs."""
        return self.backbone(inputs, training=False)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """That of the backbone."""
        return self.backbone.compute_output_shape(input_shape)


@dataclass(frozen=True)
class Parts:
    """A network cut in two.

    frozen: images (batch, side, side, channels), 0 to 255, to one or several tensors that cross
    the cut; None where nothing is frozen. trained: those tensors, or images where nothing is
    frozen, to probabilities (batch, classes).
    """

    frozen: keras.Model | None
    trained: keras.Model


@dataclass(frozen=True)
class Network:
    """A network whose layers are shared by all the ways of cutting it.

    backbone: scaled images to feature maps. pooling: feature maps to one row of numbers.
    classifier: that row to probabilities. `keeps_statistics` tells that batch normalization goes
    by the statistics it brought along and never by those of a batch, also where its layer trains
    (https://keras.io/guides/transfer_learning/).
    """

    config: NetworkConfig
    scaling: Callable[[Any], Any]
    backbone: keras.Model
    pooling: keras.layers.Layer
    classifier: keras.Model
    keeps_statistics: bool

    def parts(self, frozen_count: int, stored_as: str = "float32") -> Parts:
        """Cut after the first `frozen_count` layers of the backbone.

        `stored_as` is the number format in which the trained part is handed what crosses.
        """
        cut = graphs.cut(self.config.graph, frozen_count)
        images = _images(self.config)
        if not cut.frozen:
            probabilities = self.classifier(self.pooling(self._see(self.backbone, images)))
            return Parts(None, keras.Model(images, probabilities, name=self.config.architecture))
        if len(cut.frozen) == len(self.backbone.layers):
            # The pooling has nothing to learn either, so it too is computed once.
            pooled = self.pooling(self._see(self.backbone, images))
            row = keras.Input(pooled.shape[1:], dtype=stored_as, name="features")
            return Parts(
                keras.Model(images, pooled, name="frozen"),
                keras.Model(row, self.classifier(row), name="trained"),
            )
        crossing = [self.backbone.layers[position].output for position in cut.crossing]
        lower = keras.Model(self.backbone.inputs, crossing)
        upper = keras.Model(crossing, self.backbone.output)
        features = [keras.Input(tensor.shape[1:], dtype=stored_as) for tensor in crossing]
        seen = self._inside(upper)(features)
        return Parts(
            keras.Model(images, self._see(lower, images), name="frozen"),
            keras.Model(features, self.classifier(self.pooling(seen)), name="trained"),
        )

    def whole(self) -> keras.Model:
        """Images to probabilities, of nothing but Keras's own layers: to answer, not to train."""
        images = _images(self.config)
        features = self.pooling(self.backbone(self.scaling(images)))
        return keras.Model(images, self.classifier(features), name=self.config.architecture)

    def without_answer(self) -> "Network":
        """The network without its last layer, which only weighs what it is fed."""
        last = self.classifier.layers[-1]
        return replace(self, classifier=keras.Model(self.classifier.input, last.input))

    def layers(self, frozen_count: int = 0) -> Layers:
        """Layers with weights by name, of those the ones that train after a cut."""
        frozen = graphs.cut(self.config.graph, frozen_count).frozen
        backbone = zip(self.config.graph.layers, self.backbone.layers, strict=True)
        named = {
            known.name: layer
            for position, (known, layer) in enumerate(backbone)
            if layer.weights and position not in frozen
        }
        return named | {layer.name: layer for layer in self.classifier.layers if layer.weights}

    def stored_layers(self, frozen_count: int) -> Layers:
        """Layers whose weights must be stored to have them again, after a cut where they train."""
        return self.layers(frozen_count if self.config.weights_can_be_had_again else 0)

    @property
    def backbone_layers(self) -> Layers:
        """The backbone's layers with weights, by name."""
        backbone = zip(self.config.graph.layers, self.backbone.layers, strict=True)
        return {known.name: layer for known, layer in backbone if layer.weights}

    def _see(self, backbone: keras.Model, images: Any) -> Any:
        return self._inside(backbone)(self.scaling(images))

    def _inside(self, backbone: keras.Model) -> keras.layers.Layer:
        return KeptStatistics(backbone) if self.keeps_statistics else backbone


def build(
    config: NetworkConfig,
    classes: int,
    precision: str = "float32",
    seed: int = 0,
    pretrained: bool = True,
) -> Network:
    """Build a network with its starting weights.

    precision is Keras's name of a dtype policy, `auto` already resolved. Without `pretrained`, and
    where they are to come from another run, the weights are random: the caller sets them. Raises
    what `load_weights` raises where pretrained weights cannot be had.
    """
    keras.utils.set_random_seed(seed)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        backbone = BACKBONES[config.architecture](config, seed)
        pooling = _POOLINGS[config.head.pooling]()
        row = keras.Input(pooling.compute_output_shape(backbone.output_shape)[1:])
        classifier = keras.Model(row, _dense_layers(config, classes, seed)(row), name="classifier")
        scaling = _scaling(config)
    finally:
        keras.config.set_dtype_policy(policy)
    network = Network(config, scaling, backbone, pooling, classifier, _keeps_statistics(config))
    if pretrained and config.weights_can_be_had_again:
        load_weights(backbone, network.backbone_layers, config)
    return network


def _keeps_statistics(config: NetworkConfig) -> bool:
    kinds = {layer.kind for layer in config.graph.layers}
    return config.mode != "scratch" and "BatchNormalization" in kinds


def _cnn(config: NetworkConfig, seed: int) -> keras.Model:
    images = x = keras.Input((config.side, config.side, config.channels), name="input")
    for number, block in enumerate(config.blocks):
        for layer in _block_layers(block, number, seed):
            x = layer(x)
    return keras.Model(images, x, name="cnn")


def _block_layers(block: ConvolutionBlock, number: int, seed: int) -> Iterator[keras.layers.Layer]:
    prefix = f"block{number + 1}"
    normalized = block.batch_normalization
    for place in range(1, block.convolutions + 1):
        yield keras.layers.Conv2D(
            block.filters,
            block.kernel,
            padding="same",
            activation=None if normalized else "relu",
            use_bias=not normalized,
            name=f"{prefix}_conv{place}",
        )
        if normalized:
            yield keras.layers.BatchNormalization(name=f"{prefix}_bn{place}")
            yield keras.layers.Activation("relu", name=f"{prefix}_relu{place}")
    if block.pooling != "none":
        pool = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
        yield pool[block.pooling](2, name=f"{prefix}_pool")
    if block.dropout:
        yield keras.layers.Dropout(block.dropout, seed=seed + number, name=f"{prefix}_dropout")


def _application(
    build: Callable[..., keras.Model], config: NetworkConfig, seed: int, **options: Any
) -> keras.Model:
    shape = (config.side, config.side, config.channels)
    return build(include_top=False, weights=None, input_shape=shape, **options)


def _mobilenet(config: NetworkConfig, seed: int) -> keras.Model:
    width = {"alpha": config.alpha, "depth_multiplier": config.depth_multiplier}
    return _application(keras.applications.MobileNet, config, seed, **width)


BACKBONES: dict[str, Callable[[NetworkConfig, int], keras.Model]] = {
    "cnn": _cnn,
    "vgg16": partial(_application, keras.applications.VGG16),
    "inceptionv3": partial(_application, keras.applications.InceptionV3),
    "mobilenet": _mobilenet,
    "resnet50": partial(_application, keras.applications.ResNet50),
}
"""From a configuration and a seed to a backbone of random weights: scaled images to features."""

_POOLINGS: dict[str, Callable[[], keras.layers.Layer]] = {
    "flatten": keras.layers.Flatten,
    "average": keras.layers.GlobalAveragePooling2D,
    "max": keras.layers.GlobalMaxPooling2D,
}


def _images(config: NetworkConfig) -> keras.KerasTensor:
    return keras.Input((config.side, config.side, config.channels), dtype="uint8", name="images")


def _scaling(config: NetworkConfig) -> Callable[[Any], Any]:
    # In float32 whatever the policy, so that pixels are rounded once and not twice.
    rescaling: Callable[..., Callable[[Any], Any]] = partial(
        keras.layers.Rescaling, dtype="float32"
    )
    known = ARCHITECTURES[config.architecture].imagenet_scaling
    if config.scaling == "unit":
        return rescaling(1 / 255)
    if known == "tf":
        return rescaling(1 / 127.5, offset=-1.0)
    mean = rescaling(1.0, offset=[-value for value in IMAGENET_MEAN_BGR])
    return lambda images: mean(images[..., ::-1])


def _dense_layers(config: NetworkConfig, classes: int, seed: int) -> Callable[[Any], Any]:
    return _in_sequence(
        [*_hidden_layers(config.head, seed + len(config.blocks)), _softmax(classes)]
    )


def _hidden_layers(head: HeadConfig, seed: int) -> Iterator[keras.layers.Layer]:
    for number, dense in enumerate(head.layers, start=1):
        yield keras.layers.Dense(dense.units, dense.activation, name=f"dense_{number}")
        if dense.dropout:
            dropout_seed = seed + number - 1
            yield keras.layers.Dropout(dense.dropout, seed=dropout_seed, name=f"dropout_{number}")


def _softmax(classes: int) -> keras.layers.Layer:
    return keras.layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")


def _in_sequence(layers: Sequence[keras.layers.Layer]) -> Callable[[Any], Any]:
    def apply(x: Any) -> Any:
        for layer in layers:
            x = layer(x)
        return x

    return apply


def example(config: NetworkConfig) -> NDArray[np.uint8]:
    """One black image as the network takes it, to warm it up with."""
    return np.zeros((1, config.side, config.side, config.channels), np.uint8)
