"""What Compare shows, kept for the session and in the address, so that a link opens it again."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st

from core.analysis.selection import PARAMETERS, Selection, from_address, to_address
from ui.frame import address

OF_SIDES = ("on", "a", "b", "ea", "eb", "runs")
"""What they are compared on, where that is not their test images; runs A and B, and their epochs
where those are not the best; the runs, where many are ranked."""
OF_VIEW = ("view", "image", "threshold", "features")
"""The view that is open, the image that is looked at, the confidence that answers need, the map."""
_PAGE, _NAMES = "Compare", (*OF_SIDES, *OF_VIEW, *PARAMETERS)
_SELECTION, _KEPT = "compare_selection", "compare_kept"
_ASKED = "compare_asked"
"""The part of an address that is a selection, until it is known what there is to select from."""


def follow() -> None:
    """Take over what the address says, where somebody came by a link.

    An address that this page wrote itself, perhaps some clicks ago, changes nothing: the browser
    may send one that later clicks have left behind.
    """
    says = address.read(_NAMES)
    if not address.is_news(_PAGE, says):
        return
    kept = {name: value for name, value in says.items() if name in (*OF_SIDES, *OF_VIEW)}
    st.session_state[_KEPT] = kept
    st.session_state[_ASKED] = {name: value for name, value in says.items() if name in PARAMETERS}
    for choice in ("choice_a", "choice_b", _SELECTION):
        st.session_state.pop(choice, None)


def write() -> None:
    """Make the address say what is shown."""
    shown = {name: kept_value(name) for name in (*OF_SIDES, *OF_VIEW)}
    if _SELECTION in st.session_state:
        shown |= to_address(selection())
    else:
        shown |= st.session_state.get(_ASKED, {})
    address.write(_PAGE, shown, _NAMES)


def kept_value(name: str) -> str:
    """What is kept under a name of the address, empty where nothing is."""
    return str(kept().get(name, ""))


def kept() -> dict[str, str]:
    """All that is kept, by the names of the address, to be changed where nothing may interrupt."""
    values: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    return values


def keep(**values: object) -> None:
    """Keep values under names of the address."""
    kept().update({name: str(value) for name, value in values.items()})


def selection() -> Selection:
    """Which images are looked at."""
    chosen: Selection = st.session_state.get(_SELECTION, Selection())
    return chosen


def read_selection(classes: int, lists: Collection[str]) -> Selection:
    """Which images are looked at, from the address at the first time.

    classes: how many there are. lists: the names of those that `special` may name.
    """
    if _SELECTION not in st.session_state:
        chosen, unknown = from_address(st.session_state.get(_ASKED, {}), classes)
        if chosen.special and chosen.special not in lists:
            unknown.append(f"list={chosen.special}")
            chosen = chosen.model_copy(update={"special": ""})
        st.session_state[_SELECTION] = chosen
        address.tell_of_unknown(unknown)
    return selection()


def show(chosen: Selection) -> None:
    """Look at other images from now on; to be called before the page is drawn, or with a rerun."""
    st.session_state[_SELECTION] = chosen
    keep(image="")


def change(**parts: Any) -> None:
    """Change parts of the selection and leave the others."""
    show(Selection.model_validate(selection().model_dump() | parts))


def look_at(index: int) -> None:
    """Look at the image with that index in the test part."""
    keep(image=index)
