"""The picture of Predict in the address, so that a link opens the same drawing or test image.

Networks stand in it by `networks`, the mode by `modes`, and how they are explained by `why`.
"""

from __future__ import annotations

import streamlit as st

from ui.frame import address
from ui.pictures import canvas, stroke_code
from ui.pictures.stroke_code import BrokenCode
from ui.predict import samples, taking
from ui.predict.taking import SOURCES, Taken

SOURCE, IMAGE, DRAWING = "source", "image", "drawing"
NAMES = (SOURCE, IMAGE, DRAWING)
"""Where the picture comes from; a test image, by its index; a drawing, as `stroke_code` packs it.
An upload or a photograph is in no link."""

_PAGE, _TOLD = "Predict", "_drawing_told"


def follow() -> None:
    """Take over what the address says, where somebody came by a link; what is not here is told."""
    says = address.read(NAMES)
    if not address.is_news(_PAGE, says) or (address.went_back() and taking.is_asked()):
        return
    take = {SOURCE: _take_source, IMAGE: _take_image, DRAWING: _take_drawing}
    unknown = [name for name, value in says.items() if not take[name](value)]
    address.remember(_PAGE, says)
    address.tell_of_unknown([f"{name}={says[name][:40]}" for name in unknown])


def write(taken: Taken | None) -> None:
    """Make the address say which picture is read; that a drawing is too long for it is told."""
    source = taking.chosen()
    says = {SOURCE: "" if source == next(iter(SOURCES)) else source}
    if taken is not None and taken.index is not None:
        says[IMAGE] = str(taken.index)
    if taken is not None and taken.strokes is not None:
        says[DRAWING] = stroke_code.packed(taken.strokes["objects"], wide=taken.several)
        st.session_state[_TOLD] = says[DRAWING]
        if not says[DRAWING]:
            st.caption(
                "The drawing is too long for a link: the address of this page opens it without."
            )
    address.put(_PAGE, says, NAMES)


def _take_source(name: str) -> bool:
    if name in SOURCES:
        taking.choose(name)
    return name in SOURCES


def _take_image(text: str) -> bool:
    index = address.whole_number(text)
    if index is not None:
        samples.ask_for(index)
    return index is not None


def _take_drawing(text: str) -> bool:
    if text == st.session_state.get(_TOLD):
        return True  # it is on the board, to the pixel
    try:
        strokes, wide = stroke_code.unpacked(text)
    except BrokenCode:
        return False
    taking.choose_board(several=wide)
    canvas.show(*taking.BOARDS[wide], strokes)
    return True
