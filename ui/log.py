"""The end of what a run's process printed."""

from __future__ import annotations

import os

import streamlit as st

from core.runs import Run

LINES = 200
LONGEST = 2**16
"""Bytes that are read of the end of a log."""
HEIGHT = 260
NOTHING = "The process of this run has printed nothing."


def log(run: Run, *, unfolded: bool = False) -> None:
    """The end of the log, the newest lines at the bottom and in view; read where it is unfolded."""
    folded = st.expander(
        "Log",
        icon=":material/terminal:",
        expanded=unfolded,
        key=f"log_{run.id}",
        on_change="rerun",
    )
    if folded.open:
        with folded.container(height=HEIGHT, autoscroll=True):
            st.code(tail(run), language=None)


def tail(run: Run) -> str:
    """The last lines that were written."""
    try:
        with run.folder.log.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - LONGEST))
            lines = file.read().decode(errors="replace").splitlines()
    except OSError:
        return NOTHING
    whole = lines[1:] if size > LONGEST else lines
    return "\n".join(whole[-LINES:]) or NOTHING
