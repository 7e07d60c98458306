import pytest

from core.activations.seen_layers import seen_layers
from core.network.architectures import ConvolutionBlock
from core.network.graphs import Graph, backbone


def names(graph: Graph) -> list[str]:
    return [graph.layers[position].name for position in seen_layers(graph)]


def test_convolutions_that_rectify_and_poolings_are_seen() -> None:
    plain = ConvolutionBlock(filters=4, convolutions=2, batch_normalization=False, dropout=0.5)
    graph = backbone("cnn", 28, 1, blocks=(plain,))
    assert names(graph) == ["block1_conv1", "block1_conv2", "block1_pool"]


def test_a_convolution_that_is_normalized_is_seen_after_its_activation() -> None:
    normalized = ConvolutionBlock(filters=4, convolutions=1, batch_normalization=True)
    assert names(backbone("cnn", 28, 1, blocks=(normalized,))) == ["block1_relu1", "block1_pool"]


@pytest.mark.parametrize(
    ("architecture", "first", "last", "count"),
    [
        ("vgg16", "block1_conv1", "block5_pool", 18),
        ("mobilenet", "conv1_relu", "conv_pw_13_relu", 27),
        ("resnet50", "conv1_relu", "conv5_block3_out", 18),
        ("inceptionv3", "activation", "mixed10", 18),
    ],
)
def test_of_branches_only_what_joins_them_is_seen(
    architecture: str, first: str, last: str, count: int
) -> None:
    seen = names(backbone(architecture, 96, 3))
    assert (seen[0], seen[-1], len(seen)) == (first, last, count)
