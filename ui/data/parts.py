"""Which part of a dataset is looked at."""

from __future__ import annotations

import streamlit as st

from core.imported.dataset import Part
from ui import theme, units
from ui.data import link
from ui.data.shown import PART_NAMES, Shown

COLORS: dict[Part, str] = {
    "train": theme.RUN_COLORS[0],
    "validation": theme.WATCHED_COLOR,
    "test": theme.RUN_COLORS[1],
    "unlabelled": theme.RUN_COLORS[2],
}


def chosen(shown: Shown) -> Part:
    """The part that the address asks for, else the first that has images."""
    wanted = [part for part in shown.parts if part == link.value("part")]
    return wanted[0] if wanted else shown.parts[0]


def ask(shown: Shown) -> None:
    """Ask for a part; what is looked at in the part before is left."""
    st.session_state["data_part"] = chosen(shown)
    st.selectbox(
        "Part",
        shown.parts,
        format_func=lambda part: f"{PART_NAMES[part]} ({units.count(shown.images[part])})",
        key="data_part",
        width=190,
        on_change=lambda: link.keep({"part": st.session_state["data_part"], "image": ""}),
    )
