"""What a run keeps besides its network: predictions of each epoch, files for TensorBoard."""

from __future__ import annotations

import shlex
from statistics import median

import streamlit as st

from core.registry.predictions import stored_epochs, stored_size
from core.registry.run import Run
from ui import units
from ui.runs.histories import history_of
from ui.train import settings_form


def kept(run: Run) -> None:
    """What the predictions of each epoch cost, and how to open the event files."""
    if (cost := cost_of_testing(run)) is not None:
        with st.container(key="controls_cost"):
            st.caption(cost)
    if run.folder.tensorboard.exists():
        with st.expander("TensorBoard", icon=":material/insights:"):
            st.caption("This run's curves are there for TensorBoard too. This command opens them:")
            st.code(
                f"tensorboard --logdir {shlex.quote(str(run.folder.tensorboard))}",
                language="bash",
                wrap_lines=True,
            )


def cost_of_testing(run: Run) -> str | None:
    """What looking at the test images takes of each epoch, None where that says little."""
    with history_of(run) as history:
        tested = [epoch for epoch in history.epochs if epoch.get("test_seconds")]
    if len(tested) < 2:
        return None
    looking = median(epoch["test_seconds"] for epoch in tested)
    whole = median(epoch["seconds"] for epoch in tested)
    stored, size = len(stored_epochs(run)), units.size(stored_size(run))
    return (
        f"Looking at the test images takes {units.duration(looking)} of each epoch's "
        f"{units.duration(whole)}; {stored} epochs' predictions take {size} on disk. "
        f"The setting “{settings_form.TITLES['test_every']}” changes that."
    )
