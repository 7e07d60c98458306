"""Subsets of the test images that people keep under names: looking at them again, saving more."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.analysis.selection import Selection
from core.analysis.subsets import (
    LONGEST_NAME,
    Subset,
    read_subsets,
    save_subset,
    set_aside,
    subset_of,
)
from core.errors import DamagedFile, TransferLabError
from ui import lab
from ui.compare import link, said
from ui.compare.view import View
from ui.frame import icons

FEW = 8
"""Subsets that are listed without a bar to scroll."""
LIST_HEIGHT = 340
POPOVER = "popover"
_REFUSED = "subset_refused"


@dataclass(frozen=True)
class Known:
    """The subsets of the images that are compared; why they cannot be read, if they cannot."""

    subsets: tuple[Subset, ...] = ()
    damaged: str = ""


def known(view: View) -> Known:
    """What is saved now."""
    try:
        return Known(read_subsets(lab.workspace(), dataset(view)))
    except DamagedFile as error:
        return Known(damaged=str(error))


def dataset(view: View) -> str:
    """What subsets of these images are kept under: of folders, each has its own."""
    name, path = said.dataset(view.images), view.comparison.a.run.config.data.path
    return f"{name} {path}" if name == "folder" else name


def offer(view: View, suggested: str) -> None:
    """Subsets to look at, and a name to save the images under that are selected now."""
    found = known(view)
    with st.popover("Subsets", icon=icons.VIEWS):
        if found.damaged:
            damaged(found, POPOVER)
            return
        if found.subsets:
            _list(view, found)
        _offer_saving(view, suggested)
        told(POPOVER)


def damaged(found: Known, place: str) -> None:
    """Why subsets cannot be read, and the way out; `place` tells the places of the page apart."""
    st.warning(lab.sentence(found.damaged), icon=icons.WARNING)
    told(place)
    st.button(
        "Keep the file aside and begin anew",
        key=f"begin_subsets_anew_{place}",
        on_click=_begin_anew,
        args=(place,),
    )


def told(place: str) -> None:
    """Why the last attempt at a place of the page came to nothing, told once."""
    at, refused = st.session_state.get(_REFUSED, ("", ""))
    if at == place:
        st.warning(refused, icon=icons.WARNING)
        del st.session_state[_REFUSED]


def attempt(change: Callable[[], object], place: str) -> bool:
    """Change what is saved; whether that could be done. `told` tells there why it could not."""
    try:
        change()
    except TransferLabError as error:
        st.session_state[_REFUSED] = place, lab.sentence(error)
        return False
    return True


def save(selection: Selection, name: str, of: str, place: str) -> None:
    """Keep a selection of a dataset under a name."""
    attempt(lambda: save_subset(lab.workspace(), subset_of(selection, name, of)), place)


def _list(view: View, found: Known) -> None:
    st.caption("Look at the images of")
    many = len(found.subsets) > FEW
    with st.container(height=LIST_HEIGHT if many else "content", border=False, gap="xsmall"):
        for subset in found.subsets:
            selection = subset.selection(len(view.class_names))
            st.button(
                lab.plain(subset.name),
                key=f"look_at_subset_{subset.name}",
                type="primary" if selection == view.selection else "secondary",
                disabled=selection is None,
                width="stretch",
                on_click=link.show,
                args=(selection,),
            )


def _offer_saving(view: View, suggested: str) -> None:
    key = f"subset_name_{zlib.crc32(repr(view.selection).encode())}"  # suggested anew for others
    st.session_state.setdefault(key, suggested[:LONGEST_NAME])
    st.text_input("Save the selected images as", key=key, max_chars=LONGEST_NAME)
    st.button(
        "Save this subset",
        icon=icons.SAVE,
        key="save_subset",
        help="Which images they are is kept, without the networks: the view “Subsets” tells how "
        "any two do on them.",
        width="stretch",
        on_click=_save_named,
        args=(view.selection, key, dataset(view)),
    )


def _save_named(selection: Selection, key: str, of: str) -> None:
    save(selection, st.session_state[key], of, POPOVER)


def _begin_anew(place: str) -> None:
    def begin() -> None:
        if aside := set_aside(lab.workspace()):
            st.toast(f"The damaged file is kept as {lab.plain(str(aside))}.", icon=icons.DONE)

    attempt(begin, place)
