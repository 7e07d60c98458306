"""The settings of a draft in the address of Train, so that a link opens the form as it was left.

`?recipe=NAME` says where they begin, and one `set=key=value` for each that is not as in the recipe,
as `--set` on the command line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import InvalidConfig
from core.registry import choices
from core.registry.recipes import RECIPES
from core.registry.settings import parse_settings
from ui import lab
from ui.frame import icons
from ui.train.draft import Draft

RECIPE, SETTING = "recipe", "set"
_TOLD = "_settings_told"


def follow() -> bool:
    """Have the form say what the address says, where that is not what the form told it itself.

    Returns whether the address named a recipe that is there.
    """
    name = st.query_params.get(RECIPE)
    if name is None or _address() == st.session_state.get(_TOLD):
        return False
    if name not in RECIPES:
        st.warning(
            f"There is no recipe {lab.plain(name)}: the link is wrong, or from another version. "
            "The settings are as you left them.",
            icon=icons.BROKEN_LINK,
        )
        return False
    draft = Draft.of(RECIPES[name])
    settings = asked_for() or {}
    if settings or draft.changes:
        take(draft, {setting: draft.start[setting] for setting in draft.changes} | settings)
    st.session_state["recipe"] = name
    return True


def tell(draft: Draft) -> None:
    """Make the address say what the form says; the first recipe as it is needs no words."""
    changed = {setting: draft.values[setting] for setting in draft.changes}
    plain = not changed and draft.recipe.name == next(iter(RECIPES))
    told = ("", ()) if plain else (draft.recipe.name, tuple(written(changed)))
    if _address() != told:
        st.query_params.pop(RECIPE, None)
        st.query_params.pop(SETTING, None)
        if not plain:
            st.query_params[RECIPE] = told[0]
        if changed:
            st.query_params[SETTING] = list(told[1])
    st.session_state[_TOLD] = told


def _address() -> tuple[str, tuple[str, ...]]:
    return st.query_params.get(RECIPE, ""), tuple(st.query_params.get_all(SETTING))


def written(settings: Mapping[str, Any]) -> list[str]:
    """Settings as the command line takes them.

    >>> written({"augmentation.rotation": 10.0, "augmentation.fill": "wrap", "data.path": "7"})
    ['augmentation.rotation=10', 'augmentation.fill=wrap', 'data.path="7"']
    """
    return [f"{key}={_written(value)}" for key, value in settings.items()]


def _written(value: Any) -> str:
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value if isinstance(value, str) and not _is_json(value) else json.dumps(value)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def asked_for() -> dict[str, Any] | None:
    """The settings that the address names, None where it names none.

    The address then forgets them, so that the next rerun leaves the settings alone. What is no
    setting is told in a sentence and left aside.
    """
    words = st.query_params.get_all(SETTING)
    if not words:
        return None
    del st.query_params[SETTING]
    try:
        return parse_settings(words)
    except InvalidConfig as error:
        refuse(error)
        return None


def take(draft: Draft, settings: Mapping[str, Any]) -> None:
    """Have a draft begin with settings that an address named."""
    try:
        values = choices.with_settings(draft.values, settings, draft.recipe.config)
    except InvalidConfig as error:
        refuse(error)
        return
    draft.replace(values, "What the link says replaced your settings.")


def refuse(error: InvalidConfig) -> None:
    """Say that the settings of an address cannot be had."""
    st.warning(
        f"The settings in this link were left aside. {lab.sentence(error)}",
        icon=icons.BROKEN_LINK,
    )
