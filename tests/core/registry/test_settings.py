import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidConfig
from core.registry.config import DEFAULT_RATES, parse_config
from core.registry.recipes import RECIPES
from core.registry.settings import change, differences, parse_settings

CNN = RECIPES["cnn-digits"].config
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


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


def test_a_setting_that_does_not_exist_suggests_one_that_does() -> None:
    with pytest.raises(InvalidConfig, match=r"no setting 'epoch'; did you mean epochs\?"):
        change(CNN, {"epoch": 2})


def test_a_setting_like_no_other_is_answered_with_all_settings() -> None:
    with pytest.raises(InvalidConfig, match=r"no setting 'zzz'; settings are recipe, data\.name"):
        change(CNN, {"zzz": 2})


def test_a_group_of_settings_is_no_setting() -> None:
    with pytest.raises(InvalidConfig, match="there is no setting 'network'"):
        change(CNN, {"network": "vgg16"})


@pytest.mark.parametrize("key", ["dropout", "head.dropout", "network.head.dropout"])
def test_the_end_of_a_key_will_do_where_it_is_the_only_one(key: str) -> None:
    assert change(CNN, {key: 0.25}).network.head.dropout == 0.25


def test_changing_leaves_the_original_as_it_was() -> None:
    before = CNN.model_dump_json()
    change(CNN, {"epochs": 7, "dense": [8]})
    assert CNN.model_dump_json() == before


def test_differences_hold_both_values_of_each_setting_that_differs() -> None:
    other = change(CNN, {"epochs": 3, "dense": [64, 32]})
    assert differences(CNN, other) == {
        "epochs": (1, 3),
        "network.head.dense": ([256], [64, 32]),
    }


def test_equal_configurations_differ_in_nothing() -> None:
    assert differences(CNN, parse_config(CNN.model_dump_json())) == {}


def test_a_last_part_that_several_settings_share_is_answered_with_all_of_them() -> None:
    with pytest.raises(InvalidConfig, match=r"'patience' could be decay\.patience or early_stop"):
        change(CNN, {"patience": 2})


@pytest.mark.parametrize("optimizer", sorted(set(DEFAULT_RATES) - {CNN.optimizer}))
def test_another_optimizer_begins_with_its_usual_rate(optimizer: str) -> None:
    assert change(CNN, {"optimizer": optimizer}).learning_rate == DEFAULT_RATES[optimizer]


def test_a_learning_rate_that_is_given_stays_whatever_the_optimizer() -> None:
    settings = {"optimizer": "sgd", "learning_rate": 0.3}
    assert change(CNN, settings).learning_rate == 0.3
    assert change(CNN, {"optimizer": CNN.optimizer}).learning_rate == CNN.learning_rate
