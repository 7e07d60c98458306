"""Inside the networks that read a picture: what their layers and single channels make of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from ui.inside import inside
from ui.inside.look import Look
from ui.predict.networks import Network, colors_of, takes_digits

if TYPE_CHECKING:
    from ui.predict.reading import Reading

SHOWN = "inside_shown"


def show(reading: Reading) -> None:
    """The layers of each network that answered, asked for only while somebody wants to see them."""
    answered = [network for network, said in reading.answers.items() if said is not None]
    if not answered:
        return
    st.subheader("Inside the networks", anchor=False)
    wanted = st.toggle(
        "Show what single channels see",
        key=SHOWN,
        persist_state="session",
        help="Every layer of a network looks at the picture through many channels. Here each shows "
        "what it makes of this picture, and which test images excite it most.",
    )
    if wanted:
        _look(reading, answered)


@st.fragment
def _look(reading: Reading, answered: list[Network]) -> None:
    colors = colors_of(answered)
    inside.show(
        [
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
    )
