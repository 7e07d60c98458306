"""The frame of every page: browser tab, sidebar and title."""

from __future__ import annotations

import time

import streamlit as st

from core.version import VERSION
from ui import lab
from ui.frame import address, at_work, history, presenting, shortcuts, style, tour, waiting, words
from ui.frame.pages import PAGES
from ui.plots import saving

PRODUCT = "Transfer Lab"
SIDEBAR_WIDTH = 240
DRAWN_WITHIN = 0.1
"""Seconds that a browser is left to draw the frame, when a session begins."""
_BEGUN = "frame_begun"


def page(title: str, icon: str, about: str) -> None:
    """Begin a page; the first call of every page script.

    icon: an emoji: a Material icon in the browser tab would be fetched from outside. about: a
    sentence of what the page is for, as Markdown.
    """
    st.set_page_config(
        page_title=f"{title} · {PRODUCT}",
        page_icon=icon,
        layout="wide",
        initial_sidebar_state=SIDEBAR_WIDTH,
    )
    address.take()
    waiting.leave_other_pages(title)
    tour.keep_step(title)
    address.tell()
    style.put(style.SHEET + tour.sheet(title) + presenting.sheet())
    with st.sidebar:
        st.html(f'<div class="tl-brand">{PRODUCT}</div>')
        for entry in PAGES:
            st.page_link(
                entry.script, label=entry.name, icon=entry.icon, query_params=address.kept()
            )
        at_work.show()
        st.html(f'<div class="tl-version">{PRODUCT} {VERSION}</div>')
    with st.container(key="page_header", horizontal=True, vertical_alignment="center"):
        st.title(title, anchor=False, width="stretch")
        words.offer()
        shortcuts.offer(title)
        with st.container(key="tools", horizontal=True, width="content", gap="xsmall"):
            tour.offer(title)
            presenting.offer()
    with st.container(key="page_about"):
        st.markdown(about)
    _let_it_be_drawn()
    history.keep()
    tour.show(title)
    presenting.show(title)
    saving.listen()
    lab.see_to_queue()


def _let_it_be_drawn() -> None:
    """Hold back what is on the first page of a session until its frame is drawn.

    A browser loads the code for each kind of part when the first of them arrives, and that of large
    ones, such as tables, would hold up the frame.
    """
    if _BEGUN not in st.session_state and st.context.headers:  # else no browser is there
        time.sleep(DRAWN_WITHIN)
        st.session_state[_BEGUN] = True
