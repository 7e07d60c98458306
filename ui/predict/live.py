"""What networks make of what the camera sees, picture after picture."""

from __future__ import annotations

import base64
import binascii
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from core.data.preprocessing import Pixels, decode
from core.errors import UnreadableImage
from core.predicting.digits import to_digit
from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.predict import live_script
from ui.predict.answers import answer, show_bars
from ui.predict.networks import Network, choose_networks, takes_digits

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
    seen: Seen | None = st.session_state.pop(_SEEN, None)
    with right:
        networks = choose_networks(finished)
        answered = _answer(seen, networks)
    with left:
        _component()(
            data={"answered": seen.number if seen else 0, "failed": not answered},
            key=CAMERA,
            on_seen_change=_keep,
        )
        st.caption(TOLD)


def _keep() -> None:
    """Take over what the browser sent, until it is answered in a moment."""
    number, url = st.session_state[CAMERA]["seen"]
    st.session_state[_SEEN] = Seen(int(number), str(url))


def _answer(seen: Seen | None, networks: Sequence[Network]) -> bool:
    """Show what each network says; whether any of them could answer."""
    if not networks:
        st.info("Choose at least one network above.", icon=":material/arrow_upward:")
        return False
    if seen is None:
        for network in networks:
            lab.warm_up(*network)
        show_bars(dict.fromkeys(networks))
        return True
    try:
        picture = _picture(seen.url)
    except UnreadableImage as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return False
    digit = _digit(picture) if any(takes_digits(network.run) for network in networks) else None
    fed = {network: digit if takes_digits(network.run) else picture for network in networks}
    answers = {
        network: None if image is None else answer(network, image) for network, image in fed.items()
    }
    show_bars(answers)
    if any(image is None for image in fed.values()):
        st.caption(NO_DIGIT)
    asked = [network for network, image in fed.items() if image is not None]
    return not asked or any(answers[network] is not None for network in asked)


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
