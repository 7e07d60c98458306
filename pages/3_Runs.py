"""Runs: every training there was, what came of it, what trains now and what comes next."""

from __future__ import annotations

import streamlit as st

from core.registry.runs import DamagedRun, Run
from ui import lab
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


def show_chosen(chosen: list[Run], known: list[Run]) -> None:
    """One run in full, or several over each other."""
    if not chosen:
        st.caption(
            "Choose a row, by the box at its left, to see the run in full; choose several to see "
            "their curves over each other."
        )
        return
    title = run_view.name(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} runs"
    st.subheader(title, anchor=False)
    show_actions(chosen, known)
    if len(chosen) == 1:
        run_details.show(chosen[0], known)
    else:
        overlay.show(chosen)


def show_actions(chosen: list[Run], known: list[Run]) -> None:
    """What can be done with all chosen runs at once."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if len(chosen) == 2 and all(run.has_results for run in chosen):
            a, b = chosen
            st.page_link(
                "pages/4_Compare.py",
                label="Compare them",
                icon=":material/compare:",
                query_params={"a": a.id, "b": b.id},
            )
        if len(chosen) > 2 and all(run.has_results for run in chosen):
            st.page_link(
                "pages/4_Compare.py",
                label="Rank them",
                icon=":material/leaderboard:",
                query_params={"runs": ",".join(run.id for run in chosen)},
            )
        if len(chosen) > 1 and st.button("Tag", icon=":material/sell:"):
            about.ask_for_tags(chosen, known)
        working = all(map(run_view.is_working, chosen))
        if st.button(
            "Delete",
            icon=":material/delete:",
            disabled=working,
            help="A run that trains must be stopped first." if working else None,
        ):
            deletion.ask_to_delete(chosen)
        st.button("Choose none", icon=":material/deselect:", on_click=runs_table.forget_choice)


def show_damaged(damaged: list[DamagedRun]) -> None:
    """Folders that cannot be read: named, and hiding no other run."""
    st.subheader("Damaged", anchor=False)
    for run in damaged:
        st.warning(
            f"{lab.plain(run.id)}: {lab.plain(run.reason)}. Put the file back from a copy, or "
            "delete the run.",
            icon=":material/warning:",
        )
        if st.button("Delete", icon=":material/delete:", key=f"delete_{run.id}"):
            deletion.ask_to_delete([run])


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

if runs:
    queue.show(runs)
    st.subheader("All runs", anchor=False)
    show_chosen(runs_table.choose(runs), runs)
if damaged:
    show_damaged(damaged)
if runs or damaged:
    sample_runs.show()
storage.show()
