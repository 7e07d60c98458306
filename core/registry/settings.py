"""Single settings of a configuration, named by dotted keys such as `network.head.dropout`."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic.fields import FieldInfo

from core.errors import InvalidConfig
from core.registry.config import DEFAULT_RATES, RunConfig, parse_config
from core.validation import shown


def change(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """A copy with settings changed; keys are dotted (`network.head.dropout`).

    A last part alone will do where only one setting is called so (`dropout`). Another optimizer
    without a learning rate takes the rate that it usually begins with.
    """
    content = config.model_dump(mode="json")
    chosen = with_full_keys(settings, config)
    if chosen.get("optimizer", config.optimizer) != config.optimizer:
        usual = DEFAULT_RATES.get(str(chosen["optimizer"]), config.learning_rate)
        chosen.setdefault("learning_rate", usual)
    for key, value in chosen.items():
        *groups, last = key.split(".")
        group = content
        for name in groups:
            group = group[name]
        group[last] = value
    return parse_config(content)


def parse_settings(assignments: Iterable[str]) -> dict[str, Any]:
    """Read `key=value` words; a value is JSON where it can be read so, else text.

    >>> parse_settings(["epochs=3", "optimizer=adam", "dense=[256, 128]"])
    {'epochs': 3, 'optimizer': 'adam', 'dense': [256, 128]}
    """
    return dict(_parse_assignment(word) for word in assignments)


def write_settings(settings: Mapping[str, Any]) -> list[str]:
    """The words that `parse_settings` reads as these settings.

    >>> write_settings({"epochs": 3, "optimizer": "adam", "path": "2024", "test_images": None})
    ['epochs=3', 'optimizer=adam', 'path="2024"', 'test_images=null']
    """
    return [_assignment(key, value) for key, value in settings.items()]


def read_settings(text: str) -> dict[str, Any]:
    """Read a whole configuration or some of its settings from JSON; keys come dotted.

    What a run's folder holds as config.json will do as well. Raises InvalidConfig, with line and
    column, where the text is no JSON.

    >>> read_settings('{"epochs": 3, "network": {"side": 64}, "head.dropout": 0.2}')
    {'epochs': 3, 'network.side': 64, 'head.dropout': 0.2}
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidConfig(
            f"the settings must be JSON; line {error.lineno}, column {error.colno}: {error.msg}"
        ) from None
    except (ValueError, RecursionError):
        raise InvalidConfig(
            "the settings must be JSON; a number in it is too long, or lists are nested too deep"
        ) from None
    if not isinstance(content, Mapping) or not content:
        raise InvalidConfig(
            f'the settings must be a JSON object such as {{"epochs": 3}}, got {shown(content)}'
        )
    inner = content.get("config")
    return dict(_flat(inner if isinstance(inner, Mapping) else content))


def setting_keys(content: Mapping[str, Any]) -> Iterator[str]:
    """The dotted keys of all settings in a configuration's JSON form."""
    return (key for key, _ in _flat(content))


def setting_of(config: RunConfig, key: str) -> tuple[FieldInfo, Any]:
    """The field that a full dotted key names, which knows its meaning and limits, and its value."""
    model: Any = config
    *groups, last = key.split(".")
    for group in groups:
        model = getattr(model, group)
    return type(model).model_fields[last], getattr(model, last)


def differences(config: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Settings in which two configurations differ, with the value of each."""
    one, two = (dict(_flat(each.model_dump(mode="json"))) for each in (config, other))
    return {key: (one[key], two[key]) for key in one if one[key] != two[key]}


def with_full_keys(settings: Mapping[str, Any], config: RunConfig) -> dict[str, Any]:
    """Settings by their full keys. Raises InvalidConfig where there is none, or more than one."""
    known = list(setting_keys(config.model_dump(mode="json")))
    return {_full_key(key, known): value for key, value in settings.items()}


def _flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _parse_assignment(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise InvalidConfig(f"a setting must be written key=value, got {word!r}")
    try:
        return key, json.loads(text)
    except ValueError:  # no JSON, or a number of thousands of digits
        return key, text


def _assignment(key: str, value: Any) -> str:
    bare = f"{key}={value}"
    if isinstance(value, str) and _parse_assignment(bare) == (key, value):
        return bare
    return f"{key}={json.dumps(value)}"


def _full_key(key: str, keys: Sequence[str]) -> str:
    matches = [known for known in keys if known == key or known.endswith(f".{key}")]
    if key in keys:
        return key
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise InvalidConfig(f"the setting {key!r} could be {' or '.join(matches)}; say which")
    close = get_close_matches(key, [*keys, *(known.rpartition(".")[2] for known in keys)], n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; settings are {', '.join(keys)}"
    raise InvalidConfig(f"there is no setting {key!r}{hint}")
