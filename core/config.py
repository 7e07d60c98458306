"""The configuration of a run. One that exists is valid; it never changes."""

import json
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.architectures import ARCHITECTURES, ParameterCount, count_parameters
from core.catalogue import DATASETS
from core.errors import InvalidConfig

Precision = Literal["auto", "float32", "mixed_bfloat16", "mixed_float16"]


def _test_or_fraction(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value == "test" or (number and 0.01 <= value <= 0.5):
        return value
    raise ValueError(
        f"data.validation must be test or a fraction from 0.01 to 0.5, got {_shown(value)}"
    )


def _known_dataset(name: str) -> str:
    if name in DATASETS:
        return name
    raise ValueError(f"data.name must be {' or '.join(DATASETS)}, got {_shown(name)}")


DatasetName = Annotated[str, AfterValidator(_known_dataset)]
Validation = Annotated[Literal["test"] | float, BeforeValidator(_test_or_fraction)]


class Frozen(BaseModel):
    """A value that is checked once, when it is made, and taken for no other type than it has."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, strict=True)


class DataConfig(Frozen):
    """Which images a run trains on and is tested on."""

    name: DatasetName = Field("mnist", description="The dataset.")
    train_images: int | None = Field(
        None, ge=10, description="Take only the first so many training images; empty takes all."
    )
    test_images: int | None = Field(
        None, ge=10, description="Take only the first so many test images; empty takes all."
    )
    validation: Validation = Field(
        "test",
        description="`test` watches the test images while training, as the articles do. A fraction "
        "holds that share of the training images back instead, the same share of every class.",
    )


class HeadConfig(Frozen):
    """The layers after the backbone or the convolutions: dense layers, then the softmax."""

    dense: tuple[Annotated[int, Field(ge=1, le=16384)], ...] = Field(
        (512,), max_length=8, description="Units of each dense layer, in order."
    )
    dropout: float = Field(
        0.4,
        ge=0,
        lt=1,
        description="Share of the last dense layer's outputs switched off at each training step, "
        "which keeps the network from learning images by heart.",
    )


class NetworkConfig(Frozen):
    """Which network, from which weights, fed how."""

    architecture: Literal["cnn", "vgg16"] = Field(description="The network.")
    mode: Literal["scratch", "transfer"] = Field(
        description="`scratch` trains every layer from random weights, `transfer` freezes the "
        "whole backbone and trains the head."
    )
    weights: str = Field(
        description="Where the backbone's weights come from: `bundled` with this project, `keras` "
        "for Keras's own download, a path to a weights file, or `random`.",
        min_length=1,
    )
    side: int = Field(
        ge=1, le=512, description="Images are resized to this many pixels in width and height."
    )
    scaling: Literal["unit", "imagenet"] = Field(
        "unit",
        description="`unit` divides pixels by 255, as the digits articles do; `imagenet` subtracts "
        "the mean colour, as when VGG16 was first trained.",
    )
    head: HeadConfig

    @model_validator(mode="after")
    def _fits_the_architecture(self) -> Self:
        known = ARCHITECTURES[self.architecture]
        if self.mode not in known.modes:
            raise ValueError(_must_be("mode", known.modes, self.architecture, self.mode))
        if known.weights == ("random",) and self.weights != "random":
            raise ValueError(_must_be("weights", known.weights, self.architecture, self.weights))
        if known.weights != ("random",) and self.weights == "random":
            raise ValueError(
                f"weights must not be random in mode {self.mode}: frozen random layers learn "
                f"nothing; choose {' or '.join(known.weights)} or a weights file"
            )
        if self.side < known.smallest_side:
            raise ValueError(
                f"side must be at least {known.smallest_side} for {self.architecture}, "
                f"got {self.side}"
            )
        if self.scaling == "imagenet" and known.channels == 1:
            raise ValueError(f"scaling must be unit for {self.architecture}, got imagenet")
        return self

    @property
    def channels(self) -> int:
        """1 where the network takes grey images, 3 where it takes RGB."""
        return ARCHITECTURES[self.architecture].channels


class RunConfig(Frozen):
    """Everything that decides how a run turns out."""

    recipe: str = Field(description="The recipe this configuration started from.", max_length=80)
    data: DataConfig = DataConfig()
    network: NetworkConfig
    epochs: int = Field(ge=1, le=10_000, description="Passes over all training images.")
    batch_size: int = Field(
        ge=1,
        le=65_536,
        description="Images per training step. More is quicker per image, fewer gives more steps.",
    )
    optimizer: Literal["rmsprop", "adam", "sgd"] = Field(
        description="The rule that turns gradients into changes of the weights."
    )
    learning_rate: float = Field(
        gt=0,
        le=10,
        description="How far each training step moves the weights, at its highest where a "
        "schedule changes it. Too high and the loss jumps about, too low and little is learned.",
    )
    schedule: Literal["constant", "linear", "cosine", "one_cycle"] = Field(
        description="How the learning rate changes from the first step to the last: it stays, "
        "falls in a line, falls in half a cosine wave, or (one_cycle) rises from zero for three "
        "tenths of the training and then falls so."
    )
    precision: Precision = Field(
        "auto",
        description="Number format of the arithmetic. `auto` takes the quickest that this machine "
        "runs well; float32 is exact everywhere.",
    )
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Start of the random numbers: the same seed gives the same shuffling, "
        "starting weights and dropout.",
    )

    @property
    def parameters(self) -> ParameterCount:
        """Parameters of the network that this configuration describes."""
        network = self.network
        return count_parameters(
            network.architecture, network.side, network.head.dense, len(self.class_names)
        )

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes to tell apart, by label."""
        return DATASETS[self.data.name].class_names


def parse_config(content: Any) -> RunConfig:
    """Make a configuration of JSON text or of what JSON text holds.

    Raises InvalidConfig with one sentence that names setting, rule and value.
    """
    try:
        if isinstance(content, str | bytes):
            return RunConfig.model_validate_json(content)
        return RunConfig.model_validate_json(json.dumps(content))
    except ValidationError as error:
        raise InvalidConfig(_sentence(error.errors()[0])) from None


def change(config: RunConfig, settings: Mapping[str, Any]) -> RunConfig:
    """A copy with settings changed; keys are dotted (`network.head.dropout`).

    A last part alone will do where only one setting is called so (`dropout`).
    """
    content = config.model_dump(mode="json")
    for key, value in settings.items():
        *groups, last = _full_key(key, content).split(".")
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


def setting_keys(content: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted keys of all settings in a configuration's JSON form."""
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from setting_keys(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def setting_of(config: RunConfig, key: str) -> tuple[FieldInfo, Any]:
    """The field that a full dotted key names, which knows its meaning and limits, and its value."""
    model: Any = config
    *groups, last = key.split(".")
    for group in groups:
        model = getattr(model, group)
    return type(model).model_fields[last], getattr(model, last)


def differences(config: RunConfig, other: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Settings in which two configurations differ, with the value of each."""
    one, two = (_flat(each.model_dump(mode="json")) for each in (config, other))
    return {key: (one[key], two[key]) for key in one if one[key] != two[key]}


def _flat(content: Mapping[str, Any]) -> dict[str, Any]:
    def value_of(key: str) -> Any:
        value: Any = content
        for part in key.split("."):
            value = value[part]
        return value

    return {key: value_of(key) for key in setting_keys(content)}


def _parse_assignment(word: str) -> tuple[str, Any]:
    key, equals, text = word.partition("=")
    if not equals or not key:
        raise InvalidConfig(f"a setting must be written key=value, got {word!r}")
    try:
        return key, json.loads(text)
    except ValueError:  # no JSON, or a number of thousands of digits
        return key, text


def _full_key(key: str, content: Mapping[str, Any]) -> str:
    keys = list(setting_keys(content))
    matches = [known for known in keys if known == key or known.endswith(f".{key}")]
    if key in keys:
        return key
    if len(matches) == 1:
        return matches[0]
    close = get_close_matches(key, keys + [known.rpartition(".")[2] for known in keys], n=1)
    hint = f"; did you mean {close[0]}?" if close else f"; settings are {', '.join(keys)}"
    raise InvalidConfig(f"there is no setting {key!r}{hint}")


def _must_be(name: str, allowed: Iterable[str], architecture: str, value: str) -> str:
    return f"{name} must be {' or '.join(allowed)} for {architecture}, got {value}"


_RULES = {
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "literal_error": "must be {expected}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_parsing_size": "is too large",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} entries",
    "string_too_long": "must have at most {max_length} characters",
    "tuple_type": "must be a list",
    "model_type": "must be a group of settings",
}


def _sentence(error: ErrorDetails) -> str:
    key = ".".join(str(part) for part in error["loc"] if not _names_a_type(part))
    value, context = error["input"], error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "json_invalid":
        return f"the configuration must be JSON: {context['error']}"
    if error["type"] == "extra_forbidden":
        return f"there is no setting {key!r}"
    if error["type"] == "missing":
        return f"{key} is missing"
    rule = _RULES.get(error["type"])
    words = rule.format(**context) if rule else error["msg"]
    return f"{key or 'the configuration'} {words}, got {_shown(value)}"


def _names_a_type(part: int | str) -> bool:
    # Members of a union stand in a pydantic location as if they were settings.
    return isinstance(part, str) and ("[" in part or part in ("int", "float", "str"))


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "..."
