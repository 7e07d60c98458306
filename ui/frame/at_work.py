"""What trains just now, at the foot of the sidebar of every page."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from core.errors import TransferLabError
from core.registry.run import Run
from ui import lab, units
from ui.frame import address, icons
from ui.runs import run_view
from ui.runs.progress import share_done

TICK_SECONDS = 3.0
MOST = 3
"""Runs that are named."""


def show() -> None:
    """Each run that a process is at work on, with the share that is done, leading to Train."""
    if not lab.engine().at_work():  # so that a page need not read every run to know
        return
    working = [run for run in lab.runs().all() if run_view.is_working(run)]
    if not working:
        return

    @st.fragment(run_every=TICK_SECONDS)
    def follow() -> None:
        for run in working[:MOST]:
            with suppress(TransferLabError):  # deleted meanwhile
                _link(lab.runs().again(run))

    with st.container(key="at_work", gap="xsmall"):
        st.caption("Training now")
        follow()


def _link(run: Run) -> None:
    told = units.percent(share_done(run), 0) if run_view.is_working(run) else run.status
    st.page_link(
        "pages/2_Train.py",
        label=f"{told} · {run_view.name(run)}",
        icon=icons.START if run_view.is_working(run) else icons.DONE,
        query_params={"run": run.id} | address.kept(),
    )
