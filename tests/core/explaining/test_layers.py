from typing import Any

import pytest

from core.explaining.layers import explained_layer
from core.network.architectures import ConvolutionBlock
from core.network.graphs import backbone


@pytest.mark.parametrize(
    ("architecture", "side", "name", "fields"),
    [
        ("cnn", 28, "block2_conv2", 14),
        ("vgg16", 224, "block5_conv3", 14),
        ("vgg16", 32, "block5_conv3", 2),
        ("mobilenet", 224, "conv_pw_13_relu", 7),
        ("mobilenet", 32, "conv_pw_11_relu", 2),
        ("resnet50", 224, "conv5_block3_out", 7),
        ("resnet50", 32, "conv4_block6_out", 2),
        ("inceptionv3", 299, "mixed10", 8),
        ("inceptionv3", 75, "mixed7", 3),
    ],
)
def test_it_is_the_last_that_tells_places_apart_and_that_all_passes_through(
    architecture: str, side: int, name: str, fields: int
) -> None:
    graph = backbone(architecture, side, 3)
    layer = graph.layers[explained_layer(graph)]
    assert layer.name == name
    assert layer.shape[:2] == (fields, fields)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"batch_normalization": True}, "block1_relu2"),
        ({"pooling": "none", "dropout": 0}, "block1_conv2"),
    ],
)
def test_pooling_and_dropout_only_pass_on_what_was_seen(options: dict[str, Any], name: str) -> None:
    graph = backbone("cnn", 8, 1, blocks=(ConvolutionBlock(filters=2, **options),))
    assert graph.layers[explained_layer(graph)].name == name


def test_the_smallest_image_has_fields_too() -> None:
    blocks = (ConvolutionBlock(filters=2), ConvolutionBlock(filters=2))
    graph = backbone("cnn", 4, 1, blocks=blocks)
    assert graph.layers[explained_layer(graph)].shape[:2] == (2, 2)


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        ("resnet50", ["conv5_block3_out", "conv4_block6_out", "conv3_block4_out"]),
        ("inceptionv3", ["mixed10", "mixed7", "mixed2"]),
        ("cnn", ["block2_conv2", "block1_conv2", "block1_conv2"]),
    ],
)
def test_finer_layers_are_the_last_of_each_size_as_far_as_there_are_some(
    architecture: str, names: list[str]
) -> None:
    graph = backbone(architecture, 224, 3)
    found = [graph.layers[explained_layer(graph, finer)].name for finer in range(3)]
    assert found == names
