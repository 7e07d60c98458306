"""Which layer of a network its answers are explained by."""

from core.network.graphs import Graph

NOT_SEEN_BY = frozenset({"AveragePooling2D", "Dropout", "InputLayer", "MaxPooling2D"})
"""Layers that pass on what the ones before them saw, coarser or in part."""
SHIFTING = frozenset({"ZeroPadding2D"})
"""Layers whose fields no longer lie evenly over the picture."""


def explained_layer(graph: Graph, finer: int = 0) -> int:
    """Position of the layer to explain a network by, its last that still tells places apart.

    It has more than one field across and down, and all that the network sees passes through it:
    one branch of several would tell its own share alone. With `finer` it is the last whose fields
    are so many sizes smaller, at most the finest there are: it tells places better and classes
    worse.

    >>> from core.network.graphs import backbone
    >>> graph = backbone("vgg16", 48, 3)
    >>> [graph.layers[explained_layer(graph, finer)].name for finer in (0, 1, 9)]
    ['block5_conv3', 'block4_conv3', 'block1_conv2']
    """
    passed = [position for position in passed_by_all(graph) if _tells_places(graph, position)]
    last_of_size = {graph.layers[position].shape[:2]: position for position in passed}
    from_coarse = sorted(last_of_size.values(), reverse=True)
    return from_coarse[min(finer, len(from_coarse) - 1)]


def _tells_places(graph: Graph, position: int) -> bool:
    layer = graph.layers[position]
    return layer.kind not in NOT_SEEN_BY | SHIFTING and min(layer.shape[:2]) > 1


def passed_by_all(graph: Graph) -> list[int]:
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
