"""Maps of where in a picture something speaks for a class, laid over the picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

SIDE = 336
"""Pixels of a map's longer side: more than it is shown in, so that it is sharp on any screen."""
STRONGEST = 0.8
"""Share of the colour where the map is strongest; the picture shows through the rest."""
STOPS = 5
"""Colours that the bar of the legend runs through."""

_SHADES = np.arange(256, dtype=np.uint8).reshape(256, 1)
_WARM = cv2.applyColorMap(_SHADES, cv2.COLORMAP_INFERNO)[:, 0, ::-1].astype(np.float32)
_COLD = np.ascontiguousarray(_WARM[:, ::-1])
"""(256, 3) RGB from dark to light: what speaks for a class, and what against it."""


def enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture (height, width[, 3]) in the size of its map, small ones in sharp squares."""
    height, width = picture.shape[:2]
    scale = SIDE / max(height, width)
    how = cv2.INTER_NEAREST if scale > 1 else cv2.INTER_AREA
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(picture, size, interpolation=how), dtype=np.uint8)


def overlay(picture: NDArray[np.uint8], strengths: NDArray[np.float32]) -> NDArray[np.uint8]:
    """A picture in grey under the colours of a map, (height, width, 3).

    strengths: (height, width) as large as the picture, -1 to 1; warm above 0, cold below, and
    the picture alone where 0.
    """
    grey = picture if picture.ndim == 2 else cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    strong = np.abs(strengths).clip(0, 1)
    places = np.rint(255 * strong).astype(np.uint8)
    colors = np.where((strengths >= 0)[..., None], _WARM[places], _COLD[places])
    share = _share(strong)[..., None]
    mixed: NDArray[np.float32] = share * colors + (1 - share) * grey[..., None]
    return np.rint(mixed).astype(np.uint8)


def legend(least: str, most: str, *, both_ways: bool = False) -> None:
    """A bar of the colours between two words; both ways it begins cold and ends warm."""
    warm = [_css(_WARM, strong) for strong in np.linspace(0, 1, STOPS)]
    cold = [_css(_COLD, strong) for strong in np.linspace(1, 0, STOPS)]
    colors = ",".join((cold if both_ways else []) + warm)
    bar = f"flex:1;height:.55rem;border-radius:3px;background:linear-gradient(90deg,{colors})"
    st.html(
        '<div style="display:flex;gap:.6rem;align-items:center;font-size:.8rem;opacity:.85">'
        f'<span>{least}</span><i style="{bar}"></i><span>{most}</span></div>'
    )


def _css(colors: NDArray[np.float32], strong: float) -> str:
    """A colour of the map as strong as it is laid over a picture."""
    red, green, blue = colors[round(255 * strong)].astype(int)
    return f"rgb({red} {green} {blue} / {_share(strong):.2f})"


def _share(strong: Any) -> Any:
    """How much of the colour is seen where a map is so strong, the picture being the rest."""
    return STRONGEST * np.sqrt(strong)
