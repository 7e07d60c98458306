"""A dataset of one's own from the camera: classes are named, recorded and made into one."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import TransferLabError
from core.imported.library import Library
from core.importing.background import Importing
from core.importing.collected import (
    FEWEST,
    LONGEST_NAME,
    MOST,
    MOST_CLASSES,
    packed,
    unpacked,
)
from core.importing.request import ImportRequest
from ui import lab
from ui.data import collecting_script, link, under_way
from ui.data.importing import problem_of, suggestion
from ui.frame import icons

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

OPEN, NAME, CAMERA = "collecting_open", "collecting_name", "collecting_camera"
FILE = "taken with the camera.zip"
"""What the pictures come from, as a dataset's report tells."""
ADDRESS = "collect"
"""In an address, with any value, it unfolds the camera."""
_PROBLEM, _REFUSED, _MADE = "_collecting_problem", "_collecting_refused", "_collected"
"""What is to be said of a dataset that could not be made, how often that was so, and the last one
that was made."""


def show() -> None:
    """The camera and the classes, folded away until somebody wants them, perhaps by a link."""
    if st.query_params.pop(ADDRESS, ""):
        st.session_state[OPEN] = True
    _lead_on()
    folded = st.expander(
        "Collect pictures with the camera",
        icon=":material/photo_camera:",
        key=OPEN,
        on_change="rerun",
    )
    if not folded.open:
        return
    with folded:
        _form()


def _form() -> None:
    st.caption(
        "Name two or more things, hold the button of each while you show it to the camera, and "
        f"make a dataset of them: {FEWEST} pictures of each will do, 30 are better. Until "
        "then they stay in this browser, then they go to this server and nowhere else. The last "
        "fifth of each class is kept for testing."
    )
    if not st.session_state.get(NAME):
        st.session_state[NAME] = suggestion("camera", Library(lab.workspace()).names())
    name = st.text_input("Name of the dataset", key=NAME, max_chars=LONGEST_NAME, width=260).strip()
    if problem := problem_of(name):
        st.error(problem, icon=icons.ERROR)
    _component()(
        data={
            "fewest": FEWEST,
            "most": MOST,
            "classes": MOST_CLASSES,
            "longest": LONGEST_NAME,
            "named": not problem,
            "refused": st.session_state.get(_REFUSED, 0),
        },
        key=CAMERA,
        on_made_change=_make,
    )
    if said := st.session_state.pop(_PROBLEM, ""):
        st.error(lab.sentence(said), icon=icons.ERROR)


def _make() -> None:
    """Import what the browser has sent."""
    name = st.session_state.get(NAME, "").strip()
    try:
        file = packed(unpacked(st.session_state[CAMERA]["made"]))
        Importing(lab.workspace(), name).begin(
            ImportRequest(name=name, digits=False), [(FILE, file)]
        )
    except TransferLabError as error:
        refused = st.session_state.get(_REFUSED, 0) + 1
        st.session_state.update({_PROBLEM: str(error), _REFUSED: refused})
        return
    under_way.mine(name)
    st.session_state.update({OPEN: False, NAME: "", _MADE: name})


def _lead_on() -> None:
    """Say that the dataset is there, and what to do with it."""
    name = st.session_state.get(_MADE, "")
    if not name or link.value("dataset") != name:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.success(
            f"**{lab.plain(name)}** is made of your pictures. Train a network on it, then show "
            "it the camera: Predict answers live.",
            icon=icons.DONE,
        )
        st.page_link(
            "pages/2_Train.py",
            label="Train on your pictures",
            icon=icons.TRAIN,
            query_params={"dataset": name},
        )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_collector",
        html=collecting_script.HTML,
        css=collecting_script.CSS,
        js=collecting_script.JS,
    )
