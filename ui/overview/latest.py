"""The runs that were launched last, each in a line that leads to it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from datetime import UTC, datetime

import streamlit as st

from core.registry.run import DamagedRun, Run
from ui import units
from ui.frame import icons
from ui.frame.pages import script_of
from ui.overview.linked import link_to, linked
from ui.overview.sides import named
from ui.runs import run_view
from ui.theme import Look

MOST = 6
MINUTE, HOUR, DAY = 60, 3600, 86_400


def show(known: Sequence[Run], damaged: Sequence[DamagedRun]) -> None:
    """The newest runs with what they reached, or why they did not."""
    st.subheader("Latest runs", anchor=False)
    if not known:
        st.caption("Each training is listed here once it is launched.")
    else:
        looks = run_view.looks_of(known[:MOST])
        lines = "".join(_line(run, looks[run.id]) for run in known[:MOST])
        linked(f'<ul class="runs">{lines}</ul>')
    if damaged:
        one = len(damaged) == 1
        st.warning(
            f"{units.count(len(damaged))} {'run' if one else 'runs'} cannot be read; Runs says why "
            "and what helps.",
            icon=icons.WARNING,
        )
    if known or damaged:
        st.page_link(
            script_of("Runs"), label=f"All runs ({units.count(len(known))})", icon=icons.RUNS
        )


def _line(run: Run, look: Look) -> str:
    share = run.state.metrics.get("test_accuracy") if run.has_results else None
    told = units.percent(share) if share is not None else run.status
    content = (
        f'<span class="who">{named(run, look)}</span><span class="share">{told}</span>'
        f'<span class="when quiet">{_when(run)}</span>'
        f'<span class="why quiet">{html.escape(_what(run))}</span>'
    )
    return f"<li>{link_to('Runs', {'run': run.id}, content)}</li>"


def _what(run: Run) -> str:
    """The dataset it learned from, and what kept it from its end."""
    dataset = run.config.data.facts.label
    if run.failure is not None:
        return f"{dataset} · {run.failure.sentence}"
    ended = "" if run.status == "finished" else f" · {run_view.STATUSES[run.status].meaning}"
    return f"{dataset}{ended}"


def _when(run: Run) -> str:
    return ago((datetime.now(UTC) - run.request.created).total_seconds(), run.request.created)


def ago(seconds: float, when: datetime) -> str:
    """How long ago something was, as a date where that is long.

    >>> [ago(s, datetime(2026, 5, 3)) for s in (5, 130, 7300, 90_000, 900_000)]
    ['just now', '2 min ago', '2 h ago', '1 d ago', '3 May 2026']
    """
    if seconds < MINUTE:
        return "just now"
    if seconds < HOUR:
        return f"{seconds // MINUTE:.0f} min ago"
    if seconds < DAY:
        return f"{seconds // HOUR:.0f} h ago"
    if seconds < 7 * DAY:
        return f"{seconds // DAY:.0f} d ago"
    return f"{when.day} {when:%b %Y}"
