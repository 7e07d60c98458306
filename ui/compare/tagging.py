"""Saying something of one image: tags by click or key, tags of one's own, and a note."""

from __future__ import annotations

import streamlit as st

from core.image_tags import NOTE_LENGTH, TAG_LENGTH
from ui import lab
from ui.compare import said
from ui.compare.said import Said
from ui.compare.view import View

NUMBERED = 9
"""Tags that have a key."""


def keys(said_of: Said) -> dict[str, str]:
    """The tag of each number key."""
    return {str(n): tag for n, tag in enumerate(said_of.remarks.tags[:NUMBERED], start=1)}


def show(view: View, position: int) -> None:
    """The tags and the note of one image, to be changed."""
    if view.said.damaged:
        damaged(view)
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        _pills(view, position)
        with st.popover("Own tag", icon=":material/new_label:"):
            _own(view, position)
    if refused := said.refused():
        st.warning(refused, icon=":material/label_off:")
    _note(view, position)


def damaged(view: View) -> None:
    """Why tags cannot be read, and the way out."""
    st.warning(lab.sentence(view.said.damaged), icon=":material/warning:")
    st.button(
        "Keep the file aside and begin anew",
        key="begin_tags_anew",
        on_click=said.begin_anew,
        args=(view.images,),
    )
    if refused := said.refused():
        st.warning(refused, icon=":material/label_off:")


def _pills(view: View, position: int) -> None:
    carried = view.said.tags(position)
    numbers = {tag: f"{key} · " for key, tag in keys(view.said).items()}
    st.session_state["image_tags"] = list(carried)
    st.pills(
        "Tags",
        view.said.remarks.tags,
        format_func=lambda tag: lab.plain(f"{numbers.get(tag, '')}{tag}"),
        selection_mode="multi",
        key="image_tags",
        label_visibility="collapsed",
        on_change=_take_tags,
        args=(view, position, carried),
    )


def _take_tags(view: View, position: int, carried: tuple[str, ...]) -> None:
    for tag in {*st.session_state["image_tags"]} ^ {*carried}:
        said.put_tag(view.images, position, tag, carried=tag not in carried)


def _own(view: View, position: int) -> None:
    st.text_input(
        "A tag of your own",
        key="own_tag",
        max_chars=TAG_LENGTH,
        placeholder="such as: cut off",
        help="It is put on this image, and from then on offered for every image of this dataset.",
        on_change=_take_own,
        args=(view, position),
    )


def _take_own(view: View, position: int) -> None:
    if tag := st.session_state["own_tag"].strip():
        said.put_tag(view.images, position, tag, carried=True)
    st.session_state["own_tag"] = ""


def _note(view: View, position: int) -> None:
    st.session_state["image_note"] = view.said.note(position)
    st.text_area(
        "Note",
        key="image_note",
        height=68,
        max_chars=NOTE_LENGTH,
        placeholder="A note on this image",
        label_visibility="collapsed",
        on_change=lambda: said.put_note(view.images, position, st.session_state["image_note"]),
    )
