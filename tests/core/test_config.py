import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.config import (
    DataConfig,
    HeadConfig,
    NetworkConfig,
    RunConfig,
    change,
    differences,
    parse_config,
    parse_settings,
    setting_keys,
)
from core.errors import InvalidConfig
from core.recipes import RECIPES
from core.schedules import SCHEDULES

CNN = RECIPES["cnn-digits"].config
VGG16 = RECIPES["vgg16-digits"].config
KEYS = sorted(setting_keys(CNN.model_dump(mode="json")))

heads = st.builds(
    HeadConfig,
    dense=st.lists(st.integers(1, 16384), max_size=8).map(tuple),
    dropout=st.floats(0, 1, exclude_max=True),
)
networks = st.one_of(
    st.builds(
        NetworkConfig,
        architecture=st.just("cnn"),
        mode=st.just("scratch"),
        weights=st.just("random"),
        side=st.integers(4, 512),
        scaling=st.just("unit"),
        head=heads,
    ),
    st.builds(
        NetworkConfig,
        architecture=st.just("vgg16"),
        mode=st.just("transfer"),
        weights=st.sampled_from(["bundled", "keras", "/data/weights.h5"]),
        side=st.integers(32, 512),
        scaling=st.sampled_from(["unit", "imagenet"]),
        head=heads,
    ),
)
images = st.none() | st.integers(10, 10**9)
configs = st.builds(
    RunConfig,
    recipe=st.text(max_size=80),
    data=st.builds(
        DataConfig,
        name=st.just("mnist"),
        train_images=images,
        test_images=images,
        validation=st.just("test") | st.floats(0.01, 0.5),
    ),
    network=networks,
    epochs=st.integers(1, 10_000),
    batch_size=st.integers(1, 65_536),
    optimizer=st.sampled_from(["rmsprop", "adam", "sgd"]),
    learning_rate=st.floats(0, 10, exclude_min=True),
    schedule=st.sampled_from(sorted(SCHEDULES)),
    precision=st.sampled_from(["auto", "float32", "mixed_bfloat16", "mixed_float16"]),
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


@given(st.dictionaries(st.text(min_size=1).filter(lambda key: "=" not in key), json_values))
def test_settings_written_as_json_are_read_as_they_were(settings: dict[str, Any]) -> None:
    words = [f"{key}={json.dumps(value)}" for key, value in settings.items()]
    assert json.dumps(parse_settings(words)) == json.dumps(settings)


@given(st.text(min_size=1).filter(lambda key: "=" not in key), st.text())
def test_any_text_is_a_value(key: str, text: str) -> None:
    assert set(parse_settings([f"{key}={text}"])) == {key}


@pytest.mark.parametrize(
    ("word", "setting"),
    [
        ("optimizer=adam", {"optimizer": "adam"}),
        ("weights=/data/a=b.h5", {"weights": "/data/a=b.h5"}),
        ("train_images=null", {"train_images": None}),
        ("name=", {"name": ""}),
        ("seed=" + "1" * 5000, {"seed": "1" * 5000}),
    ],
)
def test_a_value_that_is_no_json_is_text(word: str, setting: dict[str, Any]) -> None:
    assert parse_settings([word]) == setting


@pytest.mark.parametrize("word", ["epochs", "=3", ""])
def test_a_setting_without_key_or_equals_sign_is_refused(word: str) -> None:
    with pytest.raises(InvalidConfig, match=f"must be written key=value, got '{word}'"):
        parse_settings([word])


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
        ("optimizer", "adm", "optimizer must be 'rmsprop', 'adam' or 'sgd', got \"adm\""),
        ("dropout", 1, "network.head.dropout must be less than 1.0, got 1"),
        ("dense", 512, "network.head.dense must be a list, got 512"),
        ("dense", [0], "network.head.dense.0 must be at least 1, got 0"),
        ("dense", [1] * 9, "network.head.dense must have at most 8 entries, got "),
        ("data.name", "mnits", 'data.name must be mnist, got "mnits"'),
        ("train_images", 9, "data.train_images must be at least 10, got 9"),
        (
            "validation",
            0.6,
            "data.validation must be test or a fraction from 0.01 to 0.5, got 0.6",
        ),
        (
            "validation",
            True,
            "data.validation must be test or a fraction from 0.01 to 0.5, got true",
        ),
        ("side", 3, "side must be at least 4 for cnn, got 3"),
        ("mode", "transfer", "mode must be scratch for cnn, got transfer"),
        ("weights", "bundled", "weights must be random for cnn, got bundled"),
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


def test_frozen_random_layers_are_refused() -> None:
    with pytest.raises(InvalidConfig, match="weights must not be random in mode transfer"):
        change(VGG16, {"weights": "random"})


def test_a_setting_that_does_not_exist_suggests_one_that_does() -> None:
    with pytest.raises(InvalidConfig, match=r"no setting 'epoch'; did you mean epochs\?"):
        change(CNN, {"epoch": 2})


def test_a_setting_like_no_other_is_answered_with_all_settings() -> None:
    with pytest.raises(InvalidConfig, match=r"no setting 'zzz'; settings are recipe, data\.name"):
        change(CNN, {"zzz": 2})


def test_a_group_of_settings_is_no_setting() -> None:
    with pytest.raises(InvalidConfig, match="there is no setting 'network'"):
        change(CNN, {"network": "vgg16"})


def test_a_setting_that_does_not_exist_is_refused_in_json() -> None:
    content = CNN.model_dump(mode="json") | {"pretrained": True}
    with pytest.raises(InvalidConfig, match="there is no setting 'pretrained'"):
        parse_config(content)


def test_a_missing_setting_is_named() -> None:
    content = CNN.model_dump(mode="json")
    del content["network"]["side"]
    with pytest.raises(InvalidConfig, match=r"network\.side is missing"):
        parse_config(content)


@pytest.mark.parametrize("key", ["dropout", "head.dropout", "network.head.dropout"])
def test_the_end_of_a_key_will_do_where_it_is_the_only_one(key: str) -> None:
    assert change(CNN, {key: 0.25}).network.head.dropout == 0.25


def test_changing_leaves_the_original_as_it_was() -> None:
    before = CNN.model_dump_json()
    change(CNN, {"epochs": 7, "dense": [8]})
    assert CNN.model_dump_json() == before


def test_settings_that_only_fit_together_can_be_changed_together() -> None:
    settings = {"architecture": "vgg16", "mode": "transfer", "weights": "bundled", "side": 48}
    assert change(CNN, settings).network.channels == 3


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


def test_differences_hold_both_values_of_each_setting_that_differs() -> None:
    other = change(CNN, {"epochs": 3, "dense": [64, 32]})
    assert differences(CNN, other) == {
        "epochs": (1, 3),
        "network.head.dense": ([256], [64, 32]),
    }


def test_equal_configurations_differ_in_nothing() -> None:
    assert differences(CNN, parse_config(CNN.model_dump_json())) == {}


def test_the_classes_are_those_of_the_dataset() -> None:
    assert CNN.class_names == tuple("0123456789")


def test_every_schedule_can_be_chosen_and_no_other() -> None:
    assert set(get_args(RunConfig.model_fields["schedule"].annotation)) == set(SCHEDULES)


def test_every_setting_explains_itself() -> None:
    for model in (RunConfig, DataConfig, NetworkConfig, HeadConfig):
        for name, field in model.model_fields.items():
            assert field.description or name in ("data", "network", "head"), name
