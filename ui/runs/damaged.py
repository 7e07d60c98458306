"""Runs whose folder cannot be read: named with the reason, there to be deleted."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import DamagedRun
from ui import lab, units
from ui.frame import icons
from ui.runs import deletion

MOST_NAMED = 10
"""Folders that are named one by one."""


def show(damaged: Sequence[DamagedRun]) -> None:
    """Tell of each, so that none hides another run; the first of many."""
    st.subheader("Damaged", anchor=False)
    for run in damaged[:MOST_NAMED]:
        told, way = st.columns([6, 1], vertical_alignment="center")
        told.warning(
            f"{lab.plain(run.id)}: {lab.plain(run.reason)}. Put the file back from a copy, or "
            "delete the run.",
            icon=icons.WARNING,
        )
        with way:
            _offer_to_delete("Delete", [run])
    if len(damaged) > MOST_NAMED:
        st.caption(f"… and {units.count(len(damaged) - MOST_NAMED)} more.")
        _offer_to_delete(f"Delete all {units.count(len(damaged))}", damaged)


def _offer_to_delete(title: str, damaged: Sequence[DamagedRun]) -> None:
    key = f"delete_{damaged[0].id}_{len(damaged)}"
    if st.button(title, icon=icons.DELETE, key=key):
        deletion.ask_to_delete(damaged)
