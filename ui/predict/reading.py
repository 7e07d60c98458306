"""What is known of one picture once the networks have read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.digits import DigitSteps, to_digit
from core.errors import UnreadableImage
from core.preprocessing import Pixels
from ui import lab
from ui.predict import glass_box, keeping
from ui.predict.answers import answer, show_bars
from ui.predict.networks import Network, takes_digits
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


def read(taken: Taken, networks: Sequence[Network]) -> Reading | None:
    """Have each network read a picture and show the answers; None where none could be asked."""
    digits = [network for network in networks if takes_digits(network.run)]
    steps = _as_digit(taken) if digits else None
    images = {network: taken.pixels for network in networks if network not in digits}
    if steps is not None:
        images |= dict.fromkeys(digits, steps.digit)
    if not images:
        return None
    answers = {network: answer(network, image) for network, image in images.items()}
    show_bars(answers)
    return Reading(taken, networks, images, steps, answers)


def _as_digit(taken: Taken) -> DigitSteps | None:
    """The picture as an MNIST digit, or None with the reason shown."""
    try:
        return to_digit(taken.pixels, taken.polarity)
    except UnreadableImage as error:
        st.warning(lab.sentence(error), icon=":material/edit_off:")
        return None


def show_parts(reading: Reading) -> None:
    """All that there is to tell of a reading beside its answers."""
    for show in PARTS.values():
        show(reading)


def _glass_box(reading: Reading) -> None:
    glass_box.show(reading.images, reading.steps)


PARTS: dict[str, Callable[[Reading], None]] = {
    "keep it": keeping.show,
    "glass box": _glass_box,
}
"""What is shown below the picture and the answers, in this order."""
