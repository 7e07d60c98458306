from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import correlate

from core.activations.channels import Channels
from core.activations.receptive_field import Field
from core.activations.seen_layers import seen_layers
from core.errors import Diverged, InvalidRequest
from core.network.networks import Network, build
from core.registry.recipes import RECIPES
from core.registry.settings import change

BLOCK: dict[str, Any] = {"filters": 3, "convolutions": 1, "kernel": 3, "dropout": 0}


def network_of(recipe: str = "cnn-digits", **settings: Any) -> Network:
    config = change(RECIPES[recipe].config, settings).network
    return build(config, 3, seed=4, pretrained=False)


def two_blocks(**of_block: Any) -> Network:
    block = BLOCK | {"pooling": "max", "batch_normalization": False} | of_block
    return network_of(blocks=[block, block | {"filters": 2}], side=8, dense=[], dropout=0.0)


def random_pixels(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, shape).astype(np.uint8)


def convolved(maps: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any]) -> NDArray[Any]:
    """What a rectified convolution makes of (rows, columns, channels), by SciPy."""
    found = [
        sum(
            correlate(maps[..., source], kernel[..., source, target], mode="same", method="direct")
            for source in range(maps.shape[-1])
        )
        for target in range(kernel.shape[-1])
    ]
    return np.maximum(np.stack(found, axis=-1) + bias, 0)


def pooled(maps: NDArray[Any]) -> NDArray[Any]:
    rows, columns, channels = maps.shape
    return maps.reshape(rows // 2, 2, columns // 2, 2, channels).max(axis=(1, 3))


def by_hand(network: Network, image: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """What each layer of two blocks makes of an image."""
    layers, maps = network.layers(), image / 255
    found = []
    for name in ("block1_conv1", "block2_conv1"):
        maps = convolved(maps, *layers[name].get_weights())
        found += [maps, pooled(maps)]
        maps = found[-1]
    return found


def test_each_layers_maps_are_what_numpy_gives() -> None:
    network, image = two_blocks(), random_pixels(8, 8, 1)
    channels = Channels(network)
    expected = by_hand(network, image)
    layers = seen_layers(network.config.graph)
    assert [expected[place].shape for place in range(4)] == [
        network.config.graph.layers[layer].shape for layer in layers
    ]
    for layer, maps in zip(layers, expected, strict=True):
        np.testing.assert_allclose(channels.maps(image, layer), maps, rtol=1e-4, atol=1e-5)


def test_the_strongest_answer_of_every_channel_and_its_place_are_those_of_the_maps() -> None:
    network, images = two_blocks(), random_pixels(4, 8, 8, 1)
    found = Channels(network).strongest(images)
    assert found.shape == (4, 3 + 3 + 2 + 2, 2)
    for image, (strengths, places) in zip(images, found.transpose(0, 2, 1), strict=True):
        flat = [maps.reshape(-1, maps.shape[-1]) for maps in by_hand(network, image)]
        largest = np.concatenate([maps.max(axis=0) for maps in flat])
        np.testing.assert_allclose(strengths, largest, rtol=1e-4, atol=1e-5)
        there = zip(places.astype(int), (row for maps in flat for row in maps.T), strict=True)
        np.testing.assert_allclose([row[at] for at, row in there], largest, rtol=1e-3, atol=1e-5)


def seen_pixels(network: Network, layer: int, number: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels of which some change shows in a field: each is made darker and lighter."""
    channels, side = Channels(network), network.config.side
    image = random_pixels(side, side, network.config.channels)
    before = channels.maps(image, layer)[number]
    changes = np.zeros((side, side), bool)
    for down, across in np.ndindex(side, side):
        for value in (0, 255):
            changed = image.copy()
            changed[down, across] = value
            changes[down, across] |= bool(
                (np.abs(channels.maps(changed, layer)[number] - before) > 1e-7).any()
            )
    return changes


def positive(network: Network) -> Network:
    """The network with positive weights, so that no activation hides what it sees."""
    for layer in network.backbone.layers:
        if hasattr(layer, "kernel"):
            layer.kernel.assign(np.full(layer.kernel.shape, 0.1))
    return network


@pytest.mark.parametrize("kernel", [3, 4])
def test_a_receptive_field_holds_the_pixels_that_matter_and_no_others(kernel: int) -> None:
    network = positive(two_blocks(kernel=kernel, pooling="average"))
    layers = seen_layers(network.config.graph)
    for fields, layer in zip(Channels(network).fields(), layers, strict=True):
        number = (1, 1)
        (top, bottom), (left, right) = (Field(*axis).pixels(1, 8) for axis in fields)
        expected = np.zeros((8, 8), bool)
        expected[top:bottom, left:right] = True
        np.testing.assert_array_equal(seen_pixels(network, layer, number), expected)


@pytest.mark.parametrize(
    ("architecture", "expected"),
    [
        ("vgg16", {"block1_pool": (6, 2), "block5_conv3": (196, 16)}),
        ("resnet50", {"conv1_relu": (7, 2), "conv5_block3_out": (483, 32)}),
        ("mobilenet", {"conv_pw_13_relu": (315, 32)}),
    ],
)
def test_receptive_fields_of_known_networks_are_those_of_the_literature(
    architecture: str, expected: dict[str, tuple[int, int]]
) -> None:
    """Sizes and strides of Araujo, Norris and Sim, 2019."""
    settings = {"architecture": architecture, "weights": "random", "side": 32, "mode": "scratch"}
    network = network_of("vgg16-digits", **settings)
    graph = network.config.graph
    names = [graph.layers[position].name for position in seen_layers(graph)]
    for fields in Channels(network).fields().transpose(1, 0, 2):
        sizes = [(size, stride) for _, size, stride in fields.tolist()]
        found = dict(zip(names, sizes, strict=True))
        assert {name: found[name] for name in expected} == expected


def test_kernels_are_those_of_the_first_convolution() -> None:
    network = two_blocks()
    (weights, _) = network.layers()["block1_conv1"].get_weights()
    kernels = Channels(network).kernels()
    assert kernels.shape == (3, 3, 3, 1)
    np.testing.assert_array_equal(kernels[2], weights[..., 2])


def test_a_layer_that_cannot_be_looked_into_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="layer must be one of 1, 2, 3, 4, got 0"):
        Channels(two_blocks()).maps(random_pixels(8, 8, 1), 0)


def test_a_network_that_diverged_is_told_as_such() -> None:
    network = two_blocks()
    network.backbone.set_weights([np.full_like(w, np.nan) for w in network.backbone.get_weights()])
    with pytest.raises(Diverged, match="not finite"):
        Channels(network).strongest(random_pixels(1, 8, 8, 1))
