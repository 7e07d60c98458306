"""Where a picture comes from: drawn or uploaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from core.errors import UnreadableImage
from core.ink import Polarity
from core.preprocessing import FORMATS, Pixels, decode
from ui import lab
from ui.canvas import draw
from ui.picture import picture
from ui.predict.networks import Network, takes_digits

Origin = Literal["drawn", "uploaded", "photographed", "sample"]
POLARITIES: dict[Polarity, str] = {
    "auto": "Detect",
    "light ink": "Light on dark",
    "dark ink": "Dark on light",
}


@dataclass(frozen=True, eq=False)
class Taken:
    """A picture that somebody wants to have read, and where it came from.

    pixels: (height, width) grey or (height, width, 3) RGB uint8. strokes: what the canvas sent of
    a drawing. truth: the name of its class, where that is known.
    """

    pixels: Pixels
    origin: Origin
    polarity: Polarity = "auto"
    name: str = ""
    strokes: Mapping[str, Any] | None = None
    truth: str | None = None


@dataclass(frozen=True)
class Source:
    """One way to give a picture: what it is called, its icon, and how it is asked for.

    for_digits: whether only networks that read digits have a use for it.
    """

    title: str
    icon: str
    take: Callable[[Sequence[Network]], Taken | None]
    for_digits: bool = False


def take(networks: Sequence[Network]) -> Taken | None:
    """Ask for a picture; None where there is none yet, or it cannot be read, which is told."""
    digits = not networks or any(takes_digits(network.run) for network in networks)
    offered = {name: source for name, source in SOURCES.items() if digits or not source.for_digits}
    if len(offered) == 1:
        (name,) = offered
    else:
        name = st.segmented_control(
            "Picture",
            list(offered),
            format_func=lambda key: f":material/{offered[key].icon}: {offered[key].title}",
            default=next(iter(offered)),
            required=True,
            key="source",
            label_visibility="collapsed",
        )
    return offered[name].take(networks)


def ask_polarity() -> Polarity:
    """Whether ink is lighter or darker than the paper, detected unless told."""
    return st.segmented_control(
        "Ink",
        list(POLARITIES),
        format_func=POLARITIES.__getitem__,
        default="auto",
        required=True,
        help="Whether strokes are lighter or darker than what they stand on.",
    )


def _drawn(networks: Sequence[Network]) -> Taken | None:
    ink = draw("digit")
    return None if ink is None else Taken(ink, "drawn", "light ink")


def _uploaded(networks: Sequence[Network]) -> Taken | None:
    digits = any(takes_digits(network.run) for network in networks)
    polarity = ask_polarity() if digits else "auto"
    label = "A picture of digits, on paper or on screen" if digits else "A picture to classify"
    file = st.file_uploader(label, type=[kind.lower() for kind in FORMATS] + ["jpg", "tif"])
    if file is None:
        return None
    try:
        uploaded = decode(file.getvalue())
    except UnreadableImage as error:
        st.error(lab.sentence(error), icon=":material/error:")
        return None
    picture(uploaded, side=280, alt="The uploaded picture")
    return Taken(uploaded, "uploaded", polarity, file.name)


SOURCES: dict[str, Source] = {
    "draw": Source("Draw", "draw", _drawn, for_digits=True),
    "upload": Source("Upload", "upload", _uploaded),
}
"""By the name that each is known by, in the order of the page."""
