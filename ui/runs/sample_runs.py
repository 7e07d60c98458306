"""The sample runs that come with the project: offered where there is no other run, and removed."""

from __future__ import annotations

import streamlit as st

from core.registry import samples
from ui import lab
from ui.frame import icons
from ui.frame.empty import empty
from ui.runs.controls import attempt


def offer() -> None:
    """A button that brings them in, for a page that has nothing to show without a trained run."""
    if samples.missing(lab.runs()):
        _bring(first=True)


def instead_of_runs(what: str, why: str, *, icon: str = icons.RUNS) -> None:
    """What a page shows that has too few trained runs: what would be here, and two ways to some.

    what, why: as in `empty`.
    """
    with empty(icon, what, why, key="runs"):
        offer()
        st.page_link("pages/2_Train.py", label="Train a network", icon=icons.TRAIN)


def show() -> None:
    """Tell what they are; they can be removed, and brought back."""
    missing = samples.missing(lab.runs())
    st.subheader("Sample runs", anchor=False)
    st.caption(ABOUT)
    with st.container(horizontal=True, gap="small"):
        if missing:
            _bring(first=False)
        if len(missing) < len(samples.SAMPLED) and st.button(
            "Remove the sample runs",
            icon=icons.CLEAR,
            help="They stay away until somebody brings them in again. Your own runs stay.",
        ):
            attempt(lambda: samples.remove(lab.runs()))


ABOUT = (
    "They come with Transfer Lab and were trained by its own recipes on MNIST, so that there is "
    "something to compare and to draw for before you train. Without their checkpoints, they cannot "
    "be trained longer."
)


def _bring(*, first: bool) -> None:
    if st.button(
        "Bring in the sample runs",
        icon=icons.SAMPLE,
        type="primary" if first else "secondary",
        help="Unpacks the trained networks that come with Transfer Lab; this takes a second.",
    ):
        attempt(lambda: samples.bring(lab.runs()))
