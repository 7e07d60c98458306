"""How settings hang together: which of them do something, and which change along with another."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pydantic_core import to_jsonable_python

from core.data.catalogue import DATASETS, facts_of
from core.data.data_config import AugmentationConfig
from core.network import graphs
from core.network.architectures import ARCHITECTURES, ConvolutionBlock
from core.registry.config import DEFAULT_RATES, RunConfig
from core.registry.settings import change, setting_keys, setting_of, with_full_keys

Settings = Mapping[str, Any]
"""Every setting of a configuration in its JSON form, by its full dotted key, valid or not."""

ANY_SIDE = 512
"""Names and number of layers are the same for all sides; this one is large enough for any."""


def settings_of(config: RunConfig) -> dict[str, Any]:
    """The settings of a configuration."""
    keys = setting_keys(config.model_dump(mode="json"))
    return {key: to_jsonable_python(setting_of(config, key)[1]) for key in keys}


def effective(settings: Settings, config: RunConfig) -> dict[str, Any]:
    """The settings, where those that do nothing beside the others have their defaults.

    So a value that was chosen for another network is in nobody's way, and is there again when the
    choice comes back. `config` is any configuration.
    """
    return {
        key: value if matters(key, settings) else _idle(key, config)
        for key, value in settings.items()
    }


def matters(key: str, settings: Settings) -> bool:
    """Whether a setting does anything beside the others."""
    rule = RULES.get(key)
    return rule is None or rule(settings)


def freezes(settings: Settings) -> bool:
    """Whether layers of the backbone are frozen in the first phase."""
    mode = settings["network.mode"]
    nothing = settings["network.frozen_layers"] in (0, "0")
    return mode in ("transfer", "features") or (mode == "finetune" and not nothing)


def varies(settings: Settings) -> bool:
    """Whether training images are varied."""
    return settings["network.mode"] != "features" and any(settings[key] for key in NOT_VARIED)


NOT_VARIED: Settings = {
    "augmentation.rotation": 0.0,
    "augmentation.zoom": 0.0,
    "augmentation.shift": 0.0,
    "augmentation.shear": 0.0,
    "augmentation.horizontal_flip": False,
    "augmentation.vertical_flip": False,
    "augmentation.brightness": 0.0,
    "augmentation.contrast": 0.0,
    "augmentation.noise": 0.0,
}
"""What each setting that varies images is where it does not."""
_USUAL: Settings = {"augmentation.zoom": 0.1, "augmentation.shift": 0.1}


def augmentation(settings: Settings, start: Settings, *, on: bool) -> dict[str, Any]:
    """What varies training images: as in `start` if that does, else as usual; or nothing."""
    if not on:
        return dict(NOT_VARIED)
    if varies(start):
        return {key: start[key] for key in NOT_VARIED}
    return usual_augmentation(digits=has_digits(settings))


def usual_augmentation(*, digits: bool) -> dict[str, Any]:
    """The settings that usually vary training images: digits turn, other pictures are mirrored."""
    usual = {"augmentation.rotation": 10.0} if digits else {"augmentation.horizontal_flip": True}
    return {**NOT_VARIED, **_USUAL, **usual}


def augmentation_of(settings: Settings) -> AugmentationConfig:
    """The augmentation among some settings, each of which is valid."""
    group = "augmentation."
    return AugmentationConfig.model_validate(
        {key.removeprefix(group): settings[key] for key in settings if key.startswith(group)}
    )


def _moves(settings: Settings) -> bool:
    return any(settings[f"augmentation.{name}"] for name in ("rotation", "zoom", "shift", "shear"))


def _goes_on(settings: Settings) -> bool:
    return _may_go_on(settings) and settings["second_phase.epochs"] > 0


def _may_go_on(settings: Settings) -> bool:
    return settings["network.mode"] in ("transfer", "finetune")


def has_digits(settings: Settings) -> bool:
    """Whether the dataset shows handwritten digits in MNIST's frame."""
    return facts_of(settings["data.name"]).digits or (
        _is_imported(settings) and settings["data.digits"]
    )


def _is_imported(settings: Settings) -> bool:
    return settings["data.name"] not in DATASETS


def _one_of(key: str, *values: Any) -> Callable[[Settings], bool]:
    return lambda settings: settings[key] in values


def _varies_at_all(settings: Settings) -> bool:
    return bool(settings["network.mode"] != "features")


RULES: dict[str, Callable[[Settings], bool]] = {
    "momentum": _one_of("optimizer", "sgd"),
    "nesterov": lambda settings: settings["optimizer"] == "sgd" and settings["momentum"] > 0,
    "weight_decay": _one_of("optimizer", "adamw"),
    "warmup_epochs": lambda settings: settings["schedule"] != "one_cycle",
    "decay.per_step": _one_of("schedule", "time"),
    "decay.factor": _one_of("schedule", "step", "exponential", "plateau"),
    "decay.epochs": _one_of("schedule", "step", "exponential"),
    "decay.patience": _one_of("schedule", "plateau"),
    "decay.monitor": _one_of("schedule", "plateau"),
    "decay.minimum": _one_of("schedule", "plateau"),
    "early_stopping.monitor": lambda settings: settings["early_stopping.patience"] > 0,
    "second_phase.epochs": _may_go_on,
    "second_phase.still_frozen": _goes_on,
    "second_phase.batch_size": _goes_on,
    "second_phase.learning_rate": _goes_on,
    "cache_features": freezes,
    "data.path": lambda settings: not _is_imported(settings),
    "data.classes": _one_of("data.name", "folder"),
    "data.digits": _is_imported,
    "data.fingerprint": _is_imported,
    "data.handwriting": has_digits,
    "data.handwriting_samples": lambda settings: (
        has_digits(settings) and settings["data.handwriting"]
    ),
    **dict.fromkeys(NOT_VARIED, _varies_at_all),
    "augmentation.fill": lambda settings: varies(settings) and _moves(settings),
    "augmentation.passes": lambda settings: varies(settings) and freezes(settings),
    "network.weights": lambda settings: settings["network.mode"] != "scratch",
    "network.frozen_layers": _one_of("network.mode", "finetune"),
    "network.channels": lambda settings: len(_known(settings).channels) > 1,
    "network.scaling": lambda settings: _known(settings).imagenet_scaling is not None,
    "network.alpha": _one_of("network.architecture", "mobilenet"),
    "network.depth_multiplier": _one_of("network.architecture", "mobilenet"),
    "network.blocks": _one_of("network.architecture", "cnn"),
}
"""When each setting does something; those that are not here always do."""
FOLLOWING = {"data.digits"}
"""Settings that only follow from others, which nobody is asked for or told of."""


def _known(settings: Settings) -> Any:
    return ARCHITECTURES[settings["network.architecture"]]


def _idle(key: str, config: RunConfig) -> Any:
    """What a setting is where it does nothing."""
    if key == "network.weights":
        return "random"
    return to_jsonable_python(setting_of(config, key)[0].get_default(call_default_factory=True))


def fitting(settings: Settings, key: str, value: Any, start: RunConfig) -> dict[str, Any]:
    """One setting changed, and those that have to change along so that they fit each other.

    `start` is the configuration that all began with.
    """
    changed = {**settings, key: value}
    if key == "optimizer":
        usual = DEFAULT_RATES[value]
        changed["learning_rate"] = start.learning_rate if value == start.optimizer else usual
    if key == "data.name":
        changed["data.path"] = ""
    if key == "data.handwriting":
        changed["data.handwriting_samples"] = ""
        changed |= {"data.digits": False, "data.fingerprint": ""}
        if changed["data.validation"] == "own":
            changed["data.validation"] = start.data.validation
    if key in ("data.name", "data.path"):
        changed["data.classes"] = []
    if key in ("network.architecture", "network.mode"):
        if key == "network.architecture":
            changed["network.mode"] = _fitting_mode(settings, value)
        changed |= _fitting_network(settings, changed)
    return {name: new for name, new in changed.items() if name == key or new != settings[name]}


def with_settings(settings: Settings, others: Settings, start: RunConfig) -> dict[str, Any]:
    """All settings with some written by hand, by their full keys or by unique ends of them.

    Unlike in `fitting` nothing changes along but the rate that another optimizer usually begins
    with, and what was found out of a dataset that is no longer chosen. Raises InvalidConfig where
    the outcome breaks a rule.
    """
    others, before = with_full_keys(others, start), effective(settings, start)
    if others.get("optimizer", before["optimizer"]) != before["optimizer"]:
        del before["learning_rate"]
    along = {"learning_rate"}
    if others.get("data.name", before["data.name"]) != before["data.name"]:
        before |= {"data.digits": False, "data.fingerprint": ""}
        along |= {"data.digits", "data.fingerprint"}
    now = settings_of(change(start, before | others))
    taken = {key: now[key] for key in (*others, *along)}
    change(start, effective({**settings, **taken}, start))
    return {**settings, **taken}


def _fitting_mode(before: Settings, architecture: str) -> str:
    """The CNN has no weights to transfer; the others are here because they have."""
    if architecture == "cnn":
        return "scratch"
    return "transfer" if before["network.architecture"] == "cnn" else before["network.mode"]


def _fitting_network(before: Settings, now: Settings) -> dict[str, Any]:
    changes = {
        "network.side": max(now["network.side"], _known(now).smallest_side),
        "network.weights": _fitting_weights(before, now),
    }
    if now["network.mode"] == "finetune":
        changes["network.frozen_layers"] = _fitting_frozen_layers(before, now)
    now = {**now, **changes}
    if _goes_on(now) and not _unfreezes(now):
        changes["second_phase.still_frozen"] = 0
    return changes


def _fitting_weights(before: Settings, now: Settings) -> str:
    """The weights that were chosen if they are for this network, else its usual ones."""
    weights: str = now["network.weights"]
    chosen = weights != "random" or before["network.mode"] != "scratch"
    same = before["network.architecture"] == now["network.architecture"]
    if chosen and (same or weights == "random"):
        return weights
    return next(iter(_known(now).weights), "random")


def _fitting_frozen_layers(before: Settings, now: Settings) -> int | str:
    """What was frozen if the network has it, else all but its last block."""
    frozen: int | str = now["network.frozen_layers"]
    chosen = before["network.mode"] == "finetune" or frozen != 0
    if chosen and frozen_count(now, frozen) is not None:
        return frozen
    blocks = block_names(now)
    return blocks[-2] if len(blocks) > 1 else 0


def _unfreezes(settings: Settings) -> bool:
    """Whether the second phase leaves fewer layers frozen than the first."""
    later = frozen_count(settings, settings["second_phase.still_frozen"])
    at_first = frozen_count(settings, settings["network.frozen_layers"])
    if settings["network.mode"] == "transfer":
        at_first = len(_graph(settings).layers)
    return later is not None and at_first is not None and later < at_first


def block_names(settings: Settings) -> tuple[str, ...]:
    """Names of the blocks of the backbone, from the input on."""
    return _graph(settings).blocks


def frozen_count(settings: Settings, frozen_layers: int | str) -> int | None:
    """Layers that a number or a name freezes, None where the backbone has no such layer."""
    try:
        return graphs.frozen_count(_graph(settings), frozen_layers, "frozen_layers")
    except ValueError:
        return None


def _graph(settings: Settings) -> graphs.Graph:
    architecture = settings["network.architecture"]
    if architecture != "cnn":
        return graphs.backbone(architecture, ANY_SIDE, 3)
    blocks = tuple(ConvolutionBlock.model_validate(block) for block in settings["network.blocks"])
    return graphs.backbone(architecture, ANY_SIDE, 3, blocks=blocks)


HEAD_LAYERS = tuple(f"network.head.{name}" for name in ("dense", "activation", "dropout"))
"""The settings that together describe the dense layers of the head."""


def head_layers(settings: Settings) -> list[dict[str, Any]]:
    """Units, activation and dropout of each dense layer of the head.

    As in HeadConfig one activation is for all, one dropout for the last.
    """
    dense, activation, dropout = (settings[key] for key in HEAD_LAYERS)
    activations = activation if isinstance(activation, list) else [activation] * len(dense)
    dropouts = dropout if isinstance(dropout, list) else [0.0] * (len(dense) - 1) + [dropout]
    return [
        {"units": units, "activation": activation, "dropout": dropout}
        for units, activation, dropout in zip(dense, activations, dropouts, strict=False)
    ]


def head_settings(layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The settings that describe dense layers of given units, activation and dropout.

    Written as briefly as they can be: one activation where all have it, one dropout where only the
    last layer has any.

    >>> head_settings([{"units": 512, "activation": "relu", "dropout": 0.4}])
    {'network.head.dense': [512], 'network.head.activation': 'relu', 'network.head.dropout': 0.4}
    """
    activations = [layer["activation"] for layer in layers] or ["relu"]
    dropouts = [layer["dropout"] for layer in layers] or [0.0]
    one_activation = len(set(activations)) == 1
    return {
        "network.head.dense": [layer["units"] for layer in layers],
        "network.head.activation": activations[0] if one_activation else activations,
        "network.head.dropout": dropouts if any(dropouts[:-1]) else dropouts[-1],
    }
