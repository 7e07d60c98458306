"""What a network needs, worked out without building it: parameters, sizes, where it is cut."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from core.network import graphs
from core.network.layers import Layer
from core.network.network_config import HeadConfig, NetworkConfig

Shape = tuple[int, ...]

_HEAD_POOLINGS = {
    "flatten": ("flatten", "Flatten"),
    "average": ("pooling", "GlobalAveragePooling2D"),
    "max": ("pooling", "GlobalMaxPooling2D"),
}


@dataclass(frozen=True)
class ParameterCount:
    """Numbers in a network: all of them, and those that training changes."""

    total: int
    trainable: int

    @property
    def frozen(self) -> int:
        """Numbers that training leaves as they are."""
        return self.total - self.trainable


@dataclass(frozen=True)
class Row:
    """One layer of a network.

    inputs: positions of the rows that feed it. shape: of its output, without the batch.
    trainable: how many of its parameters gradients may change where it is not frozen.
    frozen and once have one entry for each phase of training: whether its weights stay as they
    are, and whether it is computed once per image and its output kept.
    """

    name: str
    kind: str
    part: Literal["input", "backbone", "head"]
    block: str
    inputs: tuple[int, ...]
    shape: Shape
    parameters: int
    trainable: int
    frozen: tuple[bool, ...]
    once: tuple[bool, ...]

    @property
    def outputs(self) -> int:
        """Numbers it puts out per image."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Blueprint:
    """All layers of a network, from the images to the probabilities of the classes."""

    rows: tuple[Row, ...]

    @property
    def parameters(self) -> ParameterCount:
        """Parameters in the first phase of training."""
        return self.phases[0]

    @property
    def phases(self) -> tuple[ParameterCount, ...]:
        """Parameters in each phase; the total is the same in all."""
        total = sum(row.parameters for row in self.rows)
        return tuple(
            ParameterCount(total, sum(row.trainable for row in self.rows if not row.frozen[phase]))
            for phase in range(len(self.rows[0].frozen))
        )

    def crossing(self, phase: int) -> tuple[Shape, ...]:
        """Shapes, without the batch, of what is kept per image; none where nothing is frozen."""
        needed = {feed for row in self.rows if not row.once[phase] for feed in row.inputs}
        return tuple(
            row.shape
            for position, row in enumerate(self.rows)
            if row.once[phase] and position in needed
        )

    def cached_numbers(self, phase: int) -> int:
        """Numbers kept per image."""
        return sum(map(math.prod, self.crossing(phase)))

    def activations(self, phase: int) -> tuple[int, int]:
        """Numbers per image that the frozen part and the trained part hold in memory, roughly.

        Inference needs the input and the output of one layer at a time, and the largest such pair
        counts; backpropagation comes back to the output of every layer, and all of them count.
        """
        once = [row.outputs for row in self.rows if row.once[phase]]
        trained = sum(row.outputs for row in self.rows if not row.once[phase])
        return max(map(sum, pairwise(once)), default=0), trained


@lru_cache(maxsize=64)
def blueprint(network: NetworkConfig, classes: int, frozen_counts: tuple[int, ...]) -> Blueprint:
    """Work out the layers of a network that tells apart so many classes.

    frozen_counts has the number of frozen layers of the backbone, its input included, for each
    phase of training.

    >>> network = NetworkConfig(architecture="vgg16", mode="transfer", weights="random", side=48)
    >>> blueprint(network, 10, (network.frozen_count,)).parameters
    ParameterCount(total=14982474, trainable=267786)
    """
    rows = _backbone_rows(network, frozen_counts)
    return Blueprint((*rows, *_head_rows(network.head, classes, rows)))


def _backbone_rows(network: NetworkConfig, frozen_counts: tuple[int, ...]) -> list[Row]:
    graph = network.graph
    cuts = [graphs.cut(graph, count) for count in frozen_counts]

    def row(position: int, layer: Layer) -> Row:
        return Row(
            name=layer.name,
            kind=layer.kind,
            part="backbone" if position else "input",
            block=layer.block,
            # The row of the scaling comes between the input and all that follow.
            inputs=tuple(feed + 1 for feed in layer.inputs),
            shape=layer.shape,
            parameters=layer.parameters,
            trainable=layer.trainable,
            frozen=tuple(position < count for count in frozen_counts),
            once=tuple(position in cut.frozen for cut in cuts),
        )

    images, *layers = (row(position, layer) for position, layer in enumerate(graph.layers))
    return [images, _scaling_row(images), *layers]


def _scaling_row(images: Row) -> Row:
    # Like the images, it is computed once and has nothing to train where anything is frozen.
    return replace(images, name="scaling", kind="Rescaling", inputs=(0,))


def _head_rows(head: HeadConfig, classes: int, backbone: Sequence[Row]) -> Iterator[Row]:
    """Rows of the head, each fed by the one before."""
    phases = range(len(backbone[0].once))
    never = tuple(False for _ in phases)
    # Pooling has no weights: where all of the backbone is computed once, so is what it makes of it.
    once = tuple(all(row.once[phase] for row in backbone) for phase in phases)
    position = len(backbone) - 1
    for name, kind, shape, parameters in _head_layers(head, classes, backbone[-1].shape):
        yield Row(
            name=name,
            kind=kind,
            part="head",
            block="",
            inputs=(position,),
            shape=shape,
            parameters=parameters,
            trainable=parameters,
            frozen=never,
            once=once,
        )
        position, once = position + 1, never


def _head_layers(
    head: HeadConfig, classes: int, shape: Shape
) -> Iterator[tuple[str, str, Shape, int]]:
    """Names, kinds, output shapes and parameters."""
    name, kind = _HEAD_POOLINGS[head.pooling]
    width = math.prod(shape) if head.pooling == "flatten" else shape[-1]
    yield name, kind, (width,), 0
    for number, dense in enumerate(head.layers, start=1):
        yield f"dense_{number}", "Dense", (dense.units,), (width + 1) * dense.units
        width = dense.units
        if dense.dropout:
            yield f"dropout_{number}", "Dropout", (width,), 0
    yield "probabilities", "Dense", (classes,), (width + 1) * classes
