"""What each network makes of a picture."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import TransferLabError
from ui import lab, questions
from ui.frame import icons
from ui.plots.bars import MAX_CLASSES, MOST_PROBABLE, probability_bars
from ui.predict.networks import Network, colors_of


def answer(network: Network, image: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The network's probabilities; None, with a word why, where it has not or cannot answer."""
    said = answer_all(network, image[None])
    return None if said is None else said[0]


def answer_each(images: Mapping[Network, Pixels]) -> dict[Network, NDArray[np.float32] | None]:
    """What each network makes of what it is given, all of them asked at once; as `answer`."""
    for network, image in images.items():
        questions.begin_predicting(network.run, image[None], network.epoch)
    return {network: answer(network, image) for network, image in images.items()}


def answer_all(network: Network, images: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """The network's probabilities of images, asked for at once; as `answer`."""
    try:
        return questions.predict(network.run, images, network.epoch)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None


def show_bars(answers: Mapping[Network, NDArray[np.float32] | None]) -> None:
    """The probabilities, apart for networks that know other classes."""
    colors = colors_of(answers)
    for classes in dict.fromkeys(network.run.config.class_names for network in answers):
        alike = [network for network in answers if network.run.config.class_names == classes]
        probability_bars(
            classes,
            {network.name: answers[network] for network in alike},
            colors={network.name: colors[network] for network in alike},
            key=f"answers_{hashlib.sha256(repr(classes).encode()).hexdigest()[:16]}",
        )
        if len(classes) > MAX_CLASSES:
            st.caption(f"The {MOST_PROBABLE} most probable of {len(classes):,} classes.")


def tell_truth(truth: str, answers: Mapping[Network, NDArray[np.float32] | None]) -> None:
    """Which networks take a picture for what it is known to be."""
    marks = []
    for network, said in answers.items():
        if said is not None:
            right = network.run.config.class_names[int(said.argmax())] == truth
            mark = ":green[:material/check:]" if right else ":red[:material/close:]"
            marks.append(f"{mark} {lab.plain(network.name)}")
    st.caption(f"It is **{lab.plain(truth)}**. {'  '.join(marks)}")
