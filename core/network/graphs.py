"""The layers of each backbone, known without building it: names, shapes, parameters, connections.

Keras orders the layers of a branched network by their distance from its output; `layers[:N]` here
are the same layers as in Keras, which is what "the first N layers frozen" means in its guides.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal

from core.network.architectures import CNN_BLOCKS, ConvolutionBlock

VGG16_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and filters of each block (Simonyan and Zisserman, 2015, configuration D)."""

RESNET50_STACKS = ((3, 64), (4, 128), (6, 256), (3, 512))
"""Residual blocks of conv2 to conv5 and the filters of each, of which there are four times as many
where it ends (He et al., 2016, table 1)."""

MOBILENET_PAIRS = (
    (64, 1),
    *((128, 2), (128, 1)),
    *((256, 2), (256, 1)),
    *((512, 2), (512, 1), (512, 1), (512, 1), (512, 1), (512, 1)),
    *((1024, 2), (1024, 1)),
)
"""Filters and stride of each depthwise and pointwise pair (Howard et al., 2017, table 1)."""

_AUTOMATIC_NAMES = {
    "Activation": "activation",
    "AveragePooling2D": "average_pooling2d",
    "BatchNormalization": "batch_normalization",
    "Concatenate": "concatenate",
    "Conv2D": "conv2d",
    "MaxPooling2D": "max_pooling2d",
}
_POOLINGS = {"max": "MaxPooling2D", "average": "AveragePooling2D"}

Padding = Literal["same", "valid"]
Convolution = tuple[int, tuple[int, int]]
"""Filters, and the height and width of the kernel."""


@dataclass(frozen=True)
class Layer:
    """One layer of a backbone.

    inputs: positions of the layers that feed it. shape: of its output, without the batch.
    parameters: numbers in its weights; trainable: those that gradients change, which the moving
    statistics of a batch normalization are not. block: the name of the part it belongs to.
    """

    name: str
    kind: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    parameters: int
    trainable: int
    block: str


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
    sketch = _Sketch(side, channels)
    {
        "cnn": lambda: _draw_cnn(sketch, blocks),
        "vgg16": lambda: _draw_vgg16(sketch),
        "inceptionv3": lambda: _draw_inceptionv3(sketch),
        "mobilenet": lambda: _draw_mobilenet(sketch, alpha, depth_multiplier),
        "resnet50": lambda: _draw_resnet50(sketch),
    }[architecture]()
    return Graph(_as_keras_orders(sketch.layers))


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


def _as_keras_orders(layers: Sequence[Layer]) -> tuple[Layer, ...]:
    """Sort layers as `keras.Model.layers` does, from the order in which they were made.

    Those farthest from the output come first; of two as far, the one that a walk back from the
    output, first inputs first, meets first (keras.src.ops.function.map_graph).
    """
    distances = _distances_to_output(layers)
    met = _walk_back(layers)
    order = sorted(range(len(layers)), key=lambda made: (-distances[made], met[made]))
    position = {made: new for new, made in enumerate(order)}
    return tuple(
        replace(layers[made], inputs=tuple(position[feed] for feed in layers[made].inputs))
        for made in order
    )


def _distances_to_output(layers: Sequence[Layer]) -> list[int]:
    distances = [0] * len(layers)
    for made in reversed(range(len(layers))):
        for feed in layers[made].inputs:
            distances[feed] = max(distances[feed], distances[made] + 1)
    return distances


def _walk_back(layers: Sequence[Layer]) -> dict[int, int]:
    met: dict[int, int] = {}
    ahead = [len(layers) - 1]
    while ahead:
        made = ahead.pop()
        if made not in met:
            met[made] = len(met)
            ahead.extend(reversed(layers[made].inputs))
    return met


class _Sketch:
    """Layers in the order in which they are made; each method adds one and returns its number."""

    def __init__(self, side: int, channels: int) -> None:
        self.layers = [Layer("input", "InputLayer", (), (side, side, channels), 0, 0, "")]
        self.block = ""
        self._unnamed: Counter[str] = Counter()

    def convolution(
        self,
        x: int,
        filters: int,
        kernel: tuple[int, int],
        *,
        stride: int = 1,
        padding: Padding = "same",
        bias: bool = True,
        name: str | None = None,
    ) -> int:
        parameters = kernel[0] * kernel[1] * self._channels(x) * filters + bias * filters
        shape = (*self._sides(x, kernel, stride, padding), filters)
        return self._add("Conv2D", (x,), shape, parameters, name=name)

    def depthwise(self, x: int, multiplier: int, stride: int, padding: Padding, name: str) -> int:
        filters = self._channels(x) * multiplier
        shape = (*self._sides(x, (3, 3), stride, padding), filters)
        return self._add("DepthwiseConv2D", (x,), shape, 9 * filters, name=name)

    def normalization(self, x: int, *, scale: bool = True, name: str | None = None) -> int:
        channels = self._channels(x)
        trainable = (1 + scale) * channels
        statistics = 2 * channels
        return self._add(
            "BatchNormalization",
            (x,),
            self.layers[x].shape,
            trainable + statistics,
            trainable,
            name=name,
        )

    def same(self, x: int, kind: str, name: str | None = None) -> int:
        """A layer without parameters that keeps the shape."""
        return self._add(kind, (x,), self.layers[x].shape, name=name)

    def pooling(
        self,
        x: int,
        kind: str,
        window: int,
        stride: int,
        *,
        padding: Padding = "valid",
        name: str | None = None,
    ) -> int:
        shape = (*self._sides(x, (window, window), stride, padding), self._channels(x))
        return self._add(_POOLINGS[kind], (x,), shape, name=name)

    def zeros(self, x: int, pixels: int, name: str) -> int:
        """`pixels` more rows and columns, over both sides together."""
        height, width, channels = self.layers[x].shape
        shape = (height + pixels, width + pixels, channels)
        return self._add("ZeroPadding2D", (x,), shape, name=name)

    def sum(self, branches: tuple[int, ...], name: str) -> int:
        return self._add("Add", branches, self.layers[branches[0]].shape, name=name)

    def concatenation(self, branches: tuple[int, ...], name: str | None = None) -> int:
        shape = (*self.layers[branches[0]].shape[:2], sum(map(self._channels, branches)))
        return self._add("Concatenate", branches, shape, name=name)

    def _add(
        self,
        kind: str,
        inputs: tuple[int, ...],
        shape: tuple[int, ...],
        parameters: int = 0,
        trainable: int | None = None,
        *,
        name: str | None,
    ) -> int:
        name = name or self._automatic_name(kind)
        trainable = parameters if trainable is None else trainable
        self.layers.append(Layer(name, kind, inputs, shape, parameters, trainable, self.block))
        return len(self.layers) - 1

    def _automatic_name(self, kind: str) -> str:
        number = self._unnamed[kind]
        self._unnamed[kind] += 1
        return _AUTOMATIC_NAMES[kind] + (f"_{number}" if number else "")

    def _channels(self, x: int) -> int:
        return self.layers[x].shape[-1]

    def _sides(
        self, x: int, window: tuple[int, int], stride: int, padding: Padding
    ) -> tuple[int, int]:
        height, width = (
            # Both divisions round up: "same" covers every pixel, "valid" every whole window.
            -(-side // stride) if padding == "same" else -(-(side - covered + 1) // stride)
            for side, covered in zip(self.layers[x].shape, window, strict=False)
        )
        return height, width


def _draw_cnn(sketch: _Sketch, blocks: tuple[ConvolutionBlock, ...]) -> None:
    x = 0
    for number, block in enumerate(blocks, start=1):
        sketch.block = name = f"block{number}"
        for each in range(1, block.convolutions + 1):
            x = _draw_cnn_convolution(sketch, x, block, each)
        if block.pooling != "none":
            x = sketch.pooling(x, block.pooling, 2, 2, name=f"{name}_pool")
        if block.dropout:
            x = sketch.same(x, "Dropout", f"{name}_dropout")


def _draw_cnn_convolution(sketch: _Sketch, x: int, block: ConvolutionBlock, number: int) -> int:
    name, kernel, normalized = sketch.block, (block.kernel, block.kernel), block.batch_normalization
    bias = not normalized
    x = sketch.convolution(x, block.filters, kernel, bias=bias, name=f"{name}_conv{number}")
    if normalized:
        x = sketch.normalization(x, name=f"{name}_bn{number}")
        x = sketch.same(x, "Activation", f"{name}_relu{number}")
    return x


def _draw_vgg16(sketch: _Sketch) -> None:
    x = 0
    for number, (convolutions, filters) in enumerate(VGG16_BLOCKS, start=1):
        sketch.block = name = f"block{number}"
        for each in range(1, convolutions + 1):
            x = sketch.convolution(x, filters, (3, 3), name=f"{name}_conv{each}")
        x = sketch.pooling(x, "max", 2, 2, name=f"{name}_pool")


def _draw_mobilenet(sketch: _Sketch, alpha: float, depth_multiplier: int) -> None:
    sketch.block = "block0"
    filters = int(32 * alpha)
    x = sketch.convolution(0, filters, (3, 3), stride=2, bias=False, name="conv1")
    x = _rectified(sketch, x, "conv1")
    for number, (filters, stride) in enumerate(MOBILENET_PAIRS, start=1):
        sketch.block = f"block{number}"
        padding: Padding = "same"
        if stride > 1:
            x, padding = sketch.zeros(x, 1, f"conv_pad_{number}"), "valid"
        x = sketch.depthwise(x, depth_multiplier, stride, padding, f"conv_dw_{number}")
        x = _rectified(sketch, x, f"conv_dw_{number}")
        name = f"conv_pw_{number}"
        x = sketch.convolution(x, int(filters * alpha), (1, 1), bias=False, name=name)
        x = _rectified(sketch, x, name)


def _rectified(sketch: _Sketch, x: int, name: str) -> int:
    return sketch.same(sketch.normalization(x, name=f"{name}_bn"), "ReLU", f"{name}_relu")


def _draw_resnet50(sketch: _Sketch) -> None:
    sketch.block = "conv1"
    x = sketch.zeros(0, 6, "conv1_pad")
    x = sketch.convolution(x, 64, (7, 7), stride=2, padding="valid", name="conv1_conv")
    x = sketch.normalization(x, name="conv1_bn")
    x = sketch.same(x, "Activation", "conv1_relu")
    x = sketch.zeros(x, 2, "pool1_pad")
    x = sketch.pooling(x, "max", 3, 2, name="pool1_pool")
    for stack, (blocks, filters) in enumerate(RESNET50_STACKS, start=2):
        sketch.block = f"conv{stack}"
        for number in range(1, blocks + 1):
            name = f"conv{stack}_block{number}"
            # The pooling of conv1 has halved the image for conv2 already.
            stride = 2 if number == 1 and stack > 2 else 1
            x = _draw_residual(sketch, x, filters, stride, name, projected=number == 1)


def _draw_residual(
    sketch: _Sketch, x: int, filters: int, stride: int, name: str, *, projected: bool
) -> int:
    def normalized(x: int, filters: int, kernel: int, stride: int, part: int) -> int:
        size = (kernel, kernel)
        x = sketch.convolution(x, filters, size, stride=stride, name=f"{name}_{part}_conv")
        return sketch.normalization(x, name=f"{name}_{part}_bn")

    shortcut = normalized(x, 4 * filters, 1, stride, part=0) if projected else x
    x = sketch.same(normalized(x, filters, 1, stride, part=1), "Activation", f"{name}_1_relu")
    x = sketch.same(normalized(x, filters, 3, 1, part=2), "Activation", f"{name}_2_relu")
    x = normalized(x, 4 * filters, 1, 1, part=3)
    return sketch.same(sketch.sum((shortcut, x), f"{name}_add"), "Activation", f"{name}_out")


def _draw_inceptionv3(sketch: _Sketch) -> None:
    """Szegedy et al., 2016, as in Keras: each branch in the order in which it makes them."""
    sketch.block = "stem"
    x = _unit(sketch, 0, 32, (3, 3), stride=2, padding="valid")
    x = _unit(sketch, x, 32, (3, 3), padding="valid")
    x = _unit(sketch, x, 64, (3, 3))
    x = sketch.pooling(x, "max", 3, 2)
    x = _unit(sketch, x, 80, (1, 1), padding="valid")
    x = _unit(sketch, x, 192, (3, 3), padding="valid")
    x = sketch.pooling(x, "max", 3, 2)
    for number, filters in enumerate((32, 64, 64)):
        sketch.block = f"mixed{number}"
        x = _draw_mixed_of_squares(sketch, x, pooled=filters)
    sketch.block = "mixed3"
    x = _draw_reduction(sketch, x, [(384, (3, 3))], [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))])
    for number, filters in enumerate((128, 160, 160, 192), start=4):
        sketch.block = f"mixed{number}"
        x = _draw_mixed_of_stripes(sketch, x, filters)
    sketch.block = "mixed8"
    x = _draw_reduction(
        sketch,
        x,
        [(192, (1, 1)), (320, (3, 3))],
        [(192, (1, 1)), (192, (1, 7)), (192, (7, 1)), (192, (3, 3))],
    )
    for number in (9, 10):
        sketch.block = f"mixed{number}"
        x = _draw_mixed_of_forks(sketch, x, first_join=f"mixed9_{number - 9}")


def _draw_mixed_of_squares(sketch: _Sketch, x: int, pooled: int) -> int:
    branches = (
        _unit(sketch, x, 64, (1, 1)),
        _chain(sketch, x, [(48, (1, 1)), (64, (5, 5))]),
        _chain(sketch, x, [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))]),
        _pooled(sketch, x, pooled),
    )
    return sketch.concatenation(branches, sketch.block)


def _draw_mixed_of_stripes(sketch: _Sketch, x: int, filters: int) -> int:
    row, column = (filters, (1, 7)), (filters, (7, 1))
    branches = (
        _unit(sketch, x, 192, (1, 1)),
        _chain(sketch, x, [(filters, (1, 1)), row, (192, (7, 1))]),
        _chain(sketch, x, [(filters, (1, 1)), column, row, column, (192, (1, 7))]),
        _pooled(sketch, x, 192),
    )
    return sketch.concatenation(branches, sketch.block)


def _draw_mixed_of_forks(sketch: _Sketch, x: int, first_join: str) -> int:
    def fork(x: int, join: str | None) -> int:
        prongs = (_unit(sketch, x, 384, (1, 3)), _unit(sketch, x, 384, (3, 1)))
        return sketch.concatenation(prongs, join)

    branches = (
        _unit(sketch, x, 320, (1, 1)),
        fork(_unit(sketch, x, 384, (1, 1)), first_join),
        fork(_chain(sketch, x, [(448, (1, 1)), (384, (3, 3))]), None),
        _pooled(sketch, x, 192),
    )
    return sketch.concatenation(branches, sketch.block)


def _draw_reduction(sketch: _Sketch, x: int, *branches: Sequence[Convolution]) -> int:
    ends = []
    for *convolutions, (filters, kernel) in branches:
        end = _chain(sketch, x, convolutions)
        ends.append(_unit(sketch, end, filters, kernel, stride=2, padding="valid"))
    ends.append(sketch.pooling(x, "max", 3, 2))
    return sketch.concatenation(tuple(ends), sketch.block)


def _chain(sketch: _Sketch, x: int, convolutions: Iterable[Convolution]) -> int:
    for filters, kernel in convolutions:
        x = _unit(sketch, x, filters, kernel)
    return x


def _pooled(sketch: _Sketch, x: int, filters: int) -> int:
    x = sketch.pooling(x, "average", 3, 1, padding="same")
    return _unit(sketch, x, filters, (1, 1))


def _unit(
    sketch: _Sketch,
    x: int,
    filters: int,
    kernel: tuple[int, int],
    stride: int = 1,
    padding: Padding = "same",
) -> int:
    x = sketch.convolution(x, filters, kernel, stride=stride, padding=padding, bias=False)
    return sketch.same(sketch.normalization(x, scale=False), "Activation")
