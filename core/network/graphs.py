"""The layers of each backbone, known without building it: names, shapes, parameters, connections.

Keras orders the layers of a branched network by their distance from its output; `layers[:N]` here
are the same layers as in Keras, which is what "the first N layers frozen" means in its guides.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from core.network.architectures import CNN_BLOCKS, ConvolutionBlock
from core.network.backbones import (
    draw_cnn,
    draw_inceptionv3,
    draw_mobilenet,
    draw_resnet50,
    draw_vgg16,
)
from core.network.layers import Layer, Sketch, as_keras_orders


@dataclass(frozen=True)
class Graph:
    """The layers of a backbone, in the order in which Keras lists them."""

    layers: tuple[Layer, ...]

    @property
    def blocks(self) -> tuple[str, ...]:
        """Names of the blocks, from the input on."""
        return tuple(dict.fromkeys(layer.block for layer in self.layers if layer.block))

    @property
    def work(self) -> int:
        """Multiplications for one image: a convolution uses each weight once for every place."""
        return sum(layer.parameters * math.prod(layer.shape[:2]) for layer in self.layers)

    def shapes(self, positions: Iterable[int]) -> tuple[tuple[int, ...], ...]:
        """Output shapes of some layers, without the batch."""
        return tuple(self.layers[position].shape for position in positions)


@dataclass(frozen=True)
class Cut:
    """Where a backbone is cut in two: what is computed once per image, and what is anew.

    frozen: positions of the layers computed once. crossing: those of them whose outputs the other
    layers need, in ascending order; the last layer where all are frozen.
    """

    frozen: frozenset[int]
    crossing: tuple[int, ...]


@lru_cache(maxsize=64)
def backbone(
    architecture: str,
    side: int,
    channels: int,
    *,
    alpha: float = 1.0,
    depth_multiplier: int = 1,
    blocks: tuple[ConvolutionBlock, ...] = CNN_BLOCKS,
) -> Graph:
    """The layers of a backbone without its top, for images of (side, side, channels).

    alpha and depth_multiplier are MobileNet's, blocks the CNN's.

    >>> [layer.name for layer in backbone("vgg16", 224, 3).layers[:3]]
    ['input', 'block1_conv1', 'block1_conv2']
    """
    sketch = Sketch(side, channels)
    {
        "cnn": lambda: draw_cnn(sketch, blocks),
        "vgg16": lambda: draw_vgg16(sketch),
        "inceptionv3": lambda: draw_inceptionv3(sketch),
        "mobilenet": lambda: draw_mobilenet(sketch, alpha, depth_multiplier),
        "resnet50": lambda: draw_resnet50(sketch),
    }[architecture]()
    return Graph(as_keras_orders(sketch.layers))


def frozen_count(graph: Graph, frozen_layers: int | str, setting: str) -> int:
    """How many layers are frozen, counted from the input.

    frozen_layers is that number, or the name of the last block or layer that is frozen. Raises
    ValueError, naming the setting, where the backbone has no such layer.

    >>> frozen_count(backbone("vgg16", 224, 3), "block4", "frozen_layers")
    15
    """
    if isinstance(frozen_layers, str) and not frozen_layers.isdecimal():
        return _end_of(graph, frozen_layers, setting)
    count, most = int(frozen_layers), len(graph.layers)
    if count < 0:
        raise ValueError(f"{setting} must be at least 0, got {count}")
    if count > most:
        raise ValueError(
            f"{setting} must be at most {most}, the layers of the backbone, got {count}"
        )
    return count


def _end_of(graph: Graph, name: str, setting: str) -> int:
    numbered = list(enumerate(graph.layers, start=1))
    ends = {layer.name: number for number, layer in numbered}
    ends |= {layer.block: number for number, layer in numbered if layer.block}
    if name in ends:
        return ends[name]
    close = get_close_matches(name, ends, n=1)
    raise ValueError(
        f"{setting} must be a number of layers, the name of a layer or a block, one of "
        f"{', '.join(graph.blocks)}, got {name}" + (f"; did you mean {close[0]}?" if close else "")
    )


@lru_cache(maxsize=256)
def cut(graph: Graph, count: int) -> Cut:
    """Cut a backbone where its first `count` layers are frozen.

    Layers without parameters that hang on frozen ones alone are computed once too, since they give
    the same output for the same picture; not so dropout, which is drawn anew at each step, nor what
    reads a tensor that has to cross anyway. Nothing is worth computing once where no frozen layer
    has parameters.
    """
    layers = graph.layers
    if not any(layer.parameters for layer in layers[:count]):
        return Cut(frozenset(), ())
    frozen = frozenset(range(count)) | _pulled_in(layers, count)
    needed = {
        feed
        for position, layer in enumerate(layers)
        if position not in frozen
        for feed in layer.inputs
    }
    return Cut(frozen, tuple(sorted(frozen & needed)) or (len(layers) - 1,))


def _pulled_in(layers: Sequence[Layer], count: int) -> frozenset[int]:
    """Layers beyond the first `count` that need not be computed anew, so that less crosses."""
    readers: dict[int, set[int]] = {}
    for position, layer in enumerate(layers):
        for feed in layer.inputs:
            readers.setdefault(feed, set()).add(position)
    pulled = {
        position
        for position in range(count, len(layers))
        if not layers[position].parameters and layers[position].kind != "Dropout"
    }
    while True:
        once = pulled.union(range(count))
        kept = {
            position
            for position in pulled
            if all(feed in once and readers[feed] <= once for feed in layers[position].inputs)
        }
        if kept == pulled:
            return frozenset(kept)
        pulled = kept
