"""The sample runs that come with the project: offered where there is no other run, and removed."""

from __future__ import annotations

import streamlit as st

from core.registry import samples
from ui import lab
from ui.runs.controls import attempt


def offer() -> None:
    """A button that brings them in, for a page that has nothing to show without a trained run."""
    if samples.missing(lab.runs()):
        _bring()


def show() -> None:
    """Tell what they are; they can be removed, and brought back."""
    missing = samples.missing(lab.runs())
    st.subheader("Sample runs", anchor=False)
    st.caption(ABOUT)
    with st.container(horizontal=True, gap="small"):
        if missing:
            _bring()
        if len(missing) < len(samples.SAMPLED) and st.button(
            "Remove the sample runs",
            icon=":material/delete_sweep:",
            help="They stay away until somebody brings them in again. Your own runs stay.",
        ):
            attempt(lambda: samples.remove(lab.runs()))


ABOUT = (
    "They come with Transfer Lab and were trained by its own recipes on MNIST, so that there is "
    "something to compare and to draw for before you train. Without their checkpoints, they cannot "
    "be trained longer."
)


def _bring() -> None:
    if st.button(
        "Bring in the sample runs",
        icon=":material/inventory_2:",
        help="Unpacks the trained networks that come with Transfer Lab; this takes a second.",
    ):
        attempt(lambda: samples.bring(lab.runs()))
