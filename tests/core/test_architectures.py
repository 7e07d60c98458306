import pytest

from core.architectures import ARCHITECTURES, ParameterCount, count_parameters

VGG16_BACKBONE = 14_714_688
"""As Keras and the paper's authors count it."""


@pytest.mark.parametrize(
    ("architecture", "side", "dense", "classes", "total"),
    [
        ("cnn", 28, [256], 10, 887_530),
        ("vgg16", 224, [4096, 4096], 1000, 138_357_544),
        ("vgg16", 224, [4096, 4096], 2, 134_268_738),
        ("vgg16", 48, [512], 10, VGG16_BACKBONE + 267_786),
    ],
)
def test_totals_are_the_published_ones(
    architecture: str, side: int, dense: list[int], classes: int, total: int
) -> None:
    assert count_parameters(architecture, side, dense, classes).total == total


def test_the_head_of_4096_on_224_pixels_has_the_published_size() -> None:
    assert count_parameters("vgg16", 224, [4096, 4096], 10).trainable == 119_586_826


def test_all_of_the_backbone_is_frozen_in_transfer() -> None:
    assert count_parameters("vgg16", 48, [512], 10).frozen == VGG16_BACKBONE


def test_nothing_is_frozen_from_scratch() -> None:
    assert count_parameters("cnn", 28, [256], 10).frozen == 0


def test_without_dense_layers_the_head_is_the_softmax() -> None:
    assert count_parameters("vgg16", 32, [], 10).trainable == 512 * 10 + 10


def test_a_side_that_cannot_be_halved_is_rounded_down_at_each_pooling() -> None:
    assert count_parameters("cnn", 31, [], 10) == count_parameters("cnn", 28, [], 10)


def test_frozen_is_what_is_left_of_the_total() -> None:
    assert ParameterCount(total=10, trainable=3).frozen == 7


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_smallest_side_leaves_the_head_something_to_look_at(name: str) -> None:
    smallest = ARCHITECTURES[name].smallest_side
    without_input = count_parameters(name, smallest - 1, [], 10).total
    assert count_parameters(name, smallest, [], 10).total > without_input
