"""A table of figures: both networks beside each other, and which one each figure speaks for."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from core.analysis.comparison import Comparison, Side
from core.analysis.confusion import Confusions
from core.analysis.images import Judgement
from core.analysis.summary import Figure, Standing, summary
from core.glossary import meaning_of
from ui import units
from ui.compare.view import LETTERS, View
from ui.plots.saving import buttons
from ui.runs import run_view

KEY = "summary"
"""Of the container that it stands in; beside something else where it has room there."""
_STYLE = (
    f"<style>.st-key-{KEY} {{ min-width: 17rem; }}"
    + """
.tl-summed > .tl-saving { top: .3rem; right: auto; left: 0; }
.tl-summary { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums;
  font-size: .9rem; }
.tl-summary th, .tl-summary td { padding: .36rem .3rem; text-align: right; white-space: nowrap;
  border: 0; border-bottom: 1px solid rgba(138, 148, 166, .3); }
.tl-summary th { font-weight: 600; }
.tl-summary tbody th { font-weight: 400; text-align: left; }
.tl-summary .better { font-weight: 650; }
.tl-summary i { display: inline-block; width: .7rem; height: .7rem; border-radius: 2px;
  margin-right: .35rem; }
.tl-summary tr:last-child > * { border-bottom: 0; }
</style>
"""
)


@dataclass(frozen=True)
class Written:
    """What a figure is called, what it means, and how it and its difference are written."""

    title: str
    meaning: str
    figure: Callable[[float], str]
    difference: Callable[[float], str]


def _signed(number: float) -> str:
    return units.MISSING if number != number else f"{number:+.4f}".replace("-", "−")


def _points(share: float) -> str:
    return units.MISSING if share != share else units.points(share)


_MACRO = "Mean over the classes, each of which counts alike."
WRITTEN: dict[Figure, Written] = {
    "precision": Written(
        "Precision", f"{meaning_of('precision')} {_MACRO}", units.percent, _points
    ),
    "recall": Written("Recall", f"{meaning_of('recall')} {_MACRO}", units.percent, _points),
    "f1": Written("F1", f"{meaning_of('F1')} {_MACRO}", units.percent, _points),
    "confidence": Written(
        "Confidence", f"{meaning_of('confidence')} Mean over the images.", units.percent, _points
    ),
    "ece": Written("ECE", meaning_of("ECE"), units.percent, _points),
    "loss": Written("Loss", f"{meaning_of('loss')} In nats.", units.figure, _signed),
}


def show(view: View) -> None:
    """The table of the two networks that are compared."""
    a, b = view.sides
    standings = _standings(a.version, b.version, view.comparison)
    colors = (view.color(a), view.color(b))
    heads = "".join(
        f'<th scope="col" title="{html.escape(side.name)}">{_square(color)}{letter}</th>'
        for letter, side, color in zip(LETTERS, view.sides, colors, strict=True)
    )
    rows = "".join(_row(standing, colors) for standing in standings)
    st.html(
        f'{_STYLE}<div class="tl-saved tl-summed">'
        '<table class="tl-summary" aria-label="Figures of both networks"><thead><tr>'
        f'<td></td>{heads}<th scope="col">A minus B</th></tr></thead><tbody>{rows}</tbody></table>'
        f"{buttons(f'{a.name} (A) and {b.name} (B)', 'png', 'svg')}</div>"
    )
    st.caption(f"{_HOW_TO_READ}{_elsewhere(b, colors[1])}")


_HOW_TO_READ = "In bold what is better. The square beside a difference is the network ahead."


def _elsewhere(b: Side, color: str) -> str:
    """Says why B is not drawn as on other pages, where that is so."""
    if color == run_view.color_of(b.run):
        return ""
    return " Both runs share a colour, so B has another on this page."


def _row(standing: Standing, colors: tuple[str, str]) -> str:
    written, better = WRITTEN[standing.figure], standing.better
    cells = "".join(
        f'<td class="{"better" if side == better else ""}">{written.figure(number)}</td>'
        for side, number in enumerate((standing.a, standing.b))
    )
    ahead = "" if better is None else _square(colors[better])
    return (
        f'<tr title="{html.escape(written.meaning)}"><th scope="row">{written.title}</th>{cells}'
        f"<td>{ahead}{written.difference(standing.difference)}</td></tr>"
    )


def _square(color: str) -> str:
    return f'<i style="background:{color}"></i>'


@st.cache_resource(max_entries=8, show_spinner=False)
def _standings(
    a: tuple[object, ...], b: tuple[object, ...], _comparison: Comparison
) -> list[Standing]:
    first, second = (Judgement(side.predictions) for side in _comparison.sides)
    return summary(first, second, Confusions.of(_comparison))
