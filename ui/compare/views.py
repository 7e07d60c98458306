"""The views of a comparison, of which one is open at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui import units
from ui.compare import confidence, confusion, epochs, feature_map, labels, link, subset_scores
from ui.compare.view import View


@dataclass(frozen=True)
class Lens:
    """One way to look at a comparison: what it is called, its icon, and how it is shown.

    by_epoch: whether it needs what only the images have that both were tested on.
    """

    title: str
    icon: str
    show: Callable[[View], None]
    by_epoch: bool = False


LENSES: dict[str, Lens] = {
    "confusion": Lens("Confusion", "grid_on", confusion.show),
    "confidence": Lens("Confidence", "speed", confidence.show),
    "labels": Lens("Labels", "label", labels.show),
    "epochs": Lens("Epochs", "timeline", epochs.show, by_epoch=True),
    "subsets": Lens("Subsets", "bookmarks", subset_scores.show),
    "map": Lens("Map", "scatter_plot", feature_map.show, by_epoch=True),
}
"""By the name that a link knows each by, in the order of the page."""


def show(view: View) -> None:
    """The views to choose from, and the one that is chosen."""
    wanted, by_epoch = link.kept_value("view"), view.images.test_set.by_epoch
    offered = [name for name, lens in LENSES.items() if by_epoch or not lens.by_epoch]
    chosen = wanted if wanted in offered else offered[0]
    st.session_state["compare_view"] = chosen
    st.segmented_control(
        "View",
        offered,
        format_func=lambda name: f":material/{LENSES[name].icon}: {LENSES[name].title}",
        key="compare_view",
        required=True,
        label_visibility="collapsed",
        on_change=lambda: link.keep(view=st.session_state["compare_view"]),
    )
    if not by_epoch:
        left_out = " and ".join(lens.title for lens in LENSES.values() if lens.by_epoch)
        st.caption(f"The views {left_out} are of the images that networks were tested on.")
    LENSES[chosen].show(view)
    count = len(view.positions)
    counted = f"{units.count(count)} image{'s'[: count != 1]}"
    with st.container(key="controls_jump"):
        st.markdown(f":material/arrow_downward: [{counted} in the gallery](#images)")
