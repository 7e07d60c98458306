"""What is known of one picture once the networks have read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.data.preprocessing import Pixels
from core.errors import UnreadableImage
from core.predicting.digits import DigitSteps, to_digit
from ui import lab
from ui.predict import glass_box, inside, keeping, several, strangeness, unlikeness, why
from ui.predict.answers import answer_each, show_bars, tell_truth
from ui.predict.networks import Network, takes_digits
from ui.predict.several import OneDigit
from ui.predict.taking import Taken


@dataclass(frozen=True, eq=False)
class Reading:
    """One picture, what each network was given of it, and what each said.

    images: for each network that was asked, the 28x28 digit or the picture as it came. steps: how
    the digit was made, None where no network reads digits or there is none. answers: one
    probability per class, None where a network could not answer, which it was told.
    """

    taken: Taken
    networks: Sequence[Network]
    images: Mapping[Network, Pixels]
    steps: DigitSteps | None
    answers: Mapping[Network, NDArray[np.float32] | None]


def read(
    taken: Taken, networks: Sequence[Network], beside: DeltaGenerator | None = None
) -> Reading | None:
    """Have each network read a picture and show the answers; None where none could be asked.

    Of a picture of several digits it is the reading of the one that is looked at. beside: where
    the picture stands, by default here.
    """
    digits = [network for network in networks if takes_digits(network.run)]
    one = _read_digit(taken, digits, beside or st.container()) if digits else None
    said = dict(one.answers) if one else {}
    images = dict.fromkeys(digits, one.steps.digit) if one else {}
    for network in networks:
        if network not in digits:
            images[network] = taken.pixels
    if not images:
        return None
    bars, waits = st.container(), st.container()  # so that no bar moves once all have answered
    with waits:
        said |= answer_each({network: images[network] for network in images if network not in said})
    answers = {network: said[network] for network in networks if network in said}
    with bars:
        show_bars(answers)
    if taken.truth is not None:
        tell_truth(taken.truth, answers)
    if one:
        unlikeness.show(one.steps.digit)
        reading = Reading(one.taken, networks, images, one.steps, answers)
    else:
        reading = Reading(taken, networks, images, None, answers)
    strangeness.show(reading)
    return reading


def _read_digit(
    taken: Taken, networks: Sequence[Network], beside: DeltaGenerator
) -> OneDigit | None:
    """The digit that a picture shows as networks read it, or None with the reason shown.

    One that stands alone is still to be answered.
    """
    try:
        found = several.find(taken) if taken.several else None
        if found and len(found.digits) > 1:
            return several.read(taken, found, networks, beside)
        steps = to_digit(taken.pixels, taken.polarity)
    except UnreadableImage as error:
        st.warning(lab.sentence(error), icon=":material/edit_off:")
        return None
    return OneDigit(taken, steps, {})


def show_parts(reading: Reading) -> None:
    """All that there is to tell of a reading beside its answers."""
    for show in PARTS.values():
        show(reading)


def _glass_box(reading: Reading) -> None:
    glass_box.show(reading.taken, reading.images, reading.steps, reading.answers)


PARTS: dict[str, Callable[[Reading], None]] = {
    "keep it": keeping.show,
    "glass box": _glass_box,
    "why": why.show,
    "inside": inside.show,
}
"""What is shown below the picture and the answers, in this order."""
