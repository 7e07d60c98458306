"""Inside the networks that read a picture: what their layers and single channels make of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.registry.run import Run
from ui.frame import address, presenting
from ui.inside import inside
from ui.inside.look import Look
from ui.predict.networks import Network, colors_of, takes_digits

if TYPE_CHECKING:
    from ui.predict.reading import Reading

SHOWN = "inside_shown"
NAME = "inside"
"""Of the address: for each network, as `run` names them, the layer and the channel."""
_PAGE, _BETWEEN = "Predict, inside", "~"


def show(reading: Reading) -> None:
    """The layers of each network that answered, asked for only while somebody wants to see them."""
    answered = [network for network, said in reading.answers.items() if said is not None]
    if not answered:
        return
    presenting.heading("Inside the networks", of=SHOWN)
    wanted = st.toggle(
        "Show what single channels see",
        key=SHOWN,
        persist_state="session",
        help="Every layer of a network looks at the picture through many channels. Here each shows "
        "what it makes of this picture, and which test images excite it most.",
    )
    if wanted:
        _look(reading, answered)
    else:
        address.put(_PAGE, {}, [NAME])


def follow(finished: Sequence[Run]) -> None:
    """Look at what the address says, where somebody came by a link; what is not here is told."""
    says = address.read([NAME])
    if address.went_back() or not address.is_news(_PAGE, says):
        return
    address.remember(_PAGE, says)
    by_id, asked = {run.id: run for run in finished}, says[NAME].split(_BETWEEN)
    runs = st.query_params.get_all("run")
    named = zip(runs, asked, strict=False)
    unknown = [
        text for run_id, text in named if run_id in by_id and not inside.choose(by_id[run_id], text)
    ] + asked[len(runs) :]  # whose layer that is, is not said
    address.tell_of_unknown([f"{NAME}={text[:40]}" for text in unknown])
    st.session_state[SHOWN] = True


@st.fragment
def _look(reading: Reading, answered: list[Network]) -> None:
    colors = colors_of(answered)
    looks = [
        Look(
            network.run,
            network.epoch,
            network.name,
            colors[network],
            reading.images[network],
            "the digit" if takes_digits(network.run) else "the picture",
        )
        for network in answered
    ]
    address.put(_PAGE, {NAME: _BETWEEN.join(map(inside.chosen, looks))}, [NAME])
    inside.show(looks)
