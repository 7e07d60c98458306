from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from core.architectures import ParameterCount, count_parameters
from core.config import NetworkConfig, change
from core.errors import InvalidConfig
from core.networks import Network, build, example
from core.recipes import RECIPES

RECIPE = {"cnn": "cnn-digits", "vgg16": "vgg16-digits"}
SMALL: dict[str, dict[str, Any]] = {"cnn": {"side": 8, "dense": [16]}, "vgg16": {"side": 32}}


def network_config(architecture: str, **settings: Any) -> NetworkConfig:
    return change(RECIPES[RECIPE[architecture]].config, settings).network


@pytest.fixture(scope="module")
def vgg16() -> Network:
    """The network of the recipe, 48x48."""
    return build(network_config("vgg16"), classes=10)


@pytest.fixture(scope="module")
def pictures() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (2, 48, 48, 3)).astype(np.uint8)


def frozen_part(network: Network) -> keras.Model:
    assert network.frozen is not None
    return network.frozen


def scaled(model: keras.Model, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """What the layer after the input makes of images."""
    return np.asarray(keras.Model(model.input, model.layers[1].output)(images))


def test_the_cnn_of_the_recipe_has_the_published_parameters() -> None:
    network = build(network_config("cnn"), classes=10)
    assert network.trained.count_params() == 887_530
    assert network.parameters == ParameterCount(total=887_530, trainable=887_530)


def test_the_vgg16_of_the_recipe_has_the_published_parameters(vgg16: Network) -> None:
    assert frozen_part(vgg16).count_params() == 14_714_688
    assert vgg16.trained.count_params() == 267_786
    assert vgg16.parameters == ParameterCount(total=14_714_688 + 267_786, trainable=267_786)


@pytest.mark.parametrize(
    ("architecture", "side", "dense", "classes"),
    [
        ("cnn", 28, [256], 10),
        ("cnn", 4, [], 2),
        ("cnn", 31, [7, 5], 3),
        ("vgg16", 32, [], 2),
        ("vgg16", 65, [9, 4], 10),
    ],
)
def test_parameters_counted_without_keras_are_those_keras_counts(
    architecture: str, side: int, dense: Sequence[int], classes: int
) -> None:
    network = build(network_config(architecture, side=side, dense=list(dense)), classes)
    frozen = 0 if network.frozen is None else network.frozen.count_params()
    trained = network.trained.count_params()
    counted = count_parameters(architecture, side, dense, classes)
    assert counted == ParameterCount(total=frozen + trained, trainable=trained)


def test_nothing_of_the_frozen_part_trains(vgg16: Network) -> None:
    assert frozen_part(vgg16).trainable_weights == []


def test_nothing_of_the_cnn_is_frozen() -> None:
    assert build(network_config("cnn", **SMALL["cnn"]), classes=10).frozen is None


@pytest.mark.parametrize("architecture", RECIPE)
def test_the_seed_alone_decides_the_starting_weights(architecture: str) -> None:
    config = network_config(architecture, **SMALL[architecture])
    first, again, other = (build(config, 10, seed=seed).trained.get_weights() for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("architecture", RECIPE)
@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_ends_in_a_softmax_in_float32(architecture: str, precision: str) -> None:
    config = network_config(architecture, **SMALL[architecture], dropout=0)
    *_, hidden, softmax = build(config, 10, precision).trained.layers
    assert softmax.compute_dtype == "float32"
    assert softmax.output.dtype == "float32"
    assert hidden.compute_dtype == precision.removeprefix("mixed_")


def test_unit_scaling_divides_by_255(vgg16: Network, pictures: NDArray[np.uint8]) -> None:
    expected = pictures.astype(np.float32) / np.float32(255)
    np.testing.assert_array_max_ulp(scaled(frozen_part(vgg16), pictures), expected, maxulp=1)


def test_imagenet_scaling_is_keras_own_for_vgg16(pictures: NDArray[np.uint8]) -> None:
    network = build(network_config("vgg16", scaling="imagenet"), classes=10)
    expected = keras.applications.vgg16.preprocess_input(pictures.astype(np.float32))
    np.testing.assert_array_equal(scaled(frozen_part(network), pictures), expected)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_pixels_are_scaled_in_float32_whatever_the_precision(precision: str) -> None:
    network = build(network_config("cnn", **SMALL["cnn"]), 10, precision)
    assert network.trained.layers[1].output.dtype == "float32"


def test_the_frozen_part_is_keras_vgg16_on_scaled_pictures(
    vgg16: Network, pictures: NDArray[np.uint8]
) -> None:
    keras_own = keras.applications.VGG16(include_top=False, weights=None, input_shape=(48, 48, 3))
    keras_own.set_weights(frozen_part(vgg16).get_weights())
    expected = keras_own(pictures.astype(np.float32) / 255)
    np.testing.assert_allclose(frozen_part(vgg16)(pictures), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_the_policy_of_the_process_is_left_as_it_was(policy: str) -> None:
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        build(network_config("cnn", **SMALL["cnn"]), 10, "mixed_float16")
        assert keras.config.dtype_policy().name == policy
    finally:
        keras.config.set_dtype_policy(before)


def test_the_policy_of_the_process_is_left_as_it_was_where_building_fails() -> None:
    before = keras.config.dtype_policy()
    config = network_config("vgg16", weights="/no/such/file.h5")
    with pytest.raises(InvalidConfig):
        build(config, 10, "mixed_bfloat16")
    assert keras.config.dtype_policy() == before


@pytest.mark.parametrize(
    ("architecture", "shape"), [("cnn", (1, 8, 8, 1)), ("vgg16", (1, 32, 32, 3))]
)
def test_an_example_is_one_image_as_the_network_takes_it(
    architecture: str, shape: tuple[int, ...]
) -> None:
    image = example(network_config(architecture, **SMALL[architecture]))
    assert image.shape == shape
    assert image.dtype == np.uint8
