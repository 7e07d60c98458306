"""A network that is asked about one picture: how it is announced, and what if it cannot answer."""

from __future__ import annotations

import html
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from core.errors import TransferLabError
from ui import lab
from ui.frame import icons

_CLAMPED = (
    "display:-webkit-box;-webkit-box-orient:vertical;-webkit-line-clamp:2;overflow:hidden;"
    "overflow-wrap:anywhere"
)


def heading(name: str, color: str, line: str) -> None:
    """The network's colour and name, and a line of text below; both may be of any length."""
    square = f"flex:none;width:.7rem;height:.7rem;margin-top:.35rem;background:{color}"
    st.html(
        '<div style="font-size:.875rem;line-height:1.4">'
        f'<div style="display:flex;gap:.4rem"><i style="border-radius:2px;{square}"></i>'
        f'<span style="{_CLAMPED}">{html.escape(name)}</span></div>'
        f'<div style="{_CLAMPED}"><b>{html.escape(line)}</b></div></div>'
    )


@contextmanager
def failures_of_one() -> Iterator[None]:
    """Show an expected failure as the sentence it carries, and go on with the other networks."""
    try:
        yield
    except TransferLabError as error:
        st.warning(lab.sentence(error), icon=icons.ERROR)
