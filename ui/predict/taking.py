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
from ui.canvas import SIDE, WIDE, draw
from ui.picture import picture
from ui.predict import samples
from ui.predict.networks import Network, takes_digits

Origin = Literal["drawn", "uploaded", "photographed", "sample"]
POLARITIES: dict[Polarity, str] = {
    "auto": "Detect",
    "light ink": "Light on dark",
    "dark ink": "Dark on light",
}
ONE, SEVERAL = "One digit", "Several digits"


@dataclass(frozen=True, eq=False)
class Taken:
    """A picture that somebody wants to have read, and where it came from.

    pixels: (height, width) grey or (height, width, 3) RGB uint8. strokes: what the canvas sent of
    a drawing. truth: the name of its class, where that is known. several: whether it may show
    more than one digit, which are looked for.
    """

    pixels: Pixels
    origin: Origin
    polarity: Polarity = "auto"
    name: str = ""
    strokes: Mapping[str, Any] | None = None
    truth: str | None = None
    several: bool = False


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


def ask_several(key: str, *, default: bool) -> bool:
    """Whether a picture may show several digits, each to be found and read by itself."""
    st.session_state.setdefault(key, SEVERAL if default else ONE)
    asked = st.segmented_control(
        "It shows", (ONE, SEVERAL), required=True, key=key, label_visibility="collapsed"
    )
    return bool(asked == SEVERAL)


def _drawn(networks: Sequence[Network]) -> Taken | None:
    several = ask_several("drawn_several", default=False)
    drawn = draw("digits", WIDE) if several else draw("digit", SIDE)
    if drawn is None:
        return None
    return Taken(drawn.ink, "drawn", "light ink", strokes=drawn.strokes, several=several)


def _uploaded(networks: Sequence[Network]) -> Taken | None:
    digits = any(takes_digits(network.run) for network in networks)
    polarity = ask_polarity() if digits else "auto"
    several = ask_several("uploaded_several", default=True) if digits else False
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
    return Taken(uploaded, "uploaded", polarity, file.name, several=several)


def _sample(networks: Sequence[Network]) -> Taken | None:
    sample = samples.choose(networks)
    if sample is None:
        return None
    return Taken(
        sample.pixels, "sample", "light ink", f"test image {sample.number}", truth=sample.truth
    )


SOURCES: dict[str, Source] = {
    "draw": Source("Draw", "draw", _drawn, for_digits=True),
    "upload": Source("Upload", "upload", _uploaded),
    "samples": Source("Test images", "grid_view", _sample),
}
"""By the name that each is known by, in the order of the page."""
