"""The ways between the settings of a run and the preview of how they vary images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from core.data import preview
from core.errors import InvalidConfig
from ui.frame.pages import go_to
from ui.train.draft import Draft
from ui.train.settings_link import SETTING, written

DATA, TRAIN = "pages/1_Data.py", "pages/2_Train.py"


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
            SETTING: written(preview.deciding(config)),
        },
    )


def to_training(dataset: str, settings: Mapping[str, Any]) -> None:
    """Go to Train, with a dataset and settings chosen there."""
    go_to(TRAIN, {"dataset": dataset, SETTING: written(settings)})
