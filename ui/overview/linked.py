"""HTML whose links open other pages at once, without loading the dashboard anew."""

from __future__ import annotations

import functools
import html
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from ui.frame.browser import nothing
from ui.frame.pages import PAGES

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_JS = r"""
// What has no room in the first line of a row is out of sight, and out of the keyboard's way.
const fit = (row) => {
  const [first] = row.children;
  for (const tile of row.children) {
    tile.style.visibility = tile.offsetTop > first.offsetTop ? 'hidden' : '';
  }
};

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.ov');
  if (root.shown !== data.html) root.innerHTML = root.shown = data.html;
  const rows = [...root.querySelectorAll('.tiles')];
  const resized = new ResizeObserver(() => rows.forEach(fit));
  rows.forEach((row) => resized.observe(row));
  root.onclick = (event) => {
    const link = event.target.closest('a');
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey || event.altKey;
    if (!link || elsewhere) return;                   // a new tab loads the address by itself
    event.preventDefault();
    setTriggerValue('opened', link.getAttribute('href'));
  };
  return () => resized.disconnect();
}
"""


def linked(content: str, *, key: str) -> None:
    """Show HTML; a click on a link that `link_to` made goes to its page.

    Whatever comes from outside must be escaped in it.
    """
    result = _component()(data={"html": content}, key=key, on_opened_change=nothing)
    if opened := result.get("opened"):
        _open(str(opened))


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


def dot(color: str) -> str:
    """A square of a colour, before what it stands for."""
    return f'<i class="dot" style="background:{color}"></i>'


def _open(address: str) -> None:
    name, _, query = address.partition("?")
    for page in PAGES:
        if page.name == name:
            st.switch_page(page.script, query_params=parse_qsl(query))


@functools.cache
def _component() -> ComponentRenderer:
    # Not kept apart from the page: its words are explained where they stand, as all others.
    return st.components.v2.component(
        "transfer_lab_linked", html='<div class="ov"></div>', js=_JS, isolate_styles=False
    )
