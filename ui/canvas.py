"""A square to draw on with mouse, pen or finger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

if TYPE_CHECKING:
    from streamlit_drawable_canvas import CanvasResult

SIDE = 280
STROKE = 20
"""Width of a stroke; scaled to MNIST's 28 pixels it is as wide as the pen strokes there."""


@dataclass
class _Drawing:
    """What a person has drawn, kept in the session while they visit other pages."""

    version: int = 0
    begin_with: dict[str, Any] | None = None
    strokes: dict[str, Any] | None = None
    ink: NDArray[np.uint8] | None = None


def draw(key: str) -> NDArray[np.uint8] | None:
    """Show the canvas and return its ink (280, 280), 0 for none and 255 for full, or None if empty.

    Reruns after each stroke. The drawing is still there after a visit to another page.
    """
    from streamlit_drawable_canvas import st_canvas  # fails where no server runs

    drawing: _Drawing = st.session_state.setdefault(f"_{key}_drawing", _Drawing())
    # Above the canvas, because its toolbar floats there, at the right, while the pointer is on it.
    st.button(
        "Clear", key=f"{key}_clear", icon=":material/ink_eraser:", on_click=_clear, args=(key,)
    )
    canvas_key = f"{key}_{drawing.version}"
    if canvas_key not in st.session_state:
        drawing.begin_with = drawing.strokes
    result = st_canvas(
        stroke_width=STROKE,
        stroke_color="#ffffff",
        background_color="#000000",
        width=SIDE,
        height=SIDE,
        initial_drawing=drawing.begin_with,
        return_image_data=True,
        key=canvas_key,
    )
    _keep(drawing, result)
    return drawing.ink


def _keep(drawing: _Drawing, result: CanvasResult) -> None:
    """Take over what the canvas sent; a canvas just opened has sent no picture yet."""
    picture = result.image_data
    if picture is None:
        return
    drawing.strokes = result.json_data
    has_ink = bool(result.json_data and result.json_data["objects"])
    drawing.ink = np.ascontiguousarray(picture[..., 0]) if has_ink else None


def _clear(key: str) -> None:
    """Start over on a new canvas; an old one cannot be emptied from here."""
    version = st.session_state[f"_{key}_drawing"].version
    st.session_state[f"_{key}_drawing"] = _Drawing(version + 1)
