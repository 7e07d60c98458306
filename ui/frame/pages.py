"""The pages there are, in the order of the sidebar, and going to one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, NoReturn

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.frame import icons


class Page(NamedTuple):
    """A page of the sidebar: its script, its name and its Material icon."""

    script: str
    name: str
    icon: str


PAGES = (
    Page("app.py", "Overview", icons.OVERVIEW),
    Page("pages/1_Data.py", "Data", icons.DATA),
    Page("pages/2_Train.py", "Train", icons.TRAIN),
    Page("pages/3_Runs.py", "Runs", icons.RUNS),
    Page("pages/4_Compare.py", "Compare", icons.COMPARE),
    Page("pages/5_Predict.py", "Predict", icons.PREDICT),
)


def script_of(name: str) -> str:
    """The script of the page with that name."""
    return next(page.script for page in PAGES if page.name == name)


def go_to(
    script: str, query: Mapping[str, str | Sequence[str]] | Iterable[tuple[str, str]]
) -> NoReturn:
    """Go to another page, whose address says this.

    What redraws itself on the page that is left ends here. Until the browser learns of the other
    page it asks for more of that, and Streamlit (1.67) would go back to the page that is left to
    draw that part alone, which leaves the window empty for good.
    """
    if context := get_script_run_ctx():
        context.fragment_storage.clear()
    st.switch_page(script, query_params=query)
