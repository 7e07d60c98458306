"""Watching one run: its progress and curves while it trains, its results once it has ended."""

from __future__ import annotations

from collections.abc import Sequence
from time import monotonic

import streamlit as st

from core.errors import UnknownRun
from core.registry.run import Run
from ui import lab
from ui.frame import icons, presenting
from ui.frame.empty import empty
from ui.runs import about, run_view, sample_runs
from ui.runs.controls import controls
from ui.runs.curves import curves
from ui.runs.failure import failure
from ui.runs.headline import headline
from ui.runs.kept import kept
from ui.runs.log import log
from ui.runs.machine import machine
from ui.runs.progress import live_figures, progress

TICK_SECONDS = 1.0
PARAMETER = "run"
"""What the run to watch is called in the address, so that any browser can show it."""
_DELETED = "_deleted_while_watched"
TOLD_SECONDS = 20.0


def show(known: Sequence[Run]) -> None:
    """The run to watch, with what can be done once it has results."""
    tell_of_deletion()
    run = choose(known)
    if run is None:
        with empty(
            icons.RUNS,
            "The curves of a run grow here while it learns.",
            "Nothing was trained yet. Launch the recipe as it is; it trains on when you close this "
            "tab.",
            key="watch",
        ):
            sample_runs.offer()
        return
    follow(run)
    if run.has_results:
        offer_pages(run, known)


def tell_of_deletion() -> None:
    """Say so where the run that was followed is gone; for the page that is shown anew then.

    For some seconds: the page may be shown anew again before anybody has read it.
    """
    deleted, when = st.session_state.get(_DELETED, ("", 0.0))
    if deleted and monotonic() - when < TOLD_SECONDS:
        st.warning(
            f"The run {lab.plain(deleted)} was deleted meanwhile, elsewhere.",
            icon=icons.DELETE,
        )


def leave_deletion_untold() -> None:
    """Say nothing of it, on a page that finds out by itself."""
    st.session_state.pop(_DELETED, None)


def offer_pages(run: Run, known: Sequence[Run]) -> None:
    """Where a run with results can be looked at further."""
    with st.container(horizontal=True, width="content", gap="medium"):
        if (other := partner_of(run, known)) is not None:
            st.page_link(
                "pages/4_Compare.py",
                label="Compare it",
                icon=icons.COMPARE,
                query_params={"a": run.id, "b": other.id},
                help=f"With {run_view.name(other)}; another can be chosen there.",
            )
        digits = run.config.data.shows_digits
        st.page_link(
            "pages/5_Predict.py",
            label="Draw for it" if digits else "Show it a picture",
            icon=icons.PREDICT,
        )
        if not digits:
            st.page_link(
                "pages/5_Predict.py",
                label="Show it the camera",
                icon=":material/videocam:",
                query_params={"mode": "live", "run": run.id},
            )


def partner_of(run: Run, known: Sequence[Run]) -> Run | None:
    """The newest run that was tested on the same images, one of another network before others."""
    fitting = [
        other
        for other in known
        if other.has_results
        and other.id != run.id
        and other.state.test_fingerprint == run.state.test_fingerprint
    ]
    network = run.config.network.architecture
    unlike = [other for other in fitting if other.config.network.architecture != network]
    return next(iter([*unlike, *fitting]), None)


def choose(known: Sequence[Run]) -> Run | None:
    """The run to watch: that of the address, else one at work, else the newest."""
    if not known:
        return None
    by_urgency = sorted(
        range(len(known)),
        key=lambda place: (
            not run_view.is_working(known[place]),
            not run_view.is_active(known[place]),
        ),
    )
    return run_view.choose(
        known,
        "Run",
        parameter=PARAMETER,
        default=by_urgency[0],
        text=lambda run: run.name,  # not the status: the list shows words from before it changed
    )


def follow(run: Run) -> None:
    """Follow one run; the part below redraws itself each second until the run ends."""
    active = run_view.is_active(run)

    @st.fragment(run_every=TICK_SECONDS if active else None)
    def tick() -> None:
        now = _again(run)
        if now.status != run.status:
            st.rerun()  # only a full rerun ends the redrawing and names the status above
        name = st.empty()
        if presenting.is_on():  # where it cannot be read from what the run was chosen with
            name.subheader(run_view.name(now), anchor=False)
        run_view.status_badge(now)
        if run_view.is_working(now):
            _at_work(now)
        else:
            _at_rest(now)
        kept(now)
        machine(now)
        if now.failure is None:
            log(now)

    tick()


def _at_work(run: Run) -> None:
    """How far it is and its curves, for which people watch; what it takes and what it is below."""
    progress(run, queue=())
    controls(run)
    curves(run)
    live_figures(run)
    headline(run)
    about.show(run)


def _at_rest(run: Run) -> None:
    """What it is, its place in the queue or what became of it, and its curves."""
    headline(run)
    if run_view.is_active(run):
        progress(run, queue=lab.runs().queue())
    else:
        run_view.results(run)
        failure(run)
    about.show(run)
    controls(run)
    curves(run)


def _again(run: Run) -> Run:
    """The run as it is now. Where somebody deleted it, the page is shown anew and says so."""
    with lab.failures_as_sentences():
        try:
            return lab.runs().again(run)
        except UnknownRun:
            st.session_state[_DELETED] = run.name, monotonic()
            run_view.forget_choice(PARAMETER)
            st.query_params.pop(PARAMETER, None)  # whose link would be told of as well
    st.rerun()
