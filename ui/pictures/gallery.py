"""A grid of pictures to click on: one sprite image for all of them, a caption under each."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

import cv2
import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.frame.browser import nothing
from ui.pictures.picture import contact_sheet, data_url, jpeg_url
from ui.plots import headings

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

SPRITE_COLUMNS = 25
ZOOM = 2
LARGEST_SIDE = 112
"""Pixels that the longer side of a picture takes at most."""

_HTML = "<div class='gallery'><div class='grid' role='group'></div></div>"

_CSS = """
.grid { display: flex; flex-wrap: wrap; gap: 6px; zoom: var(--tl-scale, 1); }
.item { all: unset; box-sizing: border-box; cursor: pointer; padding: 4px; border-radius: 6px;
        border: 2px solid transparent; font: 0.75rem/1.3 var(--st-font, sans-serif);
        color: var(--st-text-color); background: var(--st-secondary-background-color); }
.item:hover { border-color: var(--st-border-color); }
.item:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.item[aria-pressed=true] { border-color: var(--st-primary-color); }
.picture { display: block; margin: 0 auto 2px; border-radius: 3px; image-rendering: pixelated;
           background-repeat: no-repeat; }
.smooth .picture { image-rendering: auto; }
.part { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
        text-align: center; font-variant-numeric: tabular-nums; }
.bar { display: flex; justify-content: space-between; gap: 4px; text-align: left;
       padding: 0 3px; margin-top: 1px; border-radius: 2px; }
.bar > :first-child { overflow: hidden; text-overflow: ellipsis; }
.item { position: relative; }
.item[data-marked]::after { content: ""; position: absolute; top: 0; right: 0; width: 0; height: 0;
  border: 7px solid; border-color: var(--st-orange-color) var(--st-orange-color) transparent
  transparent; border-top-right-radius: 4px; }
.good { color: var(--st-green-text-color); }
.bad { color: var(--st-red-text-color); font-weight: 650; }
.muted { opacity: 0.7; }
"""

_JS = r"""
const picture = (data, i) => {
  const span = document.createElement('span');
  const [width, height] = data.size;
  const count = data.captions.length;
  span.className = 'picture';
  Object.assign(span.style, {
    width: `${width}px`, height: `${height}px`, backgroundImage: `url(${data.sprite})`,
    backgroundSize: `${data.columns * width}px ${Math.ceil(count / data.columns) * height}px`,
    backgroundPosition:
      `-${(i % data.columns) * width}px -${Math.floor(i / data.columns) * height}px`,
  });
  return span;
};

const words = (text) => {
  const span = document.createElement('span');
  span.textContent = text;
  return span;
};

const part = ([text, tone, share, color]) => {
  const span = document.createElement('span');
  span.className = `part ${tone}`;
  span.title = text;
  if (share === null) { span.textContent = text; return span; }
  const percent = `${Math.round(100 * share)} %`;
  span.classList.add('bar');
  span.append(words(text), words(percent));
  span.title = `${text} ${percent}`;
  const filled = `color-mix(in srgb, ${color} 45%, transparent) ${100 * share}%`;
  span.style.background = `linear-gradient(to right, ${filled}, transparent 0)`;
  return span;
};

const item = (data) => (caption, i) => {
  const button = document.createElement('button');
  const text = caption.map(([said, , share]) =>
    share === null ? said : `${said} ${Math.round(100 * share)} %`).join(', ');
  button.type = 'button';
  button.className = 'item';
  button.dataset.index = i;
  button.tabIndex = -1;
  const least = caption.some(([, , share]) => share !== null) ? 104 : 72;
  button.style.width = `${Math.max(data.size[0], least) + 12}px`;
  button.setAttribute('aria-label', `Picture ${i + 1}: ${text}`);
  button.setAttribute('aria-pressed', 'false');
  button.append(picture(data, i), ...caption.map(part));
  return button;
};

const reach = (grid, button) => {           // one stop for the tab key, arrows inside
  grid.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
  button?.setAttribute('tabindex', '0');
};
const mark = (grid, button) => {
  grid.querySelector('[aria-pressed=true]')?.setAttribute('aria-pressed', 'false');
  button?.setAttribute('aria-pressed', 'true');
};

// Scrolls the box that the pictures stand in, never the page.
const reveal = (button) => {
  let box = button;
  const scrolls = (element) => /auto|scroll/.test(getComputedStyle(element).overflowY);
  do box = box.parentElement ?? box.getRootNode().host;
  while (box && !scrolls(box));
  if (!box || box.matches('[data-testid=stMain]')) return;
  const seen = box.getBoundingClientRect();
  const { top, bottom } = button.getBoundingClientRect();
  if (top < seen.top) box.scrollTop -= seen.top - top;
  if (bottom > seen.bottom) box.scrollTop += bottom - seen.bottom;
};

const neighbour = (grid, from, key) => {
  const items = [...grid.children];
  const perRow = items.filter((e) => e.offsetTop === items[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow,
                 Home: -from, End: items.length - 1 - from }[key];
  return step === undefined ? undefined : items[from + step];
};

const saveable = (host, { heading, label: title }, grid) => {
  if (heading) titled(host, heading, grid);
  else Saving.buttons(host, () => title, () =>
    Saving.framed(host, { title, ...Saving.traced(grid) }));
};

export default function ({ data, parentElement, setTriggerValue }) {
  const grid = parentElement.querySelector('.grid');
  if (grid.dataset.tag !== data.tag) {
    grid.dataset.tag = data.tag;
    grid.setAttribute('aria-label', data.label);
    saveable(parentElement.querySelector('.gallery'), data, grid);
    grid.classList.toggle('smooth', data.smooth);
    grid.replaceChildren(...data.captions.map(item(data)));
    grid.dataset.marked = '';
  }
  data.marks.forEach((mark, i) => {         // may change while the pictures stay
    const button = grid.children[i];
    button.toggleAttribute('data-marked', mark !== '');
    button.title = mark;
  });
  const marked = `${data.selected}`;
  if (grid.dataset.marked !== marked) {
    grid.dataset.marked = marked;
    const button = grid.children[data.selected];
    mark(grid, button);
    reach(grid, button ?? grid.children[0]);
    if (button) reveal(button);
  }
  grid.onclick = (event) => {
    const button = event.target.closest('.item');
    if (!button) return;
    mark(grid, button);
    reach(grid, button);
    grid.dataset.marked = button.dataset.index;
    setTriggerValue('selected', [data.tag, Number(button.dataset.index)]);
  };
  grid.onkeydown = (event) => {
    const from = event.target.closest('.item');
    const to = from && neighbour(grid, Number(from.dataset.index), event.key);
    if (!to) return;
    event.preventDefault();
    reach(grid, to);
    to.focus();
  };
}
"""


class Part(NamedTuple):
    """One line of a caption and how it looks.

    share: 0 to 1, drawn as a bar in `color` behind the text and told as per cent.
    """

    text: str
    tone: Literal["", "good", "bad", "muted"] = ""
    share: float | None = None
    color: str = ""


def gallery(
    pictures: NDArray[np.uint8],
    captions: Sequence[Sequence[Part]],
    *,
    key: str,
    selected: int | None = None,
    label: str = "Pictures",
    heading: headings.Heading | None = None,
    marks: Sequence[str] = (),
) -> int | None:
    """Show pictures (N, H, W) or (N, H, W, 3); the index of the one just clicked, else None.

    They are shown at twice their size, larger ones no larger than LARGEST_SIDE. `selected` is the
    one that is marked, and scrolled to where it was marked by something else than a click.
    heading: what stands above them; else `label` says what they are, and names their files.
    marks: what the corner of each picture tells on hover, empty for a plain corner.
    """
    pictures = np.ascontiguousarray(pictures)
    if pictures.dtype != np.uint8 or pictures.ndim not in (3, 4):
        raise ValueError(
            f"pictures must be uint8 of shape (N, H, W) or (N, H, W, 3), "
            f"got {pictures.dtype} of shape {pictures.shape}"
        )
    if len(captions) != len(pictures):
        raise ValueError(f"captions must be {len(pictures)}, one per picture, got {len(captions)}")
    if len(pictures) == 0:
        return None
    pictures = _small_enough(pictures)
    sprite_id = hashlib.sha256(pictures.tobytes() + repr(pictures.shape).encode()).hexdigest()
    texts = [[tuple(part) for part in caption] for caption in captions]
    tag = hashlib.sha256(json.dumps([sprite_id, texts, heading]).encode()).hexdigest()[:16]
    height, width = pictures.shape[1:3]
    zoom = min(ZOOM, LARGEST_SIDE / max(height, width))
    result = _component()(
        data={
            "tag": tag,
            "label": label if heading is None else heading.title,
            "heading": heading,
            "sprite": _sprite(sprite_id, pictures),
            "columns": SPRITE_COLUMNS,
            "size": [round(width * zoom), round(height * zoom)],
            "smooth": pictures.ndim == 4,
            "captions": texts,
            "selected": selected,
            "marks": list(marks),
        },
        key=key,
        on_selected_change=nothing,
    )
    click = result.get("selected")
    # A click on earlier pictures of the same key may arrive late.
    return int(click[1]) if click and click[0] == tag else None


def _small_enough(pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
    height, width = pictures.shape[1:3]
    scale = LARGEST_SIDE / max(height, width)
    if scale >= 1:
        return pictures
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]
    return np.stack(shrunk).astype(np.uint8, copy=False)


@st.cache_data(max_entries=64, show_spinner=False)
def _sprite(sprite_id: str, _pictures: NDArray[np.uint8]) -> str:
    """All pictures side by side as a data URL; `sprite_id` is their hash.

    Grey pictures stay exact (PNG); colour ones are compressed (JPEG, which takes a twentieth of the
    time of WebP).
    """
    sheet = contact_sheet(_pictures, SPRITE_COLUMNS)
    return data_url(sheet) if _pictures.ndim == 3 else jpeg_url(sheet)


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_gallery", html=_HTML, css=_CSS + headings.CSS, js=headings.JS + _JS
    )
