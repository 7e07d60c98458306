"""Saying something of one image: tags by click or key, tags of one's own, and a note."""

from __future__ import annotations

import zlib

import streamlit as st

from core.data.image_tags import NOTE_LENGTH, TAG_LENGTH
from ui import lab
from ui.compare import said
from ui.compare.said import Said
from ui.compare.view import View
from ui.frame import icons
from ui.frame.shortcuts import TAGS


def keys(said_of: Said) -> dict[str, str]:
    """The tag of each number key."""
    return dict(zip(TAGS, said_of.remarks.tags, strict=False))


def show(view: View, position: int) -> None:
    """The tags and the note of one image, to be changed."""
    if view.said.damaged:
        damaged(view, "one_image")
        return
    refused = said.refused()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall"):
        _tags(view, position)
        with st.popover("Own tag", icon=":material/new_label:"):
            _own(view, position)
            if refused:
                st.caption(refused)  # the popover may lie over what stands below
    if refused:
        st.warning(refused, icon=":material/label_off:")
    _note(view, position)


def damaged(view: View, place: str) -> None:
    """Why tags cannot be read, and the way out; `place` tells the places of the page apart."""
    st.warning(lab.sentence(view.said.damaged), icon=icons.WARNING)
    st.button(
        "Keep the file aside and begin anew",
        key=f"begin_tags_anew_{place}",
        on_click=said.begin_anew,
        args=(view.images,),
    )
    if refused := said.refused():
        st.warning(refused, icon=":material/label_off:")


def _tags(view: View, position: int) -> None:
    """A button for each tag, as a click never is about another image than the one it was made on.

    A widget that holds a value would be: while keys go through images quickly, the browser sends
    what it held for the image before.
    """
    carried = view.said.tags(position)
    numbers = {tag: f"{key} · " for key, tag in keys(view.said).items()}
    for tag in view.said.remarks.tags:
        st.button(
            lab.plain(f"{numbers.get(tag, '')}{tag}"),
            key=f"tag_{tag}",
            type="primary" if tag in carried else "secondary",
            help="Take this tag off the image." if tag in carried else "Put this tag on the image.",
            on_click=said.put_tag,
            args=(view.images, position, tag),
            kwargs={"carried": tag not in carried},
        )


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
    note = view.said.note(position)
    key = f"note_{position}_{zlib.crc32(note.encode())}"  # of its own for what `_tags` tells
    st.session_state.setdefault(key, note)
    st.text_area(
        "Note",
        key=key,
        height=68,
        max_chars=NOTE_LENGTH,
        placeholder="A note on this image",
        label_visibility="collapsed",
        on_change=_take_note,
        args=(view, position, key, note),
    )


def _take_note(view: View, position: int, key: str, before: str) -> None:
    if (note := st.session_state[key].strip()) != before:
        said.put_note(view.images, position, note, before)
