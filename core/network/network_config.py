"""Which network a run trains, from which weights, and which of its layers stay frozen."""

from collections.abc import Iterable
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from core.network import graphs
from core.network.architectures import (
    ARCHITECTURES,
    CNN_BLOCKS,
    MOBILENET_ALPHAS,
    ConvolutionBlock,
    Share,
)
from core.validation import Frozen

Activation = Literal["relu", "elu", "gelu", "selu", "silu", "tanh", "sigmoid", "linear"]
RUN = "run:"
"""What the weights begin with where another run is named."""
FrozenLayers = Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1, max_length=80)]


class DenseLayer(Frozen):
    """One dense layer as it is built: its units, then its activation, then dropout."""

    units: int
    activation: Activation
    dropout: float


class HeadConfig(Frozen):
    """The layers after the backbone or the convolutions: pooling, dense layers, the softmax."""

    pooling: Literal["flatten", "average", "max"] = Field(
        "flatten",
        description="How the backbone's output becomes one row of numbers: `flatten` keeps every "
        "position; `average` and `max` take one number per channel over the whole image, which "
        "leaves the head far fewer weights to learn.",
    )
    dense: tuple[Annotated[int, Field(ge=1, le=16384)], ...] = Field(
        (512,),
        max_length=8,
        description="Units of each dense layer, in order. Add, change and remove rows; with none, "
        "the classes follow at once.",
    )
    activation: Activation | tuple[Activation, ...] = Field(
        "relu", description="Activation of the dense layers: one for all, or one for each."
    )
    dropout: Share | tuple[Share, ...] = Field(
        0.4,
        description="Share of a dense layer's outputs switched off at each training step, which "
        "keeps the network from learning images by heart. One number is for the last dense layer, "
        "a list has one for each.",
    )

    @model_validator(mode="after")
    def _one_for_each_dense_layer(self) -> Self:
        for name in ("activation", "dropout"):
            values = getattr(self, name)
            if isinstance(values, tuple) and len(values) != len(self.dense):
                raise ValueError(
                    f"network.head.{name} must be one value or one for each of the "
                    f"{len(self.dense)} dense layers, got {len(values)}"
                )
        return self

    @property
    def layers(self) -> tuple[DenseLayer, ...]:
        """The dense layers before the softmax."""
        count = len(self.dense)
        one = self.activation
        activations = one if isinstance(one, tuple) else (one,) * count
        share = self.dropout
        dropouts = share if isinstance(share, tuple) else (0.0,) * (count - 1) + (share,)
        return tuple(
            DenseLayer(units=units, activation=activation, dropout=dropout)
            for units, activation, dropout in zip(self.dense, activations, dropouts, strict=False)
        )


class NetworkConfig(Frozen):
    """Which network, from which weights, fed how, and what of it trains."""

    architecture: Literal["cnn", "vgg16", "inceptionv3", "mobilenet", "resnet50"] = Field(
        description="Which network to train: a small CNN made for digits, or a large one that "
        "learned to see on the photographs of ImageNet."
    )
    mode: Literal["scratch", "transfer", "features", "finetune"] = Field(
        description="`scratch` trains every layer from random weights. `transfer` freezes the "
        "whole backbone and trains the head. `features` runs the backbone once over each image as "
        "it is and trains a small network on its output. `finetune` freezes the first layers and "
        "trains the others from the weights they have."
    )
    weights: str = Field(
        description="Where the weights of the backbone, all layers before the head, come from: "
        "`bundled` with this project, `keras` for Keras's own download, a path to a weights file, "
        "`run:` with an id or a name for those that another run trained, or `random`.",
        min_length=1,
        max_length=4096,
    )
    frozen_layers: FrozenLayers = Field(
        0,
        description="What stays as it is: the first so many layers of the backbone, its input "
        "counted, or all up to the end of a named block or layer, such as block4. The first layers "
        "see edges and textures, which serve for any image.",
    )
    side: int = Field(
        ge=1,
        le=512,
        description="Images are resized to this many pixels in width and height. A larger side "
        "shows the network finer detail, and takes more time and memory.",
    )
    channels: Literal[1, 3] = Field(
        3, description="Whether the network sees images in grey (1 channel) or in colour (3)."
    )
    scaling: Literal["unit", "imagenet"] = Field(
        "unit",
        description="`unit` divides pixels by 255; `imagenet` scales them as when the backbone "
        "learned its ImageNet weights, which then fit best.",
    )
    alpha: float = Field(
        1.0,
        ge=0.05,
        le=2,
        description="MobileNet's width: the share of filters that each layer has of the usual "
        "number. Less is smaller and quicker, and sees less.",
    )
    depth_multiplier: int = Field(
        1, ge=1, le=4, description="MobileNet's filters per channel in each depthwise convolution."
    )
    blocks: tuple[ConvolutionBlock, ...] = Field(
        CNN_BLOCKS,
        min_length=1,
        max_length=8,
        description="The CNN's blocks of convolutions, from the image on. Add, change and remove "
        "rows.",
    )
    head: HeadConfig = HeadConfig()

    @model_validator(mode="after")
    def _fits_the_architecture(self) -> Self:
        known = ARCHITECTURES[self.architecture]
        if self.mode == "scratch" and self.weights != "random":
            raise ValueError(
                f"weights must be random in mode scratch, got {self.weights}; choose mode finetune "
                "with 0 frozen_layers to train every layer from these weights"
            )
        if self.weights in ("bundled", "keras") and self.weights not in known.weights:
            raise ValueError(_must_be("weights", known.sources, self.architecture, self.weights))
        if self.channels not in known.channels:
            allowed = [str(channels) for channels in known.channels]
            raise ValueError(_must_be("channels", allowed, self.architecture, str(self.channels)))
        if self.side < known.smallest_side:
            raise ValueError(
                f"side must be at least {known.smallest_side} for {self.architecture}, "
                f"got {self.side}"
            )
        if self.scaling == "imagenet" and known.imagenet_scaling is None:
            raise ValueError(f"scaling must be unit for {self.architecture}, got imagenet")
        self._check_mobilenet()
        self._check_blocks()
        self._check_frozen_layers()
        return self

    def _check_mobilenet(self) -> None:
        if self.architecture != "mobilenet":
            for name in ("alpha", "depth_multiplier"):
                if getattr(self, name) != 1:
                    value = getattr(self, name)
                    raise ValueError(f"{name} must be 1 for {self.architecture}, got {value}")
        elif self.weights == "keras" and (
            self.alpha not in MOBILENET_ALPHAS or self.depth_multiplier != 1
        ):
            alphas = ", ".join(map(str, MOBILENET_ALPHAS))
            raise ValueError(
                f"alpha must be one of {alphas}, with a depth_multiplier of 1, for mobilenet with "
                f"ImageNet weights, got {self.alpha} and {self.depth_multiplier}; choose one of "
                "these, or other weights"
            )

    def _check_blocks(self) -> None:
        if self.architecture != "cnn":
            if self.blocks != CNN_BLOCKS:
                raise ValueError(f"blocks are settings of the cnn only, got {self.architecture}")
            return
        poolings = sum(block.pooling != "none" for block in self.blocks)
        if self.side < 2**poolings:
            raise ValueError(
                f"side must be at least {2**poolings} for {poolings} poolings that each halve it, "
                f"got {self.side}; enlarge it, or set the pooling of a block to none"
            )

    def _check_frozen_layers(self) -> None:
        if self.mode == "finetune":
            graphs.frozen_count(self.graph, self.frozen_layers, "network.frozen_layers")
        elif self.frozen_layers != 0:
            raise ValueError(
                f"frozen_layers must be 0 in mode {self.mode}, got {self.frozen_layers}; choose "
                "mode finetune to freeze some layers and train the others"
            )

    @property
    def source_run(self) -> str | None:
        """The run whose weights this network starts from, by id or name, if it does."""
        return self.weights.removeprefix(RUN) if self.weights.startswith(RUN) else None

    @property
    def weights_can_be_had_again(self) -> bool:
        """Whether the starting weights have a source that will still be there.

        Random ones are no use without the very same Keras, and another run may be deleted.
        """
        return self.weights != "random" and self.source_run is None

    @property
    def graph(self) -> graphs.Graph:
        """The layers of the backbone."""
        return graphs.backbone(
            self.architecture,
            self.side,
            self.channels,
            alpha=self.alpha,
            depth_multiplier=self.depth_multiplier,
            blocks=self.blocks,
        )

    @property
    def frozen_count(self) -> int:
        """How many layers of the backbone are frozen, counted from its input."""
        if self.mode == "finetune":
            return graphs.frozen_count(self.graph, self.frozen_layers, "network.frozen_layers")
        return 0 if self.mode == "scratch" else len(self.graph.layers)

    @property
    def normalizes_by_batch(self) -> bool:
        """Whether batch normalization runs over the images of a batch while training.

        Only from scratch: layers that bring weights along keep the statistics they learned
        (https://keras.io/guides/transfer_learning/).
        """
        kinds = {layer.kind for layer in self.graph.layers}
        return self.mode == "scratch" and "BatchNormalization" in kinds


def _must_be(name: str, allowed: Iterable[str], architecture: str, value: str) -> str:
    return f"{name} must be {' or '.join(allowed)} for {architecture}, got {value}"
