"""Several digits in one picture: found one by one, all read at once, looked at one at a time."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.data.preprocessing import Pixels
from core.predicting.digits import DigitSteps
from core.predicting.found_digits import FoundDigit, FoundDigits, find_digits
from core.predicting.ink import Polarity
from ui.pictures.gallery import Part, gallery
from ui.pictures.picture import data_url
from ui.predict.answers import answer_all
from ui.predict.networks import Network, colors_of
from ui.predict.taking import Taken
from ui.units import percent

LOOKED_AT = "digit_looked_at"
"""Key of the session: the name of the picture, and which of its digits is looked at, from 0."""
CUT = "Touched its neighbour and was cut off: look whether the cut is right."
SENT_SIDE = 1000
"""Longest side in pixels of the picture that is sent to be shown."""

Answers = Mapping[Network, NDArray[np.float32]]
"""Of each network the probabilities of all digits, (count, classes)."""


@dataclass(frozen=True, eq=False)
class OneDigit:
    """A digit as networks read it, and the picture that shows it alone."""

    taken: Taken
    steps: DigitSteps
    answers: Mapping[Network, NDArray[np.float32] | None]


def find(taken: Taken) -> FoundDigits:
    """The digits of a picture, found once. Raises UnreadableImage where there is no ink."""
    return _find(_digest(taken.pixels), taken.polarity, taken.pixels)


@st.cache_resource(max_entries=4, show_spinner=False)
def _find(digest: str, polarity: Polarity, _picture: Pixels) -> FoundDigits:
    return find_digits(_picture, polarity)


def _digest(picture: Pixels) -> str:
    return hashlib.sha256(picture.tobytes() + repr(picture.shape).encode()).hexdigest()


def read(
    taken: Taken, found: FoundDigits, networks: Sequence[Network], beside: DeltaGenerator
) -> OneDigit:
    """Show what each network reads, digit by digit; the digit that is looked at.

    beside: where the picture is shown with its digits marked.
    """
    digits = found.digits
    images = np.stack([digit.steps.digit for digit in digits])
    answers = {
        network: said for network in networks if (said := answer_all(network, images)) is not None
    }
    _numbers(digits, answers)
    place = _choose(taken.name, digits, images, answers)
    with beside:
        _marked(taken.pixels, digits, answers, place)
        if found.note:
            st.caption(f":material/content_cut: {found.note}")
    one = {network: answers[network][place] if network in answers else None for network in networks}
    return OneDigit(_part(taken, digits[place]), digits[place].steps, one)


def _part(taken: Taken, digit: FoundDigit) -> Taken:
    rows, columns = slice(digit.y, digit.y + digit.height), slice(digit.x, digit.x + digit.width)
    return replace(taken, pixels=taken.pixels[rows, columns], strokes=None, several=False)


# --- the number as each network reads it ------------------------------------------------------

_NUMBERS_CSS = """<style>
.numbers { display: grid; grid-template-columns: auto auto 1fr; gap: 0.15rem 0.9rem;
           align-items: baseline; }
.numbers b { font-size: 1.4rem; letter-spacing: 0.08em; font-variant-numeric: tabular-nums;
             overflow-wrap: anywhere; }
.numbers .who { font-size: 0.875rem; overflow: hidden; text-overflow: ellipsis;
                white-space: nowrap; max-width: 11rem; }
.numbers i { display: inline-block; width: 0.7rem; height: 0.7rem; border-radius: 2px;
             margin-right: 0.35rem; }
.numbers .least { font-size: 0.8rem; opacity: 0.75; }
@media (max-width: 640px) {
  .numbers { grid-template-columns: auto 1fr; }
  .numbers .least { grid-column: 1 / -1; margin-bottom: 0.4rem; }
}
</style>"""


def _numbers(digits: Sequence[FoundDigit], answers: Answers) -> None:
    """Each network's reading of the whole, with the digit that it is least sure of."""
    colors = colors_of(answers)
    rows = [
        f'<span class="who"><i style="background:{colors[network]}"></i>'
        f"{html.escape(network.name)}</span><b>{html.escape(_read_as(network, digits, said))}</b>"
        f'<span class="least">{_least(network, said)}</span>'
        for network, said in answers.items()
    ]
    st.html(f'{_NUMBERS_CSS}<div class="numbers">{"".join(rows)}</div>')


def _read_as(network: Network, digits: Sequence[FoundDigit], said: NDArray[np.float32]) -> str:
    """All digits as one number, lines of them apart."""
    names = _names(network, said)
    text = names[0]
    for (before, digit), name in zip(pairwise(digits), names[1:], strict=True):
        text += f" {name}" if begins_line(before, digit) else name
    return text


def begins_line(before: FoundDigit, digit: FoundDigit) -> bool:
    """Whether a digit stands on another line than the one that is read before it."""
    return digit.x < before.x or digit.y >= before.y + before.height


def _names(network: Network, said: NDArray[np.float32]) -> list[str]:
    return [network.run.config.class_names[best] for best in said.argmax(axis=1)]


def _least(network: Network, said: NDArray[np.float32]) -> str:
    sure = said.max(axis=1)
    place = int(sure.argmin())
    name = html.escape(_names(network, said)[place])
    return f"least sure: digit {place + 1}, read as {name}, {percent(float(sure[place]), 1)}"


# --- one digit to look at ---------------------------------------------------------------------


def _choose(name: str, digits: Sequence[FoundDigit], images: Pixels, answers: Answers) -> int:
    """Each digit with what networks read; the one that was clicked last."""
    of_picture, before = st.session_state.get(LOOKED_AT, (name, 0))
    place = min(before, len(digits) - 1) if of_picture == name else 0
    clicked = gallery(
        images,
        [_captions(number, answers) for number in range(len(digits))],
        key="found_digits",
        selected=place,
        label="Digits of the picture",
        marks=[CUT if digit.split else "" for digit in digits],
    )
    if clicked is not None:
        place = clicked
    st.session_state[LOOKED_AT] = name, place
    st.caption(f"Below, digit {place + 1} of {len(digits)}; click another to see how it is read.")
    return place


def _captions(number: int, answers: Answers) -> list[Part]:
    parts, colors = [], colors_of(answers)
    for network, said in answers.items():
        best = int(said[number].argmax())
        name, sure = network.run.config.class_names[best], float(said[number, best])
        parts.append(Part(name, share=round(sure, 4), color=colors[network]))
    return parts


# --- the picture with its digits marked -------------------------------------------------------

_MARKED_CSS = """<style>
.marked { position: relative; margin: 0; max-width: 560px; }
.marked img { width: 100%; display: block; border-radius: 4px; }
.marked div { position: absolute; box-sizing: border-box; border: 2px solid #4499ff;
              border-radius: 3px; }
.marked .cut { border-style: dashed; }
.marked .looked-at { border-color: #ffb02e; }
.marked span { position: absolute; left: -2px; bottom: 100%; padding: 0 4px; white-space: nowrap;
               font: 600 0.8rem/1.35 sans-serif; border-radius: 3px 3px 0 0; color: #fff;
               background: #1f5fbf; }
.marked .low span { bottom: auto; top: 100%; border-radius: 0 0 3px 3px; }
.marked .looked-at span { background: #ffb02e; color: #1c2430; }
</style>"""


def _marked(picture: Pixels, digits: Sequence[FoundDigit], answers: Answers, place: int) -> None:
    """The picture with a box around each digit that says what networks read there."""
    height, width = picture.shape[:2]
    boxes = []
    for number, digit in enumerate(digits):
        read = dict.fromkeys(_names(network, said)[number] for network, said in answers.items())
        kinds = {"cut": digit.split, "looked-at": number == place, "low": digit.y < 0.1 * height}
        boxes.append(
            f'<div class="{" ".join(kind for kind, holds in kinds.items() if holds)}" style="'
            f"left:{100 * digit.x / width:.2f}%;top:{100 * digit.y / height:.2f}%;"
            f'width:{100 * digit.width / width:.2f}%;height:{100 * digit.height / height:.2f}%">'
            f"<span>{html.escape(' or '.join(read) or '?')}</span></div>"
        )
    st.html(
        f'{_MARKED_CSS}<figure class="marked"><img src="{_as_url(_digest(picture), picture)}" '
        f'alt="The picture with {len(digits)} digits marked">{"".join(boxes)}</figure>'
    )


@st.cache_data(max_entries=8, show_spinner=False)
def _as_url(digest: str, _picture: Pixels) -> str:
    scale = SENT_SIDE / max(_picture.shape[:2])
    if scale >= 1:
        return data_url(_picture)
    size = (round(_picture.shape[1] * scale), round(_picture.shape[0] * scale))
    return data_url(np.asarray(cv2.resize(_picture, size, interpolation=cv2.INTER_AREA), np.uint8))
