"""How right networks are on pictures whose true class is known, and which classes they confuse."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import OUTCOMES, Comparison, Side, compare_sides
from core.analysis.confusion import Classes, Confusions
from core.glossary import meaning_of
from core.predicting.joint_readings import JointReadings
from ui import confusions as told
from ui import lab, units
from ui.compare import verdict
from ui.compare.view import OUTCOME_NAMES
from ui.frame import icons
from ui.names import shortened
from ui.plots.dumbbells import Row, dumbbells
from ui.plots.figures import Figure, figures
from ui.plots.headings import Heading
from ui.plots.matrix import Cell, Panel, matrices
from ui.predict.networks import Network
from ui.runs import run_view

FEW_CLASSES = 20
"""Classes whose names and numbers a matrix has room for."""
FEW_PAIRS, MOST_PAIRS = 10, 50
NAME = 32
Joint = JointReadings[Network]


def show(joint: Joint, number: int, table: bool) -> None:
    """Accuracy of each network, two side by side, and their confusions, where labels are known.

    number: of the request, so that one upload's clicks say nothing of another's. table: whether
    it was one of pixels.
    """
    labelled = len(joint.one.labelled)
    if not labelled:
        _agreement(joint)
        st.caption(_HOW_TO_SCORE_TABLES if table else _HOW_TO_SCORE)
        return
    if labelled < len(joint.places):
        st.caption(
            f"Scored on the {units.count(labelled)} of {units.count(len(joint.places))} pictures "
            "whose true class is known."
        )
    networks = list(joint.of_each)
    if len(networks) != 2:
        figures(*(_accuracy(joint, network) for network in networks))
    two = networks if len(networks) < 3 else _ask_two(networks)
    if len(two) == 2:
        _compared(joint, two)
    _confused(joint, two, number)


def chosen_cell(joint: Joint, number: int) -> NDArray[np.bool_] | None:
    """Which pictures are in the cell of a confusion matrix that was clicked, None without one."""
    cell: Cell | None = st.session_state.get(_cell_key(number))
    if cell is None:
        return None
    names = joint.one.class_names
    networks = _of_cell(joint, cell, number)
    by = " or ".join(shortened(network.name, NAME) for network in networks)
    text = f"{names[cell.truth]} taken for {names[cell.said]} by {by}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Only **{lab.plain(text)}**")
        st.button(
            "Show all",
            icon=icons.NO_FILTER,
            key=f"many_uncell_{number}",
            on_click=_forget_cell,
            args=(number,),
        )
    return joint.taken_for(cell.truth, cell.said, networks)


def _agreement(joint: Joint) -> None:
    """What can be told without labels: how often the networks take a picture for the same."""
    if len(joint.of_each) > 1:
        alike, count = int((~joint.disagree).sum()), len(joint.places)
        figures(
            Figure(
                "They agree",
                units.percent(alike / count),
                "Share of the pictures that all networks take for the same class.",
                f"on {units.count(alike)} of {units.count(count)}",
            )
        )


_HOW_TO_SCORE = (
    "To have the networks scored, put pictures into folders named by their class, or add a CSV "
    "with the columns *file* and *label*."
)
_HOW_TO_SCORE_TABLES = (
    "A table that has the column *label* before its pixels, as Kaggle's train.csv has, is also "
    "scored."
)


def _accuracy(joint: Joint, network: Network) -> Figure:
    found = joint.of_each[network].evaluation
    if found is None:
        return Figure(lab.plain(shortened(network.name, NAME)), units.MISSING)
    return Figure(
        lab.plain(shortened(network.name, NAME)),
        units.percent(found.accuracy),
        f"{meaning_of('accuracy')} Counted are the pictures of known class. Below it the Wilson "
        f"interval: {meaning_of('Wilson interval')}",
        units.interval(found.interval, units.percent),
    )


def _ask_two(networks: Sequence[Network]) -> list[Network]:
    """Which two to set side by side, of more."""
    with st.container(horizontal=True, gap="small"):
        places = [
            st.selectbox(
                letter,
                range(len(networks)),
                format_func=lambda place: networks[place].name,
                index=index,
                key=f"many_{letter}_{len(networks)}",
                width=260,
            )
            for index, letter in enumerate("AB")
        ]
    return [networks[place] for place in dict.fromkeys(places)]


# --- Two side by side ---------------------------------------------------------------------------


def _comparison(joint: Joint, two: Sequence[Network]) -> Comparison:
    a, b = (
        Side(network.run, network.epoch, joint.of_each[network].predictions(), network.name)
        for network in two
    )
    return compare_sides(a, b)


def _compared(joint: Joint, two: Sequence[Network]) -> None:
    """Which is better on these pictures, as Compare says it of test images."""
    comparison = _comparison(joint, two)
    verdict.tell(comparison)
    figures(
        *(
            Figure(
                OUTCOME_NAMES[outcome],
                units.count(comparison.counts[outcome]),
                remark=units.percent(comparison.counts[outcome] / comparison.total, digits=1),
            )
            for outcome in OUTCOMES
        )
    )
    a, b = two
    st.page_link(
        "pages/4_Compare.py",
        label="The same two on their test images, in Compare",
        icon=icons.COMPARE,
        query_params={
            "a": a.run.id,
            "b": b.run.id,
            "ea": str(a.epoch),
            "eb": str(b.epoch),
        },
    )


# --- Confusions ---------------------------------------------------------------------------------


def _confused(joint: Joint, two: Sequence[Network], number: int) -> None:
    """The matrices, and the pairs of classes confused most; a click narrows the pictures."""
    st.session_state[_networks_key(number)] = list(two)
    folded = st.expander(
        "Which classes are taken for which",
        icon=":material/grid_on:",
        expanded=True,
        key="many_confusion",
    )
    a, b = two[0], two[-1]
    confusions = Confusions(joint.of_each[a].confusion, joint.of_each[b].confusion)
    with folded:
        left, right = st.columns(2, gap="large") if len(two) == 1 else (st.container(),) * 2
        with left:
            _matrices(confusions, joint, two, number)
        with right:
            _pairs(confusions, joint, two, number)


def _matrices(confusions: Confusions, joint: Joint, two: Sequence[Network], number: int) -> None:
    names = [shortened(network.name, NAME) for network in two]
    clicked = matrices(
        confusions,
        class_names=joint.one.class_names,
        shown=_shown_classes(confusions),
        titles=(names[0],) if len(two) == 1 else _titles(two),
        colors=_colors(two),
        unit="count",
        heading=Heading(
            told.headline(confusions, joint.one.class_names, names),
            "A row holds the pictures of one true class, a column what they were taken for. "
            "Mistakes are coloured, what is right is grey.",
            "A click on a cell leaves only its pictures below.",
        ),
        key=f"many_matrices_{number}",
        selected=st.session_state.get(_cell_key(number)),
    )
    _take(clicked, number)


def _shown_classes(confusions: Confusions) -> Classes:
    """All classes, or of many those that are confused most."""
    if len(confusions.support) <= FEW_CLASSES:
        return np.arange(len(confusions.support))
    return confusions.confused_classes(FEW_CLASSES)


def _pairs(confusions: Confusions, joint: Joint, two: Sequence[Network], number: int) -> None:
    pairs = confusions.pairs("total", MOST_PAIRS)
    if not pairs:
        st.success("No mistake was made.", icon=icons.DONE)
        return
    names, alone = joint.one.class_names, len(two) == 1
    rows = [
        Row(
            (names[pair.truth], "taken for", names[pair.said]),
            pair.a,
            math.nan if alone else pair.b,
            units.count(pair.a),
            "" if alone else units.count(pair.b),
            told.pair_on_hover(pair, names, confusions, alone=alone),
        )
        for pair in pairs
    ]
    most = max(max(pair.a, pair.b) for pair in pairs)
    panel: Panel = "a" if alone else "difference"
    cells = [Cell(panel, pair.truth, pair.said) for pair in pairs]
    chosen = st.session_state.get(_cell_key(number))
    clicked = dumbbells(
        rows,
        scale=(0, most),
        ends=("0", units.count(most)),
        colors=_colors(two),
        heading=Heading(
            told.pair_headline(pairs[0], names, alone=alone, by_total=True),
            "Pictures of a class that were taken for another.",
            "A click on a row leaves only its pictures below.",
        ),
        legend=() if alone else _titles(two),
        few=FEW_PAIRS,
        key=f"many_pairs_{number}",
        selected=cells.index(chosen) if chosen in cells else None,
    )
    _take(None if clicked is None else cells[clicked], number)


def _titles(two: Sequence[Network]) -> tuple[str, str]:
    a, b = (
        f"{letter} · {shortened(network.name, NAME)}"
        for letter, network in zip("AB", two, strict=True)
    )
    return a, b


def _colors(two: Sequence[Network]) -> tuple[str, str]:
    a, b = run_view.colors_of([two[0].run, two[-1].run])
    return a, b


def _of_cell(joint: Joint, cell: Cell, number: int) -> list[Network]:
    """The networks whose answers a cell counts."""
    two: list[Network] = st.session_state.get(_networks_key(number)) or list(joint.of_each)[:1]
    return {"a": two[:1], "b": two[1:]}.get(cell.panel, two)


def _take(clicked: Cell | None, number: int) -> None:
    """Have only a cell's pictures shown."""
    if clicked is not None and clicked != st.session_state.get(_cell_key(number)):
        st.session_state[_cell_key(number)] = clicked
        st.session_state["many_shown"] = "all"
        st.rerun(scope="fragment")


def _forget_cell(number: int) -> None:
    st.session_state.pop(_cell_key(number), None)


def _cell_key(number: int) -> str:
    return f"_many_cell_{number}"


def _networks_key(number: int) -> str:
    return f"_many_two_{number}"
