"""Which classes the two networks take for which, and how well they know each class."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import streamlit as st

from core.analysis.comparison import Comparison
from core.analysis.confusion import (
    Classes,
    ClassOrder,
    Confusions,
    PairOrder,
    Scores,
    class_scores,
    ranked_classes,
)
from core.analysis.selection import Selection
from core.glossary import meaning_of
from ui import confusions as told
from ui import units
from ui.compare import link
from ui.compare.view import LETTERS, View
from ui.frame import icons
from ui.names import shortened
from ui.plots.dumbbells import Row, dumbbells
from ui.plots.headings import Heading
from ui.plots.matrix import Cell, Panel, Unit, matrices

FEW_CLASSES = 20
"""Classes whose names and numbers a matrix has room for."""
FEW_PAIRS, MOST_PAIRS = 12, 100
UNITS: dict[Unit, str] = {"count": "Counts", "share": "Row per cent"}
PAIR_ORDERS: dict[PairOrder, str] = {
    "total": "By both together",
    "difference": "By the difference",
}
CLASS_ORDERS: dict[ClassOrder, str] = {
    "difference": "Largest difference first",
    "worst": "Worst first",
    "class": "In their order",
}
Measure = Literal["f1", "recall", "precision"]
MEASURES: dict[Measure, str] = {"f1": "F1", "recall": "Recall", "precision": "Precision"}
_MEASURES_HELP = (
    f"Recall: {meaning_of('recall')} Precision: {meaning_of('precision')} F1: {meaning_of('F1')} A "
    "dash stands where there is nothing to compute it from: no image of the class, or none taken "
    "for it."
)
_IN_A_LINE: dict[Measure, str] = {
    "f1": "F1 joins the two others: it is high only where precision and recall are.",
    "recall": "Recall is the share of a class's images that are found.",
    "precision": "Precision is the share of what is called so that is so.",
}
_PARTS: dict[Panel, str] = {"a": "said_a", "b": "said_b", "difference": "said_either"}
"""What of a selection a click in each matrix narrows, beside the true class."""


def show(view: View) -> None:
    """The matrices, the pairs of classes confused most, and the scores of each class."""
    a, b = view.sides
    confusions = _confusions(a.version, b.version, view.comparison)
    _matrices(view, confusions)
    pairs, classes = st.columns(2, gap="large")
    with pairs:
        _pairs(view, confusions)
    with classes:
        _classes(view, confusions)


@st.cache_resource(max_entries=8, show_spinner=False)
def _confusions(
    a: tuple[object, ...], b: tuple[object, ...], _comparison: Comparison
) -> Confusions:
    return Confusions.of(_comparison)


def _matrices(view: View, confusions: Confusions) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        unit = st.segmented_control(
            "Cells show",
            list(UNITS),
            format_func=UNITS.__getitem__,
            default="count",
            required=True,
            key="confusion_unit",
            help="Row per cent: of the images of a true class, the share taken for each.",
        )
        shown = _shown_classes(confusions)
    clicked = matrices(
        confusions,
        class_names=view.class_names,
        shown=shown,
        titles=_titles(view),
        colors=_colors(view),
        unit=unit,
        heading=Heading(
            told.headline(confusions, view.class_names, [side.name for side in view.sides]),
            "A row holds the images of one true class, a column what they were taken for. Mistakes "
            "are coloured, the more of them the stronger; what is right is grey.",
            "Click a cell to have its images in the gallery below; a cell of A minus B has those "
            "of either network.",
        ),
        key="confusion_matrices",
        selected=_selected_cell(view.selection),
    )
    if clicked is not None:
        said = {_PARTS[clicked.panel]: (clicked.said,)}
        _show(Selection.model_validate({"group": "all", "truths": (clicked.truth,)} | said))


def _shown_classes(confusions: Confusions) -> Classes:
    """The classes that the matrices show: all, or of many those that are confused most."""
    classes = len(confusions.support)
    if classes <= FEW_CLASSES:
        return np.arange(classes)
    sizes = [size for size in (FEW_CLASSES, 50) if size < classes]
    most = st.segmented_control(
        "Classes confused most",
        [*sizes, classes],
        format_func=lambda size: f"All {classes:,}" if size == classes else str(size),
        default=FEW_CLASSES,
        required=True,
        key=f"confusion_classes_{classes}",
    )
    return confusions.confused_classes(most)


def _selected_cell(chosen: Selection) -> Cell | None:
    """The cell whose images the gallery shows, if it shows those of one."""
    for panel, part in _PARTS.items():
        said = getattr(chosen, part)
        if len(chosen.truths) == len(said) == 1:
            return Cell(panel, chosen.truths[0], said[0])
    return None


def _pairs(view: View, confusions: Confusions) -> None:
    """The pairs of classes that are confused most, as sentences; a click shows the images."""
    order = st.segmented_control(
        "Pairs of classes confused most",
        list(PAIR_ORDERS),
        format_func=PAIR_ORDERS.__getitem__,
        default="total",
        required=True,
        key="confusion_pair_order",
    )
    pairs = confusions.pairs(order, MOST_PAIRS)
    if not pairs:
        st.success("Neither network makes a mistake.", icon=icons.DONE)
        return
    names = view.class_names
    rows = [
        Row(
            (names[pair.truth], "taken for", names[pair.said]),
            pair.a,
            pair.b,
            units.count(pair.a),
            units.count(pair.b),
            told.pair_on_hover(pair, names, confusions),
        )
        for pair in pairs
    ]
    most = max(max(pair.a, pair.b) for pair in pairs)
    chosen = _selected_cell(view.selection)
    both = [("difference", pair.truth, pair.said) for pair in pairs]
    clicked = dumbbells(
        rows,
        scale=(0, most),
        ends=("0", units.count(most)),
        colors=_colors(view),
        heading=Heading(
            told.pair_headline(pairs[0], names, alone=False, by_total=order == "total"),
            "Images of a class that were taken for another, counted for each network.",
            "Click a row to see them.",
        ),
        legend=_titles(view),
        few=FEW_PAIRS,
        key="confusion_pairs",
        selected=both.index(chosen) if chosen in both else None,
    )
    if clicked is not None:
        pair = pairs[clicked]
        _show(Selection(group="all", truths=(pair.truth,), said_either=(pair.said,)))


def _classes(view: View, confusions: Confusions) -> None:
    """How well both know each class; a click shows its images."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        measure: Measure = st.segmented_control(
            "Class by class",
            list(MEASURES),
            format_func=MEASURES.__getitem__,
            default="f1",
            required=True,
            key="confusion_measure",
            help=_MEASURES_HELP,
        )
        order = st.selectbox(
            "Order of classes",
            list(CLASS_ORDERS),
            format_func=CLASS_ORDERS.__getitem__,
            key="confusion_class_order",
            width=200,
        )
    names = view.class_names
    a, b = (getattr(class_scores(matrix), measure) for matrix in (confusions.a, confusions.b))
    ranked = ranked_classes(a, b, order).tolist()
    low = _lowest(a, b)
    clicked = dumbbells(
        [
            Row(
                (names[number],),
                float(a[number]),
                float(b[number]),
                units.percent(float(a[number]), digits=1),
                units.percent(float(b[number]), digits=1),
            )
            for number in ranked
        ],
        scale=(low, 1.0),
        ends=(units.percent(low, digits=0), "100 %"),
        colors=_colors(view),
        heading=Heading(
            _class_headline(view, a, b, MEASURES[measure]),
            _IN_A_LINE[measure],
            "Click a row to see the images of its class.",
        ),
        legend=_titles(view),
        few=FEW_CLASSES,
        key="confusion_class_scores",
        selected=_selected_row(view.selection, ranked),
    )
    if clicked is not None:
        _show(Selection(group="all", truths=(ranked[clicked],)))


def _class_headline(view: View, a: Scores, b: Scores, measure: str) -> str:
    """Of the class that the networks know most differently well."""
    apart = np.abs(a - b)
    if np.isnan(apart).all() or not np.nanmax(apart):
        return f"{measure} of every class is the same for both"
    most = int(np.nanargmax(apart))
    name = shortened(view.class_names[most], told.LONGEST_NAME)
    scores = " against ".join(units.percent(float(each[most]), digits=1) for each in (a, b))
    return f"{measure} differs most for {name}: {scores}"


def _selected_row(chosen: Selection, ranked: list[int]) -> int | None:
    """The row of the class whose images, and no others, the gallery shows."""
    alone = len(chosen.truths) == 1 and chosen == Selection(
        group="all", truths=chosen.truths, order=chosen.order, turned=chosen.turned
    )
    return ranked.index(chosen.truths[0]) if alone else None


def _lowest(a: Scores, b: Scores) -> float:
    """Where the scale of scores begins: a multiple of 10 %, so that scores fill it."""
    there = np.concatenate([a, b])
    there = there[~np.isnan(there)]
    return min(0.9, math.floor(10 * there.min()) / 10) if len(there) else 0.0


def _titles(view: View) -> tuple[str, str]:
    a, b = (f"{letter} · {side.name}" for letter, side in zip(LETTERS, view.sides, strict=True))
    return a, b


def _colors(view: View) -> tuple[str, str]:
    a, b = map(view.color, view.sides)
    return a, b


def _show(chosen: Selection) -> None:
    """Have the gallery show other images, and draw the page anew from its top."""
    if chosen != link.selection():
        link.show(chosen)
        st.rerun()
