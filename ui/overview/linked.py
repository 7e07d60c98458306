"""HTML in the page whose links open other pages at once, without loading the dashboard anew."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from ui.frame.browser import nothing
from ui.frame.pages import PAGES, go_to
from ui.theme import Look

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "overview_links"
_JS = r"""
export default function ({ setTriggerValue }) {
  const follow = (event) => {
    const link = event.target instanceof Element && event.target.closest('.ov a');
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere) return;                   // a new tab loads the address by itself
    event.preventDefault();
    setTriggerValue('opened', link.getAttribute('href'));
  };
  document.addEventListener('click', follow);
  return () => document.removeEventListener('click', follow);
}
"""


def follow_links() -> None:
    """Open what was clicked on of the links that `link_to` made; once on a page, at its top."""
    result = _component()(data={}, key=KEY, width=1, height=1, on_opened_change=nothing)
    if opened := result.get("opened"):
        _open(str(opened))


def linked(content: str) -> None:
    """Show HTML that may hold such links. Whatever comes from outside must be escaped in it.

    It stands in the page as it is: a component would draw it a moment later, and move what is
    below.
    """
    st.html(f'<div class="ov">{content}</div>')


def link_to(
    page: str, parameters: Mapping[str, str], content: str, *, about: str = "", looks: str = ""
) -> str:
    """A link to a page by its name, with parameters as in its address, around HTML.

    about: what it is called where its content alone does not say it, as plain text. looks: further
    attributes, as HTML.
    """
    address = html.escape(f"{page}?{urlencode(parameters)}" if parameters else page)
    told = f' aria-label="{html.escape(about)}" title="{html.escape(about)}"' if about else ""
    return f'<a href="{address}"{told} {looks}>{content}</a>'


def dot(look: Look) -> str:
    """A square, before what it stands for."""
    return f'<i class="dot" style="{look.css}"></i>'


def _open(address: str) -> None:
    name, _, query = address.partition("?")
    for page in PAGES:
        if page.name == name:
            go_to(page.script, parse_qsl(query))


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_links", html="<span hidden></span>", js=_JS)
