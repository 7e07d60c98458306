"""What is known of each network without building it: limits and options."""

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from core.validation import Frozen

Share = Annotated[float, Field(ge=0, lt=1)]


class ConvolutionBlock(Frozen):
    """Convolutions of one size, then pooling, then dropout."""

    filters: int = Field(
        ge=1, le=2048, description="Filters of each convolution: how many patterns it can look for."
    )
    kernel: int = Field(3, ge=1, le=15, description="Width and height of each filter, in pixels.")
    convolutions: int = Field(2, ge=1, le=8, description="Convolutions one after another.")
    pooling: Literal["max", "average", "none"] = Field(
        "max", description="How 2x2 pixels become one at the end of the block, if at all."
    )
    dropout: Share = Field(
        0.25,
        description="Share of the outputs switched off while training, which keeps the network "
        "from learning images by heart.",
    )
    batch_normalization: bool = Field(
        False,
        description="Normalize after each convolution, over the images of a batch: often learns "
        "quicker.",
    )


CNN_BLOCKS = (ConvolutionBlock(filters=32, kernel=5), ConvolutionBlock(filters=64, kernel=3))
"""The blocks of the CNN of the articles."""


@dataclass(frozen=True)
class Architecture:
    """One row of the table of networks.

    `channels` lists how many it can take, 1 for grey images and 3 for RGB; `weights` where
    pretrained ones come from, the usual one first. `imagenet_scaling` is how Keras names the
    scaling that its ImageNet weights were trained with: `caffe` is BGR less the mean colour, `tf`
    is -1 to 1; None where there are no such weights.
    """

    label: str
    summary: str
    channels: tuple[int, ...]
    smallest_side: int
    weights: tuple[str, ...]
    imagenet_scaling: Literal["caffe", "tf"] | None

    @property
    def sources(self) -> tuple[str, ...]:
        """Where weights may come from, in words."""
        return (*self.weights, "a weights file", "run:NAME", "random")


ARCHITECTURES = {
    "cnn": Architecture(
        label="CNN",
        summary="A small convolutional network built for 28x28 handwritten digits; its blocks can "
        "be changed.",
        channels=(1, 3),
        smallest_side=4,
        weights=(),
        imagenet_scaling=None,
    ),
    "vgg16": Architecture(
        label="VGG16",
        summary="13 convolutions in a row that learned to see on ImageNet: large, simple, slow.",
        channels=(3,),
        smallest_side=32,
        weights=("bundled", "keras"),
        imagenet_scaling="caffe",
    ),
    "inceptionv3": Architecture(
        label="InceptionV3",
        summary="94 convolutions in branches of several sizes side by side; made for 299x299.",
        channels=(3,),
        smallest_side=75,
        weights=("keras",),
        imagenet_scaling="tf",
    ),
    "mobilenet": Architecture(
        label="MobileNet",
        summary="Made for telephones: thin depthwise convolutions, in a width of your choice.",
        channels=(3,),
        smallest_side=32,
        weights=("keras",),
        imagenet_scaling="tf",
    ),
    "resnet50": Architecture(
        label="ResNet50",
        summary="50 layers whose shortcuts let gradients pass; exact, and heavier than MobileNet.",
        channels=(3,),
        smallest_side=32,
        weights=("keras",),
        imagenet_scaling="caffe",
    ),
}

MOBILENET_ALPHAS = (0.25, 0.5, 0.75, 1.0)
"""Widths for which there are ImageNet weights, with a depth multiplier of 1."""
