"""The end of what a run's process printed."""

from __future__ import annotations

import os

import streamlit as st

from core.registry.run import Run

LINES = 200
LONGEST = 2**16
"""Bytes that are read of the end of a log."""
HEIGHT, FEW_LINES = 260, 8
"""Pixels of a log, which scrolls, and lines that need less."""
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
        text = tail(run)
        few = text.count("\n") < FEW_LINES
        with folded.container(height="content" if few else HEIGHT, autoscroll=True):
            st.code(text, language=None, wrap_lines=True)


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
