"""How many images fall to each of the four outcomes, and a glance at them."""

from __future__ import annotations

import streamlit as st

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
    with st.container(key="compare_outcomes", horizontal=True, gap="small"):
        for outcome, title in OUTCOME_NAMES.items():
            with st.container(border=True, width="stretch", gap="xsmall"):
                _card(view, outcome, title)


def _card(view: View, outcome: Outcome, title: str) -> None:
    count = view.comparison.counts[outcome]
    st.html(theme.swatch(view.outcome_color(outcome), title))
    st.markdown(f"### {units.count(count)}")
    st.caption(f"{units.percent(count / view.comparison.total)} of the images")
    if count:
        surest = in_order(view.comparison.positions(outcome), "confidence", view.images)[:GLANCE]
        sheet = contact_sheet(view.pictures[surest], GLANCE)
        picture(sheet, side=GLANCE_WIDTH, alt=f"{title}: those that a network was surest of")
    st.button(
        "Show",
        key=f"show_{outcome}",
        help=f"Show the images of “{title}” in the gallery below.",
        disabled=count == 0,
        width="stretch",
        on_click=link.show,
        args=(Selection(group=outcome),),
    )
