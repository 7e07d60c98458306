"""One run in full: results, curves, epochs, what is said of it, how it was made, its files."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.runs import about, epochs, folder, watch
from ui.runs.elsewhere import elsewhere
from ui.runs.environment import environment
from ui.runs.settings import settings
from ui.train import architecture


def show(run: Run, known: Sequence[Run]) -> None:
    """Everything about a run; what takes long to show stays folded until somebody looks."""
    watch.follow(run)
    epochs.show(run)
    about.edit(run, known)
    show_network(run)
    settings(run)
    environment(run)
    elsewhere(run)
    folder.show(run)
    st.caption(f"Run {run.id}")


def show_network(run: Run) -> None:
    """The layers of the run's network, drawn where a person unfolds them."""
    folded = st.expander("Network", icon=icons.NETWORK, key=f"network_{run.id}", on_change="rerun")
    if folded.open:
        with folded:
            architecture.show(run.config, lab.cache_limit())
