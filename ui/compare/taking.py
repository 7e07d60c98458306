"""Taking a comparison along: the selected pictures, all predictions, and a report to send."""

from __future__ import annotations

from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.export import (
    MOST_BYTES,
    labels_csv,
    predictions_csv,
    size_of_each,
    zip_of_pictures,
)
from core.analysis.report import report
from core.analysis.selection import Positions
from ui import units
from ui.compare.view import LETTERS, View
from ui.frame import icons

CARD_WIDTH = 300


def show(view: View) -> None:
    """What can be downloaded; each file is made when it is asked for."""
    with st.container(key="controls_taking"):
        _show(view)


def _show(view: View) -> None:
    st.subheader("Taking it along", anchor=False, divider="gray")
    with st.container(horizontal=True, gap="small"):
        for card in (_report, _pictures, _predictions):
            with st.container(border=True, width=CARD_WIDTH, gap="small"):
                card(view)
    st.caption(
        "To show somebody at this server just what you see, send the address of this page: it "
        "opens the same networks, view and filters.",
    )


def _report(view: View) -> None:
    color_a, color_b = map(view.color, view.sides)
    called = view.images.test_set.title(view.comparison.a.run)
    st.download_button(
        "Report",
        partial(report, view.images, view.pictures, colors=(color_a, color_b), tested_on=called),
        file_name="report.html",
        mime="text/html",
        icon=":material/article:",
        key="take_report",
        on_click="ignore",
        width="stretch",
    )
    st.caption(
        "One file to read, send and print: verdict, curves, matrices, the most telling pictures "
        "and both configurations. It needs no network."
    )


def _pictures(view: View) -> None:
    comparison, pictures, positions = view.comparison, view.pictures, view.positions
    each = _size_of_each(comparison.a.predictions.fingerprint, pictures.shape, pictures)
    taken = positions[: int(MOST_BYTES / each)]
    st.download_button(
        "Selected pictures",
        partial(zip_of_pictures, comparison, taken, pictures),
        file_name="pictures.zip",
        mime="application/zip",
        icon=icons.PICTURES,
        key="take_pictures",
        on_click="ignore",
        disabled=len(taken) == 0,
        width="stretch",
    )
    st.caption(_told(positions, taken, each))


def _told(positions: Positions, taken: Positions, each: float) -> str:
    """Which pictures a ZIP would hold, and how large it would be."""
    if len(positions) == 0:
        return "No image is left by the filters above."
    named = "each named index_true_a_b.png, with classes by number.".replace("_", "\\_")
    about = f"about {units.size(len(taken) * each)}"
    count = units.count(len(taken))
    if len(taken) < len(positions):
        return (
            f"The first {count} of the {units.count(len(positions))} images selected above "
            f"({about}; more would not fit into memory), {named}"
        )
    images = "The image" if len(taken) == 1 else f"The {count} images"
    return f"{images} selected above as a ZIP ({about}), {named}"


def _predictions(view: View) -> None:
    images = view.images
    st.download_button(
        "All predictions",
        partial(predictions_csv, images),
        file_name="predictions.csv",
        mime="text/csv",
        icon=":material/table:",
        key="take_predictions",
        on_click="ignore",
        width="stretch",
    )
    st.caption(
        f"What both took each image for and how surely, {units.count(len(images))} in all, as "
        "CSV. For Kaggle, with the columns ImageId and Label:"
    )
    with st.container(horizontal=True, gap="small"):
        for letter, side in zip(LETTERS, view.sides, strict=True):
            st.download_button(
                f"Only {letter}",
                partial(labels_csv, side.predictions),
                file_name=f"{letter.lower()}.csv",
                mime="text/csv",
                key=f"take_{letter.lower()}",
                on_click="ignore",
            )


@st.cache_resource(max_entries=16, show_spinner=False)
def _size_of_each(fingerprint: str, shape: tuple[int, ...], _pictures: NDArray[np.uint8]) -> float:
    return size_of_each(_pictures)
