"""Deleting runs: asked once for all, those left out that train."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.errors import TransferLabError
from core.registry.run import DamagedRun, Run
from ui import lab
from ui.frame import icons
from ui.runs import run_view

MOST_NAMES = 10


def name_of(run: Run | DamagedRun) -> str:
    """What a run is called here, damaged or not."""
    return run.name if isinstance(run, Run) else run.id


def listed(runs: Sequence[Run | DamagedRun]) -> str:
    """The names of runs in a sentence, the first of many."""
    names = [f"**{lab.plain(name_of(run))}**" for run in runs[:MOST_NAMES]]
    if len(runs) > MOST_NAMES:
        names.append(f"{len(runs) - MOST_NAMES} more")
    return ", ".join(names)


def ask_to_delete(runs: Sequence[Run | DamagedRun]) -> None:
    """Open the question whether to delete runs."""
    _ask(runs)


@st.dialog("Delete?")
def _ask(runs: Sequence[Run | DamagedRun]) -> None:
    training = [run for run in runs if isinstance(run, Run) and run_view.is_working(run)]
    doomed = [run for run in runs if run not in training]
    if training:
        st.warning(
            f"Left out because {'it trains' if len(training) == 1 else 'they train'}: "
            f"{listed(training)}. Stop {'it' if len(training) == 1 else 'them'} first.",
            icon=":material/play_circle:",
        )
    if not doomed:
        return
    samples = [run for run in doomed if isinstance(run, Run) and run.is_sample]
    st.markdown(
        f"{listed(doomed)} {'is' if len(doomed) == 1 else 'are'} removed"
        f"{'' if samples == doomed else ' for good'}, with weights, predictions and curves."
    )
    if samples:
        st.caption("Sample runs can be brought in again, on this page.")
    title = "Delete it" if len(doomed) == 1 else f"Delete {len(doomed)} runs"
    if st.button(title, type="primary", icon=icons.DELETE) and not _delete_all(doomed):
        st.rerun()


def _delete_all(runs: Sequence[Run | DamagedRun]) -> list[str]:
    """Delete runs; whatever could not be is told, and returned."""
    failures = []
    for run in runs:
        try:
            lab.runs().delete(run)
        except TransferLabError as error:  # it began to train, or somebody else was quicker
            failures.append(lab.sentence(error))
    for failure in failures:
        st.error(failure, icon=icons.ERROR)
    return failures
