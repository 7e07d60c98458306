"""What the browser's Back leads to: the view before, or the page before, by one press."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "history"
VIEWS = ("view", "mode", "on", "runs")
"""Names of addresses that tell which view of a page is open; without one it is the first."""
SUBJECTS = ("dataset", "a", "b")
"""Names that tell what it is about; a page that was just opened has yet to add them."""

_JS = r"""
const all = (params, name) => params.getAll(name).join();
const told = (params) => [...VIEWS, ...SUBJECTS].some((name) => params.has(name));
const isStep = (from, to) => told(from) && (
  VIEWS.some((name) => all(from, name) !== all(to, name)) ||
  SUBJECTS.some((name) => from.has(name) && to.has(name) && all(from, name) !== all(to, name)));

const stays = (url) => {
  const to = new URL(url, location.href);
  return to.pathname === location.pathname &&
    !isStep(new URLSearchParams(location.search), to.searchParams);
};

// Streamlit makes an entry each time that a page changes its address.
const keepViews = () => {
  const history = window.history;
  const kept = (write) => (state, title, url) =>
    write.call(history, { ...state, transferLab: true }, title, url);
  const push = kept(history.pushState), replace = kept(history.replaceState);
  history.replaceState = replace;
  history.pushState = (state, title, url) => (stays(url) ? replace : push)(state, title, url);
  replace(history.state, '', location.href);
  // The page that was opened first may have completed its address before this, and would again.
  window.addEventListener('popstate', (event) => {
    if (event.state?.transferLab || location.hash) return;
    event.stopImmediatePropagation();
    history.back();
  }, { capture: true });
};

export default function ({ parentElement }) {
  parentElement.querySelector('span').dataset.ready = '';
  if (window.__transferLabHistory) return;
  window.__transferLabHistory = true;
  keepViews();
}
"""


def keep() -> None:
    """Have the browser's history hold the views that were opened, and no detail of them."""
    _component()(data={}, key=KEY, width=1, height=1)


@functools.cache
def _component() -> ComponentRenderer:
    names = f"const VIEWS = {json.dumps(VIEWS)}, SUBJECTS = {json.dumps(SUBJECTS)};\n"
    return st.components.v2.component(
        "transfer_lab_history", html="<span hidden></span>", js=names + _JS
    )
