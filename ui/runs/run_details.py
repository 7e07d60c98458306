"""One run in full: results, curves, epochs, what is said of it, its network, settings and files."""

from __future__ import annotations

import json
from collections.abc import Sequence

import streamlit as st

from core.registry.runs import Run
from ui import lab
from ui.runs import about, epochs, folder, watch
from ui.train import architecture


def show(run: Run, known: Sequence[Run]) -> None:
    """Everything about a run; what takes long to show stays folded until somebody looks."""
    about.show(run)
    watch.follow(run)
    epochs.show(run)
    about.edit(run, known)
    show_network(run)
    with st.expander("Configuration", icon=":material/data_object:"):
        st.code(json.dumps(run.config.model_dump(mode="json"), indent=1), language="json")
    folder.show(run)
    created = run.request.created.strftime("%d %B %Y, %H:%M").lstrip("0")
    st.caption(f"Run {run.id}, recipe {lab.plain(run.config.recipe)}, launched {created}")


def show_network(run: Run) -> None:
    """The layers of the run's network, drawn where a person unfolds them."""
    folded = st.expander(
        "Network", icon=":material/account_tree:", key=f"network_{run.id}", on_change="rerun"
    )
    if folded.open:
        with folded:
            architecture.show(run.config, lab.cache_limit())
