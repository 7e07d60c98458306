"""Each backbone, drawn layer by layer as its paper and Keras have it."""

from collections.abc import Iterable, Sequence

from core.network.architectures import ConvolutionBlock
from core.network.layers import Padding, Sketch

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

Convolution = tuple[int, tuple[int, int]]
"""Filters, and the height and width of the kernel."""


def draw_cnn(sketch: Sketch, blocks: tuple[ConvolutionBlock, ...]) -> None:
    """The blocks of convolutions that a configuration describes."""
    x = 0
    for number, block in enumerate(blocks, start=1):
        sketch.block = name = f"block{number}"
        for each in range(1, block.convolutions + 1):
            x = _draw_cnn_convolution(sketch, x, block, each)
        if block.pooling != "none":
            x = sketch.pooling(x, block.pooling, 2, 2, name=f"{name}_pool")
        if block.dropout:
            x = sketch.same(x, "Dropout", f"{name}_dropout")


def _draw_cnn_convolution(sketch: Sketch, x: int, block: ConvolutionBlock, number: int) -> int:
    name, kernel, normalized = sketch.block, (block.kernel, block.kernel), block.batch_normalization
    bias = not normalized
    x = sketch.convolution(x, block.filters, kernel, bias=bias, name=f"{name}_conv{number}")
    if normalized:
        x = sketch.normalization(x, name=f"{name}_bn{number}")
        x = sketch.same(x, "Activation", f"{name}_relu{number}")
    return x


def draw_vgg16(sketch: Sketch) -> None:
    """Simonyan and Zisserman, 2015."""
    x = 0
    for number, (convolutions, filters) in enumerate(VGG16_BLOCKS, start=1):
        sketch.block = name = f"block{number}"
        for each in range(1, convolutions + 1):
            x = sketch.convolution(x, filters, (3, 3), name=f"{name}_conv{each}")
        x = sketch.pooling(x, "max", 2, 2, name=f"{name}_pool")


def draw_mobilenet(sketch: Sketch, alpha: float, depth_multiplier: int) -> None:
    """Howard et al., 2017."""
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


def _rectified(sketch: Sketch, x: int, name: str) -> int:
    return sketch.same(sketch.normalization(x, name=f"{name}_bn"), "ReLU", f"{name}_relu")


def draw_resnet50(sketch: Sketch) -> None:
    """He et al., 2016."""
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
    sketch: Sketch, x: int, filters: int, stride: int, name: str, *, projected: bool
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


def draw_inceptionv3(sketch: Sketch) -> None:
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


def _draw_mixed_of_squares(sketch: Sketch, x: int, pooled: int) -> int:
    branches = (
        _unit(sketch, x, 64, (1, 1)),
        _chain(sketch, x, [(48, (1, 1)), (64, (5, 5))]),
        _chain(sketch, x, [(64, (1, 1)), (96, (3, 3)), (96, (3, 3))]),
        _pooled(sketch, x, pooled),
    )
    return sketch.concatenation(branches, sketch.block)


def _draw_mixed_of_stripes(sketch: Sketch, x: int, filters: int) -> int:
    row, column = (filters, (1, 7)), (filters, (7, 1))
    branches = (
        _unit(sketch, x, 192, (1, 1)),
        _chain(sketch, x, [(filters, (1, 1)), row, (192, (7, 1))]),
        _chain(sketch, x, [(filters, (1, 1)), column, row, column, (192, (1, 7))]),
        _pooled(sketch, x, 192),
    )
    return sketch.concatenation(branches, sketch.block)


def _draw_mixed_of_forks(sketch: Sketch, x: int, first_join: str) -> int:
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


def _draw_reduction(sketch: Sketch, x: int, *branches: Sequence[Convolution]) -> int:
    ends = []
    for *convolutions, (filters, kernel) in branches:
        end = _chain(sketch, x, convolutions)
        ends.append(_unit(sketch, end, filters, kernel, stride=2, padding="valid"))
    ends.append(sketch.pooling(x, "max", 3, 2))
    return sketch.concatenation(tuple(ends), sketch.block)


def _chain(sketch: Sketch, x: int, convolutions: Iterable[Convolution]) -> int:
    for filters, kernel in convolutions:
        x = _unit(sketch, x, filters, kernel)
    return x


def _pooled(sketch: Sketch, x: int, filters: int) -> int:
    x = sketch.pooling(x, "average", 3, 1, padding="same")
    return _unit(sketch, x, filters, (1, 1))


def _unit(
    sketch: Sketch,
    x: int,
    filters: int,
    kernel: tuple[int, int],
    stride: int = 1,
    padding: Padding = "same",
) -> int:
    x = sketch.convolution(x, filters, kernel, stride=stride, padding=padding, bias=False)
    return sketch.same(sketch.normalization(x, scale=False), "Activation")
