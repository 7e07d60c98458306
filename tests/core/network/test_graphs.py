import math
from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import Any

import keras
import pytest

from core.network.architectures import ConvolutionBlock
from core.network.graphs import Cut, Graph, backbone, cut, frozen_count
from core.network.layers import Layer

APPLICATIONS: dict[str, Callable[..., keras.Model]] = {
    "vgg16": keras.applications.VGG16,
    "inceptionv3": keras.applications.InceptionV3,
    "mobilenet": keras.applications.MobileNet,
    "resnet50": keras.applications.ResNet50,
}
BLOCKS = (
    ConvolutionBlock(filters=4, kernel=5, convolutions=1, pooling="average", dropout=0),
    ConvolutionBlock(filters=6, kernel=2, convolutions=3, pooling="none"),
    ConvolutionBlock(filters=8, batch_normalization=True),
)
GRAPHS = {
    "cnn": backbone("cnn", 28, 1, blocks=BLOCKS),
    "vgg16": backbone("vgg16", 48, 3),
    "inceptionv3": backbone("inceptionv3", 75, 3),
    "mobilenet": backbone("mobilenet", 32, 3),
    "resnet50": backbone("resnet50", 32, 3),
}
architectures = pytest.mark.parametrize("graph", GRAPHS.values(), ids=GRAPHS)


@cache
def keras_model(architecture: str, side: int, **options: Any) -> keras.Model:
    keras.backend.clear_session()  # numbers in the names of layers begin anew
    shape = (side, side, 3)
    return APPLICATIONS[architecture](include_top=False, weights=None, input_shape=shape, **options)


def described(model: keras.Model) -> list[Layer]:
    """The layers of a Keras model as ours are described, blocks aside."""
    positions = {layer: position for position, layer in enumerate(model.layers)}
    return [
        Layer(
            name=layer.name if layer is not model.layers[0] else "input",
            kind=type(layer).__name__,
            inputs=tuple(positions[node.operation] for node in feeds(layer)),
            shape=tuple(layer.output.shape[1:]),
            parameters=layer.count_params(),
            trainable=sum(math.prod(weight.shape) for weight in layer.trainable_weights),
            block="",
        )
        for layer in model.layers
    ]


def feeds(layer: keras.layers.Layer) -> list[Any]:
    nodes: list[Any] = layer._inbound_nodes[0].parent_nodes
    return nodes


def without_blocks(graph: Graph) -> list[Layer]:
    return [Layer(**(vars(layer) | {"block": ""})) for layer in graph.layers]


def number_of(graph: Graph, name: str) -> int:
    """How many layers there are up to the one of this name."""
    return frozen_count(graph, name, "frozen_layers")


@pytest.mark.parametrize(
    ("architecture", "side", "options"),
    [
        ("vgg16", 32, {}),
        ("vgg16", 48, {}),
        ("vgg16", 224, {}),
        ("inceptionv3", 75, {}),
        ("inceptionv3", 299, {}),
        ("mobilenet", 32, {}),
        ("mobilenet", 33, {"alpha": 0.5}),
        ("mobilenet", 48, {"alpha": 0.5, "depth_multiplier": 2}),
        ("mobilenet", 224, {"alpha": 0.25}),
        ("resnet50", 32, {}),
        ("resnet50", 33, {}),
        ("resnet50", 224, {}),
    ],
)
def test_layers_are_those_of_keras_in_its_order(
    architecture: str, side: int, options: dict[str, Any]
) -> None:
    ours = backbone(architecture, side, 3, **options)
    assert without_blocks(ours) == described(keras_model(architecture, side, **options))


@pytest.mark.parametrize("side", [28, 31])
def test_the_cnn_has_the_layers_that_its_blocks_describe(side: int) -> None:
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((side, side, 1)),
            layers.Conv2D(4, 5, padding="same", activation="relu", name="block1_conv1"),
            layers.AveragePooling2D(2, name="block1_pool"),
            layers.Conv2D(6, 2, padding="same", activation="relu", name="block2_conv1"),
            layers.Conv2D(6, 2, padding="same", activation="relu", name="block2_conv2"),
            layers.Conv2D(6, 2, padding="same", activation="relu", name="block2_conv3"),
            layers.Dropout(0.25, name="block2_dropout"),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="block3_conv1"),
            layers.BatchNormalization(name="block3_bn1"),
            layers.Activation("relu", name="block3_relu1"),
            layers.Conv2D(8, 3, padding="same", use_bias=False, name="block3_conv2"),
            layers.BatchNormalization(name="block3_bn2"),
            layers.Activation("relu", name="block3_relu2"),
            layers.MaxPooling2D(2, name="block3_pool"),
            layers.Dropout(0.25, name="block3_dropout"),
        ]
    )
    functional = keras.Model(model.inputs, model.outputs)
    assert without_blocks(backbone("cnn", side, 1, blocks=BLOCKS)) == described(functional)


@pytest.mark.parametrize(
    ("architecture", "blocks"),
    [
        ("cnn", [f"block{number}" for number in range(1, 4)]),
        ("vgg16", [f"block{number}" for number in range(1, 6)]),
        ("inceptionv3", ["stem", *(f"mixed{number}" for number in range(11))]),
        ("mobilenet", [f"block{number}" for number in range(14)]),
        ("resnet50", [f"conv{number}" for number in range(1, 6)]),
    ],
)
def test_layers_are_grouped_in_blocks_that_follow_each_other(
    architecture: str, blocks: list[str]
) -> None:
    graph = GRAPHS[architecture]
    stretches = [block for block, _ in groupby(layer.block for layer in graph.layers)]
    assert stretches == ["", *blocks]
    assert list(graph.blocks) == blocks


@pytest.mark.parametrize(
    ("architecture", "block", "last"),
    [
        ("cnn", "block1", "block1_pool"),
        ("cnn", "block3", "block3_dropout"),
        ("vgg16", "block4", "block4_pool"),
        ("inceptionv3", "stem", "max_pooling2d_1"),
        ("inceptionv3", "mixed9", "mixed9"),
        ("mobilenet", "block0", "conv1_relu"),
        ("mobilenet", "block12", "conv_pw_12_relu"),
        ("resnet50", "conv1", "pool1_pool"),
        ("resnet50", "conv4", "conv4_block6_out"),
    ],
)
def test_a_block_is_frozen_to_its_last_layer(architecture: str, block: str, last: str) -> None:
    graph = GRAPHS[architecture]
    assert graph.layers[number_of(graph, block) - 1].name == last


def test_the_first_four_blocks_of_vgg16_are_15_layers_with_the_input() -> None:
    assert number_of(GRAPHS["vgg16"], "block4") == 15


def test_all_but_the_top_two_blocks_of_inceptionv3_are_249_layers_as_keras_documents() -> None:
    # https://keras.io/api/applications, "Fine-tune InceptionV3 on a new set of classes"
    assert number_of(GRAPHS["inceptionv3"], "mixed8") == 249


def test_layers_are_frozen_up_to_a_named_one() -> None:
    assert number_of(GRAPHS["vgg16"], "block1_conv2") == 3


@pytest.mark.parametrize("frozen_layers", [0, 7, 19, "7", "0"])
def test_a_number_of_frozen_layers_is_itself(frozen_layers: int | str) -> None:
    assert frozen_count(GRAPHS["vgg16"], frozen_layers, "frozen_layers") == int(frozen_layers)


@pytest.mark.parametrize(
    ("frozen_layers", "message"),
    [
        (400, "network.frozen_layers must be at most 311, the layers of the backbone, got 400"),
        ("312", "network.frozen_layers must be at most 311, the layers of the backbone, got 312"),
        (-1, "network.frozen_layers must be at least 0, got -1"),
        ("mixd7", "network.frozen_layers must be .* one of stem, mixed0, .*, got mixd7; did you "),
        ("mixd7", "; did you mean mixed7?"),
        ("zzz", ", mixed9, mixed10, got zzz$"),
        ("", ", got $"),
    ],
)
def test_an_unknown_layer_is_refused_in_a_sentence(frozen_layers: int | str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        frozen_count(GRAPHS["inceptionv3"], frozen_layers, "network.frozen_layers")


@architectures
def test_whatever_is_frozen_gets_all_its_inputs_from_frozen_layers(graph: Graph) -> None:
    for count in range(len(graph.layers) + 1):
        frozen = cut(graph, count).frozen
        assert all(frozen.issuperset(graph.layers[position].inputs) for position in frozen)


@architectures
def test_the_other_layers_see_of_the_frozen_ones_only_what_crosses(graph: Graph) -> None:
    for count in range(len(graph.layers)):
        parts = cut(graph, count)
        others = set(range(len(graph.layers))) - parts.frozen
        seen = {feed for position in others for feed in graph.layers[position].inputs}
        if others:
            assert tuple(sorted(seen - others)) == parts.crossing


@architectures
def test_no_parameters_are_frozen_beyond_the_count(graph: Graph) -> None:
    for count in range(len(graph.layers) + 1):
        beyond = [position for position in cut(graph, count).frozen if position >= count]
        assert not any(graph.layers[position].parameters for position in beyond)


@architectures
def test_nothing_is_computed_once_beyond_the_count_that_reads_what_crosses_anyway(
    graph: Graph,
) -> None:
    for count in range(len(graph.layers) + 1):
        parts = cut(graph, count)
        beyond = [position for position in parts.frozen if position >= count]
        read = {feed for position in beyond for feed in graph.layers[position].inputs}
        assert not read & set(parts.crossing)


@architectures
def test_the_last_layer_crosses_where_all_are_frozen(graph: Graph) -> None:
    everything = len(graph.layers)
    assert cut(graph, everything) == Cut(frozenset(range(everything)), (everything - 1,))


@architectures
def test_freezing_the_input_alone_computes_nothing_once(graph: Graph) -> None:
    assert not cut(graph, 1).frozen
    assert cut(graph, 1).crossing == ()


def test_layers_without_parameters_that_follow_are_computed_once_too() -> None:
    graph = GRAPHS["vgg16"]
    parts = cut(graph, number_of(graph, "block2_conv2"))
    assert [graph.layers[position].name for position in parts.crossing] == ["block2_pool"]


def test_dropout_is_computed_once_only_where_it_is_frozen_itself() -> None:
    graph = backbone("cnn", 28, 1)
    crossing = {
        name: graph.layers[cut(graph, number_of(graph, name)).crossing[0]].name
        for name in ("block1_conv2", "block1_pool", "block1_dropout")
    }
    assert crossing == {
        "block1_conv2": "block1_pool",
        "block1_pool": "block1_pool",
        "block1_dropout": "block1_dropout",
    }


def test_a_cut_between_branches_is_crossed_by_several_tensors() -> None:
    assert len(cut(GRAPHS["inceptionv3"], 250).crossing) > 1


@pytest.mark.parametrize(
    ("architecture", "side", "count"),
    [("inceptionv3", 75, 250), ("inceptionv3", 75, 101), ("resnet50", 32, 9)],
)
def test_keras_finds_the_same_two_parts(architecture: str, side: int, count: int) -> None:
    graph, model = GRAPHS[architecture], keras_model(architecture, side)
    parts = cut(graph, count)
    crossing = [model.layers[position].output for position in parts.crossing]
    lower, upper = keras.Model(model.inputs, crossing), keras.Model(crossing, model.outputs)
    assert tuple(output.shape[1:] for output in lower.outputs) == graph.shapes(parts.crossing)
    others = [layer for place, layer in enumerate(model.layers) if place not in parts.frozen]
    assert set(upper.layers).issuperset(others)
    assert not set(lower.layers) & set(others)
