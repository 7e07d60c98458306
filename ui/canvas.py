"""A board to draw on with mouse, pen or finger."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

if TYPE_CHECKING:
    from streamlit_drawable_canvas import CanvasResult

SIDE, WIDE = 280, 560
"""Pixels of the board's height, which is its width for one digit, and of its width for several."""
BRUSHES = {"Thin": 12, "Usual": 20, "Thick": 30}
"""Widths of a stroke. In a digit that fills the board as people draw, 200 pixels high, strokes of
the usual one are as wide as the median of MNIST's once they are scaled: 2.5 of 28 pixels."""

_CSS = """<style>
.st-key-{key}_board {{ container-type: inline-size; overflow: hidden; }}
.st-key-{key}_board > * {{ zoom: min(1, tan(atan2(100cqw, {width}px))); }}
</style>"""
"""The board shrinks with its place, as on a telephone. What it shows above itself while a pointer
is on it, a second undo and clear, is cut off."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A drawing: its ink (280, width), 0 for none and 255 for full, and the strokes as JSON."""

    ink: NDArray[np.uint8]
    strokes: dict[str, Any]


@dataclass
class _Drawing:
    """What a person has drawn, kept in the session while they visit other pages.

    begin_with: the strokes that a new board shows. inks: what was drawn each time the board told,
    by the number of strokes then, the newest last.
    """

    version: int = 0
    begin_with: dict[str, Any] | None = None
    strokes: dict[str, Any] = field(default_factory=dict)
    inks: dict[int, NDArray[np.uint8]] = field(default_factory=dict)

    @property
    def drawn(self) -> Drawn | None:
        return Drawn(list(self.inks.values())[-1], self.strokes) if self.inks else None

    def keep(self, strokes: dict[str, Any], ink: NDArray[np.uint8]) -> None:
        """Take over what the board told."""
        count = len(strokes["objects"])
        self.strokes = strokes
        self.inks = {before: was for before, was in self.inks.items() if before < count}
        if count:
            self.inks[count] = ink

    def undone(self) -> _Drawing:
        """The drawing on a new board without what was added last."""
        inks = dict(list(self.inks.items())[:-1])
        left = self.strokes.get("objects", [])[: max(inks, default=0)]
        strokes = {**self.strokes, "objects": left}
        return _Drawing(self.version + 1, strokes, strokes, inks)


def draw(key: str, width: int = SIDE) -> Drawn | None:
    """Show the board and return what is drawn on it, or None if it is empty.

    Reruns after each stroke. The drawing is still there after a visit to another page.
    """
    drawing: _Drawing = st.session_state.setdefault(_state(key), _Drawing())
    tools = st.container(horizontal=True, gap="xsmall", vertical_alignment="center")
    with tools:
        brush = _ask_brush(key)
    with st.container(key=f"{key}_board"):
        st.html(_CSS.format(key=key, width=width))
        _keep(drawing, _board(f"{key}_{drawing.version}", drawing, brush, width))
    with tools:
        st.button(
            "Undo",
            key=f"{key}_undo",
            disabled=not drawing.inks,
            on_click=_undo,
            args=(key,),
        )
        st.button("Clear", key=f"{key}_clear", on_click=_clear, args=(key,))
    return drawing.drawn


def _ask_brush(key: str) -> int:
    brush = st.segmented_control(
        "Brush",
        list(BRUSHES),
        default="Usual",
        required=True,
        key=f"{key}_brush",
        label_visibility="collapsed",
    )
    return BRUSHES[brush]


def _board(key: str, drawing: _Drawing, brush: int, width: int) -> CanvasResult:
    from streamlit_drawable_canvas import st_canvas  # fails where no server runs

    if key not in st.session_state:
        drawing.begin_with = drawing.strokes or None
    return st_canvas(
        stroke_width=brush,
        stroke_color="#ffffff",
        background_color="#000000",
        width=width,
        height=SIDE,
        initial_drawing=drawing.begin_with,
        return_image_data=True,
        key=key,
    )


def _keep(drawing: _Drawing, told: CanvasResult) -> None:
    """Take over what the board told; one just opened has told of no picture yet."""
    picture = told.image_data
    if picture is not None and told.json_data is not None:
        drawing.keep(told.json_data, np.ascontiguousarray(picture[..., 0]))


def _undo(key: str) -> None:
    st.session_state[_state(key)] = st.session_state[_state(key)].undone()


def _clear(key: str) -> None:
    """Start over on a new board; an old one cannot be emptied from here."""
    st.session_state[_state(key)] = _Drawing(st.session_state[_state(key)].version + 1)


def _state(key: str) -> str:
    return f"_{key}_drawing"
