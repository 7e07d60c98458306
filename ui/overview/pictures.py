"""The pictures that show the answer: which only one network reads, and which neither does."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Comparison, Outcome
from core.analysis.images import Images
from core.analysis.selection import Selection, select
from core.analysis.telling import data_url
from core.data.datasets import Split
from core.errors import TransferLabError
from ui import lab, units
from ui.compare import said
from ui.compare.test_sets import Compared
from ui.overview import outcomes
from ui.overview.linked import dot, link_to, linked
from ui.overview.outcomes import address, title
from ui.runs import run_view
from ui.theme import Look

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

SHOWN: tuple[Outcome, ...] = ("only_a_right", "only_b_right", "both_wrong")
MOST = 8
"""Pictures of an outcome; as many as fit beside each other are seen."""
SHARP = 64
"""Pixels of the longer side up to which a picture is enlarged as sharp squares."""


def reserve() -> DeltaGenerator:
    """Keep as much room as the pictures take; returns where to show them."""
    with st.container(key="overview_pictures"):
        place = st.empty()
    with place:
        linked('<p class="quiet">The pictures that show it come here …</p>')
    return place


def show(images: Compared) -> None:
    """A row of pictures for each outcome but both right, the surest answers first."""
    try:
        content = _groups(_version(images), images, said.tested(images))
    except TransferLabError as error:
        st.info(
            f"The pictures cannot be shown: {lab.sentence(error)}", icon=":material/broken_image:"
        )
        return
    linked(content)


def _version(images: Compared) -> tuple[object, ...]:
    c = images.comparison
    return (*c.a.version, *c.b.version, c.a.name, c.b.name, _colors(c))


def _colors(c: Comparison) -> tuple[str, ...]:
    return run_view.colors_of([side.run for side in c.sides])


@st.cache_data(max_entries=16, show_spinner=False)
def _groups(version: tuple[object, ...], _images: Compared, _tested: Split) -> str:
    groups = (_group(_images, outcome, _tested.images) for outcome in SHOWN)
    return f'<div class="groups">{"".join(groups)}</div>'


def _group(images: Images, outcome: Outcome, pixels: NDArray[np.uint8]) -> str:
    c = images.comparison
    positions = select(Selection(group=outcome), images)[:MOST].tolist()
    count = c.counts[outcome]
    named = f'<span class="name">{html.escape(title(c, outcome))}</span>'
    square = dot(Look(outcomes.color(c, outcome)))
    every = f"See all {units.count(count)}"
    link = link_to("Compare", address(c, outcome), every) if count else ""
    tiles = "".join(_tile(images, outcome, position, pixels[position]) for position in positions)
    return f'<div class="group"><p class="title">{square}{named}{link}</p>{_row(tiles)}</div>'


def _row(tiles: str) -> str:
    return f'<div class="tiles">{tiles}</div>' if tiles else '<p class="quiet">No image at all.</p>'


def _tile(images: Images, outcome: Outcome, position: int, pixels: NDArray[np.uint8]) -> str:
    """One picture with its true class and what each network took it for; leads to it."""
    c = images.comparison
    index = str(c.a.predictions.indices[position])
    truth = c.class_names[images.truth[position]]
    answers = [
        (side.name, color, c.class_names[judged.said[position]])
        for side, color, judged in zip(c.sides, _colors(c), (images.a, images.b), strict=True)
    ]
    told = ", ".join(f"{name} took it for {answer}" for name, _, answer in answers)
    about = f"Test image {index}: true {truth}; {told}"
    sharp = ' class="sharp"' if max(pixels.shape[:2]) <= SHARP else ""
    content = (
        f'<span class="frame"><img src="{data_url(pixels)}" alt="{html.escape(about)}"{sharp}>'
        "</span>"
        f'<span class="said"><span class="name">true {html.escape(truth)}</span></span>'
        + "".join(_said(of, answer, answer == truth) for _, of, answer in answers)
    )
    place = address(c, outcome) | {"image": index}
    return link_to("Compare", place, content, about=about, looks='class="tile"')


def _said(of: str, answer: str, right: bool) -> str:
    mark = '<span class="mark right">✓</span>' if right else '<span class="mark wrong">✗</span>'
    named = f'<span class="name">{html.escape(answer)}</span>'
    return f'<span class="said">{dot(Look(of))}{named}{mark}</span>'
