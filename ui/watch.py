"""Watching one run: its progress and curves while it trains, its results once it has ended."""

from __future__ import annotations

import streamlit as st

from core.catalogue import DATASETS
from core.errors import TransferLabError
from core.runs import Run
from ui import lab, run_view


def show() -> None:
    """The run to watch, with what can be done once it has results."""
    run = choose()
    if run is None:
        st.info(
            "Nothing was trained yet. Launch the recipe as it is: its curves appear here, and it "
            "trains on when you close this tab.",
            icon=":material/play_arrow:",
        )
        return
    follow(run)
    if run.has_results:
        st.page_link("pages/4_Compare.py", label="Compare it", icon=":material/compare:")
        digits = DATASETS[run.config.data.name].digits
        st.page_link(
            "pages/5_Predict.py",
            label="Draw for it" if digits else "Show it a picture",
            icon=":material/draw:",
        )


def choose() -> Run | None:
    """The run to watch: that of the address, else one at work, else the newest."""
    known = lab.runs().all()
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
        parameter="run",
        default=by_urgency[0],
        text=lambda run: run.name,  # not the status: the list shows words from before it changed
    )


def follow(run: Run) -> None:
    """Follow one run; the part below redraws itself each second until the run ends."""
    active = run_view.is_active(run)

    @st.fragment(run_every=1.0 if active else None)
    def tick() -> None:
        with lab.failures_as_sentences():
            now = lab.runs().again(run)
        if now.status != run.status:
            st.rerun()  # only a full rerun ends the redrawing and names the status above
        run_view.status_badge(now)
        if run_view.is_active(now):
            run_view.progress(now)
            offer_stop(now)
        else:
            run_view.results(now)
        run_view.failure(now)
        run_view.loss_and_accuracy(now)

    tick()


def offer_stop(run: Run) -> None:
    """A button that ends the run within a batch."""
    stopping = run.status == "stopping"
    if st.button(
        "Stopping …" if stopping else "Stop",
        icon=":material/stop_circle:",
        disabled=stopping,
        key=f"stop_{run.id}",
        help="Ends training within one batch; the best weights so far are kept and tested.",
    ):
        try:
            lab.engine().stop(run)
        except TransferLabError as error:  # it ended by itself a moment earlier
            st.toast(lab.sentence(error))
        st.rerun()
