"""Taking tags and notes along as a file, and bringing them in from one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.errors import TransferLabError
from core.image_tags import as_json
from core.tag_exchange import TakenIn, as_csv, of_split, read_exported, take_in
from ui import lab, theme
from ui.compare import said
from ui.compare.view import View

LARGEST = 20
"""MB of a file of tags."""
_KINDS = {"json": ("application/json", as_json), "csv": ("text/csv", as_csv)}
_TOLD, _UPLOADS = "tags_taken_in", "tag_uploads"


def show(view: View) -> None:
    """Buttons for both ways."""
    remarks = of_split(view.said.remarks, view.said.by_position, view.indices)
    name = f"{remarks.dataset}-tags"
    for ending, kind, written in (
        ("json", "application/json", as_json),
        ("csv", "text/csv", as_csv),
    ):
        st.download_button(
            ending.upper(),
            data=partial(written, remarks),
            file_name=f"{name}.{ending}",
            mime=kind,
            icon=":material/download:",
            key=f"download_tags_{ending}",
            help="Tags and notes of these test images. The file can be brought in again, here or "
            "in another workspace.",
            disabled=not remarks.images,
            on_click="ignore",
        )
    with st.popover("Bring in", icon=":material/upload:"):
        _bring_in(view)


def _bring_in(view: View) -> None:
    number = st.session_state.setdefault(_UPLOADS, 0)
    key = f"tags_{number}"
    st.file_uploader(
        "A JSON or CSV file of tags",
        type=["json", "csv"],
        key=key,
        max_upload_size=LARGEST,
        help="As downloaded here. Images are recognised by their pixels, or by their files in an "
        "image folder. Tags and notes are added to those that are there.",
        on_change=_take_in,
        args=(view, key),
    )


def _take_in(view: View, key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    st.session_state[_UPLOADS] += 1  # a new, empty place to upload to
    images = view.images
    try:
        known = said.places(images).keys
        done = take_in(lab.workspace(), said.dataset(images), read_exported(file.getvalue()), known)
        st.session_state[_TOLD] = "success", _words(done)
    except TransferLabError as error:
        st.session_state[_TOLD] = "error", lab.sentence(error)


def _words(done: TakenIn) -> str:
    count = theme.count
    told = f"{count(done.here)} of the file's images are among these test images"
    told += f"; of {count(done.already)} of them all of it had been said already."
    if done.elsewhere:
        told += (
            f" {count(done.elsewhere)} are not among them; what is said of those is kept for "
            "when they are."
        )
    return told


def told() -> None:
    """What became of the file that was brought in last, told once."""
    kind, words = st.session_state.pop(_TOLD, ("", ""))
    if kind == "success":
        st.success(words, icon=":material/label:")
    elif kind == "error":
        st.error(words, icon=":material/error:")
