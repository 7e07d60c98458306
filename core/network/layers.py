"""Layers of a backbone: made one after another, then ordered as Keras lists them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

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


def as_keras_orders(layers: Sequence[Layer]) -> tuple[Layer, ...]:
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


class Sketch:
    """Layers in the order in which they are made; each method adds one and returns its number.

    block: the part of the backbone that is drawn just now.
    """

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
