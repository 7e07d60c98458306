import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.data.data_config import DataConfig
from core.errors import InvalidConfig
from core.network import graphs
from core.network.architectures import ARCHITECTURES, ConvolutionBlock
from core.network.network_config import HeadConfig, NetworkConfig
from core.registry.config import RunConfig, parse_config
from core.registry.recipes import RECIPES
from core.registry.settings import change, differences, setting_keys
from core.training.schedules import SCHEDULES
from core.validation import Frozen

CNN = RECIPES["cnn-digits"].config
VGG16 = RECIPES["vgg16-digits"].config
KEYS = sorted(setting_keys(CNN.model_dump(mode="json")))

dense = st.lists(st.integers(1, 16384), max_size=8)
shares = st.floats(0, 1, exclude_max=True)


@st.composite
def heads(draw: st.DrawFn) -> HeadConfig:
    units = draw(dense)
    activations = st.sampled_from(["relu", "tanh", "linear"])
    each = {"min_size": len(units), "max_size": len(units)}
    return HeadConfig(
        pooling=draw(st.sampled_from(["flatten", "average", "max"])),
        dense=tuple(units),
        activation=draw(activations | st.lists(activations, **each).map(tuple)),
        dropout=draw(shares | st.lists(shares, **each).map(tuple)),
    )


blocks = st.builds(
    ConvolutionBlock,
    filters=st.integers(1, 2048),
    kernel=st.integers(1, 15),
    convolutions=st.integers(1, 8),
    pooling=st.sampled_from(["max", "average", "none"]),
    dropout=shares,
    batch_normalization=st.booleans(),
)


@st.composite
def networks(draw: st.DrawFn) -> NetworkConfig:
    name = draw(st.sampled_from(sorted(ARCHITECTURES)))
    known = ARCHITECTURES[name]
    mode = draw(st.sampled_from(["scratch", "transfer", "features", "finetune"]))
    sources = st.sampled_from([*known.weights, "/data/weights.h5", "run:cnn", "random"])
    settings: dict[str, Any] = {}
    if name == "cnn":
        settings["blocks"] = tuple(draw(st.lists(blocks, min_size=1, max_size=2)))
    if mode == "finetune":
        first_block = graphs.backbone(name, 224, 3).blocks[0]
        settings["frozen_layers"] = draw(st.integers(0, 3) | st.just(first_block))
    return NetworkConfig(
        architecture=name,
        mode=mode,
        weights="random" if mode == "scratch" else draw(sources),
        side=draw(st.integers(known.smallest_side, 512)),
        channels=draw(st.sampled_from(known.channels)),
        scaling=draw(st.sampled_from(["unit", "imagenet"] if known.imagenet_scaling else ["unit"])),
        head=draw(heads()),
        **settings,
    )


images = st.none() | st.integers(10, 10**9)
configs = st.builds(
    RunConfig,
    recipe=st.text(max_size=80),
    data=st.builds(
        DataConfig,
        name=st.sampled_from(["mnist", "folder"]),
        train_images=images,
        test_images=images,
        validation=st.just("test") | st.floats(0.01, 0.5),
    ),
    network=networks(),
    epochs=st.integers(1, 10_000),
    batch_size=st.integers(2, 65_536),
    steps_per_epoch=st.none() | st.integers(1, 1_000_000),
    optimizer=st.sampled_from(["sgd", "rmsprop", "adam", "adamw", "adagrad"]),
    learning_rate=st.floats(0, 10, exclude_min=True),
    momentum=shares,
    weight_decay=st.floats(0, 1),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    label_smoothing=shares,
    class_weights=st.sampled_from(["none", "balanced"]),
    precision=st.sampled_from(["auto", "float32", "mixed_bfloat16", "mixed_float16"]),
    cache_features=st.booleans(),
    seed=st.integers(0, 2**31 - 1),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(configs)
def test_a_configuration_comes_back_from_its_json_text(config: RunConfig) -> None:
    assert parse_config(config.model_dump_json()) == config


@given(configs)
def test_a_configuration_comes_back_from_what_its_json_holds(config: RunConfig) -> None:
    assert parse_config(json.loads(json.dumps(config.model_dump(mode="json")))) == config


@given(st.sampled_from(KEYS), json_values)
def test_any_value_for_a_setting_gives_a_configuration_with_it_or_one_sentence(
    key: str, value: Any
) -> None:
    answer = changed_or_refused(key, value)
    if isinstance(answer, RunConfig):
        assert set(differences(CNN, answer)) <= {key}
    else:
        assert "\n" not in answer
        assert len(answer) < 300


def changed_or_refused(key: str, value: Any) -> RunConfig | str:
    try:
        return change(CNN, {key: value})
    except InvalidConfig as error:
        return str(error)


@given(st.text() | st.binary() | json_values)
def test_whatever_is_no_configuration_ends_in_one_sentence(content: Any) -> None:
    with pytest.raises(InvalidConfig) as caught:
        parse_config(content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("epochs", 0, "epochs must be at least 1, got 0"),
        ("epochs", 10_001, "epochs must be at most 10000, got 10001"),
        ("epochs", 1.5, "epochs must be a whole number, got 1.5"),
        ("epochs", True, "epochs must be a whole number, got true"),
        ("epochs", "3", 'epochs must be a whole number, got "3"'),
        ("epochs", None, "epochs must be a whole number, got null"),
        ("learning_rate", 0, "learning_rate must be more than 0.0, got 0"),
        ("learning_rate", float("nan"), "learning_rate must be a finite number, got NaN"),
        ("learning_rate", float("inf"), "learning_rate must be a finite number, got Infinity"),
        ("learning_rate", "fast", 'learning_rate must be a number, got "fast"'),
        (
            "optimizer",
            "adm",
            "optimizer must be 'sgd', 'rmsprop', 'adam', 'adamw' or 'adagrad', got \"adm\"",
        ),
        ("dropout", 1, "network.head.dropout must be less than 1.0, got 1"),
        ("dense", 512, "network.head.dense must be a list, got 512"),
        ("dense", [0], "network.head.dense.0 must be at least 1, got 0"),
        ("dense", [1] * 9, "network.head.dense must have at most 8 entries, got "),
        ("data.name", "../mnist", "data.name must be mnist or "),
        ("train_images", 9, "data.train_images must be at least 10, got 9"),
        (
            "validation",
            0.6,
            "data.validation must be test, own or a fraction from 0.01 to 0.5, got 0.6",
        ),
        (
            "validation",
            True,
            "data.validation must be test, own or a fraction from 0.01 to 0.5, got true",
        ),
        ("side", 3, "side must be at least 4 for cnn, got 3"),
        ("weights", "bundled", "weights must be random in mode scratch, got bundled; choose mode"),
        ("channels", 2, "network.channels must be 1 or 3, got 2"),
        ("alpha", 0.5, "alpha must be 1 for cnn, got 0.5"),
        ("depth_multiplier", 2, "depth_multiplier must be 1 for cnn, got 2"),
        ("blocks", [], "network.blocks must have at least 1 entries, got []"),
        ("blocks", [{"filters": 0}], "network.blocks.0.filters must be at least 1, got 0"),
        ("blocks", [{"filters": 8}] * 5, "side must be at least 32 for 5 poolings that each halve"),
        ("activation", ["relu", "tanh"], "network.head.activation must be one value or one for "),
        ("dropout", [0.1, 0.2], "network.head.dropout must be one value or one for each of the 1 "),
        ("frozen_layers", 2, "frozen_layers must be 0 in mode scratch, got 2; choose mode finetun"),
        ("nesterov", True, "momentum must be more than 0 for nesterov, got 0; 0.9 is usual"),
        ("warmup_epochs", 0.5, "warmup_epochs must be 0 for schedule one_cycle, got 0.5: it has"),
        ("second_phase.epochs", 3, "second_phase.epochs must be 0 in mode scratch, got 3; choose"),
        ("second_phase.still_frozen", 3, "second_phase.epochs must be at least 1 to unfreeze"),
        ("augmentation.passes", 2, "augmentation.passes must be 0 where nothing is varied, got 2"),
        (
            "class_weights",
            [1.0],
            "class_weights must be none, balanced or 10 numbers, one for each",
        ),
        ("dropout", [2.0], "network.head.dropout.0 must be less than 1.0, got 2.0"),
        ("label_smoothing", 1, "label_smoothing must be less than 1.0, got 1"),
        ("steps_per_epoch", 0, "steps_per_epoch must be at least 1, got 0"),
        ("scaling", "imagenet", "scaling must be unit for cnn, got imagenet"),
        ("seed", -1, "seed must be at least 0, got -1"),
        ("seed", 2**31, "seed must be less than 2147483648, got 2147483648"),
        ("recipe", "r" * 81, "recipe must have at most 80 characters, got "),
    ],
)
def test_a_refused_value_is_answered_with_setting_rule_and_value(
    key: str, value: Any, sentence: str
) -> None:
    with pytest.raises(InvalidConfig) as caught:
        change(CNN, {key: value})
    assert str(caught.value).startswith(sentence)


def test_vgg16_refuses_pictures_smaller_than_its_pooling_can_halve() -> None:
    with pytest.raises(InvalidConfig, match="side must be at least 32 for vgg16, got 31"):
        change(VGG16, {"side": 31})


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"frozen_layers": 20},
            "frozen_layers must be at most 19, the layers of the backbone, got",
        ),
        ({"frozen_layers": "block9"}, "frozen_layers must be a number of layers, the name of a la"),
        ({"frozen_layers": "blok4"}, "did you mean block4?"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
    ],
)
def test_a_cut_that_the_network_does_not_have_is_refused(
    settings: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidConfig) as caught:
        change(VGG16, {"mode": "finetune"} | settings)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(("alpha", "depth_multiplier"), [(0.3, 1), (1.5, 1), (0.5, 2)])
def test_a_width_without_imagenet_weights_is_refused_with_those_there_are(
    alpha: float, depth_multiplier: int
) -> None:
    width = {"alpha": alpha, "depth_multiplier": depth_multiplier}
    with pytest.raises(InvalidConfig, match=r"alpha must be one of 0\.25, 0\.5, 0\.75, 1\.0, with"):
        change(RECIPES["mobilenet-folder"].config, width)
    own = change(RECIPES["mobilenet-folder"].config, width | {"weights": "random"})
    assert own.network.alpha == alpha


def test_a_batch_of_one_is_refused_where_batch_normalization_trains() -> None:
    block = {"filters": 8, "batch_normalization": True}
    with pytest.raises(InvalidConfig, match="batch_size must be at least 2 where batch normaliz"):
        change(CNN, {"batch_size": 1, "blocks": [block]})
    assert change(CNN, {"batch_size": 1}).batch_size == 1
    assert change(RECIPES["resnet50-folder"].config, {"batch_size": 1}).batch_size == 1


@pytest.mark.parametrize(("name", "smallest"), [("inceptionv3", 75), ("mobilenet", 32)])
def test_an_image_below_the_minimum_of_the_backbone_is_refused(name: str, smallest: int) -> None:
    settings = {"architecture": name, "weights": "random", "side": smallest}
    assert change(VGG16, settings).network.side == smallest
    with pytest.raises(InvalidConfig, match=f"side must be at least {smallest} for {name}, got"):
        change(VGG16, settings | {"side": smallest - 1})


def test_the_second_phase_must_unfreeze_something() -> None:
    config = change(VGG16, {"second_phase.epochs": 2, "second_phase.still_frozen": "block4"})
    assert [phase.frozen_count for phase in config.phases] == [19, 15]
    with pytest.raises(InvalidConfig, match="still_frozen must be fewer than the 19 layers frozen"):
        change(config, {"second_phase.still_frozen": "block5"})


def test_features_of_images_that_vary_are_refused() -> None:
    with pytest.raises(InvalidConfig, match="augmentation must be off in mode features"):
        change(VGG16, {"mode": "features", "rotation": 5.0})


@pytest.mark.parametrize(
    ("settings", "layers"),
    [
        ({"dense": []}, []),
        ({"dense": [8], "dropout": 0.5}, [(8, "relu", 0.5)]),
        ({"dense": [8, 4], "dropout": 0.5}, [(8, "relu", 0.0), (4, "relu", 0.5)]),
        (
            {"dense": [8, 4], "dropout": [0.1, 0.2], "activation": ["tanh", "relu"]},
            [(8, "tanh", 0.1), (4, "relu", 0.2)],
        ),
    ],
)
def test_a_single_dropout_is_for_the_last_dense_layer_and_a_list_for_each(
    settings: dict[str, Any], layers: list[tuple[int, str, float]]
) -> None:
    head = change(CNN, settings).network.head
    assert [(dense.units, dense.activation, dense.dropout) for dense in head.layers] == layers


def test_a_setting_that_does_not_exist_is_refused_in_json() -> None:
    content = CNN.model_dump(mode="json") | {"pretrained": True}
    with pytest.raises(InvalidConfig, match="there is no setting 'pretrained'"):
        parse_config(content)


def test_a_missing_setting_is_named() -> None:
    content = CNN.model_dump(mode="json")
    del content["network"]["side"]
    with pytest.raises(InvalidConfig, match=r"network\.side is missing"):
        parse_config(content)


def test_settings_that_only_fit_together_can_be_changed_together() -> None:
    settings = {"architecture": "vgg16", "mode": "transfer", "weights": "bundled", "side": 48}
    assert change(CNN, settings | {"channels": 3}).network.architecture == "vgg16"


@pytest.mark.parametrize(
    "assign",
    [
        lambda: setattr(CNN, "epochs", 2),
        lambda: setattr(CNN.network.head, "dropout", 0.1),
    ],
)
def test_a_configuration_never_changes(assign: Callable[[], None]) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        assign()


def test_the_classes_are_those_of_the_dataset() -> None:
    assert CNN.class_names == tuple("0123456789")


def test_every_schedule_can_be_chosen_and_no_other() -> None:
    assert set(get_args(RunConfig.model_fields["schedule"].annotation)) == set(SCHEDULES)


def test_every_setting_explains_itself() -> None:
    for model in (RunConfig, DataConfig, NetworkConfig, HeadConfig, ConvolutionBlock):
        for name, field in model.model_fields.items():
            group = isinstance(field.annotation, type) and issubclass(field.annotation, Frozen)
            assert field.description or group, name
