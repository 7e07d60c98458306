"""How many images fall to each of the four outcomes, and a glance at them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Outcome
from core.analysis.selection import Selection, in_order
from ui import theme, units
from ui.compare import link
from ui.compare.view import OUTCOME_NAMES, View
from ui.pictures.picture import contact_sheet, picture

GLANCE = 4
"""Images that stand for an outcome."""
GLANCE_WIDTH = 208
"""Pixels that they take beside each other at most."""


def show(view: View) -> None:
    """The four outcomes as cards; a click on one has the gallery show its images."""
    glances = {outcome: _glance(view, outcome) for outcome in OUTCOME_NAMES}
    # Nothing is read between the cards: each that came later would make the others narrower.
    with st.container(key="compare_outcomes", horizontal=True, gap="small"):
        for outcome, title in OUTCOME_NAMES.items():
            with st.container(border=True, width="stretch", gap="xsmall"):
                _card(view, outcome, title, glances[outcome])


def _glance(view: View, outcome: Outcome) -> NDArray[np.uint8] | None:
    """The images of an outcome that a network was surest of, on one sheet; None where none are."""
    surest = in_order(view.comparison.positions(outcome), "confidence", view.images)[:GLANCE]
    return contact_sheet(view.pictures[surest], GLANCE) if len(surest) else None


def _card(view: View, outcome: Outcome, title: str, glance: NDArray[np.uint8] | None) -> None:
    count = view.comparison.counts[outcome]
    st.html(theme.swatch(view.outcome_color(outcome), title))
    st.markdown(f"### {units.count(count)}")
    st.caption(f"{units.percent(count / view.comparison.total)} of the images")
    if glance is not None:
        picture(glance, side=GLANCE_WIDTH, alt=f"{title}: those that a network was surest of")
    st.button(
        "Show",
        key=f"show_{outcome}",
        help=f"Show the images of “{title}” in the gallery below.",
        disabled=count == 0,
        width="stretch",
        on_click=link.show,
        args=(Selection(group=outcome),),
    )
