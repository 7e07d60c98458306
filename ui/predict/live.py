"""What networks make of what the camera sees, picture after picture."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, decode
from core.errors import TransferLabError, UnreadableImage
from core.predicting.digits import to_digit
from core.registry.run import Run
from ui import lab, questions
from ui.frame import icons
from ui.predict import live_script
from ui.predict.answers import show_bars
from ui.predict.networks import Network, choose_networks, invite_to_choose, takes_digits

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

CAMERA = "live_camera"
_SEEN = "_live_seen"
TOLD = (
    "The browser asks whether this page may use the camera. Each picture goes to this server, is "
    "answered and forgotten; the next one is taken then."
)
NO_DIGIT = "No digit is seen: write one large and dark on plain paper, and hold it still."


class Seen(NamedTuple):
    """A picture that the browser sent, by its number, as a data URL."""

    number: int
    url: str


@st.fragment
def show(finished: list[Run]) -> None:
    """The camera at the left, the answers at the right; each picture redraws this part alone."""
    left, right = st.columns(2, gap="large")
    seen: Seen | None = st.session_state.get(_SEEN)
    with right:
        networks = choose_networks(finished)
        answered = _answer(seen, networks)
    if answered is not None:
        st.session_state.pop(_SEEN, None)
    with left:
        number = seen.number if seen and answered is not None else 0
        _component()(
            data={"answered": number, "failed": answered is False},
            key=CAMERA,
            on_seen_change=_keep,
        )
        st.caption(TOLD)


def _keep() -> None:
    """Take over what the browser sent, until it is answered in a moment."""
    number, url = st.session_state[CAMERA]["seen"]
    st.session_state[_SEEN] = Seen(int(number), str(url))


def _answer(seen: Seen | None, networks: Sequence[Network]) -> bool | None:
    """Show what each network says; whether any of them could answer, None while one is loaded."""
    if not networks:
        invite_to_choose()
        return False
    if seen is None:
        for network in networks:
            lab.warm_up(*network)
        show_bars(dict.fromkeys(networks))
        return True
    if not _all_loaded(networks):
        show_bars(dict.fromkeys(networks))
        return None
    try:
        picture = _picture(seen.url)
    except UnreadableImage as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return False
    digit = _digit(picture) if any(takes_digits(network.run) for network in networks) else None
    fed = {network: digit if takes_digits(network.run) else picture for network in networks}
    answers = {
        network: None if image is None else _ask(network, image) for network, image in fed.items()
    }
    show_bars(answers)
    if any(image is None for image in fed.values()):
        st.caption(NO_DIGIT)
    asked = [network for network, image in fed.items() if image is not None]
    return not asked or any(answers[network] is not None for network in asked)


def _all_loaded(networks: Sequence[Network]) -> bool:
    """Whether all networks will answer at once. One that cannot be loaded says so when asked."""
    loaded = True
    for network in networks:
        with suppress(TransferLabError):
            loaded &= questions.is_loaded(*network)
    return loaded


def _ask(network: Network, image: Pixels) -> NDArray[np.float32] | None:
    """The network's probabilities, or None with the reason shown.

    A network that is loaded is asked while the page waits: the browser takes the next picture only
    then.
    """
    try:
        said = lab.predictor().predict(network.run.id, image[None], network.epoch)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None
    probabilities: NDArray[np.float32] = said[0]
    return probabilities


def _picture(url: str) -> Pixels:
    try:
        return decode(base64.b64decode(url.partition(",")[2], validate=True))
    except binascii.Error:
        raise UnreadableImage("the browser sent no picture; load the page anew") from None


def _digit(picture: Pixels) -> Pixels | None:
    try:
        return to_digit(picture, "auto").digit
    except UnreadableImage:
        return None


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_live",
        html=live_script.HTML,
        css=live_script.CSS,
        js=live_script.JS,
    )
