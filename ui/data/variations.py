"""The same pictures in many variations: one row for each pass, one column for each picture."""

from __future__ import annotations

import base64
import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.pictures.picture import contact_sheet

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

SHARPEST = 128
"""Pixels of a picture's side that are sent at most: two for each that it takes on the page."""
JPEG_QUALITY = 90

_HTML = "<div class='variations' role='table'></div>"

_CSS = """
.variations { display: grid; gap: 3px; align-items: center;
              font: 0.8rem/1.3 var(--st-font, sans-serif); color: var(--st-text-color); }
.line { display: contents; }
.class, .pass { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-width: 0; }
.class { text-align: center; font-weight: 600; }
.pass { opacity: 0.75; padding-right: 4px; font-variant-numeric: tabular-nums; }
canvas { width: 100%; aspect-ratio: 1; border-radius: 3px; display: block; }
canvas.sharp { image-rendering: pixelated; }
.line:nth-child(2) > * { margin-bottom: 6px; }
"""

_JS = r"""
const element = (kind, role, parts) => {
  const made = Object.assign(document.createElement(kind), parts);
  made.setAttribute('role', role);
  return made;
};

const line = (...cells) => {
  const made = element('div', 'row', { className: 'line' });
  made.append(...cells);
  return made;
};

const build = (table, { side, classes, passes, sharp }) => {
  table.style.gridTemplateColumns = `max-content repeat(${classes.length}, minmax(0, 96px))`;
  const heads = classes.map((name) =>
    element('div', 'columnheader', { className: 'class', textContent: name, title: name }));
  const rows = passes.map((pass) => line(
    element('div', 'rowheader', { className: 'pass', textContent: pass }),
    ...classes.map((name) => {
      const canvas = element('canvas', 'img', { width: side, height: side });
      canvas.classList.toggle('sharp', sharp);
      canvas.setAttribute('aria-label', `${name}, ${pass}`);
      const cell = element('div', 'cell', {});
      cell.append(canvas);
      return cell;
    })));
  table.replaceChildren(line(element('div', 'cell', {}), ...heads), ...rows);
};

const paint = (table, image, { side, classes }) => {
  table.querySelectorAll('canvas').forEach((canvas, i) => {
    const [row, column] = [Math.floor(i / classes.length), i % classes.length];
    canvas.getContext('2d').drawImage(
      image, column * side, row * side, side, side, 0, 0, side, side);
  });
};

// Pictures stay until the next ones can be drawn, so that nothing flickers while a slider moves;
// also where Streamlit takes all of this off the page and puts it there again.
let last = null;

const show = (table, image, data) => {
  const frame = JSON.stringify([data.side, data.classes, data.passes, data.sharp]);
  if (table.dataset.frame !== frame) build(table, data);
  table.dataset.frame = frame;
  paint(table, image, data);
  last = { image, data };
};

export default function ({ data, parentElement }) {
  const table = parentElement.querySelector('.variations');
  const image = new Image();
  table.__newest = image;
  if (last && !table.dataset.frame) show(table, last.image, last.data);
  image.onload = () => { if (table.__newest === image) show(table, image, data); };
  image.src = data.sheet;
}
"""


def variations(
    originals: NDArray[np.uint8],
    varied: NDArray[np.uint8],
    class_names: Sequence[str],
    *,
    key: str,
) -> None:
    """Show pictures (n, side, side, channels) and below each its variations.

    varied: (passes, n, side, side, channels). All travel as one image.
    """
    rows = np.concatenate([originals[np.newaxis], varied])
    pictures = _small(rows.reshape(-1, *rows.shape[2:]))
    _component()(
        data={
            "sheet": _data_url(contact_sheet(pictures, len(class_names))),
            "side": pictures.shape[1],
            "sharp": rows.shape[2] < SHARPEST,
            "classes": list(class_names),
            "passes": ["as it is", *(f"pass {number}" for number in range(1, len(rows)))],
        },
        key=key,
    )


def _small(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pictures (n, side, side, channels), no larger than they are shown."""
    if pictures.shape[1] <= SHARPEST:
        return pictures
    size = (SHARPEST, SHARPEST)
    shrunk = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack(shrunk).astype(np.uint8, copy=False).reshape(-1, *size, pictures.shape[3])


def _data_url(sheet: NDArray[np.uint8]) -> str:
    """An image (height, width, channels) as a URL.

    Grey ones stay exact; those in colours are compressed, as they are many more bytes.
    """
    if sheet.shape[2] == 1:
        kind, (_, code) = "png", cv2.imencode(".png", sheet)
    else:
        bgr = cv2.cvtColor(sheet, cv2.COLOR_RGB2BGR)
        kind, (_, code) = (
            "jpeg",
            cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]),
        )
    return f"data:image/{kind};base64,{base64.b64encode(code.tobytes()).decode()}"


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_variations", html=_HTML, css=_CSS, js=_JS)
