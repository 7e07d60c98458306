"""How often both networks, only one or neither is right, in colours that Compare has too."""

from __future__ import annotations

import html
from collections.abc import Mapping

from core.analysis.comparison import Comparison, Outcome
from ui import theme, units
from ui.overview.linked import dot, link_to
from ui.plots.saving import buttons
from ui.runs import run_view

TITLES: Mapping[Outcome, str] = {
    "both_right": "Both right",
    "only_a_right": "Only {a} right",
    "only_b_right": "Only {b} right",
    "both_wrong": "Both wrong",
}


TITLE = "Right and wrong, image by image"


def outcomes(c: Comparison) -> str:
    """How many images have each outcome: of all, then larger of those that anyone gets wrong."""
    counted = {outcome: count for outcome, count in c.counts.items() if count}
    differing: dict[Outcome, int] = {
        outcome: n for outcome, n in counted.items() if outcome != "both_right"
    }
    whole = _bar(c, counted)
    magnified = ""
    if differing and len(counted) > len(differing):
        edge = 100 * c.counts["both_right"] / c.total
        magnified = f'<div class="magnified" style="--from:{edge:.2f}%"></div>' + _bar(
            c, differing, large=True
        )
    legend = "".join(_entry(c, outcome, count) for outcome, count in c.counts.items())
    saved = buttons(f"{c.a.name} and {c.b.name}", "png", "svg")
    return (
        f'<div class="outcomes"><p class="title">{TITLE}</p>{saved}'
        f'{whole}{magnified}<div class="legend">{legend}</div></div>'
    )


def _bar(c: Comparison, counted: Mapping[Outcome, int], *, large: bool = False) -> str:
    parts = "".join(
        link_to(
            "Compare",
            address(c, outcome),
            "",
            about=f"{title(c, outcome)}: {units.count(count)}",
            looks=f'tabindex="-1" style="flex:{count};--of:{color(c, outcome)}"',
        )
        for outcome, count in counted.items()
    )
    return f'<div class="bar{" large" if large else ""}">{parts}</div>'


def _entry(c: Comparison, outcome: Outcome, count: int) -> str:
    named = f'<span class="name">{html.escape(title(c, outcome))}</span>'
    content = f"{dot(theme.Look(color(c, outcome)))}{named}<b>{units.count(count)}</b>"
    return link_to("Compare", address(c, outcome), content)


def title(c: Comparison, outcome: Outcome) -> str:
    """What an outcome is called, by the names of both networks."""
    return TITLES[outcome].format(a=c.a.name, b=c.b.name)


def color(c: Comparison, outcome: Outcome) -> str:
    """The colour of an outcome: a network's own where only that network is right."""
    a, b = run_view.colors_of([side.run for side in c.sides])
    return {"only_a_right": a, "only_b_right": b, **theme.OUTCOME_COLORS}[outcome]


def address(c: Comparison, outcome: Outcome) -> dict[str, str]:
    """The address's parameters with which Compare shows the images of an outcome."""
    return {"a": c.a.run.id, "b": c.b.run.id, "show": outcome}
