"""Where a picture comes from: drawn, uploaded, photographed or taken from the test images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from core.data.preprocessing import FORMATS, LARGEST_IMAGE, Pixels, decode
from core.errors import UnreadableImage
from core.predicting.ink import Polarity
from ui import lab
from ui.frame import icons
from ui.pictures.canvas import SIDE, WIDE, draw
from ui.pictures.picture import picture
from ui.predict import samples
from ui.predict.networks import Network, takes_digits

Origin = Literal["drawn", "uploaded", "photographed", "sample"]
POLARITIES: dict[Polarity, str] = {
    "auto": "Detect",
    "light ink": "Light on dark",
    "dark ink": "Dark on light",
}
ONE, SEVERAL = "One digit", "Several digits"
MOST_MEGABYTES = 200
"""What a file may hold, as `server.maxUploadSize` in .streamlit/config.toml says too. A TIFF of 50
million pixels takes 150, Kaggle's train.csv 77."""
BOARDS = {False: ("digit", SIDE), True: ("digits", WIDE)}
"""Names and widths of the boards to draw on, by whether several digits are drawn."""
_SOURCE, _DRAWN_SEVERAL = "source", "drawn_several"
LARGE = 280
"""Pixels of the longer side of a picture that is looked at."""


@dataclass(frozen=True, eq=False)
class Taken:
    """A picture that somebody wants to have read, and where it came from.

    pixels: (height, width) grey or (height, width, 3) RGB uint8. strokes: what the canvas sent of
    a drawing. truth: the name of its class, where that is known. several: whether it may show
    more than one digit, which are looked for. index: that of a test image in the test part.
    """

    pixels: Pixels
    origin: Origin
    polarity: Polarity = "auto"
    name: str = ""
    strokes: Mapping[str, Any] | None = None
    truth: str | None = None
    several: bool = False
    index: int | None = None


@dataclass(frozen=True)
class Source:
    """One way to give a picture: what it is called, its icon, and how it is asked for.

    invitation: what to do while there is none. for_digits: whether only networks that read digits
    have a use for it.
    """

    title: str
    icon: str
    invitation: str
    take: Callable[[Sequence[Network]], Taken | None]
    for_digits: bool = False


def take(networks: Sequence[Network]) -> Taken | None:
    """Ask for a picture; None where there is none yet, or it cannot be read, which is told."""
    digits = not networks or any(takes_digits(network.run) for network in networks)
    offered = {name: source for name, source in SOURCES.items() if digits or not source.for_digits}
    if chosen() not in offered:
        choose(next(iter(offered)))
    choose(chosen())
    name = st.segmented_control(
        "Picture",
        list(offered),
        format_func=lambda key: f":material/{offered[key].icon}: {offered[key].title}",
        required=True,
        key=_SOURCE,
        wrap=True,
        label_visibility="collapsed",
    )
    return offered[str(name)].take(networks)


def chosen() -> str:
    """The way that is chosen to give a picture."""
    return str(st.session_state.get(_SOURCE) or next(iter(SOURCES)))


def is_asked() -> bool:
    """Whether the page asked for a picture when it was shown last."""
    return _SOURCE in st.session_state


def choose(source: str) -> None:
    """Have a way chosen, before it is asked for."""
    if st.session_state.get(_SOURCE) != source:
        st.session_state[_SOURCE] = source


def choose_board(*, several: bool) -> None:
    """Have the board chosen, before it is asked for: for several digits, or for one."""
    st.session_state[_DRAWN_SEVERAL] = SEVERAL if several else ONE


def invitation() -> str:
    """What to do while there is no picture yet, said for the way that is chosen."""
    return SOURCES[chosen()].invitation


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
    several = ask_several(_DRAWN_SEVERAL, default=False)
    drawn = draw(*BOARDS[several])
    if drawn is None:
        return None
    return Taken(drawn.ink, "drawn", "light ink", strokes=drawn.strokes, several=several)


def _uploaded(networks: Sequence[Network]) -> Taken | None:
    digits = any(takes_digits(network.run) for network in networks)
    polarity = ask_polarity() if digits else "auto"
    several = ask_several("uploaded_several", default=True) if digits else False
    # Of any kind: the browser's own refusal would not say what to do.
    file = st.file_uploader(
        "A picture of digits, on paper or on screen" if digits else "A picture to classify",
        max_upload_size=MOST_MEGABYTES,
        help=f"{', '.join(FORMATS)}, up to {LARGEST_IMAGE // 1_000_000} million pixels.",
    )
    if file is None or (uploaded := _decoded(file)) is None:
        return None
    picture(uploaded, side=LARGE, alt="The uploaded picture")
    return Taken(uploaded, "uploaded", polarity, file.name, several=several)


def _photographed(networks: Sequence[Network]) -> Taken | None:
    digits = any(takes_digits(network.run) for network in networks)
    polarity = ask_polarity() if digits else "auto"
    several = ask_several("photographed_several", default=True) if digits else False
    file = st.camera_input(
        "A photograph of digits, on paper or on a board" if digits else "A photograph to classify",
        resolution="720p",
    )
    if file is None:
        st.caption(
            "The browser asks whether this page may use the camera; the picture goes to this "
            "server and nowhere else. Nothing to see? Allow the camera in the browser's settings "
            "of this page, beside its address, and load it anew. Without a camera, take the "
            "picture with a telephone and choose *Upload*."
        )
        return None
    photograph = _decoded(file)
    if photograph is None:
        return None
    return Taken(photograph, "photographed", polarity, several=several)


def _decoded(file: UploadedFile) -> Pixels | None:
    """The picture in a file, None where it cannot be read, which is told."""
    try:
        return _decode(file.file_id, file.getvalue())
    except UnreadableImage as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None


@st.cache_resource(max_entries=8, show_spinner=False)
def _decode(file_id: str, _content: bytes) -> Pixels:
    """A large photograph takes a second, and every click on the page would ask for it again."""
    return decode(_content)


def _sample(networks: Sequence[Network]) -> Taken | None:
    sample = samples.choose(networks)
    if sample is None:
        return None
    return Taken(
        sample.pixels,
        "sample",
        "light ink",
        f"test image {sample.number}",
        truth=sample.truth,
        index=sample.number,
    )


SOURCES: dict[str, Source] = {
    "draw": Source(
        "Draw",
        "draw",
        "Draw a digit: every network answers as soon as a stroke ends.",
        _drawn,
        for_digits=True,
    ),
    "upload": Source(
        "Upload", "upload", "Upload a picture: every network answers at once.", _uploaded
    ),
    "camera": Source(
        "Camera", "photo_camera", "Take a picture: every network answers at once.", _photographed
    ),
    "samples": Source(
        "Test images", "grid_view", "Choose an image: every network answers at once.", _sample
    ),
}
"""By the name that each is known by, in the order of the page."""
