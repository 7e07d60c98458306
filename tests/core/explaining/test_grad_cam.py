from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from numpy.typing import NDArray

from core.errors import Diverged, InvalidRequest
from core.explaining.grad_cam import GradCam
from core.network.networks import Network, build
from core.registry.recipes import RECIPES
from core.registry.settings import change

BLOCK: dict[str, Any] = {"convolutions": 1, "kernel": 1, "pooling": "none", "dropout": 0}


def network_of(recipe: str = "cnn-digits", **settings: Any) -> Network:
    config = change(RECIPES[recipe].config, settings).network
    return build(config, 3, seed=4, pretrained=False)


def picture(side: int, channels: int) -> NDArray[np.uint8]:
    return np.random.default_rng(2).integers(0, 256, (side, side, channels)).astype(np.uint8)


def layer(network: Network, name: str) -> Any:
    return network.layers()[name]


def small(**settings: Any) -> Network:
    """One convolution of 1x1 pixel, flattened, and three classes at once."""
    block = BLOCK | {"filters": 2}
    return network_of(**({"blocks": [block], "side": 6, "dense": [], "dropout": 0.0} | settings))


def test_it_is_what_pencil_and_paper_give() -> None:
    network, image = small(), picture(6, 1)
    kernel, bias = np.array([[[[0.7, -0.4]]]]), np.array([0.1, 0.5])
    layer(network, "block1_conv1").set_weights([kernel, bias])
    head, _ = layer(network, "probabilities").get_weights()
    activations = np.maximum(image[..., :1] / 255 * kernel[0, 0] + bias, 0)
    for number in range(3):
        slopes = head[:, number].reshape(6, 6, 2).mean(axis=(0, 1))
        expected = np.maximum(activations @ slopes, 0)
        found = GradCam(network).heat(image, number)
        assert found.empty == (not expected.any())
        np.testing.assert_allclose(
            found.fields, expected / (expected.max() or 1), rtol=1e-4, atol=1e-5
        )


def looks_for_light() -> Network:
    """Class 0 is light, 1 is dark, and 2 nothing."""
    network = small()
    layer(network, "block1_conv1").set_weights([np.array([[[[1.0, 1.0]]]]), np.array([-0.5, -0.5])])
    head = np.zeros((6, 6, 2, 3), np.float32)
    head[..., 0], head[..., 1] = 1, -1
    layer(network, "probabilities").set_weights([head.reshape(72, 3), np.zeros(3)])
    return network


def lit_corner() -> NDArray[np.uint8]:
    image = np.zeros((6, 6, 1), np.uint8)
    image[4:, 3:5] = 255
    return image


def test_it_points_to_what_the_network_looks_for() -> None:
    found = GradCam(looks_for_light()).heat(lit_corner(), 0)
    np.testing.assert_array_equal(found.fields, lit_corner()[..., 0] / 255)


@pytest.mark.parametrize("number", [1, 2])
def test_what_speaks_against_a_class_or_not_at_all_leaves_its_map_empty(number: int) -> None:
    assert GradCam(looks_for_light()).heat(lit_corner(), number).empty


def test_a_network_that_is_entirely_sure_is_explained_too() -> None:
    network = looks_for_light()
    head, offsets = layer(network, "probabilities").get_weights()
    layer(network, "probabilities").set_weights([head * 1e4, offsets])
    assert network.whole()(lit_corner()[None]).numpy()[0, 0] == 1
    assert not GradCam(network).heat(lit_corner(), 0).empty


@pytest.mark.parametrize(
    ("recipe", "settings"),
    [
        ("cnn-digits", {"dense": [8, 4], "head.pooling": "average"}),
        ("vgg16-digits", {"side": 32, "mode": "features"}),
        ("vgg16-digits", {"side": 32, "mode": "finetune", "frozen_layers": "block4"}),
        ("vgg16-digits", {"side": 32, "architecture": "mobilenet", "head.pooling": "max"}),
        ("vgg16-digits", {"side": 32, "architecture": "resnet50", "mode": "finetune"}),
    ],
)
def test_every_network_is_explained_as_by_a_tape_over_all_of_it(
    recipe: str, settings: dict[str, Any]
) -> None:
    if recipe == "vgg16-digits":
        settings = settings | {"weights": "random"}
    network = network_of(recipe, **settings)
    config = network.config
    image = picture(config.side, config.channels)
    explained = GradCam(network)
    found = [explained.heat(image, number).fields for number in range(3)]
    expected = by_tape(network, image)
    assert np.any(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


LAST = {"cnn": "block2_conv2", "vgg16": "block5_conv3", "mobilenet": "conv_pw_11_relu"}
LAST |= {"resnet50": "conv4_block6_out"}


def by_tape(network: Network, image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
    """Grad-CAM of all classes from two models, the second of which ends in plain scores."""
    backbone = network.backbone
    crossing = backbone.get_layer(LAST[network.config.architecture]).output
    lower, upper = keras.Model(backbone.inputs, crossing), keras.Model(crossing, backbone.output)
    network.classifier.layers[-1].activation = keras.activations.linear
    seen = tf.Variable(lower(network.scaling(tf.constant(image[None]))))
    with tf.GradientTape(persistent=True) as tape:
        scores = tf.unstack(network.classifier(network.pooling(upper(seen)))[0])
    maps = []
    for score in scores:
        weights = tf.reduce_mean(tape.gradient(score, seen), axis=(0, 1, 2))
        fields = tf.nn.relu(tf.reduce_sum(seen[0] * weights, axis=-1)).numpy()
        maps.append(fields / (fields.max() or 1))
    return maps


def test_a_class_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="class must be from 0 to 2, got 3"):
        GradCam(small()).heat(picture(6, 1), 3)


def test_a_network_that_diverged_is_told_as_such() -> None:
    network = small()
    network.backbone.set_weights([np.full_like(w, np.nan) for w in network.backbone.get_weights()])
    with pytest.raises(Diverged, match="not finite"):
        GradCam(network).heat(picture(6, 1), 0)
