"""The views of a dataset, of which one is open at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

from ui import lab
from ui.data import augmenting, classes, link, overview, pictures, pixels, report
from ui.data.shown import Shown
from ui.frame import icons


@dataclass(frozen=True)
class View:
    """One way to look at a dataset: what it is called, its icon, and how it is shown.

    of_imported: whether it shows what only imported datasets have.
    """

    title: str
    icon: str
    show: Callable[[Shown], None]
    of_imported: bool = False


VIEWS: dict[str, View] = {
    "overview": View("Overview", "bar_chart", overview.show),
    "pictures": View("Pictures", "grid_view", pictures.show),
    "pixels": View("Pixels", "palette", pixels.show),
    "classes": View("Classes", "label", classes.show),
    "report": View("Report", "assignment", report.show, of_imported=True),
    "augmentation": View("Augmentation", "animation", augmenting.show),
}
"""By the name that a link knows each by (`view`), in the order of the page."""


def show(shown: Shown) -> None:
    """The views to choose from, and the one that is chosen."""
    offered = [name for name, view in VIEWS.items() if shown.imported or not view.of_imported]
    wanted = link.value("view")
    chosen = wanted if wanted in offered else offered[0]
    st.session_state["data_view"] = chosen
    with st.container(key="data_views", horizontal=True, vertical_alignment="center", gap="small"):
        st.segmented_control(
            "View",
            offered,
            format_func=lambda name: f":material/{VIEWS[name].icon}: {VIEWS[name].title}",
            key="data_view",
            required=True,
            label_visibility="collapsed",
            wrap=True,
            on_change=lambda: link.keep({"view": st.session_state["data_view"]}),
        )
        if shown.images["train"]:
            st.page_link(
                "pages/2_Train.py",
                label="Train on it",
                icon=icons.TRAIN,
                query_params={"dataset": shown.name},
            )
    with st.container(key="data_view_shown"), lab.failures_as_sentences():
        VIEWS[chosen].show(shown)
