"""Predict: draw a digit or upload a picture, and see what each network makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import shorten

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.catalogue import DATASETS
from core.errors import TransferLabError, UnreadableImage
from core.preprocessing import FORMATS, DigitSteps, Polarity, decode, for_network, to_digit
from core.runs import Run
from ui import lab, run_view
from ui.canvas import draw
from ui.navigation import page
from ui.picture import picture

MOST_RUNS = 4
SEEN_SIDE = 165
POLARITIES: dict[Polarity, str] = {
    "auto": "Detect",
    "light ink": "Light on dark",
    "dark ink": "Dark on light",
}


def choose_runs(finished: list[Run]) -> list[Run]:
    """The runs that answer, at first the best of each network that the newest's classes have."""
    by_id = {run.id: run for run in finished}
    chosen = st.multiselect(
        "Networks",
        list(by_id),
        default=_best_of_each(finished),
        format_func=lambda run_id: shorten(run_view.label(by_id[run_id]), 32, placeholder=" …"),
        max_selections=MOST_RUNS,
    )
    return [by_id[run_id] for run_id in chosen]


def _best_of_each(finished: list[Run]) -> list[str]:
    best: dict[str, Run] = {}
    alike = [run for run in finished if run.config.class_names == finished[0].config.class_names]
    for run in sorted(alike, key=lambda run: -run.state.metrics["val_accuracy"]):
        best.setdefault(run.config.network.architecture, run)
    return [run.id for run in best.values()][:MOST_RUNS]


def takes_digits(run: Run) -> bool:
    """Whether a run is fed pictures framed as MNIST's digits are, and not as they come."""
    return DATASETS[run.config.data.name].digits


def take_picture(digit: bool) -> tuple[NDArray[np.uint8] | None, Polarity]:
    """A drawing or an uploaded picture, or None where there is none yet, and its polarity.

    digit: whether it may be one; else there is nothing to draw.
    """
    if not digit:
        return upload("A picture to classify"), "auto"
    source = st.segmented_control(
        "Picture", ["Draw", "Upload"], default="Draw", required=True, label_visibility="collapsed"
    )
    if source == "Draw":
        return draw("digit"), "light ink"
    polarity = st.segmented_control(
        "Ink",
        list(POLARITIES),
        format_func=POLARITIES.__getitem__,
        default="auto",
        required=True,
        help="Whether strokes are lighter or darker than what they stand on.",
    )
    return upload("A picture of one digit, on paper or on screen"), polarity


def upload(label: str) -> NDArray[np.uint8] | None:
    """An uploaded picture; what cannot be read is told and taken for none."""
    file = st.file_uploader(label, type=[kind.lower() for kind in FORMATS] + ["jpg", "tif"])
    if file is None:
        return None
    try:
        uploaded = decode(file.getvalue())
    except UnreadableImage as error:
        st.error(lab.sentence(error), icon=":material/error:")
        return None
    picture(uploaded, side=280, alt="The uploaded picture")
    return uploaded


def as_digit(picture: NDArray[np.uint8], polarity: Polarity) -> DigitSteps | None:
    """The picture as an MNIST digit, or None with the reason shown."""
    try:
        return to_digit(picture, polarity)
    except UnreadableImage as error:
        st.warning(lab.sentence(error), icon=":material/edit_off:")
        return None


def show_what_networks_see(
    images: Mapping[Run, NDArray[np.uint8]], steps: DigitSteps | None
) -> None:
    """The picture as each kind of network is fed it."""
    st.subheader("What the networks see", anchor=False)
    kinds = {
        (run.config.network.side, run.config.network.channels, takes_digits(run)): image
        for run, image in images.items()
    }
    with st.container(horizontal=True, gap="small"):
        for side, channels, digit in sorted(kinds):
            fed = for_network(kinds[side, channels, digit][None], side, channels)[0]
            with st.container(width=SEEN_SIDE):
                picture(
                    fed if channels == 3 else fed[..., 0],
                    side=SEEN_SIDE,
                    caption=f"{side} × {side}, {'grey' if channels == 1 else 'three channels'}",
                    alt=f"The {'digit' if digit else 'picture'} as {side} × {side} pixels",
                )
    if steps is None:
        st.caption("The picture is resized to the side that each network takes.")
    elif steps.already_mnist:
        st.caption("The picture is framed as MNIST's are, so it is taken as it is.")
    else:
        st.caption(
            "Framed the way MNIST was made: ink on black, cropped, its longer side brought to "
            "20 pixels, its centre of mass moved to the middle of 28 x 28."
        )


def answer(run: Run, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The run's probabilities, or None with the reason shown."""
    try:
        return lab.predict(run, image)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=":material/error:")
        return None


@st.fragment
def try_networks(finished: list[Run]) -> None:
    """Picture at the left, answers at the right; a stroke redraws this part alone."""
    drawing_column, answer_column = st.columns(2, gap="large")
    with answer_column:
        runs = choose_runs(finished)
        if not runs:
            st.info("Choose at least one network above.", icon=":material/arrow_upward:")
    with drawing_column:
        taken, polarity = take_picture(digit=not runs or any(map(takes_digits, runs)))
    with answer_column:
        if taken is not None and runs:
            show_answers(taken, polarity, runs)
        elif runs:
            invite(runs)


def show_answers(taken: NDArray[np.uint8], polarity: Polarity, runs: list[Run]) -> None:
    """What each network makes of the picture, and what it was fed."""
    steps = as_digit(taken, polarity) if any(map(takes_digits, runs)) else None
    images = {run: taken for run in runs if not takes_digits(run)}
    if steps is not None:
        images |= {run: steps.digit for run in runs if takes_digits(run)}
    if images:
        show_bars({run: answer(run, image) for run, image in images.items()})
        show_what_networks_see(images, steps)


def show_bars(answers: Mapping[Run, NDArray[np.float32] | None]) -> None:
    """The probabilities, apart for runs that know other classes."""
    for classes in dict.fromkeys(run.config.class_names for run in answers):
        alike = {run: made for run, made in answers.items() if run.config.class_names == classes}
        run_view.bars(alike, key=f"answers_{'_'.join(classes)}")


def invite(runs: list[Run]) -> None:
    """Empty bars while there is no picture; the networks load meanwhile."""
    for run in runs:
        lab.warm_up(run)
    show_bars(dict.fromkeys(runs))
    if any(map(takes_digits, runs)):
        st.caption("Draw a digit: every network answers as soon as a stroke ends.")
    else:
        st.caption("Upload a picture: every network answers at once.")


page("Predict", "✏️")
finished = [run for run in lab.runs().all() if run.has_results]
if not finished:
    st.info(
        "No network is trained yet. Train one first, a few minutes are enough, then draw digits "
        "for it here.",
        icon=":material/info:",
    )
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
    st.stop()
try_networks(finished)
