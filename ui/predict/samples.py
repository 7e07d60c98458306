"""Test images to begin with: one click takes one as the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.datasets import Split
from core.data.preprocessing import Pixels
from core.data.stratified import first_of_each_class
from core.errors import TransferLabError
from core.registry.predictions import read_predictions
from core.registry.run import Run
from ui import lab
from ui.frame import address, icons
from ui.pictures.gallery import Part, gallery
from ui.predict.networks import Network

OFFERED = 20
"""Test images that are shown at a time."""
HEIGHT = 370
"""Pixels that they take at most; more are scrolled to."""
ANY = "Any"
DRAW, CHOSEN, ASKED = "samples_draw", "sample_chosen", "sample_asked"
"""Keys of the session: how often others were asked for, the test image that was clicked, and the
index of the one that a link asks for."""

Positions = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """A test image: its pixels, its number in the test part, and the name of its class."""

    pixels: Pixels
    number: int
    truth: str


def choose(networks: Sequence[Network]) -> Sample | None:
    """Offer test images of what the first network was tested on; the one that was clicked."""
    if not networks:
        st.caption("Test images of a network's dataset are offered once a network is chosen.")
        return None
    run = networks[0].run
    try:
        tested = lab.test_images(run, run.config.network.side)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None
    alike = [
        network
        for network in networks
        if network.run.state.test_fingerprint == run.state.test_fingerprint
    ]
    position = _offer(run, tested, _ask_whose(alike))
    if position is None:
        return None
    sample = Sample(
        np.asarray(tested.images[position]),
        int(tested.indices[position]),
        run.config.class_names[int(tested.labels[position])],
    )
    st.caption(
        f"Test image {sample.number} of {lab.plain(run.config.data.facts.label)}: "
        f"**{lab.plain(sample.truth)}**"
    )
    return sample


def ask_for(index: int) -> None:
    """Have the test image with that index in the test part taken, once there is one."""
    st.session_state[ASKED] = index


def _ask_whose(networks: Sequence[Network]) -> Network | None:
    """Whose mistakes are offered; None for any test images."""
    by_id = {network.run.id: network for network in networks}
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        wanted = st.selectbox(
            "Test images",
            [ANY, *by_id],
            format_func=lambda run_id: (
                ANY if run_id == ANY else f"Taken wrongly by {by_id[run_id].name}"
            ),
            key="samples_of",
            label_visibility="collapsed",
        )
        st.button("Others", icon=":material/shuffle:", key="samples_others", on_click=_others)
    return by_id.get(wanted)


def _others() -> None:
    st.session_state[DRAW] = st.session_state.get(DRAW, 0) + 1


def _offer(run: Run, tested: Split, whose: Network | None) -> int | None:
    """The position of the test image that was clicked last, on this split."""
    split = run.config.data.model_dump_json(), run.state.test_fingerprint
    of_split, before = st.session_state.get(CHOSEN, (split, None))
    chosen: int | None = before if of_split == split else None
    if ASKED in st.session_state:
        chosen = _place_of(st.session_state[ASKED], tested)
    said = None if whose is None else _said(whose)
    pool = np.arange(len(tested)) if said is None else np.flatnonzero(said != tested.labels)
    if not len(pool):
        st.caption("It takes every test image for what it is.")
        return chosen
    offered = drawn(tested.labels, pool, st.session_state.get(DRAW, 0))
    names = run.config.class_names
    with st.container(height=HEIGHT, border=False):
        clicked = gallery(
            np.stack([np.asarray(tested.images[position]) for position in offered]),
            [_caption(names, tested, said, position) for position in offered.tolist()],
            key="samples",
            selected=_place(offered, chosen),
            label="Test images",
        )
    if clicked is not None:
        chosen = int(offered[clicked])
    st.session_state[CHOSEN] = split, chosen
    st.session_state.pop(ASKED, None)  # last: the page may be drawn anew before it is chosen
    return chosen


def _place_of(index: int, tested: Split) -> int | None:
    """The position of the test image with that index; none is told."""
    found = np.flatnonzero(tested.indices == index)
    if not len(found):
        address.tell_of_unknown([f"image={index}"])
        return None
    return int(found[0])


def _said(network: Network) -> Positions | None:
    """The class that a network took each test image for, None with the reason told."""
    try:
        return read_predictions(network.run, network.epoch).classes
    except TransferLabError as error:
        st.caption(lab.sentence(error))
        return None


def drawn(labels: Positions, pool: Positions, draw: int) -> Positions:
    """Positions of some test images by class, as many of each as can be where classes are few.

    draw: the same number gives the same images.
    """
    shuffled = np.random.default_rng(draw).permutation(pool)
    few = len(np.unique(labels[pool])) <= OFFERED // 2
    picked = shuffled[first_of_each_class(labels[shuffled], OFFERED)] if few else shuffled[:OFFERED]
    by_class: Positions = picked[np.argsort(labels[picked], kind="stable")]
    return by_class


def _caption(
    names: Sequence[str], tested: Split, said: Positions | None, position: int
) -> list[Part]:
    truth = Part(names[int(tested.labels[position])])
    return [truth] if said is None else [truth, Part(f"not {names[int(said[position])]}", "bad")]


def _place(offered: Positions, chosen: int | None) -> int | None:
    return None if chosen not in offered else offered.tolist().index(chosen)
