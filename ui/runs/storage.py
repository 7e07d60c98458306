"""What is kept on disk to save computing, the most that may be, and how to clear it."""

from __future__ import annotations

import streamlit as st

from core.caches import Kept, kept_by
from core.preferences import GIB, change_preferences
from core.training.feature_cache import Use
from ui import lab, units
from ui.frame import icons

MOST_GIB = 100_000
FEATURES = "features"


def show() -> None:
    """Show how full each cache is; that of frozen layers has a limit to be set."""
    st.subheader("Storage", anchor=False)
    with lab.failures_as_sentences():
        every = kept_by(lab.workspace())
    use = every[FEATURES].use()
    st.progress(_share(use), text=_in_words(use))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_limit(use)
        _offer_clearing(FEATURES, every[FEATURES], use)
    for name, kept in every.items():
        if name != FEATURES and (used := kept.use()).entries:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"{kept.title.capitalize()}: {units.size(used.size)}", width="content")
                _offer_clearing(name, kept, used)


def ask_limit(use: Use) -> None:
    """Ask how much may be kept."""
    key = "cache_limit"

    def save() -> None:
        limit = round(st.session_state[key] * GIB)
        change_preferences(lab.workspace(), cache_limit=limit)

    st.number_input(
        "Limit in GiB",
        0.0,
        float(MOST_GIB),
        use.limit / GIB,
        step=1.0,
        format="%g",
        key=key,
        on_change=save,
        width=170,
        help="Where room is needed beyond this, what was used least recently goes. What does not "
        "fit at all is computed in every epoch instead.",
    )


def _offer_clearing(name: str, kept: Kept, use: Use) -> None:
    if st.button(
        "Clear",
        key=f"clear_{name}",
        icon=icons.CLEAR,
        disabled=use.entries == 0,
        help="Removes what is kept; runs stay, and compute it again when they need it.",
    ):
        confirm_clearing(kept, use)


@st.dialog("Clear the cache?")
def confirm_clearing(kept: Kept, use: Use) -> None:
    """Ask before anything is lost."""
    st.markdown(
        f"**{units.size(use.size)}** of {kept.title} is removed. Runs, their weights and datasets "
        f"stay; {kept.needed_by} computes anew what is needed."
    )
    if st.button("Clear it", type="primary", icon=icons.CLEAR):
        freed = kept.clear()
        st.toast(f"{units.size(freed.size)} freed.", icon=icons.CLEAR)
        st.rerun()


def _share(use: Use) -> float:
    return min(use.size / use.limit, 1.0) if use.limit else float(use.size > 0)


def _in_words(use: Use) -> str:
    if use.entries == 0:
        return "The output of frozen layers is kept here, for the runs to come: nothing yet."
    parts = "1 part" if use.entries == 1 else f"{use.entries} parts"
    return f"Output of frozen layers: {units.size(use.size)} of {units.size(use.limit)}, in {parts}"
