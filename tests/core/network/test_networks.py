import math
from collections.abc import Sequence
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidConfig
from core.network import graphs
from core.network.architectures import ARCHITECTURES
from core.network.blueprint import ParameterCount, blueprint
from core.network.network_config import NetworkConfig
from core.network.networks import BACKBONES, Network, Parts, build, example
from core.registry.config import parse_config
from core.registry.recipes import RECIPES

SIDES = {"cnn": 12, "vgg16": 32, "inceptionv3": 75, "mobilenet": 32, "resnet50": 32}
PRETRAINED = {"vgg16": "bundled"}
CUTS: dict[str, Sequence[int | str]] = {
    "cnn": [0, 1, 2, "block1", "block2_conv1", "block2"],
    "vgg16": [0, "block1_conv2", "block3", "block5_conv3", "block5"],
    "inceptionv3": [0, "mixed2", 100, 250, "mixed9_1", "mixed10"],
    "mobilenet": [0, "block0", "conv_pad_4", "block9", "block13"],
    "resnet50": [0, "pool1_pool", "conv2_block2_1_conv", "conv3", "conv5_block1_3_bn", "conv5"],
}
every_cut = pytest.mark.parametrize(
    ("architecture", "cut"), [(name, cut) for name, cuts in CUTS.items() for cut in cuts]
)


def config_of(architecture: str, **settings: Any) -> NetworkConfig:
    """A small network with ImageNet weights where the project brings them along, else random."""
    chosen = {
        "architecture": architecture,
        "mode": "transfer",
        "weights": PRETRAINED.get(architecture, "random"),
        "side": SIDES[architecture],
        "head": {"pooling": "average", "dense": [16], "dropout": 0},
    }
    content = {"recipe": "test", "epochs": 1, "batch_size": 2, "optimizer": "sgd"}
    return parse_config(content | {"learning_rate": 0.1, "network": chosen | settings}).network


@cache
def network_of(architecture: str) -> Network:
    """A network whose answers differ from image to image. Not to be changed."""
    network = build(config_of(architecture, mode="finetune"), classes=10)
    normalizations = [layer for layer in network.backbone.layers if hasattr(layer, "momentum")]
    for layer in normalizations:
        layer.momentum = 0.0
    network.backbone(network.scaling(images_for(network, 8)), training=True)
    return network


@cache
def whole_of(architecture: str) -> tuple[NDArray[np.float32], int]:
    """What that network answers to its images uncut, and how many parameters it has."""
    network = network_of(architecture)
    whole = network.whole()
    return np.asarray(whole(images_for(network))), whole.count_params()


@cache
def parts_of(architecture: str, cut: int | str) -> tuple[Parts, int]:
    """That network cut in two, and how many layers are frozen then."""
    network = network_of(architecture)
    count = graphs.frozen_count(network.config.graph, cut, "cut")
    return network.parts(count), count


def images_for(network: Network, count: int = 3) -> NDArray[np.uint8]:
    side, channels = network.config.side, network.config.channels
    random = np.random.default_rng(0)
    return random.integers(0, 256, (count, side, side, channels)).astype(np.uint8)


def composed(parts: Parts, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    features = images if parts.frozen is None else parts.frozen(images, training=False)
    return np.asarray(parts.trained(features, training=False))


def test_there_is_a_backbone_for_every_architecture() -> None:
    assert list(BACKBONES) == list(ARCHITECTURES) == list(SIDES)


# --- cutting ----------------------------------------------------------------------------------


@every_cut
def test_a_network_cut_in_two_answers_as_the_whole(architecture: str, cut: int | str) -> None:
    parts, _ = parts_of(architecture, cut)
    images = images_for(network_of(architecture))
    whole, _ = whole_of(architecture)
    assert np.ptp(whole, axis=0).max() > 5e-4, "all images look alike to it"
    np.testing.assert_allclose(composed(parts, images), whole, rtol=0, atol=1e-5)


@every_cut
def test_what_trains_after_a_cut_is_what_the_blueprint_counts(
    architecture: str, cut: int | str
) -> None:
    parts, count = parts_of(architecture, cut)
    counted = blueprint(network_of(architecture).config, 10, (count,)).parameters
    trainable = parts.trained.trainable_variables
    assert sum(math.prod(variable.shape) for variable in trainable) == counted.trainable
    assert whole_of(architecture)[1] == counted.total


@every_cut
def test_what_crosses_a_cut_is_what_the_blueprint_says(architecture: str, cut: int | str) -> None:
    parts, count = parts_of(architecture, cut)
    outputs = [] if parts.frozen is None else parts.frozen.outputs
    shapes = tuple(output.shape[1:] for output in outputs)
    assert shapes == blueprint(network_of(architecture).config, 10, (count,)).crossing(0)


def test_the_parts_share_their_layers() -> None:
    network = build(config_of("cnn", mode="finetune"), classes=10)
    images = images_for(network)
    before = composed(network.parts(3), images)
    for variable in network.parts(5).trained.trainable_variables:
        variable.assign(variable + 0.1)
    after = composed(network.parts(3), images)
    assert not np.allclose(before, after)
    np.testing.assert_allclose(after, np.asarray(network.whole()(images)), rtol=1e-4)


def test_layers_that_train_after_a_cut_are_named() -> None:
    network = network_of("vgg16")
    cut = graphs.frozen_count(network.config.graph, "block4", "cut")
    block5 = ["block5_conv1", "block5_conv2", "block5_conv3"]
    assert list(network.layers(cut)) == [*block5, "dense_1", "probabilities"]
    assert list(network.layers(len(network.backbone.layers))) == ["dense_1", "probabilities"]
    assert len(network.layers()) == 15
    assert list(network.backbone_layers)[-3:] == block5


@pytest.mark.parametrize("stored_as", ["float32", "float16"])
def test_the_trained_part_takes_features_as_they_are_stored(stored_as: str) -> None:
    network = network_of("resnet50")
    for cut in ("conv3", "conv2_block2_1_conv", "conv5"):
        count = graphs.frozen_count(network.config.graph, cut, "cut")
        trained = network.parts(count, stored_as).trained
        assert {tensor.dtype for tensor in trained.inputs} == {stored_as}


# --- heads and blocks -------------------------------------------------------------------------


def head_of(**settings: Any) -> list[keras.layers.Layer]:
    """The layers after the pooling."""
    network = build(config_of("cnn", head=settings), classes=10)
    layers: list[keras.layers.Layer] = network.classifier.layers[1:]
    return layers


@pytest.mark.parametrize(
    ("pooling", "expected"),
    [
        ("flatten", lambda maps: maps.reshape(len(maps), -1)),
        ("average", lambda maps: maps.mean(axis=(1, 2))),
        ("max", lambda maps: maps.max(axis=(1, 2))),
    ],
)
def test_a_head_begins_with_its_pooling(pooling: str, expected: Any) -> None:
    network = build(config_of("cnn", head={"pooling": pooling}), classes=10)
    maps = np.random.default_rng(0).normal(size=(2, *network.backbone.output_shape[1:]))
    found = np.asarray(network.pooling(maps.astype(np.float32)))
    np.testing.assert_allclose(found, expected(maps), rtol=1e-5)
    assert found.shape[1:] == network.classifier.input_shape[1:]


def test_one_activation_is_for_all_dense_layers_and_one_dropout_for_the_last() -> None:
    layers = head_of(dense=[8, 6, 4], activation="elu", dropout=0.25)
    assert [layer.name for layer in layers] == [
        *("dense_1", "dense_2", "dense_3", "dropout_3", "probabilities")
    ]
    assert [layer.units for layer in layers if hasattr(layer, "units")] == [8, 6, 4, 10]
    assert {layer.activation.__name__ for layer in layers[:3]} == {"elu"}
    assert layers[3].rate == 0.25


def test_each_dense_layer_may_have_its_own_activation_and_dropout() -> None:
    layers = head_of(dense=[8, 6, 4], activation=["tanh", "gelu", "linear"], dropout=[0.1, 0, 0.3])
    assert [layer.name for layer in layers] == [
        *("dense_1", "dropout_1", "dense_2", "dense_3", "dropout_3", "probabilities")
    ]
    dense = [layer for layer in layers if hasattr(layer, "units")]
    assert [layer.activation.__name__ for layer in dense] == ["tanh", "gelu", "linear", "softmax"]
    assert [layer.rate for layer in layers if hasattr(layer, "rate")] == [0.1, 0.3]


def test_a_head_may_be_the_softmax_alone() -> None:
    assert [layer.name for layer in head_of(dense=[], dropout=0)] == ["probabilities"]


BLOCKS: list[dict[str, Any]] = [
    {"filters": 4, "kernel": 5, "convolutions": 1, "pooling": "average", "dropout": 0.0},
    {"filters": 6, "kernel": 2, "convolutions": 2, "pooling": "none", "dropout": 0.5},
    {"filters": 8, "convolutions": 1, "batch_normalization": True},
]


def test_a_cnn_has_the_blocks_that_were_asked_for() -> None:
    network = build(config_of("cnn", mode="scratch", blocks=BLOCKS), classes=10)
    assert [layer.name for layer in network.backbone.layers] == [
        *("input", "block1_conv1", "block1_pool"),
        *("block2_conv1", "block2_conv2", "block2_dropout"),
        *("block3_conv1", "block3_bn1", "block3_relu1", "block3_pool", "block3_dropout"),
    ]
    first, pool, *_, normalized = (
        network.backbone.get_layer(name)
        for name in ("block1_conv1", "block1_pool", "block2_conv1", "block3_conv1")
    )
    assert (first.filters, first.kernel_size, first.activation.__name__) == (4, (5, 5), "relu")
    assert isinstance(pool, keras.layers.AveragePooling2D)
    assert (normalized.use_bias, normalized.activation.__name__) == (False, "linear")
    assert network.backbone.get_layer("block2_dropout").rate == 0.5
    expected = blueprint(network.config, 10, (0,)).parameters.total
    assert network.whole().count_params() == expected


# --- batch normalization ----------------------------------------------------------------------


def statistics(model: keras.Model) -> list[NDArray[np.float32]]:
    return [np.asarray(weight) for weight in model.weights if "moving" in weight.name]


@pytest.mark.parametrize("cut", [0, "block5"])
def test_layers_that_brought_statistics_keep_them_while_they_train(cut: int | str) -> None:
    network = build(config_of("mobilenet", mode="finetune"), classes=10)
    count = graphs.frozen_count(network.config.graph, cut, "cut")
    parts, images = network.parts(count), images_for(network, 8)
    features = images if parts.frozen is None else parts.frozen(images)
    before = statistics(network.backbone)
    in_training = np.asarray(parts.trained(features, training=True))
    for one, two in zip(before, statistics(network.backbone), strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(in_training, composed(parts, images))
    assert any("gamma" in variable.name for variable in parts.trained.trainable_variables)


@pytest.mark.parametrize(
    "config",
    [
        config_of("mobilenet", mode="scratch", weights="random"),
        config_of("cnn", mode="scratch", blocks=BLOCKS),
    ],
    ids=["mobilenet", "cnn"],
)
def test_from_scratch_statistics_are_learned(config: NetworkConfig) -> None:
    network = build(config, classes=10)
    before = statistics(network.backbone)
    network.parts(0).trained(images_for(network, 8), training=True)
    for one, two in zip(before, statistics(network.backbone), strict=True):
        assert not np.array_equal(one, two)


# --- scaling ----------------------------------------------------------------------------------


def test_unit_scaling_divides_by_255() -> None:
    network = network_of("vgg16")
    images = images_for(network)
    expected = images.astype(np.float32) / np.float32(255)
    np.testing.assert_array_max_ulp(np.asarray(network.scaling(images)), expected, maxulp=1)


PREPROCESSING = {
    "vgg16": keras.applications.vgg16.preprocess_input,
    "inceptionv3": keras.applications.inception_v3.preprocess_input,
    "mobilenet": keras.applications.mobilenet.preprocess_input,
    "resnet50": keras.applications.resnet50.preprocess_input,
}


@pytest.mark.parametrize("architecture", PREPROCESSING)
def test_imagenet_scaling_is_keras_own(architecture: str) -> None:
    network = build(config_of(architecture, scaling="imagenet", weights="random"), classes=10)
    images = images_for(network)
    expected = PREPROCESSING[architecture](images.astype(np.float32))
    np.testing.assert_allclose(np.asarray(network.scaling(images)), expected, atol=1e-6)


@pytest.mark.parametrize("scaling", ["unit", "imagenet"])
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_pixels_are_scaled_in_float32_whatever_the_precision(scaling: str, precision: str) -> None:
    config = config_of("mobilenet", scaling=scaling)
    network = build(config, 10, precision)
    assert network.scaling(images_for(network)).dtype == "float32"


def test_the_frozen_part_is_keras_own_network_on_scaled_pictures() -> None:
    network = network_of("vgg16")
    images = images_for(network)
    keras_own = keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(32, 32, 3), pooling="avg"
    )
    keras_own.set_weights(network.backbone.get_weights())
    expected = keras_own(images.astype(np.float32) / 255)
    frozen = network.parts(len(network.backbone.layers)).frozen
    assert frozen is not None
    np.testing.assert_allclose(frozen(images), expected, rtol=1e-4, atol=1e-5)


# --- building ---------------------------------------------------------------------------------


def test_the_cnn_of_the_recipe_has_the_published_parameters() -> None:
    network = build(RECIPES["cnn-digits"].config.network, classes=10)
    assert network.parts(0).trained.count_params() == 887_530


def test_the_vgg16_of_the_recipe_has_the_published_parameters() -> None:
    network = build(RECIPES["vgg16-digits"].config.network, classes=10)
    parts = network.parts(len(network.backbone.layers))
    assert parts.frozen is not None
    assert parts.frozen.count_params() == 14_714_688
    assert parts.trained.count_params() == 267_786
    counted = RECIPES["vgg16-digits"].config.parameters
    assert counted == ParameterCount(total=14_714_688 + 267_786, trainable=267_786)


@pytest.mark.parametrize("architecture", ["cnn", "vgg16", "mobilenet"])
def test_the_seed_alone_decides_the_starting_weights(architecture: str) -> None:
    config = config_of(architecture, weights="random")
    first, again, other = (build(config, 10, seed=seed).whole() for seed in (3, 3, 4))
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first.get_weights()[0], other.get_weights()[0])


@pytest.mark.parametrize("architecture", ["cnn", "vgg16", "mobilenet"])
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_ends_in_a_softmax_in_float32(architecture: str, precision: str) -> None:
    network = build(config_of(architecture, weights="random"), 10, precision)
    *_, hidden, softmax = network.classifier.layers
    assert (softmax.compute_dtype, softmax.output.dtype) == ("float32", "float32")
    assert hidden.compute_dtype == precision.removeprefix("mixed_")
    assert network.backbone.compute_dtype == precision.removeprefix("mixed_")
    answers = composed(network.parts(4, "float16"), images_for(network))
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-3)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_policy_of_the_process_is_left_as_it_was(policy: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        build(config_of("cnn"), 10, "mixed_float16")
        assert keras.config.dtype_policy().name == policy
    finally:
        keras.config.set_dtype_policy(before)


def test_the_policy_of_the_process_is_left_as_it_was_where_building_fails() -> None:
    before = keras.config.dtype_policy()
    with pytest.raises(InvalidConfig):
        build(config_of("vgg16", weights="/no/such/file.h5"), 10, "mixed_bfloat16")
    assert keras.config.dtype_policy() == before


@pytest.mark.parametrize(
    ("config", "shape"),
    [(config_of("cnn", channels=1), (1, 12, 12, 1)), (config_of("vgg16"), (1, 32, 32, 3))],
    ids=["cnn", "vgg16"],
)
def test_an_example_is_one_image_as_the_network_takes_it(
    config: NetworkConfig, shape: tuple[int, ...]
) -> None:
    image = example(config)
    assert image.shape == shape
    assert image.dtype == np.uint8
