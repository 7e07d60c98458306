"""Why both networks say what they say of one image: the places that their answers hang on."""

from __future__ import annotations

import numpy as np
import streamlit as st

from ui.compare.asked import Asked, both, has_weights
from ui.compare.view import LETTERS, View
from ui.explaining import Explained, ask_method

OWN = -1
"""Stands for explaining the class that each network itself said."""


@st.fragment
def show(view: View, position: int) -> None:
    """Maps of both networks side by side, of the class and by the method that are chosen."""
    of_class = _choose_class(view, position)
    method = ask_method()
    networks = zip(both(view, position), _said(view, position), strict=True)
    method([_explained(view, one, said if of_class == OWN else of_class) for one, said in networks])


def _explained(view: View, asked: Asked, of_class: int) -> Explained:
    """What one network is to explain of the image."""
    side = asked.side
    return Explained(
        run=side.run,
        epoch=side.epoch,
        name=f"{asked.letter} · {side.name}",
        color=asked.color,
        called=asked.letter,
        about=f"test image {asked.index}",
        image=lambda: asked.image,
        seen=np.asarray(view.pictures[asked.position]),
        of_class=of_class,
        gave=asked.probability(of_class),
        askable=lambda: has_weights(asked),
    )


def _said(view: View, position: int) -> tuple[int, int]:
    """The classes that A and B took an image for."""
    return int(view.images.a.said[position]), int(view.images.b.said[position])


def _choose_class(view: View, position: int) -> int:
    """The class to explain, those that this image is about first; OWN for each one's own."""
    truth, said = int(view.images.truth[position]), _said(view, position)
    about = list(dict.fromkeys((truth, *said)))
    others = [number for number in range(len(view.class_names)) if number not in about]
    if st.session_state.get("explained_class", OWN) >= len(view.class_names):
        del st.session_state["explained_class"]  # it was a class of another dataset

    def text(number: int) -> str:
        if number == OWN:
            return "What each network said"
        marks = ["the truth"] if number == truth else []
        answers = zip(LETTERS, said, strict=True)
        marks += [f"{letter}'s answer" for letter, answer in answers if answer == number]
        return " · ".join((view.class_names[number], *marks))

    return st.selectbox(
        "Class to explain",
        [OWN, *about, *others],
        format_func=text,
        key="explained_class",
        persist_state="session",
    )
