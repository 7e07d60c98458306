"""One picture at a time: drawn or brought along, and read as soon as it is there."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import Run
from ui import lab
from ui.predict import link, reading, taking
from ui.predict.answers import show_bars
from ui.predict.networks import Network, choose_networks, invite_to_choose


@st.fragment
def show(finished: list[Run]) -> None:
    """Picture at the left, answers at the right; a stroke redraws this part alone."""
    left, right = st.columns(2, gap="large")
    with right:
        networks = choose_networks(finished)
        if not networks:
            invite_to_choose()
    with left.container(key="predict_picture"):
        taken = taking.take(networks)
        link.write(taken)
    if not networks:
        return
    with right:
        if taken is None:
            _invite(networks)
            return
        read = reading.read(taken, networks, beside=left)
    if read is not None:
        reading.show_parts(read)


def _invite(networks: Sequence[Network]) -> None:
    """Empty bars while there is no picture; the networks load meanwhile."""
    for network in networks:
        lab.warm_up(*network)
    show_bars(dict.fromkeys(networks))
    st.caption(taking.invitation())
