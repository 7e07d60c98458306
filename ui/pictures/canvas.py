"""A board to draw on with mouse, pen or finger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.pictures.strokes import inked

if TYPE_CHECKING:
    from streamlit_drawable_canvas import CanvasResult

SIDE, WIDE = 280, 560
"""Pixels of the board's height, which is its width for one digit, and of its width for several."""
BRUSHES = {"Thin": 12, "Usual": 20, "Thick": 30}
"""Widths of a stroke. In a digit that fills the board as people draw, 200 pixels high, strokes of
the usual one are as wide as the median of MNIST's once they are scaled: 2.5 of 28 pixels."""

_CSS = """<style>
.st-key-{key}_board {{ container-type: inline-size; overflow: clip; }}
.st-key-{key}_board > * {{
  min-height: {height}px; zoom: min(1, tan(atan2(100cqw, {width}px)));
}}
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

    begin_with: the strokes that a new board shows.
    """

    version: int = 0
    begin_with: dict[str, Any] | None = None
    drawn: Drawn | None = None

    def undone(self, width: int) -> _Drawing:
        """The drawing on a new board without its last stroke."""
        strokes = self.drawn.strokes if self.drawn else {}
        *left, _ = strokes.get("objects") or [None]
        if not left:
            return _Drawing(self.version + 1)
        fewer = {**strokes, "objects": left}
        return _Drawing(self.version + 1, fewer, Drawn(inked(left, SIDE, width), fewer))


def draw(key: str, width: int = SIDE) -> Drawn | None:
    """Show the board and return what is drawn on it, or None if it is empty.

    Reruns after each stroke. The drawing is still there after a visit to another page.
    """
    drawing: _Drawing = st.session_state.setdefault(_state(key), _Drawing())
    tools = st.container(horizontal=True, gap="xsmall", vertical_alignment="center")
    with tools:
        brush = _ask_brush(key)
    with st.container(key=f"{key}_board"):
        st.html(_CSS.format(key=key, width=width, height=SIDE))
        _keep(drawing, _board(f"{key}_{drawing.version}", drawing, brush, width))
    with tools:
        st.button(
            "Undo",
            key=f"{key}_undo",
            disabled=drawing.drawn is None,
            on_click=_undo,
            args=(key, width),
        )
        st.button("Clear", key=f"{key}_clear", on_click=_clear, args=(key,))
    return drawing.drawn


def show(key: str, width: int, strokes: list[dict[str, Any]]) -> None:
    """Have the board show these strokes, whatever is on it."""
    before: _Drawing = st.session_state.get(_state(key), _Drawing())
    drawn = Drawn(inked(strokes, SIDE, width), {"objects": strokes})
    st.session_state[_state(key)] = _Drawing(before.version + 1, None, drawn)


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
        drawing.begin_with = drawing.drawn.strokes if drawing.drawn else None
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
    if picture is None or told.json_data is None:
        return
    has_ink = bool(told.json_data["objects"])
    ink = np.ascontiguousarray(picture[..., 0])
    drawing.drawn = Drawn(ink, told.json_data) if has_ink else None


def _undo(key: str, width: int) -> None:
    st.session_state[_state(key)] = st.session_state[_state(key)].undone(width)


def _clear(key: str) -> None:
    """Start over on a new board; an old one cannot be emptied from here."""
    st.session_state[_state(key)] = _Drawing(st.session_state[_state(key)].version + 1)


def _state(key: str) -> str:
    return f"_{key}_drawing"
