"""Runs: every training there was, what came of it, what trains now and what comes next."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.frame.navigation import page
from ui.runs import (
    about,
    deletion,
    overlay,
    queue,
    run_details,
    run_view,
    runs_table,
    sample_runs,
    storage,
    watch,
)
from ui.runs import damaged as damaged_runs


def show_chosen(chosen: list[Run], known: list[Run]) -> None:
    """One run in full, or several over each other."""
    if not chosen:
        st.caption(
            "Choose a row, by the box at its left, to see the run in full; choose several to see "
            "their curves over each other."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader(title_of(chosen), anchor=False, width="stretch")
        show_actions(chosen, known)
    if len(chosen) == 1:
        run_details.show(chosen[0], known)
    else:
        overlay.show(chosen)


def title_of(chosen: list[Run]) -> str:
    """The name of the one that is chosen, or how many are."""
    return run_view.name(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} runs"


def show_actions(chosen: list[Run], known: list[Run]) -> None:
    """What can be done with all chosen runs at once."""
    with st.container(horizontal=True, width="content", vertical_alignment="center", gap="small"):
        if len(chosen) == 2 and all(run.has_results for run in chosen):
            a, b = chosen
            st.page_link(
                "pages/4_Compare.py",
                label="Compare them",
                icon=icons.COMPARE,
                query_params={"a": a.id, "b": b.id},
            )
        if len(chosen) > 2 and all(run.has_results for run in chosen):
            st.page_link(
                "pages/4_Compare.py",
                label="Rank them",
                icon=":material/leaderboard:",
                query_params={"runs": ",".join(run.id for run in chosen)},
            )
        if len(chosen) == 1 and chosen[0].has_results:
            watch.offer_pages(chosen[0], known)
        if len(chosen) > 1 and st.button("Tag", icon=icons.TAG):
            about.ask_for_tags(chosen, known)
        working = all(map(run_view.is_working, chosen))
        if st.button(
            "Delete",
            icon=icons.DELETE,
            disabled=working,
            help="A run that trains must be stopped first." if working else None,
        ):
            deletion.ask_to_delete(chosen)
        st.button("Choose none", icon=":material/deselect:", on_click=runs_table.forget_choice)


def show_upkeep(runs: list[Run], *, queue_idle: bool) -> None:
    """What is seldom needed, side by side: the queue while it rests, sample runs, storage."""
    parts: list[Callable[[], None]] = [sample_runs.show, storage.show]
    if queue_idle:
        parts.insert(0, lambda: queue.show(runs))
    with st.container(key="controls_upkeep"):
        columns = st.columns(len(parts), gap="medium")
    for column, part in zip(columns, parts, strict=True):
        with column.container(border=True, height="stretch"):
            part()


page(
    "Runs",
    "📋",
    "Every training there was: what it reached, what it took, and from which settings.",
)
watch.leave_deletion_untold()
runs, damaged = lab.runs().read()
if not runs and not damaged:
    sample_runs.instead_of_runs(
        "Every training is listed here, with what it reached and what it took.",
        "Nothing was trained yet. Launch a recipe, or bring in the sample runs to look around "
        "first.",
    )
    storage.show()
    st.stop()

busy = queue.is_busy(runs)
if busy:
    queue.show(runs)
if runs:
    if busy:
        st.subheader("All runs", anchor=False)
    show_chosen(runs_table.choose(runs), runs)
if damaged:
    damaged_runs.show(damaged)
show_upkeep(runs, queue_idle=not busy)
