"""The images of a dataset, page by page, and beside them the one that was clicked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.imported.dataset import Part
from ui import units
from ui.data import link, one_image, parts
from ui.data.shown import PART_NAMES, Shown
from ui.data.way import ORDERS, Way, way_through
from ui.pictures.gallery import LARGEST_SIDE, gallery
from ui.pictures.gallery import Part as Line

PER_PAGE = 120
HEIGHT = 660
ALL = -1
"""Stands for all classes where one is asked for."""


def show(shown: Shown) -> None:
    """Which images, a page of them, and one of them large."""
    part = parts.chosen(shown)
    labels = shown.labels(part)
    label = _wanted_class(labels)
    order = link.value("order") if link.value("order") in ORDERS else ""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        parts.ask(shown)
        _ask_class(shown, labels, label)
        _ask_order(order)
    way = way_through(labels, label, order)
    index = int(way.indices[way.place(link.number("image"))])
    many, one = st.columns([3, 2], gap="large")
    with many:
        index = _page(shown, part, labels, way, index)
    with one:
        one_image.show(shown, part, index, int(labels[index]), way)


def _wanted_class(labels: NDArray[np.int64]) -> int | None:
    wanted = link.number("class")
    return wanted if wanted in labels else None


def _ask_class(shown: Shown, labels: NDArray[np.int64], label: int | None) -> None:
    counts = np.bincount(labels[labels >= 0], minlength=len(shown.class_names))
    present = np.flatnonzero(counts).tolist()
    if not present:
        return

    def described(each: int) -> str:
        if each == ALL:
            return f"All {units.count(len(present))}" if len(present) > 1 else "All"
        return f"{shown.class_names[each]} ({units.count(int(counts[each]))})"

    def take() -> None:
        chosen = st.session_state["data_class"]
        link.keep({"class": "" if chosen == ALL else chosen, "image": ""})

    st.session_state["data_class"] = ALL if label is None else label
    st.selectbox(
        "Class",
        [ALL, *present],
        format_func=described,
        key="data_class",
        width=260,
        on_change=take,
    )


def _ask_order(order: str) -> None:
    st.session_state["data_order"] = order
    st.selectbox(
        "Order",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        key="data_order",
        width=150,
        on_change=lambda: link.keep({"order": st.session_state["data_order"], "image": ""}),
    )


def _page(shown: Shown, part: Part, labels: NDArray[np.int64], way: Way, index: int) -> int:
    """The page of thumbnails on which an image stands; the image that was just clicked, if any."""
    place = way.place(index)
    first = place - place % PER_PAGE
    indices = way.indices[first : first + PER_PAGE]
    _turn(way, index, place)
    with st.container(height=HEIGHT, border=False):
        clicked = gallery(
            _thumbnails(shown.identity, part, indices.tobytes(), shown),
            _captions(shown, labels, indices),
            key="data_gallery",
            label=f"{PART_NAMES[part]} images",
            selected=place - first,
            marks=[shown.remark(part, each) for each in indices.tolist()],
        )
    if clicked is None:
        return index
    link.keep({"image": int(indices[clicked])})
    return int(indices[clicked])


def _turn(way: Way, index: int, place: int) -> None:
    """How many images there are, the way to other pages, and to an image by its index."""
    pages = -(-len(way) // PER_PAGE)
    st.markdown(f"**{units.count(len(way))} image{'s'[: len(way) != 1]}**")
    if pages == 1:
        return

    def turned() -> None:
        first = (st.session_state["data_page"] - 1) * PER_PAGE
        link.keep({"image": int(way.indices[first])})

    def went() -> None:
        link.keep({"image": way.nearest(st.session_state["data_go_to"] or 0)})

    st.session_state["data_page"] = place // PER_PAGE + 1
    st.session_state["data_go_to"] = index
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.pagination(pages, key="data_page", on_change=turned)
        st.number_input(
            "Go to index",
            min_value=0,
            max_value=int(way.indices.max()),
            key="data_go_to",
            label_visibility="collapsed",
            icon=":material/tag:",
            width=150,
            help="Go to the image with this index in its part.",
            on_change=went,
        )


@st.cache_resource(max_entries=16, show_spinner=False)
def _thumbnails(identity: str, part: Part, indices: bytes, _shown: Shown) -> NDArray[np.uint8]:
    return _shown.small(part, np.frombuffer(indices, np.int64), LARGEST_SIDE)


def _captions(
    shown: Shown, labels: NDArray[np.int64], indices: NDArray[np.int64]
) -> list[Sequence[Line]]:
    return [
        (Line(shown.class_name(int(labels[index]))), Line(str(index), "muted"))
        for index in indices.tolist()
    ]
