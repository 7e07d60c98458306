"""How a picture becomes what a network is fed, step by step."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from core.digits import DigitSteps
from core.preprocessing import Pixels, for_network
from ui.picture import picture
from ui.predict.networks import Network, takes_digits

SEEN_SIDE = 165


def show(images: Mapping[Network, Pixels], steps: DigitSteps | None) -> None:
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
