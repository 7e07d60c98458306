"""The images that are looked at, page by page, and beside them the one that was clicked."""

from __future__ import annotations

import numpy as np
import streamlit as st

from core.analysis.selection import Group, Positions, Selection
from ui import units
from ui.compare import filters, link, one_image, spaces
from ui.compare.view import LETTERS, View
from ui.frame import icons
from ui.frame.empty import empty
from ui.pictures.gallery import Part, gallery
from ui.plots.headings import Heading

PER_PAGE = 200
HEIGHT = 760
SURE, CARDS = "What they said", "Top three of both"
RANKS = 3
_UNDER = {
    SURE: "Under each image: its true class, then what A and B took it for and how surely.",
    CARDS: "Under each image: its true class, then the three likeliest classes of A and of B.",
}
_USE = "Click one to see it in depth."


def show(view: View) -> None:
    """Filters, the gallery, and one image in depth."""
    st.subheader("Images", anchor="images", divider="gray")
    filters.show(view)
    spaces.tell_of_outline(view.selection, view.sides)
    if view.position is None:
        _nothing_left(view)
        return
    many, one = st.columns([3, 2], gap="large")
    with many:
        position = _page_of_images(view, view.position)
    with one:
        one_image.show(view, position)


def _page_of_images(view: View, position: int) -> int:
    """The page of thumbnails on which the image that is looked at stands, the first otherwise.

    Returns the position of the image to look at: the one that was just clicked, if any was.
    """
    positions = view.positions
    if len(positions) == 0:
        _nothing_left(view)
        return position
    place = _place(positions, position)
    pages = -(-len(positions) // PER_PAGE)
    near = one_image.place_before() if place is None else place
    page = min(near, len(positions) - 1) // PER_PAGE
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        kind = st.segmented_control(
            "Under each image",
            [SURE, CARDS],
            default=SURE,
            required=True,
            key="under_each",
            label_visibility="collapsed",
        )
    if pages > 1:
        st.session_state["gallery_page"] = page + 1
        st.pagination(pages, key="gallery_page", on_change=_turn_page, args=(view,))
    shown = positions[page * PER_PAGE : (page + 1) * PER_PAGE]
    captions = _cards(view, shown) if kind == CARDS else _captions(view, shown)
    with st.container(height=HEIGHT, border=False):
        clicked = gallery(
            view.pictures[shown],
            captions,
            key="compared",
            heading=_heading(view, page, kind),
            selected=None if place is None else place - page * PER_PAGE,
            marks=[", ".join(view.said.tags(position)) for position in shown.tolist()],
        )
    if clicked is None:
        return position
    link.look_at(int(view.indices[shown[clicked]]))
    return int(shown[clicked])


def _heading(view: View, page: int, kind: str) -> Heading:
    """Which images these are, and what stands under each."""
    count, first = len(view.positions), page * PER_PAGE
    group = filters.GROUPS[view.selection.group]
    part = (
        f", {units.count(first + 1)} to {units.count(min(first + PER_PAGE, count))}"
        if count > PER_PAGE
        else ""
    )
    narrowed = ", narrowed down" if view.selection.narrows else ""
    counted = f"{units.count(count)} image{'s'[: count != 1]}"
    return Heading(f"{group}{narrowed}: {counted}{part}", _UNDER[kind], _USE)


def _nothing_left(view: View) -> None:
    """Why the gallery is empty, and the way out."""
    chosen = view.selection
    if chosen.narrows:
        with empty(
            icons.NO_FILTER,
            "No image is left.",
            "All are left out by what the images are narrowed to. Take some of it away.",
            key="narrowed",
        ):
            only = Selection(group=chosen.group)
            st.button("Clear all filters", on_click=link.show, args=(only,))
        return
    with empty(
        icons.PICTURES,
        _EMPTY[chosen.group].format(units.count(len(view.images))),
        "Show other images above, or all of them.",
        key="group",
    ):
        st.button("Show all images", on_click=link.show, args=(Selection(group="all"),))


_EMPTY: dict[Group, str] = {
    "disagreements": "There is no image that they take for different classes, of {} in all.",
    "only_a_right": "There is no image that only A gets right.",
    "only_b_right": "There is no image that only B gets right.",
    "both_wrong": "There is no image that both get wrong.",
    "both_right": "There is no image that both get right.",
    "all": "There is no image.",
}


def _place(positions: Positions, position: int) -> int | None:
    found = np.flatnonzero(positions == position)
    return int(found[0]) if len(found) else None


def _turn_page(view: View) -> None:
    first = view.positions[(st.session_state["gallery_page"] - 1) * PER_PAGE]
    link.look_at(int(view.indices[first]))


def _captions(view: View, positions: Positions) -> list[list[Part]]:
    """Under each picture: the true class, then what each network took it for and how surely."""
    names, images = view.class_names, view.images
    captions = [[Part(f"true {names[truth]}", "muted")] for truth in images.truth[positions]]
    for letter, judged in zip(LETTERS, (images.a, images.b), strict=True):
        for caption, position in zip(captions, positions, strict=True):
            sure = units.percent(float(judged.confidence[position]), digits=0)
            said = f"{letter}: {names[judged.said[position]]} {sure}"
            caption.append(Part(said, "good" if judged.right[position] else "bad"))
    return captions


def _cards(view: View, positions: Positions) -> list[list[Part]]:
    """Under each picture: the true class, then the three likeliest classes of both, with bars."""
    names = view.class_names
    truths = view.images.truth[positions]
    captions = [[Part(f"true {names[truth]}", "muted")] for truth in truths]
    for side in view.sides:
        color, probabilities = view.color(side), side.predictions.probabilities[positions]
        likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :RANKS]
        for caption, row, ranked, truth in zip(
            captions, probabilities, likeliest, truths, strict=True
        ):
            caption.extend(
                Part(names[number], "good" if number == truth else "", float(row[number]), color)
                for number in ranked
            )
    return captions
