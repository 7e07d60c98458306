"""The same pictures in many variations: one row for each pass, one column for each picture."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.picture import contact_sheet

SHARPEST = 128
"""Pixels of a picture's side that are sent at most: two for each that it takes on the page."""
MARGIN = 2
"""Pixels of the edge that are repeated around each picture, so that no neighbour shines through
where a browser rounds."""
JPEG_QUALITY = 90

_CSS = """<style>
.variations { display: grid; gap: 3px; align-items: center; font-size: 0.8rem; }
.variations .class, .variations .row { overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; min-width: 0; }
.variations .class { text-align: center; font-weight: 600; }
.variations .row { opacity: 0.75; padding-right: 4px; font-variant-numeric: tabular-nums; }
.variations .cell { aspect-ratio: 1; border-radius: 3px; background-repeat: no-repeat;
  background-image: var(--sheet); background-size: var(--size); }
.variations .sharp { image-rendering: pixelated; }
.variations .original { margin-bottom: 6px; }
</style>"""


def variations(
    originals: NDArray[np.uint8],
    varied: NDArray[np.uint8],
    class_names: Sequence[str],
) -> None:
    """Show pictures (n, side, side, channels) and below each its variations.

    varied: (passes, n, side, side, channels). All travel as one image inside the page.
    """
    rows = np.concatenate([originals[np.newaxis], varied])
    count, columns, side = rows.shape[:3]
    pictures = _small(rows.reshape(-1, *rows.shape[2:]))
    across, down = (_Sprites(number, pictures.shape[1]) for number in (columns, count))
    names = ["as it is", *(f"pass {number}" for number in range(1, count))]
    cells = [_class("")] + [_class(name) for name in class_names]
    for row, name in enumerate(names):
        original = " original" if row == 0 else ""
        cells.append(f'<div class="row{original}">{name}</div>')
        for column, class_name in enumerate(class_names):
            place = f"{across.place(column)} {down.place(row)}"
            told = html.escape(f"{class_name}, {name}")
            cells.append(
                f'<div class="cell{" sharp" * (side < SHARPEST)}{original}" role="img" '
                f'aria-label="{told}" style="background-position:{place}"></div>'
            )
    style = (
        f"grid-template-columns:max-content repeat({columns},minmax(0,96px));"
        f"--size:{across.size} {down.size};--sheet:url({_data_url(_sheet(pictures, columns))})"
    )
    st.html(f'{_CSS}<div class="variations" style="{style}">{"".join(cells)}</div>')


def _class(name: str) -> str:
    told = html.escape(name)
    return f'<div class="class" title="{told}">{told}</div>'


@dataclass(frozen=True)
class _Sprites:
    """Pictures with margins along one axis of a sheet, in the words of CSS for backgrounds."""

    count: int
    side: int

    @property
    def size(self) -> str:
        """Of the whole sheet, where one picture without its margins fills the box."""
        return f"{100 * self._whole / self.side:.4f}%"

    def place(self, index: int) -> str:
        """Where the sheet must be for one picture to be in the box."""
        begins = index * (self.side + 2 * MARGIN) + MARGIN
        return f"{100 * begins / (self._whole - self.side):.4f}%"

    @property
    def _whole(self) -> int:
        return self.count * (self.side + 2 * MARGIN)


def _sheet(pictures: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Pictures (n, side, side, channels) side by side with their margins."""
    margins = ((0, 0), (MARGIN, MARGIN), (MARGIN, MARGIN), (0, 0))
    sheet = contact_sheet(np.pad(pictures, margins, mode="edge"), columns)
    return sheet[..., 0] if sheet.shape[2] == 1 else sheet


def _small(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if pictures.shape[1] <= SHARPEST:
        return pictures
    size = (SHARPEST, SHARPEST)
    shrunk = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack(shrunk).astype(np.uint8, copy=False).reshape(-1, *size, pictures.shape[3])


def _data_url(sheet: NDArray[np.uint8]) -> str:
    """Grey pictures stay exact, colours are compressed: they are many more bytes."""
    if sheet.ndim == 2:
        kind, (_, code) = "png", cv2.imencode(".png", sheet)
    else:
        bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
        kind, (_, code) = (
            "jpeg",
            cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
        )
    return f"data:image/{kind};base64,{base64.b64encode(code.tobytes()).decode()}"
