"""What the address of every page says beside what the page shows: the tour, and presenting.

A session takes it from the first address that it is opened with. From then on the session knows,
since links from page to page leave their address without it, and the address is made to say so.
"""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

TOUR, PRESENT = "tour", "present"
"""The step of the tour that is under way, and whether pages are presented."""
NAMES = (TOUR, PRESENT)

_KEPT = "frame_kept"


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


def write(shown: Mapping[str, str]) -> None:
    """Make the address say what a page shows, and nothing else but what all of them say."""
    st.query_params.from_dict({**shown, **kept()})
