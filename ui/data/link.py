"""What Data shows, kept for the session and in the address, so that a link opens it again."""

from __future__ import annotations

import streamlit as st

from ui.frame import address

NAMES = ("dataset", "view", "part", "class", "order", "image")
"""The dataset, the view that is open, and of its pictures: part, class, order, the one looked at
by its index in the part."""
OF_PICTURES = NAMES[2:]
CHOICE = "data_dataset"
"""The key of the widget that is on the page whatever is shown."""

_PAGE, _KEPT = "Data", "data_kept"


def follow() -> None:
    """Take over what the address says, where somebody came by a link.

    While the page stays open, an address that it wrote itself, perhaps some clicks ago, changes
    nothing: the browser may send one that later clicks have left behind.
    """
    says = address.read(NAMES)
    came = CHOICE not in st.session_state
    if says and (came or address.is_news(_PAGE, says)):
        st.session_state[_KEPT] = says


def write() -> None:
    """Make the address say what is shown."""
    address.write(_PAGE, kept(), NAMES)


def kept() -> dict[str, str]:
    """All that is kept, by the names of the address, to be changed where nothing may interrupt."""
    values: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    return values


def value(name: str) -> str:
    """What is kept under a name of the address, empty where nothing is."""
    return kept().get(name, "")


def number(name: str) -> int | None:
    """What is kept under a name of the address, where that is a whole number."""
    return address.whole_number(value(name))


def keep(values: dict[str, object]) -> None:
    """Keep values under names of the address; an empty one leaves the address."""
    kept().update({name: str(value) for name, value in values.items()})


def open_dataset(name: str) -> None:
    """Show another dataset from now on, in the view that is open."""
    keep({"dataset": name, **dict.fromkeys(OF_PICTURES, "")})
