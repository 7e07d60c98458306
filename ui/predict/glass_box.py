"""How a picture becomes what a network is fed, step by step, and what plain resizing does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, for_network
from core.predicting.digits import DigitSteps, naive_digit
from ui.pictures.picture_row import Shown, numbered, picture_row
from ui.predict.answers import answer_each
from ui.predict.networks import Network, takes_digits
from ui.predict.taking import Origin, Taken
from ui.units import percent

CAME: Mapping[Origin, str] = {
    "drawn": "As drawn",
    "uploaded": "As uploaded",
    "photographed": "As photographed",
    "sample": "As in the dataset",
}
RESIZED_TOO = "Set beside a plain resize"

Answers = Mapping[Network, NDArray[np.float32] | None]


def show(
    taken: Taken, images: Mapping[Network, Pixels], steps: DigitSteps | None, answers: Answers
) -> None:
    """What was done to the picture, and what each kind of network is fed."""
    st.subheader("What the networks see", anchor=False)
    came = Shown(CAME[taken.origin], taken.pixels, f"{_size(taken.pixels)} pixels.")
    framing = _framing(steps) if steps else []
    picture_row([*(numbered([came, *framing]) if framing else [came]), *_fed(images)])
    if steps is None:
        st.caption("The picture is resized to the side that each network takes.")
        return
    if steps.already_mnist:
        st.caption("The picture is framed as MNIST's are, so it is taken as it is.")
        return
    st.caption(
        "Framed the way MNIST was made: networks that learned from it know digits in this size and "
        "at this place only."
    )
    if st.toggle(RESIZED_TOO, key="resized_too"):
        digits = {network: said for network, said in answers.items() if takes_digits(network.run)}
        _set_beside(taken, steps, digits)


def _framing(steps: DigitSteps) -> list[Shown]:
    """The steps from strokes to a digit in MNIST's frame; none where it was in it already."""
    if steps.already_mnist:
        return []
    return [
        Shown("Ink", steps.ink, _ink(steps)),
        Shown("Cropped", steps.cropped, f"To the ink: {_size(steps.cropped)}."),
        Shown(
            "In a 20-pixel box",
            steps.boxed,
            f"Its longer side brought to 20 pixels: {_size(steps.boxed)}.",
        ),
        Shown(
            "Centred by mass",
            steps.digit,
            f"Its centre of mass moved to the middle of {_size(steps.digit)}.",
        ),
    ]


def _ink(steps: DigitSteps) -> str:
    """What was done to lift strokes off the picture."""
    done = ["Turned round, light on black"] if steps.inverted else ["Light on black"]
    if steps.uneven:
        done.append("uneven light divided out")
    if steps.ruled:
        done.append("ruled lines taken away")
    return f"{', '.join(done)}."


def _size(image: Pixels) -> str:
    height, width = image.shape[:2]
    return f"{width} × {height}"


class _Kind(NamedTuple):
    """What networks that are fed alike have in common."""

    side: int
    channels: int
    digit: bool


def _fed(images: Mapping[Network, Pixels]) -> list[Shown]:
    """What each kind of network is fed."""
    kinds: dict[_Kind, list[Network]] = {}
    for network in images:
        config = network.run.config.network
        kind = _Kind(config.side, config.channels, takes_digits(network.run))
        kinds.setdefault(kind, []).append(network)
    shown = []
    for kind, alike in sorted(kinds.items()):
        (fed,) = for_network(images[alike[0]][None], kind.side, kind.channels)
        color = "grey" if kind.channels == 1 else "three channels"
        shown.append(
            Shown(
                f"Fed to {_names(alike)}",
                fed if kind.channels == 3 else fed[..., 0],
                f"{kind.side} × {kind.side}, {color}",
            )
        )
    return shown


def _names(networks: Sequence[Network]) -> str:
    names = list(dict.fromkeys(network.run.name for network in networks))
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


# --- without framing --------------------------------------------------------------------------


def _set_beside(taken: Taken, steps: DigitSteps, framed: Answers) -> None:
    """What each network makes of the whole picture, squeezed into 28 x 28 as it is."""
    resized = naive_digit(taken.pixels, taken.polarity)
    plain = answer_each(dict.fromkeys(framed, resized))
    pictures, table = st.columns([1, 2], gap="medium")
    with pictures:
        picture_row(
            [
                Shown("Framed", steps.digit, "As MNIST's digits."),
                Shown("Just resized", resized, "The whole picture in 28 × 28."),
            ]
        )
    with table:
        st.dataframe(
            [
                {
                    "Network": network.name,
                    "Framed": _said(network, framed[network]),
                    "Just resized": _said(network, plain[network]),
                }
                for network in framed
            ],
            hide_index=True,
        )
        st.caption(_verdict(framed, plain))


def _said(network: Network, probabilities: NDArray[np.float32] | None) -> str:
    if probabilities is None:
        return "no answer"
    best = int(probabilities.argmax())
    name = network.run.config.class_names[best]
    return f"{name}, {percent(float(probabilities[best]), 1)}"


def _verdict(framed: Answers, plain: Answers) -> str:
    both = [
        (said.argmax(), other.argmax())
        for network, said in framed.items()
        if said is not None and (other := plain[network]) is not None
    ]
    changed = sum(one != other for one, other in both)
    why = (
        "Resized as a whole, a digit keeps its place and its share of the picture, and its strokes "
        "keep their share of it; in the training data every digit is 20 pixels long and stands in "
        "the middle."
    )
    if not changed:
        return (
            f"{why} This time the answers stay the same; they change with a small digit, or one "
            "in a corner."
        )
    return f"{why} Answers that this changes: {changed} of {len(both)}."
