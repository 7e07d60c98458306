"""The keys of the keyboard that pages hear: one table of them, and the list that a page shows.

What hears them takes them from here, or from what the component itself needs; a test holds the
table to both.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from ui.frame import address
from ui.frame.browser import SINGLE_KEYS_JS, nothing
from ui.frame.pages import go_to, script_of
from ui.frame.shortcuts_script import CSS, HTML, JS

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "shortcuts"
GO, LIST, SEARCH = "g", "?", "/"
"""What begins the way to a page, opens the list, and leads to where is searched."""
LETTERS = {"o": "Overview", "d": "Data", "t": "Train", "r": "Runs", "c": "Compare", "p": "Predict"}
"""The page of each letter after GO."""
SEARCHED = {"Runs": ".st-key-search input"}
"""Where SEARCH leads to, on the pages that have such a place."""
STEPS = {"ArrowLeft": -1, "k": -1, "ArrowRight": 1, "j": 1}
"""How far each key goes among images."""
DIGITS, TAGS = tuple("0123456789"), tuple("123456789")
"""What a picture was meant to be, and the tags of an image in their order."""


class Shortcut(NamedTuple):
    """Keys that do the same, as the browser names them, and what they do.

    A key that comes after another is written behind it, with a space between them.
    """

    keys: tuple[str, ...]
    does: str


Group = tuple[Shortcut, ...]

EVERYWHERE: Group = (
    Shortcut((LIST,), "open this list"),
    *(Shortcut((f"{GO} {letter}",), f"go to {page}") for letter, page in LETTERS.items()),
    Shortcut(("r",), "run the page anew"),
)
_IMAGES: Group = (
    Shortcut(("j", "ArrowRight"), "the next image"),
    Shortcut(("k", "ArrowLeft"), "the image before"),
)
OF_PAGES: Mapping[str, Group] = {
    "Data": _IMAGES,
    "Runs": (Shortcut((SEARCH,), "search among runs"),),
    "Compare": (*_IMAGES, Shortcut(TAGS, "put that tag on the image, or take it off")),
    "Predict": (Shortcut(DIGITS, "keep the picture as that digit, once it was read"),),
}
FOCUSED: Group = (
    Shortcut(
        ("ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"),
        "from picture to picture, cell to cell, point to point",
    ),
    Shortcut(("Home", "End"), "the first and the last"),
    Shortcut(("Enter",), "open it"),
    Shortcut(("+", "-"), "enlarge a map or a large table, and shrink it"),
)
"""What galleries, tables of confusion, charts and maps hear while they have the focus."""
PRESENTED: Group = (
    Shortcut(("PageDown",), "down, and from the end to the next page"),
    Shortcut(("PageUp",), "up, and from the top to the page before"),
    Shortcut(("Escape",), "leave the presentation, or the tour"),
)


def offer(page: str) -> None:
    """A button that lists the keys which the page hears, as `?` does; what leads to other pages."""
    groups = {
        f"On {page}": OF_PAGES.get(page, ()),
        "Everywhere": EVERYWHERE,
        "With the focus on pictures or a chart": FOCUSED,
        "Presenting, and on the tour": PRESENTED,
    }
    result = _component()(
        data={
            "page": page,
            "groups": [[title, group] for title, group in groups.items() if group],
            "searched": SEARCHED.get(page, ""),
        },
        key=KEY,
        width="content",
        height="content",
        on_go_change=nothing,
    )
    if (to := result.get("go")) in LETTERS.values() and to != page:
        go_to(script_of(str(to)), address.kept())


@functools.cache
def _component() -> ComponentRenderer:
    known = {"GO": GO, "LIST": LIST, "SEARCH": SEARCH, "LETTERS": LETTERS}
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    return st.components.v2.component(
        "transfer_lab_shortcuts", html=HTML, css=CSS, js=SINGLE_KEYS_JS + constants + JS
    )
