"""Predict: draw a digit or upload a picture, and see what each network makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest
from textwrap import shorten
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.catalogue import DATASETS
from core.digits import DigitSteps, to_digit
from core.errors import TransferLabError, UnreadableImage
from core.ink import Polarity
from core.preprocessing import FORMATS, decode, for_network
from core.runs import Run
from ui import lab, run_view
from ui.bars import probability_bars
from ui.canvas import draw
from ui.navigation import page
from ui.picture import picture

MOST_RUNS = 4
# Keys of the session: the runs that are chosen, and what the address said when it was last looked
# at. No string below: Streamlit would show it.
NETWORKS, ADDRESS = "networks", "_networks_of_address"
SEEN_SIDE = 165
POLARITIES: dict[Polarity, str] = {
    "auto": "Detect",
    "light ink": "Light on dark",
    "dark ink": "Dark on light",
}


class Network(NamedTuple):
    """A run with the weights of one of its epochs."""

    run: Run
    epoch: int

    @property
    def name(self) -> str:
        """The run's name, and the epoch where it is not the best."""
        best = self.epoch == self.run.state.best_epoch
        return self.run.name if best else f"{self.run.name}, epoch {self.epoch}"


def choose_networks(finished: list[Run]) -> list[Network]:
    """The networks that answer, at first the best of each architecture for the newest's classes.

    They are kept in the address, so that a link opens the same ones.
    """
    by_id = {run.id: run for run in finished}
    linked = _take_address(by_id)
    before = st.session_state.get(NETWORKS)
    left = linked if before is None else [run_id for run_id in before if run_id in by_id]
    if left != before:  # nothing was chosen yet, or one of them is gone
        st.session_state[NETWORKS] = left or _best_of_each(finished)
    chosen = st.multiselect(
        "Networks",
        list(by_id),
        format_func=lambda run_id: shorten(run_view.label(by_id[run_id]), 32, placeholder=" …"),
        max_selections=MOST_RUNS,
        key=NETWORKS,
    )
    networks = choose_epochs([by_id[run_id] for run_id in chosen])
    st.query_params["run"] = [network.run.id for network in networks]
    st.query_params["epoch"] = [str(network.epoch) for network in networks]
    st.session_state[ADDRESS] = _address()
    return networks


def _address() -> tuple[tuple[str, str], ...]:
    """The runs that the address names, each with the epoch that it names for it, or with none."""
    runs, epochs = st.query_params.get_all("run"), st.query_params.get_all("epoch")
    return tuple(zip_longest(runs, epochs[: len(runs)], fillvalue=""))


def _take_address(by_id: Mapping[str, Run]) -> list[str]:
    """The runs that a link names, where it is a new one; what it asks for in vain is told."""
    address = _address()
    known = NETWORKS in st.session_state and address == st.session_state.get(ADDRESS)
    if not address or known:
        return []
    found = [(by_id[run_id], epoch) for run_id, epoch in address if run_id in by_id]
    if len(found) < len(address):
        st.warning(
            "A run of this link cannot be shown here: it was deleted, or it has no results yet.",
            icon=":material/link_off:",
        )
    for run, epoch in found:
        _take_epoch(run, epoch)
    st.session_state.pop(NETWORKS, None)
    return [run.id for run, _ in found][:MOST_RUNS]


def _take_epoch(run: Run, epoch: str) -> None:
    kept = run.folder.kept_epochs()
    if epoch in map(str, kept):
        st.session_state[f"epoch_{run.id}"] = int(epoch)
    elif epoch:
        st.warning(
            f"The weights of epoch {lab.plain(epoch)} of {run_view.name(run)} were not kept; its "
            "best epoch answers instead.",
            icon=":material/link_off:",
        )


def choose_epochs(runs: list[Run]) -> list[Network]:
    """Each run with one of the epochs whose weights it kept, the best if nobody says otherwise."""
    networks = []
    with st.container(horizontal=True, gap="small"):
        for run in runs:
            kept, best = run.folder.kept_epochs(), run.state.best_epoch
            several = bool(kept) and kept != [best]
            networks.append(Network(run, ask_epoch(run, kept) if several else best))
    return networks


def ask_epoch(run: Run, kept: list[int]) -> int:
    """Ask which epoch of a run shall answer."""
    key, best = f"epoch_{run.id}", run.state.best_epoch
    if st.session_state.get(key) not in kept:
        st.session_state[key] = best if best in kept else kept[-1]
    return st.selectbox(
        f"Epoch of {shorten(run.name, 24, placeholder=' …')}",
        kept,
        format_func=lambda epoch: f"{epoch}, the best" if epoch == best else str(epoch),
        key=key,
        width=190,
        help="Those whose weights the run kept.",
    )


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
    images: Mapping[Network, NDArray[np.uint8]], steps: DigitSteps | None
) -> None:
    """The picture as each kind of network is fed it."""
    st.subheader("What the networks see", anchor=False)
    kinds = {
        (run.config.network.side, run.config.network.channels, takes_digits(run)): image
        for (run, _), image in images.items()
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


def answer(network: Network, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The network's probabilities, or None with the reason shown."""
    try:
        return lab.predict(network.run, image, network.epoch)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=":material/error:")
        return None


@st.fragment
def try_networks(finished: list[Run]) -> None:
    """Picture at the left, answers at the right; a stroke redraws this part alone."""
    drawing_column, answer_column = st.columns(2, gap="large")
    with answer_column:
        networks = choose_networks(finished)
        if not networks:
            st.info("Choose at least one network above.", icon=":material/arrow_upward:")
    with drawing_column:
        digits = [takes_digits(network.run) for network in networks]
        taken, polarity = take_picture(digit=not networks or any(digits))
    with answer_column:
        if taken is not None and networks:
            show_answers(taken, polarity, networks)
        elif networks:
            invite(networks)


def show_answers(taken: NDArray[np.uint8], polarity: Polarity, networks: list[Network]) -> None:
    """What each network makes of the picture, and what it was fed."""
    digits = [network for network in networks if takes_digits(network.run)]
    steps = as_digit(taken, polarity) if digits else None
    images = {network: taken for network in networks if network not in digits}
    if steps is not None:
        images |= dict.fromkeys(digits, steps.digit)
    if images:
        show_bars({network: answer(network, image) for network, image in images.items()})
        show_what_networks_see(images, steps)


def show_bars(answers: Mapping[Network, NDArray[np.float32] | None]) -> None:
    """The probabilities, apart for networks that know other classes."""
    for classes in dict.fromkeys(network.run.config.class_names for network in answers):
        alike = [network for network in answers if network.run.config.class_names == classes]
        probability_bars(
            classes,
            {network.name: answers[network] for network in alike},
            colors={network.name: run_view.color_of(network.run) for network in alike},
            key=f"answers_{'_'.join(classes)}",
        )


def invite(networks: list[Network]) -> None:
    """Empty bars while there is no picture; the networks load meanwhile."""
    for network in networks:
        lab.warm_up(*network)
    show_bars(dict.fromkeys(networks))
    if any(takes_digits(network.run) for network in networks):
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
