"""One channel of a layer: its map over the picture, and the test images that excite it most."""

from __future__ import annotations

import html
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.excitement import Excitement
from core.activations.feature_maps import FeatureMaps
from core.data.datasets import Split
from core.explaining.heat import spread
from core.glossary import meaning_of
from ui import lab, units
from ui.frame import icons
from ui.inside.look import Look, Optics
from ui.pictures.heatmap import enlarged, overlay
from ui.pictures.picture import data_url, picture

SIDE = 208
"""Pixels that the map is shown in."""
KERNEL_SIDE = 72
EXAMPLE = 140
"""Pixels of the longer side that a test image is sent with."""
LINE, FRAME = 2, (64, 164, 255)
"""Width and colour of the line around what a channel sees, apart from every colour of a map."""

_CSS = """<style>
.exciting { display: grid; grid-template-columns: repeat(3, 1fr);
            gap: 0.5rem; max-width: 20rem; }
.exciting figure { margin: 0; font-size: 0.75rem; line-height: 1.3; }
.exciting img { display: block; width: 100%; border-radius: 3px; image-rendering: pixelated; }
.exciting figcaption { display: flex; justify-content: space-between; gap: 4px;
                       font-variant-numeric: tabular-nums; }
.exciting b { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.exciting span { opacity: 0.75; }
</style>"""


@dataclass(frozen=True, eq=False)
class OneChannel:
    """A channel of one layer, what it makes of the picture, and what is known of it.

    place: that of the layer among those that can be looked into. found: what excites the layer's
    channels, None while that is not known.
    """

    look: Look
    place: int
    channel: int
    maps: FeatureMaps
    optics: Optics
    found: Excitement | None

    @property
    def peak(self) -> float:
        """The largest number that it puts out for the picture."""
        return float(self.maps.peaks[self.channel])

    @property
    def dead(self) -> bool:
        """Whether it is known to answer to no test image."""
        return self.found is not None and bool(self.found.dead[self.channel])

    @property
    def side(self) -> int:
        """Pixels of a side of the image as the network takes it."""
        return self.look.run.config.network.side

    def framed(self, shown: NDArray[np.uint8], field: int) -> NDArray[np.uint8]:
        """A picture (height, width, 3) with a line around what a field sees of it.

        field: counted row by row. Where it sees all of the picture there is no line.
        """
        height, width = shown.shape[:2]
        columns = self.look.layer(self.place).shape[1]
        down, across = self.optics.of(self.place)
        top, bottom = _scaled(down.pixels(field // columns, self.side), height / self.side)
        left, right = _scaled(across.pixels(field % columns, self.side), width / self.side)
        if bottom - top >= height and right - left >= width:
            return shown
        around = (left - 1, top - 1), (right, bottom)
        return np.asarray(cv2.rectangle(shown.copy(), *around, FRAME, LINE), np.uint8)


def _scaled(pixels: tuple[int, int], scale: float) -> tuple[int, int]:
    first, end = pixels
    return round(first * scale), round(end * scale)


def answer(strength: float) -> str:
    """How strongly a channel answers, in three digits; not at all is a dash.

    >>> [answer(strength) for strength in (0.0, 0.8123, 73.5, 1204.2)]
    ['–', '0.81', '73.5', '1,204']
    """
    if strength <= 0:
        return units.MISSING
    return f"{strength:,.{2 if strength < 10 else 1 if strength < 100 else 0}f}"


def tell(one: OneChannel) -> None:
    """Which channel it is, what its fields see, and how often it answers."""
    name = lab.plain(one.look.layer(one.place).name)
    st.markdown(f"**Channel {one.channel} of {name}**")
    side = one.side
    down, across = (field.size for field in one.optics.of(one.place))
    told = [f"Receptive field: {down} × {across} pixels; the picture has {side} × {side}."]
    if one.found is not None:
        often = units.percent(float(one.found.active[one.channel]), 0)
        told.append(f"Answers to {often} of {units.count(one.found.count)} test images.")
    st.caption(" ".join(told))


# --- In this picture ----------------------------------------------------------------------------


def show_map(one: OneChannel) -> None:
    """Where it answers in the picture, and its kernel where it is of the first layer."""
    large = enlarged(one.look.image)
    strengths = one.maps.shares[one.channel].astype(np.float32) / 255
    shown = overlay(large, spread(strengths, *large.shape[:2]))
    if one.peak > 0:
        shown = one.framed(shown, one.maps.place(one.channel))
    layer, name = one.look.layer(one.place).name, one.look.name
    picture(shown, side=SIDE, alt=f"Channel {one.channel} of {layer} of {name}, {one.look.about}")
    if one.peak > 0:
        st.caption(f"Warm is where it answers, {answer(one.peak)} at most, in the frame.")
    else:
        st.caption(f"Silent: nothing in {one.look.about} makes it answer.")
    if one.place == 0:
        _show_kernel(one.optics.kernels[one.channel])


def _show_kernel(kernel: NDArray[np.float32]) -> None:
    rows, columns, colors = kernel.shape
    reach = float(np.abs(kernel).max()) or 1.0
    if colors == 1:
        black = np.zeros((rows, columns), np.uint8)
        shown, meaning = overlay(black, kernel[..., 0] / reach), "warm adds, cold takes away"
    else:
        shown = np.rint(127.5 + 127.5 * kernel / reach).astype(np.uint8)
        meaning = "what it looks for, in colour; grey counts for nothing"
    picture(shown, side=KERNEL_SIDE, alt=f"The kernel of the channel, {rows} × {columns} pixels")
    st.caption(f"Its kernel of {rows} × {columns} pixels: {meaning}.")


# --- In test images -----------------------------------------------------------------------------


def show_exciting(one: OneChannel, found: Excitement, tested: Split) -> None:
    """The test images that excite it most, or that none does."""
    if one.dead:
        st.caption(f"{icons.WARNING} Dead channel: {meaning_of('dead channel')}")
        return
    best = zip(
        *(array[one.channel] for array in (found.images, found.strengths, found.places)),
        strict=True,
    )
    figures = [
        _figure(one, tested, int(image), float(strength), int(field))
        for image, strength, field in best
        if strength > 0
    ]
    st.caption("Test images that excite it most, framed what it answers to")
    st.html(f'{_CSS}<div class="exciting">{"".join(figures)}</div>')


def _figure(one: OneChannel, tested: Split, position: int, strength: float, field: int) -> str:
    image = np.asarray(tested.images[position])
    name = html.escape(one.look.run.config.class_names[int(tested.labels[position])])
    number = units.count(int(tested.indices[position]))
    shown = one.framed(_as_sent(image), field)
    return (
        f'<figure title="Test image {number}: {name}"><img src="{data_url(shown)}" '
        f'alt="Test image {number}, {name}"><figcaption><b>{name}</b>'
        f"<span>{answer(strength)}</span></figcaption></figure>"
    )


def _as_sent(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture in three channels and so large that a thin line can be drawn on it."""
    height, width = image.shape[:2]
    scale = EXAMPLE / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    sized = cv2.resize(image, size, interpolation=how)
    colored = cv2.cvtColor(sized, cv2.COLOR_GRAY2RGB) if sized.ndim == 2 else sized
    return np.asarray(colored, np.uint8)
