"""How the two networks were made: in what their settings and environments differ."""

from __future__ import annotations

import streamlit as st

from ui.compare.view import View
from ui.frame import icons
from ui.runs import environment, overlay


def show(view: View) -> None:
    """What differs between the two runs; worked out where a person unfolds it."""
    a, b = (side.run for side in view.sides)
    folded = st.expander(
        "How they were made", icon=icons.SETTINGS, key="how_they_were_made", on_change="rerun"
    )
    if not folded.open:
        return
    with folded:
        if a.id == b.id:
            st.caption("These are two epochs of one run: all of it was made alike.")
            return
        overlay.show_differences([a, b])
        environment.show_differences([a, b])
