"""The files of one run: what each is for, and the room that it takes."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from core.errors import TransferLabError
from core.registry.run import Run
from ui import lab, units
from ui.frame import icons

PURPOSES = {
    "config.json": "What was asked for",
    "state.json": "How far it has come",
    "about.json": "Name, note and tags",
    "environment.json": "What it was trained on and with",
    "estimate.json": "What it was expected to take",
    "metrics.jsonl": "Curves and remarks, one event a line",
    "log.txt": "What the process printed",
    "predictions": "Probabilities of the test images after each epoch",
    "model": "Weights of the epochs that kept them",
    "checkpoint": "What going on from here needs: weights, optimizer, random state",
    "tensorboard": "Curves for TensorBoard",
    "reserve": "Room put aside for a full disk",
    "stop": "Somebody asked it to stop",
}


def show(run: Run) -> None:
    """The run's files with their sizes, read where a person unfolds them."""
    folded = st.expander("Files", icon=icons.FILES, key=f"files_{run.id}", on_change="rerun")
    if not folded.open:
        return
    with folded:
        sizes = run.folder.sizes()
        total = sum(size for _, size in sizes.values())
        st.caption(f"{units.size(total)} in {lab.plain(str(run.folder.path))}")
        st.dataframe(
            table_of(sizes),
            hide_index=True,
            height="content",
            column_config={
                "Name": st.column_config.TextColumn(width=110),
                "Files": st.column_config.NumberColumn(width=60),
                "Size": st.column_config.TextColumn(width=90),
            },
        )
        offer_removal(run, sizes.get("checkpoint", (0, 0))[1])


def table_of(sizes: dict[str, tuple[int, int]]) -> pd.DataFrame:
    """One row per file or folder, the largest first."""
    largest = sorted(sizes.items(), key=lambda entry: -entry[1][1])
    return pd.DataFrame(
        {
            "Name": [name for name, _ in largest],
            "For": [PURPOSES.get(name, units.MISSING) for name, _ in largest],
            "Files": [files for _, (files, _) in largest],
            "Size": [units.size(size) for _, (_, size) in largest],
        }
    )


def offer_removal(run: Run, size: int) -> None:
    """A button that frees the room of a finished run's checkpoint."""
    if run.status != "finished" or not size:
        return
    if st.button(
        f"Remove the checkpoint, {units.size(size)}",
        icon=icons.CLEAR,
        key=f"strip_{run.id}",
        help="Frees its room. The weights stay, so that the run can be compared and used as "
        "before; but it can no longer be trained longer.",
    ):
        confirm_removal(run, size)


@st.dialog("Remove the checkpoint?")
def confirm_removal(run: Run, size: int) -> None:
    """Ask before anything is lost."""
    st.markdown(
        f"**{units.size(size)}** of **{lab.plain(run.name)}** are freed. Results and weights stay; "
        "but the run can no longer be trained for more epochs, only launched anew."
    )
    if st.button("Remove it", type="primary", icon=icons.CLEAR):
        try:
            freed = lab.runs().remove_checkpoint(run)
        except TransferLabError as error:  # somebody resumed or deleted it meanwhile
            st.error(lab.sentence(error), icon=icons.ERROR)
            return
        st.toast(f"{units.size(freed)} freed.", icon=icons.CLEAR)
        st.rerun()
