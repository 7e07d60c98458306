"""Which layer of a network its answers are explained by."""

from core.graphs import Graph

NOT_SEEN_BY = frozenset({"AveragePooling2D", "Dropout", "InputLayer", "MaxPooling2D"})
"""Layers that pass on what the ones before them saw, coarser or in part."""
SHIFTING = frozenset({"ZeroPadding2D"})
"""Layers whose fields no longer lie evenly over the picture."""


def explained_layer(graph: Graph) -> int:
    """Position of the layer to explain a network by, its last that still tells places apart.

    It has more than one field across and down, and all that the network sees passes through it:
    one branch of several would tell its own share alone.

    >>> from core.graphs import backbone
    >>> graph = backbone("vgg16", 48, 3)
    >>> graph.layers[explained_layer(graph)].name
    'block5_conv3'
    """
    return max(filter(lambda position: _tells_places(graph, position), _passed_by_all(graph)))


def fields_of(graph: Graph) -> tuple[int, int]:
    """Rows and columns of the fields that the explained layer tells apart."""
    rows, columns, _ = graph.layers[explained_layer(graph)].shape
    return rows, columns


def _tells_places(graph: Graph, position: int) -> bool:
    layer = graph.layers[position]
    return layer.kind not in NOT_SEEN_BY | SHIFTING and min(layer.shape[:2]) > 1


def _passed_by_all(graph: Graph) -> list[int]:
    """Positions of the layers around which no connection leads."""
    reach, passed = 0, []
    readers = _last_readers(graph)
    for position in range(len(graph.layers)):
        if reach <= position:
            passed.append(position)
        reach = max(reach, readers[position])
    return passed


def _last_readers(graph: Graph) -> list[int]:
    """For each layer the position of the last that reads it, its own where none does."""
    readers = list(range(len(graph.layers)))
    for position, layer in enumerate(graph.layers):
        for feed in layer.inputs:
            readers[feed] = max(readers[feed], position)
    return readers
