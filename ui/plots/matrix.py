"""Confusion matrices to click on: of A, of B, and A minus B, drawn by the browser."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import streamlit as st

from core.analysis.confusion import Classes, Confusions
from ui import confusions as told
from ui.frame.browser import nothing, packed
from ui.plots import headings, matrix_drawing, matrix_script

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

Unit = Literal["count", "share"]
Panel = Literal["a", "b", "difference"]
PANELS: tuple[Panel, ...] = ("a", "b", "difference")


class Cell(NamedTuple):
    """Images of one class taken for another, in one of the three matrices."""

    panel: Panel
    truth: int
    said: int


def matrices(
    confusions: Confusions,
    *,
    class_names: Sequence[str],
    shown: Classes,
    titles: tuple[str] | tuple[str, str],
    colors: tuple[str, str],
    unit: Unit,
    heading: headings.Heading,
    key: str,
    selected: Cell | None = None,
) -> Cell | None:
    """Show the matrices of A, of B, and A minus B; the cell that was just clicked, else None.

    shown: the classes to show, by number; shares stay shares of all images of a class. titles and
    colors: of A and B; with one title the matrix of A stands alone. `selected` is the cell that is
    marked.
    """
    head: dict[str, object] = {
        "names": [class_names[number] for number in shown],
        "titles": [*titles, "A minus B"] if len(titles) == 2 else titles,
        "colors": colors,
        "remarks": told.remarks(confusions, class_names),
        "unit": unit,
        "heading": heading,
    }
    numbers = _numbers(confusions, shown)
    tag = hashlib.sha256(json.dumps([head, shown.tolist()]).encode() + numbers).hexdigest()[:16]
    head |= {"tag": tag, "selected": _place(selected, shown)}
    result = _component()(data=packed(head, numbers), key=key, on_clicked_change=nothing)
    click = result.get("clicked")
    # A click on earlier matrices of the same key may arrive late.
    if not click or click[0] != tag:
        return None
    _, panel, row, column = click
    return Cell(PANELS[panel], int(shown[row]), int(shown[column]))


def _place(cell: Cell | None, shown: Classes) -> list[int] | None:
    """Panel, row and column of a cell among the classes shown."""
    if cell is None or not {cell.truth, cell.said} <= set(shown.tolist()):
        return None
    row, column = np.searchsorted(shown, [cell.truth, cell.said])
    return [PANELS.index(cell.panel), int(row), int(column)]


def _numbers(confusions: Confusions, shown: Classes) -> bytes:
    """What is drawn, as uint32, so that a thousand classes are a small message.

    First the images of each class; then the cells in which either network has images, by their
    place in the rows one after another; then A's images in those cells, then B's.
    """
    chosen = np.ix_(shown, shown)
    a, b = confusions.a[chosen].ravel(), confusions.b[chosen].ravel()
    cells = np.flatnonzero(a + b)
    return (
        np.concatenate([confusions.support[shown], cells, a[cells], b[cells]])
        .astype("<u4")
        .tobytes()
    )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_matrices",
        html=matrix_drawing.HTML,
        css=matrix_drawing.CSS + headings.CSS,
        js=matrix_script.JS,
    )
