import math
from typing import Any

import pytest

from core.network import graphs
from core.network.blueprint import Blueprint, ParameterCount, blueprint
from core.network.network_config import HeadConfig, NetworkConfig

VGG16_BACKBONE = 14_714_688
INCEPTIONV3_BACKBONE = 21_802_784
"""As Keras and the papers' authors count them."""

AVERAGE = {"pooling": "average", "dense": ()}
TOP_OF_VGG16 = {"dense": (4096, 4096), "dropout": 0.0}


def network(architecture: str, mode: str = "scratch", **settings: Any) -> NetworkConfig:
    head = HeadConfig(**settings.pop("head", {}))
    return NetworkConfig(
        architecture=architecture, mode=mode, weights="random", head=head, **settings
    )


def drawn(config: NetworkConfig, classes: int = 10, *later: int) -> Blueprint:
    """`later` has the frozen layers of each phase after the first."""
    return blueprint(config, classes, (config.frozen_count, *later))


def names(plan: Blueprint, part: str) -> list[str]:
    return [row.name for row in plan.rows if row.part == part]


CNN = network("cnn", side=28, channels=1, head={"dense": (256,)})
VGG16_TRANSFER = network("vgg16", "transfer", side=48)
INCEPTIONV3_TRANSFER = network(
    "inceptionv3", "transfer", side=299, head={"pooling": "average", "dense": (64,)}
)


@pytest.mark.parametrize(
    ("config", "classes", "total"),
    [
        (CNN, 10, 887_530),
        (network("vgg16", side=224, head=TOP_OF_VGG16), 1000, 138_357_544),
        (network("vgg16", side=224, head=TOP_OF_VGG16), 2, 134_268_738),
        (VGG16_TRANSFER, 10, VGG16_BACKBONE + 267_786),
        (network("mobilenet", side=224, head=AVERAGE), 1000, 4_253_864),
        (network("resnet50", side=224, head=AVERAGE), 1000, 25_636_712),
        (network("inceptionv3", side=299, head=AVERAGE), 1000, 23_851_784),
        (INCEPTIONV3_TRANSFER, 10, INCEPTIONV3_BACKBONE + 131_786),
    ],
    ids=lambda value: value.architecture if isinstance(value, NetworkConfig) else None,
)
def test_totals_are_the_published_ones(config: NetworkConfig, classes: int, total: int) -> None:
    assert drawn(config, classes).parameters.total == total


@pytest.mark.parametrize(
    ("config", "trainable"),
    [
        (CNN, 887_530),
        (VGG16_TRANSFER, 267_786),
        (network("vgg16", "transfer", side=224, head=TOP_OF_VGG16), 119_586_826),
        (INCEPTIONV3_TRANSFER, 131_786),
    ],
    ids=["cnn", "vgg16-digits", "vgg16 on 224 pixels", "inceptionv3"],
)
def test_what_training_changes_is_the_head_where_the_backbone_is_frozen(
    config: NetworkConfig, trainable: int
) -> None:
    assert drawn(config).parameters.trainable == trainable


def test_moving_statistics_are_never_trained() -> None:
    config = network("inceptionv3", side=299, head={"pooling": "average", "dense": (64,)})
    assert drawn(config).parameters == ParameterCount(
        total=INCEPTIONV3_BACKBONE + 131_786, trainable=21_900_138
    )


def test_frozen_is_what_is_left_of_the_total() -> None:
    assert ParameterCount(total=10, trainable=3).frozen == 7


def test_a_later_phase_trains_the_layers_that_it_unfreezes() -> None:
    block4 = graphs.frozen_count(VGG16_TRANSFER.graph, "block4", "frozen_layers")
    first, second, third = drawn(VGG16_TRANSFER, 10, block4, 0).phases
    block5 = 3 * (3 * 3 * 512 + 1) * 512
    assert second.trainable == first.trainable + block5
    assert third.frozen == 0


def test_rows_lead_from_the_images_to_the_probabilities() -> None:
    head = {"pooling": "average", "dense": (32, 16), "dropout": (0.5, 0.0)}
    plan = drawn(network("vgg16", side=32, head=head), 7)
    assert names(plan, "input") == ["input", "scaling"]
    assert names(plan, "backbone")[0] == "block1_conv1"
    assert names(plan, "backbone")[-1] == "block5_pool"
    assert names(plan, "head") == ["pooling", "dense_1", "dropout_1", "dense_2", "probabilities"]
    assert [row.shape for row in plan.rows[-5:]] == [(512,), (32,), (32,), (16,), (7,)]


@pytest.mark.parametrize("architecture", ["vgg16", "inceptionv3", "mobilenet", "resnet50"])
def test_each_row_is_fed_by_rows_before_it(architecture: str) -> None:
    plan = drawn(network(architecture, side=75))
    for position, row in enumerate(plan.rows):
        assert all(feed < position for feed in row.inputs)
        assert len(row.inputs) > 1 if row.kind in ("Add", "Concatenate") else len(row.inputs) < 2
    assert [row.name for row in plan.rows if row.inputs == (0,)] == ["scaling"]


@pytest.mark.parametrize(
    ("pooling", "kind", "width"),
    [
        ("flatten", "Flatten", 512),
        ("average", "GlobalAveragePooling2D", 128),
        ("max", "GlobalMaxPooling2D", 128),
    ],
)
def test_the_head_begins_with_one_row_of_numbers(pooling: str, kind: str, width: int) -> None:
    settings: dict[str, Any] = {"alpha": 0.125, "side": 64, "head": {"pooling": pooling}}
    plan = drawn(network("mobilenet", **settings))
    row = next(row for row in plan.rows if row.part == "head")
    assert (row.kind, row.shape, row.outputs) == (kind, (width,), width)


def test_without_dense_layers_the_head_is_the_softmax() -> None:
    config = network("vgg16", "transfer", side=32, head={"dense": (), "dropout": ()})
    assert names(drawn(config), "head") == ["flatten", "probabilities"]
    assert drawn(config).parameters.trainable == 512 * 10 + 10


def test_the_pooled_row_is_kept_where_all_of_the_backbone_is_frozen() -> None:
    plan = drawn(INCEPTIONV3_TRANSFER)
    assert plan.crossing(0) == ((2048,),)
    assert plan.cached_numbers(0) == 2048
    assert [row.name for row in plan.rows if not row.once[0]] == [
        "dense_1",
        "dropout_1",
        "probabilities",
    ]


def test_nothing_is_kept_where_nothing_is_frozen() -> None:
    plan = drawn(CNN)
    assert plan.crossing(0) == ()
    assert plan.cached_numbers(0) == 0
    assert not any(row.once[0] or row.frozen[0] for row in plan.rows)


@pytest.mark.parametrize(
    ("architecture", "frozen_layers"),
    [("vgg16", "block4"), ("inceptionv3", "mixed8"), ("inceptionv3", 250), ("resnet50", 9)],
)
def test_what_crosses_is_what_crosses_in_the_backbone(
    architecture: str, frozen_layers: int | str
) -> None:
    config = network(architecture, "finetune", side=75, frozen_layers=frozen_layers)
    parts = graphs.cut(config.graph, config.frozen_count)
    shapes = config.graph.shapes(parts.crossing)
    assert drawn(config).crossing(0) == shapes
    assert drawn(config).cached_numbers(0) == sum(map(math.prod, shapes))


def test_a_row_knows_for_each_phase_whether_it_is_frozen_and_computed_once() -> None:
    plan = drawn(VGG16_TRANSFER, 10, 3, 0)
    rows = {row.name: (row.frozen, row.once) for row in plan.rows}
    assert rows["scaling"] == ((True, True, False), (True, True, False))
    assert rows["block1_conv2"] == ((True, True, False), (True, True, False))
    # Pooling has nothing to freeze, and its input is always the same.
    assert rows["block1_pool"] == ((True, False, False), (True, True, False))
    assert rows["block2_conv1"] == ((True, False, False), (True, False, False))
    assert rows["flatten"] == ((False, False, False), (True, False, False))
    assert rows["probabilities"] == ((False, False, False), (False, False, False))


def test_inference_holds_the_largest_pair_of_outputs_and_training_all_of_them() -> None:
    first, second = (drawn(VGG16_TRANSFER, 10, 0).activations(phase) for phase in (0, 1))
    largest = 48 * 48 * 64
    assert first == (2 * largest, 512 + 512 + 10)
    assert second[0] == 0
    assert second[1] == sum(row.outputs for row in drawn(VGG16_TRANSFER).rows)


def test_a_side_that_cannot_be_halved_is_rounded_down_at_each_pooling() -> None:
    plans = [drawn(network("cnn", side=side, channels=1)) for side in (31, 28)]
    assert plans[0].parameters == plans[1].parameters
