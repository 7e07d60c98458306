"""Taking tags and notes along as a file, and bringing them in from one."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.data.image_tags import as_json
from core.data.tag_exchange import TakenIn, as_csv, of_split, read_exported, take_in
from core.errors import TransferLabError
from ui import lab, units
from ui.compare import said
from ui.compare.view import View
from ui.frame import icons

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
            icon=icons.DOWNLOAD,
            key=f"download_tags_{ending}",
            help="Tags and notes of these test images. The file can be brought in again, here or "
            "in another workspace.",
            disabled=not remarks.images,
            on_click="ignore",
        )
    number = st.session_state.setdefault(_UPLOADS, 0)
    with st.popover("Bring in", icon=icons.UPLOAD, key=f"bring_in_tags_{number}"):
        _bring_in(view, f"tags_{number}")


def _bring_in(view: View, key: str) -> None:
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
    st.session_state[_UPLOADS] += 1  # a new, empty place to upload to, and closed
    images = view.images
    try:
        known = said.places(images).keys
        done = take_in(lab.workspace(), said.dataset(images), read_exported(file.getvalue()), known)
        st.session_state[_TOLD] = "success", _words(done)
    except TransferLabError as error:
        st.session_state[_TOLD] = "error", lab.sentence(error)


def _words(done: TakenIn) -> str:
    count = units.count
    told = (
        f"Images of the file that are among these test images: {count(done.here)}. All of it had "
        f"been said of {count(done.already)} of them before."
    )
    if done.elsewhere:
        told += (
            f" What the file says of {count(done.elsewhere)} others is kept for when they are "
            "tested on."
        )
    return told


def told() -> None:
    """What became of the file that was brought in last, told once."""
    kind, words = st.session_state.pop(_TOLD, ("", ""))
    if kind == "success":
        st.success(words, icon=":material/label:")
    elif kind == "error":
        st.error(words, icon=icons.ERROR)
