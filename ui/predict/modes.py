"""What can be done on Predict: read one picture, and what else there is beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.registry.run import Run
from ui.frame import address
from ui.predict import handwriting, live, many, one_picture


@dataclass(frozen=True)
class Mode:
    """One use of the page: what it is called, its icon, and how it is shown."""

    title: str
    icon: str
    show: Callable[[list[Run]], None]


MODES: dict[str, Mode] = {
    "one": Mode("One picture", "draw", one_picture.show),
    "many": Mode("Many pictures", "photo_library", many.show),
    "live": Mode("Live camera", "videocam", live.show),
    "handwriting": Mode("Your handwriting", "stylus_note", handwriting.show),
}
"""By the name that a link knows each by (`mode`), in the order of the page."""


def show(finished: list[Run]) -> None:
    """The modes to choose from, and the one that is chosen."""
    wanted = st.query_params.get("mode", "")
    chosen = wanted if wanted in MODES else next(iter(MODES))
    address.tell_of_unknown([f"mode={wanted[:40]}"] if wanted and wanted not in MODES else [])
    if "mode" not in st.session_state or (address.went_back() and wanted):
        st.session_state["mode"] = chosen
    st.segmented_control(
        "What to do",
        list(MODES),
        format_func=lambda name: f":material/{MODES[name].icon}: {MODES[name].title}",
        key="mode",
        required=True,
        label_visibility="collapsed",
    )
    chosen = st.session_state["mode"]
    st.query_params["mode"] = chosen
    MODES[chosen].show(finished)
