"""One setting asked for: its kind decides the widget, its field the meaning and the limits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from core.data.catalogue import DATASETS
from core.network.architectures import ARCHITECTURES
from core.network.network_config import RUN
from core.registry import choices
from core.registry.settings import setting_of
from ui import lab
from ui.runs import run_view
from ui.train import known_datasets
from ui.train.draft import Draft


def _asked(draft: Draft, setting: str) -> dict[str, Any]:
    """What every widget takes: the value to begin with, the field's help, where answers go."""
    key = draft.widget(setting)
    st.session_state.setdefault(key, draft.values[setting])

    def take() -> None:
        _take(draft, setting, st.session_state[key])

    return {"key": key, "help": meaning(draft, setting), "on_change": take}


def meaning(draft: Draft, setting: str) -> str | None:
    """What a setting is for, and where it was changed what the recipe has."""
    description = draft.field(setting).description
    if not draft.is_changed(setting):
        return description
    return (
        f"{description} Changed: the recipe has {lab.plain(shown(setting, draft.start[setting]))}."
    )


CHANGED = " ●"
"""Stands behind the title of what is not as in the recipe."""


def marked(draft: Draft, title: str, *settings: str) -> str:
    """A title, marked where one of its settings was changed."""
    return title + CHANGED * any(map(draft.is_changed, settings))


def _take(draft: Draft, setting: str, value: Any, also: Mapping[str, Any] = {}) -> None:
    """Take an answer, and tell what changed along with it; `also` shall change along."""
    changed = draft.take(setting, value, also)
    told = [
        f"{key.rpartition('.')[2].replace('_', ' ')} {shown(key, new)}"
        for key, new in changed.items()
        if draft.shows(key) and key not in choices.FOLLOWING and new not in ("", [])
    ]
    if told:
        st.toast(f"Changed along: {lab.plain(', '.join(told))}.", icon=":material/auto_fix_high:")


def ask(draft: Draft, setting: str, title: str) -> None:
    """Ask for one setting in the way that suits its kind."""
    field, title = draft.field(setting), marked(draft, title, setting)
    if setting in ASKED:
        ASKED[setting](draft, setting, title)
    elif get_origin(field.annotation) is Literal:
        options = get_args(field.annotation)
        st.selectbox(title, options, format_func=in_words(setting), **_asked(draft, setting))
    elif field.annotation is bool:
        st.toggle(title, **_asked(draft, setting))
    elif field.annotation is str:
        st.text_input(title, **_asked(draft, setting))
    else:
        st.number_input(title, **_limits(draft, setting), **_asked(draft, setting))


def _limits(draft: Draft, setting: str) -> dict[str, Any]:
    """Limits, steps and number format of a numeric setting."""
    field = draft.field(setting)
    low, above = _rule(field, "ge"), _rule(field, "gt")
    high, below = _rule(field, "le"), _rule(field, "lt")
    if field.annotation is float:
        step = _step(setting, setting_of(draft.recipe.config, setting)[1], high or below)
        least = float(low) if above is None else SMALLEST
        most = float(high) if below is None else below - NEARLY
        return {"min_value": least, "max_value": most, "step": step, "format": "%g"}
    limits = {"min_value": low, "max_value": high if below is None else below - 1}
    if field.annotation is int:
        return limits
    return {**limits, "value": None, "placeholder": "all"}


SMALLEST, NEARLY = 1e-9, 1e-3
"""The smallest number above an excluded 0, and how far a number stays below an excluded 1."""

STEPS = {"momentum": 0.1, "decay.minimum": 1e-5, "warmup_epochs": 0.5, "network.alpha": 0.25}
"""What a click changes, where it does not go by the size of the number."""


def _step(setting: str, value: float, most: float) -> float:
    if setting in STEPS:
        return STEPS[setting]
    if 0 < value < 0.05:
        return float(f"1e{math.floor(math.log10(value))}")
    return 0.05 if most <= 1 else 1.0


def _rule(field: FieldInfo, name: str) -> Any:
    limits = (getattr(rule, name, None) for rule in field.metadata)
    return next((limit for limit in limits if limit is not None), None)


def in_words(setting: str) -> Callable[[Any], str]:
    """A function that says a choice of a setting as it is called on screen."""
    words = WORDS.get(setting, {})
    return lambda value: words.get(value, str(value))


def shown(setting: str, value: Any) -> str:
    """A value of a setting as it is called on screen."""
    if setting in SHOWN:
        return SHOWN[setting](value)
    if value is None:
        return "all"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ", ".join(map(_written, value)) or "none"
    return f"{value:g}" if isinstance(value, float) else in_words(setting)(value) or "none"


WEIGHTS = {
    "bundled": "ImageNet (bundled)",
    "keras": "ImageNet (Keras's download)",
    "file": "A weights file …",
    "run": "Another run …",
    "random": "Random",
}
_MONITORS = {"val_loss": "validation loss", "val_accuracy": "validation accuracy"}
WORDS: Mapping[str, Mapping[Any, str]] = {
    "optimizer": {
        "sgd": "SGD",
        "rmsprop": "RMSprop",
        "adam": "Adam",
        "adamw": "AdamW",
        "adagrad": "Adagrad",
    },
    "network.architecture": {name: facts.label for name, facts in ARCHITECTURES.items()},
    "network.weights": WEIGHTS,
    "network.channels": {1: "grey (1)", 3: "colour (3)"},
    "data.name": {name: facts.label for name, facts in DATASETS.items()},
    "decay.monitor": _MONITORS,
    "early_stopping.monitor": _MONITORS,
    "best_by": _MONITORS,
    "schedule": {"one_cycle": "one cycle", "time": "1 / time"},
}
"""How choices are called on screen, where not as in the configuration."""


# --- Settings that are asked for in ways of their own -----------------------------------------


def _ask_validation(draft: Draft, setting: str, title: str) -> None:
    now = draft.values[setting]
    has_own = known_datasets.has_own_validation(draft.values["data.name"])
    own = ["own"] if has_own or now == "own" else []
    shares = sorted({0.05, 0.1, 0.2, *_numbers(now)})
    asked = _asked(draft, setting)
    st.selectbox(title, ["test", *own, *shares], format_func=_watched, **asked)


def _watched(validation: str | float) -> str:
    if isinstance(validation, float):
        return f"{100 * validation:.3g}% held back"
    return "its validation images" if validation == "own" else "the test images"


def _numbers(value: Any) -> list[float]:
    return [value] if isinstance(value, float) else []


def _ask_dataset(draft: Draft, setting: str, title: str) -> None:
    now, asked = draft.values[setting], _asked(draft, setting)
    offered = known_datasets.offered()
    called = offered if now in offered else {now: f"{now} (not there)", **offered}

    def take() -> None:
        choose_dataset(draft, st.session_state[asked["key"]])

    st.selectbox(title, list(called), format_func=called.__getitem__, **asked | {"on_change": take})


def choose_dataset(draft: Draft, name: str) -> None:
    """Take a dataset, with what fits its images."""
    _take(draft, "data.name", name, known_datasets.along(draft.values, name, draft.start))


def _ask_path(draft: Draft, setting: str, title: str) -> None:
    facts = DATASETS[draft.values["data.name"]]
    otherwise = "the bundled copy" if facts.bundled else "Keras's download"
    given = otherwise if facts.class_names else "/path/to/images"
    st.text_input(title, placeholder=given, **_asked(draft, setting))


def _ask_frozen(draft: Draft, setting: str, title: str) -> None:
    """A block by its name, or whatever number or layer a person types."""
    asked = _asked(draft, setting)
    key, chosen = asked["key"], draft.values[setting]
    names = [0, *choices.block_names(draft.values)]

    def take() -> None:
        typed = str(st.session_state[key])
        st.session_state[key] = int(typed) if typed.isdecimal() else typed
        _take(draft, setting, st.session_state[key])

    st.selectbox(
        title,
        names if chosen in names else [chosen, *names],
        format_func=_up_to,
        accept_new_options=True,
        **asked | {"on_change": take},
    )


def _up_to(frozen: int | str) -> str:
    if isinstance(frozen, str):
        return f"up to {frozen}"
    return f"the first {frozen} layers" if frozen else "none"


def _kind_of_weights(weights: str) -> str:
    if weights in ("bundled", "keras", "random"):
        return weights
    return "run" if weights.startswith(RUN) else "file"


def _ask_weights(draft: Draft, setting: str, title: str) -> None:
    """Where weights come from; then which file, or which run."""
    architecture = draft.values["network.architecture"]
    sources = _trained_runs(architecture)
    offered = [
        *ARCHITECTURES[architecture].weights,
        "file",
        *(["run"] if sources else []),
        "random",
    ]
    kind_now, key = _kind_of_weights(draft.values[setting]), draft.widget(setting, "kind")
    st.session_state.setdefault(key, kind_now)

    def take() -> None:
        kind = st.session_state[key]
        first_of = {"file": "", "run": next(iter(sources), "")}
        st.session_state.pop(draft.widget(setting), None)
        _take(draft, setting, first_of.get(kind, kind))

    st.selectbox(
        title,
        offered if kind_now in offered else [kind_now, *offered],
        format_func=WEIGHTS.__getitem__,
        key=key,
        help=meaning(draft, setting),
        on_change=take,
    )
    if kind_now == "file":
        st.text_input("Weights file", placeholder=_ENDINGS, **_asked(draft, setting))
    elif kind_now == "run":
        now = draft.values[setting]
        words = sources if now in sources else {now: f"{_source(now)} (gone)", **sources}
        st.selectbox(
            "Whose weights", list(words), format_func=words.__getitem__, **_asked(draft, setting)
        )


_ENDINGS = "/path/to/weights.npz, .weights.h5 or .h5"


def _source(weights: str) -> str:
    """A choice of weights as it is called on screen, a run by its id."""
    if _kind_of_weights(weights) == "run":
        return f"run {weights.removeprefix(RUN)}"
    return WEIGHTS.get(weights, weights)


def _trained_runs(architecture: str) -> dict[str, str]:
    """Names of the runs that trained a network of that kind, by what weights are called then."""
    return {
        f"{RUN}{run.id}": run_view.label(run)
        for run in lab.runs().all()
        if run.config.network.architecture == architecture and run.has_results
    }


def _ask_class_weights(draft: Draft, setting: str, title: str) -> None:
    by_hand, key = not isinstance(draft.values[setting], str), draft.widget(setting, "kind")
    st.session_state.setdefault(key, "by hand" if by_hand else draft.values[setting])

    def take() -> None:
        kind = st.session_state[key]
        name, path = draft.values["data.name"], draft.values["data.path"]
        alike = [1.0] * known_datasets.count_classes(name, path)
        _take(draft, setting, alike if kind == "by hand" else kind)

    st.selectbox(
        title,
        ("none", "balanced", "by hand"),
        key=key,
        help=meaning(draft, setting),
        on_change=take,
    )
    if by_hand:
        _ask_numbers(draft, setting)


def _ask_numbers(draft: Draft, setting: str) -> None:
    """One number for each class, as text; what is no number is left for the configuration."""
    key = draft.widget(setting, "numbers")
    if key not in st.session_state:
        st.session_state[key] = ", ".join(map(_written, draft.values[setting]))

    def take() -> None:
        _take(draft, setting, [_number(word) for word in st.session_state[key].split(",")])

    st.text_input("Weight of each class", key=key, on_change=take, help="In the classes' order.")


def _written(number: Any) -> str:
    return f"{number:g}" if isinstance(number, float) else str(number)


def _number(word: str) -> Any:
    try:
        return float(word)
    except ValueError:
        return word.strip()


ASKED: dict[str, Callable[[Draft, str, str], None]] = {
    "data.name": _ask_dataset,
    "data.path": _ask_path,
    "data.validation": _ask_validation,
    "network.weights": _ask_weights,
    "network.frozen_layers": _ask_frozen,
    "second_phase.still_frozen": _ask_frozen,
    "class_weights": _ask_class_weights,
}
SHOWN: dict[str, Callable[[Any], str]] = {
    "data.path": lambda path: path or "none named",
    "data.classes": lambda names: ", ".join(names) or "those of the folders",
    "data.fingerprint": lambda fingerprint: fingerprint[:12] or "as it is at launch",
    "data.handwriting_samples": lambda fingerprint: fingerprint[:12] or "those at launch",
    "data.validation": _watched,
    "network.weights": _source,
    "network.frozen_layers": _up_to,
    "second_phase.still_frozen": _up_to,
}
"""How values of those settings are written that need more than their words."""
