"""The frame of every page: browser tab, sidebar and title."""

from __future__ import annotations

import streamlit as st

from core.version import VERSION
from ui import lab
from ui.frame import address, at_work, history, presenting, shortcuts, style, tour, waiting, words
from ui.frame.pages import PAGES
from ui.plots import saving

PRODUCT = "Transfer Lab"
SIDEBAR_WIDTH = 240


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
    history.keep()
    tour.show(title)
    presenting.show(title)
    saving.listen()
    lab.see_to_queue()
