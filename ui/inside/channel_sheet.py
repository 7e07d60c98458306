"""The maps of a layer's channels side by side, to click on one of them."""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.inside import channel_sheet_script as script
from ui.plots import headings
from ui.plots.headings import Heading

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

LARGEST = 64
"""Fields of a map's longer side that are sent at most."""
_SHADES = np.arange(256, dtype=np.uint8).reshape(256, 1)
_COLORS = cv2.applyColorMap(_SHADES, cv2.COLORMAP_INFERNO)[:, 0, ::-1]
"""(256, 3) RGB from silent to strongest, as maps over pictures have them."""


@dataclass(frozen=True)
class Tile:
    """A channel of the sheet: its number, what stands beside that, what is said, and its mark.

    mark: a word in its corner, such as that it is dead; empty for none.
    """

    channel: int
    value: str
    said: str
    mark: str = ""


def channel_sheet(
    maps: NDArray[np.uint8],
    tiles: Sequence[Tile],
    *,
    heading: Heading,
    legend: tuple[str, str],
    selected: int,
    least: int,
    on_select: Callable[[int], None],
    key: str,
) -> None:
    """Show maps (n, rows, columns), 255 the strongest; on_select is called with a channel.

    It may be called twice. legend: what black means, and what the brightest colour does. least:
    pixels that a map takes at least, where so many fit.
    """
    shown = {tile.channel for tile in tiles}

    def chosen() -> None:
        click = (st.session_state[key] or {}).get("selected")
        if click is not None and click in shown:  # one of another layer may arrive late
            on_select(int(click))

    rows, columns = maps.shape[1:]
    _component()(
        data={
            "heading": heading,
            "maps": base64.b64encode(np.ascontiguousarray(maps).tobytes()).decode(),
            "size": [rows, columns],
            "tiles": [[tile.channel, tile.value, tile.said, tile.mark] for tile in tiles],
            "colors": base64.b64encode(np.ascontiguousarray(_COLORS).tobytes()).decode(),
            "legend": legend,
            "selected": selected,
            "least": least,
        },
        key=key,
        on_selected_change=chosen,
    )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_channel_sheet",
        html=script.HTML,
        css=script.CSS + headings.CSS,
        js=headings.JS + script.JS,
    )
