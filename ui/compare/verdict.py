"""Which network is better, in a sentence, and the figures that it rests on."""

from __future__ import annotations

import streamlit as st

from core.analysis.comparison import Comparison, verdict
from core.glossary import meaning_of
from ui import lab, units
from ui.compare import summary
from ui.compare.view import LETTERS, View
from ui.plots.figures import FIGURE_WIDTH, Figure, figures

SIDE_BY_SIDE = 2 * FIGURE_WIDTH + 16
"""Pixels that two figures take beside each other."""


def show(view: View) -> None:
    """The sentence, both accuracies with their difference and its significance, a table of more."""
    _sentence(view.comparison, "###")
    with st.container(horizontal=True):
        with st.container(width=SIDE_BY_SIDE, key="compare_figures"):
            _figures(view.comparison)
        with st.container(width="stretch", key=summary.KEY):
            summary.show(view)
    for side in view.sides:
        with lab.failures_as_sentences():
            caution = view.images.test_set.caution(side.run)
        if caution:
            st.warning(lab.plain(caution), icon=":material/school:")


def tell(c: Comparison) -> None:
    """The same of any two networks that were asked about the same images."""
    _sentence(c, "####")
    _figures(c)


def _sentence(c: Comparison, level: str) -> None:
    st.markdown(f"{level} {lab.plain(units.superscripts(verdict(c)))}")


def _figures(c: Comparison) -> None:
    figures(
        *(
            Figure(
                f"{letter} · {lab.plain(side.name)}",
                units.percent(side.accuracy),
                _ACCURACY,
                units.interval(side.interval, units.percent),
            )
            for letter, side in zip(LETTERS, c.sides, strict=True)
        ),
        Figure(
            "A minus B",
            units.points(c.difference),
            _DIFFERENCE,
            units.interval(c.difference_interval, units.points),
        ),
        Figure(
            "McNemar p",
            units.p_value(c.mcnemar_p),
            _MCNEMAR,
            "unlikely by chance" if c.better else "may well be chance",
        ),
    )


_ACCURACY = (
    f"{meaning_of('accuracy')} Below it the Wilson interval: {meaning_of('Wilson interval')}"
)
_DIFFERENCE = (
    "Difference of the two accuracies in percentage points, with its 95 % interval by the paired "
    f"bootstrap: {meaning_of('bootstrap')}"
)
_MCNEMAR = meaning_of("McNemar's test") + " The exact form of the test."
