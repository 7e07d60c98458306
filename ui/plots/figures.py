"""Figures in a row that wraps where the page is narrow."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

FIGURE_WIDTH = 150
"""Pixels; two fit beside each other on a telephone."""


class Figure(NamedTuple):
    """One number with its name, what it means on hover, and a remark below it."""

    title: str
    value: str
    meaning: str | None = None
    remark: str = ""


def figures(*shown: Figure) -> None:
    """Show figures beside each other, as many as fit."""
    with st.container(horizontal=True, gap="small"):
        for figure in shown:
            with st.container(width=FIGURE_WIDTH, gap="xsmall"):
                st.metric(figure.title, figure.value, help=figure.meaning)
                if figure.remark:
                    st.caption(figure.remark)
