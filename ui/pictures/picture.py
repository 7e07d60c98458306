"""Small pictures shown large, each pixel as a sharp square."""

from __future__ import annotations

import base64
import html

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.plots.saving import buttons

SHARPEST = 2
"""Pixels of a screen that make up one of the page's, on the sharpest that are common."""

LARGEST_EXACT = 512
"""Pixels of the longer side up to which a picture is sent exactly; larger ones are compressed."""


def picture(image: NDArray[np.uint8], *, side: int, caption: str = "", alt: str = "") -> None:
    """Show an image (height, width) or (height, width, 3) RGB, its longer side `side` pixels wide.

    It travels inside the page and not as a file of its own, so that it never lags behind.
    """
    height, width = image.shape[:2]
    scale = side / max(height, width)
    size = f"width:calc({round(width * scale)}px * var(--tl-scale, 1));max-width:100%"
    if scale < 1 / SHARPEST:  # a photograph would be tens of megabytes
        image = _shrunk(image, scale * SHARPEST)
    url = jpeg_url(image) if max(image.shape[:2]) > LARGEST_EXACT and scale < 1 else data_url(image)
    sharp = "image-rendering:pixelated;" if scale > 1 else ""
    called = alt or caption
    note = f'<figcaption style="font-size:.8rem;opacity:.7">{html.escape(caption)}</figcaption>'
    st.html(
        f'<figure style="margin:0"><div class="tl-picture tl-saved" style="{size}">'
        f'<img src="{url}" alt="{html.escape(called)}" '
        f'style="width:100%;{sharp}border-radius:4px;display:block">'
        f"{buttons(called, 'png')}</div>{note if caption else ''}</figure>"
    )


def _shrunk(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    smaller = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(smaller, np.uint8)


def contact_sheet(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """Equally large images (count, height, width[, 3]) side by side, row by row, as one image.

    The last row is filled up with black.
    """
    count, height, width, *colors = images.shape
    rows = -(-count // columns)
    whole = np.zeros((rows * columns, height, width, *colors), np.uint8)
    whole[:count] = images
    grid = whole.reshape(rows, columns, height, width, *colors).swapaxes(1, 2)
    return grid.reshape(rows * height, columns * width, *colors)


def data_url(image: NDArray[np.uint8]) -> str:
    """An image (height, width) or (height, width, 3) RGB as PNG inside a URL."""
    in_order = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    encoded = cv2.imencode(".png", in_order)[1].tobytes()
    return f"data:image/png;base64,{base64.b64encode(encoded).decode()}"


def jpeg_url(image: NDArray[np.uint8]) -> str:
    """An image (height, width) or (height, width, 3) RGB, compressed a little, inside a URL."""
    in_order = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    every_pixel = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444  # in colour too: sheets have sharp borders
    how = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, every_pixel]
    encoded = cv2.imencode(".jpg", in_order, how)[1].tobytes()
    return f"data:image/jpeg;base64,{base64.b64encode(encoded).decode()}"
