"""The ways between the settings of a run and the preview of how they vary images."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data import preview
from core.errors import InvalidConfig
from core.registry import choices
from core.registry.settings import parse_settings
from ui import lab
from ui.frame import icons
from ui.train.draft import Draft

PARAMETER = "set"
"""Stands in an address before each setting, as `--set` on the command line."""
DATA, TRAIN = "pages/1_Data.py", "pages/2_Train.py"


def written(settings: Mapping[str, Any]) -> list[str]:
    """Settings as the command line takes them.

    >>> written({"augmentation.rotation": 10.0, "augmentation.fill": "wrap"})
    ['augmentation.rotation=10', 'augmentation.fill=wrap']
    """
    return [f"{key}={_written(value)}" for key, value in settings.items()]


def _written(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def to_preview(draft: Draft) -> None:
    """A link to the preview, with the settings as they are, where the dataset can be looked at."""
    if draft.values["data.name"] == "folder":
        return
    try:
        config = preview.previewed(draft.values)
    except InvalidConfig:
        return  # what does not fit is told beside the settings
    st.page_link(
        DATA,
        label="See how images are varied",
        icon=":material/animation:",
        query_params={
            "dataset": draft.values["data.name"],
            "view": "augmentation",
            PARAMETER: written(preview.deciding(config)),
        },
    )


def to_training(dataset: str, settings: Mapping[str, Any]) -> None:
    """Go to Train, with a dataset and settings chosen there."""
    st.switch_page(TRAIN, query_params={"dataset": dataset, PARAMETER: written(settings)})


def asked_for() -> dict[str, Any] | None:
    """The settings that the address names, None where it names none.

    The address then forgets them, so that the next rerun leaves the settings alone. What is no
    setting is told in a sentence and left aside.
    """
    words = st.query_params.get_all(PARAMETER)
    if not words:
        return None
    del st.query_params[PARAMETER]
    try:
        return parse_settings(words)
    except InvalidConfig as error:
        tell(error)
        return None


def take(draft: Draft, settings: Mapping[str, Any]) -> None:
    """Have a draft begin with settings that an address named."""
    try:
        values = choices.with_settings(draft.values, settings, draft.recipe.config)
    except InvalidConfig as error:
        tell(error)
        return
    draft.replace(values, "What the link says replaced your settings.")


def tell(error: InvalidConfig) -> None:
    """Say that the settings of an address cannot be had."""
    st.warning(
        f"The settings in this link were left aside. {lab.sentence(error)}",
        icon=icons.BROKEN_LINK,
    )
