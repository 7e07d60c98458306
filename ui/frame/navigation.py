"""The frame of every page: browser tab, sidebar and title."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from ui import lab
from ui.frame import style, words

PRODUCT = "Transfer Lab"


class Page(NamedTuple):
    """A page of the sidebar: its script, its name and its Material icon."""

    script: str
    name: str
    icon: str


PAGES = (
    Page("app.py", "Overview", ":material/dashboard:"),
    Page("pages/1_Data.py", "Data", ":material/dataset:"),
    Page("pages/2_Train.py", "Train", ":material/model_training:"),
    Page("pages/3_Runs.py", "Runs", ":material/list_alt:"),
    Page("pages/4_Compare.py", "Compare", ":material/compare:"),
    Page("pages/5_Predict.py", "Predict", ":material/draw:"),
)


def page(title: str, icon: str, about: str) -> None:
    """Begin a page; the first call of every page script.

    icon: an emoji: a Material icon in the browser tab would be fetched from outside. about: a
    sentence of what the page is for, as Markdown.
    """
    st.set_page_config(page_title=f"{title} · {PRODUCT}", page_icon=icon, layout="wide")
    st.html(style.SHEET)
    with st.sidebar:
        st.markdown(f"### :material/experiment: {PRODUCT}")
        for entry in PAGES:
            st.page_link(entry.script, label=entry.name, icon=entry.icon)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False, width="stretch")
        words.offer()
    with st.container(key="page_about"):
        st.markdown(about)
    lab.see_to_queue()
