"""What trains and what waits just now, followed as it goes on."""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import quote

import streamlit as st

from core.registry.places import in_queue_order
from core.registry.run import Run
from ui import lab, units
from ui.frame import icons
from ui.overview.linked import link_to, linked
from ui.overview.sides import named
from ui.runs import run_view
from ui.runs.controls import attempt
from ui.runs.progress import progress
from ui.theme import Look

TICK_SECONDS = 2.0
MOST = 4
"""Runs that are shown; Runs has all of them."""


def show(known: Sequence[Run]) -> None:
    """The runs that train or wait, followed until one of them ends or the next begins."""
    active = {run.id: run.status for run in known if run_view.is_active(run)}
    if not active:
        return
    fresh = [known]

    @st.fragment(run_every=TICK_SECONDS)
    def follow() -> None:
        runs = fresh.pop() if fresh else lab.runs().all()
        now = [run for run in runs if run_view.is_active(run)]
        if {run.id: run.status for run in now} != active:
            st.rerun()  # what else the page shows has changed too
        queue = in_queue_order(now)
        shown = [*filter(run_view.is_working, now), *queue][:MOST]
        looks = run_view.looks_of(shown)
        for run in shown:
            _show(run, looks[run.id], queue)
        if len(now) > MOST:
            st.caption(f"… and {units.count(len(now) - MOST)} more wait after these.")

    with st.container(key="overview_live", border=True):
        st.subheader("Training now", anchor=False)
        follow()


def _show(run: Run, look: Look, queue: Sequence[Run]) -> None:
    """How far one run has come, how its loss falls, and a way to end it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        with st.container(gap="xsmall", width="stretch"):
            linked(link_to("Train", {"run": run.id}, named(run, look)))
            progress(run, queue=queue)
        if len(run.state.curve) > 1:
            with st.container(width=180):
                linked(_spark(run))
        waits = run.status == "queued"
        if st.button(
            "Cancel" if waits else "Stop",
            icon=icons.CANCEL if waits else icons.STOP,
            key=f"overview_stop_{run.id}",
            disabled=run.status == "stopping",
            help="Take it out of the queue; it is kept, and can be resumed."
            if waits
            else "End it within one batch; its best weights are kept.",
        ):
            attempt(lambda: lab.engine().stop(run))


def _spark(run: Run) -> str:
    """The training loss so far as a small line, with its last value."""
    loss = run.state.curve
    high = max(loss) or 1.0
    points = " ".join(
        f"{100 * place / (len(loss) - 1):.1f},{30 - 28 * value / high:.1f}"
        for place, value in enumerate(loss)
    )
    told = html.escape(f"Training loss so far: {loss[0]:.3g} at first, {loss[-1]:.3g} now")
    drawn = quote(_LINE.format(color=run_view.color_of(run), points=points))
    return (
        f'<img class="spark" src="data:image/svg+xml,{drawn}" alt="{told}" title="{told}">'
        f'<p class="quiet">loss {loss[-1]:.3g}</p>'
    )


_LINE = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 100 32" preserveAspectRatio="none">'
    '<polyline fill="none" stroke="{color}" stroke-width="2" stroke-linejoin="round" '
    'vector-effect="non-scaling-stroke" points="{points}"/></svg>'
)
