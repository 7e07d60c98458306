"""Which layers of a network are worth looking into, channel by channel."""

from core.explaining.layers import passed_by_all
from core.network.graphs import Graph

POOLINGS = frozenset({"AveragePooling2D", "MaxPooling2D"})
AFTER_ACTIVATION = frozenset({"Activation", "Concatenate", "ReLU"}) | POOLINGS
"""Layers that put out what comes after an activation, so that 0 means that a channel is silent."""
STILL_SUMS = frozenset({"BatchNormalization", "Activation", "ReLU"})
"""Layers that a convolution leaves its activation to."""


def seen_layers(graph: Graph) -> list[int]:
    """Positions of the layers whose channels can be looked at, from the input on.

    All that the network sees passes through each of them, and each puts out what comes after an
    activation: 0 is silence, and more is a stronger answer.

    >>> from core.network.graphs import backbone
    >>> graph = backbone("vgg16", 48, 3)
    >>> [graph.layers[position].name for position in seen_layers(graph)[:3]]
    ['block1_conv1', 'block1_conv2', 'block1_pool']
    """
    left_to_others = {
        feed for layer in graph.layers if layer.kind in STILL_SUMS for feed in layer.inputs
    }
    return [
        position
        for position in passed_by_all(graph)
        if graph.layers[position].kind in AFTER_ACTIVATION
        or (graph.layers[position].kind == "Conv2D" and position not in left_to_others)
    ]
