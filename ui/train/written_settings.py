"""The configuration as JSON: to copy, and to paste whole or in part."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.errors import InvalidConfig
from core.registry import choices
from core.registry.config import RunConfig
from core.registry.recipes import Recipe, find_recipe
from core.registry.settings import read_settings
from core.validation import shown
from ui import lab
from ui.frame import icons
from ui.train.draft import Draft
from ui.train.settings_form import TITLES

TEXT, REFUSED = "pasted", "_refused"
LONGEST_TEXT = 100_000
EXAMPLE = '{"epochs": 3, "network": {"head": {"dropout": 0.2}}, "learning_rate": 0.001}'


def show(draft: Draft, config: RunConfig | None) -> None:
    """Show the configuration as JSON and take another one, or some settings of one."""
    section = st.expander(
        "**Configuration as JSON** :gray[copy or paste]",
        key="json",
        on_change="rerun",
    )
    if not section.open:
        return
    with section:
        if config is None:
            st.caption("What is set is written here once the settings fit each other.")
        else:
            st.code(written(config), language="json", height=200)
        st.text_area(
            "Paste a configuration, or some settings",
            key=TEXT,
            placeholder=EXAMPLE,
            max_chars=LONGEST_TEXT,
            help="What was copied here or on Runs, or only the settings to change: nested as above "
            "or by dotted keys such as network.side. Settings that are not in it stay as they "
            "are; with a recipe in it, all begins with that recipe.",
        )
        st.button("Apply", key="apply", icon=":material/input:", on_click=_apply, args=[draft])
        text, sentence = st.session_state.get(REFUSED, ("", ""))
        if text and text == st.session_state[TEXT]:
            st.error(sentence, icon=icons.ERROR)


def written(config: RunConfig) -> str:
    """A configuration as JSON that `read_settings` reads."""
    return json.dumps(config.model_dump(mode="json"), indent=1, ensure_ascii=False)


def _apply(draft: Draft) -> None:
    """Take what was pasted, all of it or, where some of it cannot be, nothing."""
    text = st.session_state[TEXT]
    try:
        recipe, taken, values = read(text, draft)
    except InvalidConfig as error:
        st.session_state[REFUSED] = text, f"{lab.sentence(error)} Nothing was changed."
        return
    target = Draft.of(recipe)
    target.replace(values, "What you pasted replaced your settings.")
    st.session_state["recipe"] = recipe.name
    st.session_state[TEXT] = ""
    st.toast(told(target, taken), icon=":material/input:")


def read(text: str, draft: Draft) -> tuple[Recipe, Mapping[str, Any], dict[str, Any]]:
    """The recipe that a text is about, the settings in it, and all settings with them.

    Raises InvalidConfig.
    """
    taken = read_settings(text)
    name = taken.pop("recipe", None)
    if name is None:
        return draft.recipe, taken, _with(draft.values, taken, draft.recipe)
    recipe = _known_recipe(name)
    return recipe, taken, _with(choices.settings_of(recipe.config), taken, recipe)


def _with(settings: choices.Settings, taken: choices.Settings, recipe: Recipe) -> dict[str, Any]:
    return choices.with_settings(settings, taken, recipe.config)


def _known_recipe(name: Any) -> Recipe:
    if not isinstance(name, str):
        raise InvalidConfig(f"recipe must be the name of one, got {shown(name)}")
    try:
        return find_recipe(name)
    except InvalidConfig as error:
        raise InvalidConfig(f"{error}; without a recipe it changes the one chosen above") from None


def told(draft: Draft, taken: Mapping[str, Any]) -> str:
    """What became of settings that were pasted."""
    idle = [TITLES[setting] for setting in taken if setting in TITLES and not draft.shows(setting)]
    changed = "1 change" if len(draft.changes) == 1 else f"{len(draft.changes)} changes"
    words = f"Applied: {changed} against the recipe {lab.plain(draft.recipe.name)}."
    if idle and len(taken) < len(draft.values) - 1:
        words += f" Without effect beside the others: {', '.join(idle)}."
    return words
