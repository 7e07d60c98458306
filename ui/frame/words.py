"""The words of the field on a page: listed beside its title, explained where they stand."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING

import streamlit as st

from core.glossary import GLOSSARY, LOOKED_FOR, PATTERN
from ui.frame.words_script import CSS, HTML, JS, UNDERLINE

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "words"


def offer() -> None:
    """A button that lists the terms that the page shows just then, each with its sentence.

    In running text the first of each is underlined with dots; its sentence appears under the mouse
    or a finger. The keyboard reaches all of them by the button.
    """
    _component()(data={}, key=KEY, width="content", height="content")


@functools.cache
def _component() -> ComponentRenderer:
    known = {
        "PATTERN": PATTERN,
        "WORDS": [[name, GLOSSARY[name].explanation] for name in LOOKED_FOR],
        "READ_IN": [LOOKED_FOR.index(name) for name in GLOSSARY],
        "UNDERLINE": UNDERLINE,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    return st.components.v2.component("transfer_lab_words", html=HTML, css=CSS, js=constants + JS)
