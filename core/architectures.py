"""What is known of each network without building it: limits, options and parameter counts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

VGG16_BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
"""Convolutions and filters of each block (Simonyan and Zisserman, 2015, configuration D)."""

CNN_BLOCKS = ((32, 5), (64, 3))
"""Filters and kernel side of each block of two convolutions."""


@dataclass(frozen=True)
class Architecture:
    """One row of the table of networks.

    `channels` is 1 for grey images and 3 for RGB; `modes` lists the transfer modes on offer,
    `weights` where its starting weights may come from, the usual one first.
    """

    label: str
    summary: str
    channels: int
    smallest_side: int
    modes: tuple[str, ...]
    weights: tuple[str, ...]


ARCHITECTURES = {
    "cnn": Architecture(
        label="CNN",
        summary="A small convolutional network built for 28x28 handwritten digits.",
        channels=1,
        smallest_side=4,
        modes=("scratch",),
        weights=("random",),
    ),
    "vgg16": Architecture(
        label="VGG16",
        summary="A general network of 13 convolutions that learned to see on ImageNet.",
        channels=3,
        smallest_side=32,
        modes=("transfer",),
        weights=("bundled", "keras"),
    ),
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


def count_parameters(
    architecture: str, side: int, dense: Sequence[int], classes: int
) -> ParameterCount:
    """Count the parameters of a network with a flattening head, by arithmetic alone.

    >>> count_parameters("cnn", 28, [256], 10)
    ParameterCount(total=887530, trainable=887530)
    >>> count_parameters("vgg16", 48, [512], 10)
    ParameterCount(total=14982474, trainable=267786)
    """
    base, flat = _BASES[architecture](side)
    head = _dense_parameters([flat, *dense, classes])
    frozen = 0 if ARCHITECTURES[architecture].modes == ("scratch",) else base
    return ParameterCount(base + head, base + head - frozen)


def _dense_parameters(widths: Sequence[int]) -> int:
    return sum(inputs * outputs + outputs for inputs, outputs in pairwise(widths))


def _cnn_base(side: int) -> tuple[int, int]:
    convolutions = [(filters, kernel) for filters, kernel in CNN_BLOCKS for _ in range(2)]
    flat = (side // 2 ** len(CNN_BLOCKS)) ** 2 * CNN_BLOCKS[-1][0]
    return sum(_convolution_parameters(convolutions, channels=1)), flat


def _vgg16_base(side: int) -> tuple[int, int]:
    convolutions = [(filters, 3) for count, filters in VGG16_BLOCKS for _ in range(count)]
    flat = (side // 2 ** len(VGG16_BLOCKS)) ** 2 * VGG16_BLOCKS[-1][1]
    return sum(_convolution_parameters(convolutions, channels=3)), flat


def _convolution_parameters(
    convolutions: Sequence[tuple[int, int]], channels: int
) -> Iterator[int]:
    for filters, kernel in convolutions:
        yield (kernel * kernel * channels + 1) * filters
        channels = filters


_BASES = {"cnn": _cnn_base, "vgg16": _vgg16_base}
