"""What the output of frozen layers takes on disk, the most it may take, and how to clear it."""

from __future__ import annotations

import streamlit as st

from core.feature_cache import FeatureCache, Use
from core.preferences import GIB, change_preferences
from ui import lab, theme

MOST_GIB = 100_000


def show() -> None:
    """Show how full the cache is; its limit can be changed, and it can be cleared."""
    st.subheader("Storage", anchor=False)
    use = _cache().use()
    st.progress(_share(use), text=_in_words(use))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        ask_limit(use)
        if st.button(
            "Clear",
            icon=":material/delete_sweep:",
            disabled=use.entries == 0,
            help="Removes what is kept; runs stay, and compute it again when they need it.",
        ):
            confirm_clearing(use)


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
        width=200,
        help="Where room is needed beyond this, what was used least recently goes. What does not "
        "fit at all is computed in every epoch instead.",
    )


@st.dialog("Clear the cache?")
def confirm_clearing(use: Use) -> None:
    """Ask before anything is lost."""
    st.markdown(
        f"**{theme.size(use.size)}** of frozen layers' output is removed. Runs and their weights "
        "stay; the next run with frozen layers computes what it needs anew."
    )
    if st.button("Clear it", type="primary", icon=":material/delete_sweep:"):
        freed = _cache().clear()
        st.toast(f"{theme.size(freed.size)} freed.", icon=":material/delete_sweep:")
        st.rerun()


def _cache() -> FeatureCache:
    return FeatureCache(lab.workspace().features, lab.cache_limit())


def _share(use: Use) -> float:
    return min(use.size / use.limit, 1.0) if use.limit else float(use.size > 0)


def _in_words(use: Use) -> str:
    if use.entries == 0:
        return "The output of frozen layers is kept here, for the runs to come: nothing yet."
    parts = "1 part" if use.entries == 1 else f"{use.entries} parts"
    return f"Output of frozen layers: {theme.size(use.size)} of {theme.size(use.limit)}, in {parts}"
