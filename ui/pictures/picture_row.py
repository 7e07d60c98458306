"""Pictures in a row, each with a title and what there is to say of it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.pictures.picture import data_url
from ui.plots.saving import buttons

SHARPEST = 248
"""Pixels of the longer side that a picture is sent with at most: sharp where it is shown."""

_CSS = """<style>
.row-of-pictures { display: grid; grid-template-columns: repeat(auto-fill, minmax(108px, 1fr));
                   gap: 1rem 0.75rem; }
.row-of-pictures figure { margin: 0; min-width: 0; font-size: 0.8rem; line-height: 1.35; }
.row-of-pictures b { display: block; overflow: hidden; text-overflow: ellipsis;
                     white-space: nowrap; margin-bottom: 0.25rem; }
.row-of-pictures .tl-picture { aspect-ratio: 1; display: flex; align-items: center;
                       justify-content: center; background: #000; border-radius: 4px;
                       overflow: hidden; }
.row-of-pictures figcaption { opacity: 0.75; margin-top: 0.25rem; overflow-wrap: anywhere; }
</style>"""


@dataclass(frozen=True, eq=False)
class Shown:
    """A picture (height, width[, 3]), with its title and what is said of it."""

    title: str
    image: NDArray[np.uint8]
    caption: str


def numbered(row: Sequence[Shown]) -> list[Shown]:
    """Pictures whose titles begin with their place in the row, which is an order."""
    return [
        replace(shown, title=f"{place} · {shown.title}") for place, shown in enumerate(row, start=1)
    ]


def picture_row(row: Sequence[Shown]) -> None:
    """Show pictures side by side, in as many lines as they take."""
    st.html(f'{_CSS}<div class="row-of-pictures">{"".join(map(_figure, row))}</div>')


def _figure(shown: Shown) -> str:
    height, width = (100 * side / max(shown.image.shape[:2]) for side in shown.image.shape[:2])
    sharp = ";image-rendering:pixelated" if max(shown.image.shape[:2]) < SHARPEST / 2 else ""
    title = html.escape(shown.title)
    return (
        f'<figure><b title="{title}">{title}</b>'
        f'<div class="tl-picture tl-saved"><img src="{data_url(_small(shown.image))}" '
        f'alt="{title}" style="width:{width:.1f}%;height:{height:.1f}%{sharp}">'
        f"{buttons(f'{shown.title}, {shown.caption}', 'png')}</div>"
        f"<figcaption>{html.escape(shown.caption)}</figcaption></figure>"
    )


def _small(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = SHARPEST / max(height, width)
    if scale >= 1:
        return image
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
