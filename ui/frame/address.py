"""What the address of every page says beside what the page shows: the tour, and presenting.

A session takes it from the first address that it is opened with. From then on the session knows,
since links from page to page leave their address without it, and the address is made to say so.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from ui.frame import icons
from ui.lab import plain

TOUR, PRESENT = "tour", "present"
"""The step of the tour that is under way, and whether pages are presented."""
NAMES = (TOUR, PRESENT)

RECENT = 50
"""Addresses that are remembered as written by a page."""

_KEPT, _WRITTEN = "frame_kept", "frame_written"


def take() -> None:
    """Take over what the address says, at the first page of a session."""
    if _KEPT not in st.session_state:
        named = {name: st.query_params.get(name, "") for name in NAMES}
        st.session_state[_KEPT] = {name: value for name, value in named.items() if value}


def tell() -> None:
    """Make the address say what is so, and leave what a page shows as it is."""
    for name in NAMES:
        value = kept().get(name)
        if value is None:
            st.query_params.pop(name, None)
        elif st.query_params.get(name) != value:
            st.query_params[name] = value


def kept() -> dict[str, str]:
    """What every page's address shall say just now."""
    values: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    return values


def keep(name: str, value: str) -> None:
    """Have every page's address say so from now on; an empty value leaves it."""
    if value:
        kept()[name] = value
    else:
        kept().pop(name, None)


def write(page: str, shown: Mapping[str, str], names: Collection[str]) -> None:
    """Make the address say what a page shows, and nothing else but what all of them say.

    names: all that the page may say something under.
    """
    if _is_unsaid(page, shown, names):
        st.query_params.from_dict({**_said(shown), **kept()})


def put(page: str, shown: Mapping[str, str], names: Collection[str]) -> None:
    """Make the address say what a part of a page shows, and leave what else it says."""
    if _is_unsaid(page, shown, names):
        parameters = st.query_params
        others = {name: parameters.get_all(name) for name in parameters if name not in names}
        parameters.from_dict({**others, **_said(shown)})


def _is_unsaid(page: str, shown: Mapping[str, str], names: Collection[str]) -> bool:
    remember(page, _said(shown))
    return read(names) != _said(shown)


def _said(shown: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in shown.items() if value}


def remember(page: str, said: Mapping[str, str]) -> None:
    """Know from now on that the page wrote this into its address."""
    written = _written(page)
    written.append(frozenset(said.items()))
    del written[:-RECENT]


def read(names: Collection[str]) -> dict[str, str]:
    """What the address says under these names."""
    return {name: value for name, value in st.query_params.to_dict().items() if name in names}


def is_news(page: str, says: Mapping[str, str]) -> bool:
    """Whether somebody came by what an address says: by a link, or by the browser's Back.

    What the page wrote itself, perhaps some clicks ago, is none: the browser may send an address
    that later clicks have left behind.
    """
    return bool(says) and (went_back() or frozenset(says.items()) not in _written(page))


def went_back() -> bool:
    """Whether the browser's Back or Forward led here."""
    context = get_script_run_ctx()
    return context is not None and context.is_history_navigation


def whole_number(text: str) -> int | None:
    """What is said, where that is a whole number, not below 0 and of no absurd length."""
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 12 else None


def tell_of_unknown(asked: Collection[str]) -> None:
    """Say that a link asks for what is not here, if it does."""
    if asked:
        st.warning(
            f"This link asks for what is not here ({plain(', '.join(asked))}): that part of it is "
            "left out.",
            icon=icons.BROKEN_LINK,
        )


def _written(page: str) -> list[frozenset[tuple[str, str]]]:
    by_page: dict[str, list[frozenset[tuple[str, str]]]]
    by_page = st.session_state.setdefault(_WRITTEN, {})
    return by_page.setdefault(page, [])
