"""Runs: every training there was, with what came of it."""

from __future__ import annotations

import json
from math import nan

import pandas as pd
import streamlit as st

from core.runs import DamagedRun, Run
from ui import lab, run_view, storage, theme
from ui.navigation import page


def table_of(runs: list[Run]) -> pd.DataFrame:
    """One row per run."""
    return pd.DataFrame(
        {
            "name": [run.name for run in runs],
            "status": [run.status for run in runs],
            "network": [run.config.network.architecture for run in runs],
            "accuracy": [100 * run.state.metrics.get("test_accuracy", nan) for run in runs],
            "epochs": [f"{run.state.epochs_done} of {run.config.all_epochs}" for run in runs],
            "time": [theme.duration(run.state.seconds or None) for run in runs],
            "precision": [run.state.precision for run in runs],
            "created": [run.request.created for run in runs],
        }
    )


def choose(runs: list[Run]) -> Run | None:
    """Show the table; the run whose row is chosen, or None."""
    picked = st.dataframe(
        table_of(runs),
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        key="runs",
        placeholder=theme.MISSING,
        column_config={
            "name": st.column_config.TextColumn("Name", width="medium"),
            "status": "Status",
            "network": "Network",
            "accuracy": st.column_config.NumberColumn("Test accuracy", format="%.2f %%"),
            "epochs": "Epochs",
            "time": "Time",
            "precision": st.column_config.TextColumn("Precision", width="medium"),
            "created": st.column_config.DatetimeColumn("Created", format="D MMM, HH:mm"),
        },
    )
    rows = picked["selection"]["rows"]
    return runs[rows[0]] if rows and rows[0] < len(runs) else None


def show(run: Run) -> None:
    """One run in detail, with what can be done with it."""
    st.subheader(run_view.name(run), anchor=False)
    run_view.status_badge(run)
    run_view.results(run)
    run_view.failure(run)
    run_view.loss_and_accuracy(run)
    with st.expander("Configuration", icon=":material/data_object:"):
        st.code(json.dumps(run.config.model_dump(mode="json"), indent=1), language="json")
    if run.status not in ("failed", "interrupted"):
        run_view.log(run)
    st.caption(f"Run {run.id}")
    with st.container(horizontal=True, gap="small"):
        if st.button("Watch", icon=":material/monitoring:", help="Follow it on Train, live."):
            st.switch_page("pages/2_Train.py", query_params={"run": run.id})
        working = run_view.is_working(run)
        if st.button(
            "Delete",
            icon=":material/delete:",
            disabled=working,
            help="A run that trains must be stopped first." if working else None,
        ):
            confirm_deletion(run, run.name)


@st.dialog("Delete this run?")
def confirm_deletion(run: Run | DamagedRun, name: str) -> None:
    """Ask before anything is lost."""
    st.markdown(
        f"**{lab.plain(name)}** with its weights, predictions and curves is removed for good."
    )
    if st.button("Delete it", type="primary", icon=":material/delete:"):
        with lab.failures_as_sentences():
            lab.runs().delete(run)
        st.rerun()


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
            confirm_deletion(run, run.id)


page("Runs", "📋")
runs = lab.runs().all()
damaged = lab.runs().damaged()
if not runs and not damaged:
    st.info("Nothing was trained yet.", icon=":material/info:")
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")

run_view.training_now(runs)
if runs:
    st.subheader("All runs", anchor=False)
    chosen = choose(runs)
    if chosen is None:
        st.caption("Choose a row, by the box at its left, to see the run in detail.")
    else:
        show(chosen)
if damaged:
    show_damaged(damaged)
storage.show()
