"""What a dataset holds: how many images of each class in each part, how large, from where."""

from __future__ import annotations

import streamlit as st

from ui import theme
from ui.data.shown import PART_NAMES, Shown
from ui.figures import Figure, figures


def show(shown: Shown) -> None:
    """Counts first."""
    figures(
        *(Figure(PART_NAMES[part], theme.count(shown.images[part])) for part in shown.parts),
        Figure("Classes", theme.count(len(shown.class_names))),
    )
    st.caption("")
