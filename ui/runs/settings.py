"""The settings of one run as they are called on screen, and as JSON."""

from __future__ import annotations

import json

import pandas as pd
import streamlit as st

from core.registry import choices
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from ui.frame import icons
from ui.train.changes import in_words
from ui.train.settings_form import SECTIONS

JSON_HEIGHT = 320


def settings(run: Run) -> None:
    """What the run was asked for; listed where a person unfolds it."""
    folded = st.expander(
        "Settings", icon=icons.SETTINGS, key=f"settings_{run.id}", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        st.dataframe(table_of(run.config), hide_index=True, height="content")
        st.caption("As JSON, which Train takes under “Configuration as JSON”:")
        st.code(
            json.dumps(run.config.model_dump(mode="json"), indent=1),
            language="json",
            height=JSON_HEIGHT,
        )


def table_of(config: RunConfig) -> pd.DataFrame:
    """One row per setting that did something, with what its recipe has where that is another."""
    values = choices.settings_of(config)
    recipe = RECIPES.get(config.recipe)
    start = choices.settings_of(recipe.config) if recipe else values
    rows = []
    for section, titles in SECTIONS.items():
        for setting, title in titles.items():
            told = setting in values and setting not in choices.HEAD_LAYERS[1:]
            if told and choices.matters(setting, values):
                value, before = in_words(setting, values), in_words(setting, start)
                rows.append((section, title, value, before if before != value else ""))
    return pd.DataFrame(rows, columns=["Section", "Setting", "Value", "In the recipe"])
