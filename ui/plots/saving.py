"""Saving what stands in the page as HTML: single pictures as they are, tables as they look.

What is drawn by components saves itself (`saving_script`); the page's own HTML holds no scripts, so
one component of every page listens for its buttons.
"""

from __future__ import annotations

import functools
import html
from typing import TYPE_CHECKING, Literal

import streamlit as st

from ui.plots import saving_script

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "saving"
Ending = Literal["png", "svg"]
SHEET = f"""
.st-key-{KEY} {{ position: absolute; }}
{saving_script.CSS}
.stHtml .tl-saving {{
  --st-background-color: var(--tl-surface); --st-text-color: currentColor;
  --st-border-color: rgb(128 140 158 / 45%); --st-primary-color: var(--tl-link);
  --st-secondary-background-color: color-mix(in srgb, currentColor 10%, var(--tl-surface));
  --st-font: "Source Sans", sans-serif;
}}
@media (hover: none) {{ .tl-picture > .tl-saving {{ display: none; }} }}
"""
"""Only components know the theme by Streamlit’s names. Where there is no mouse, a picture is saved
by a long press on it, and needs no button."""

_JS = r"""
const LARGE = 1024;

// Small pictures become large without smoothing; photographs, which come compressed, stay.
const enlarged = (image) => new Promise((done, fail) => {
  const [width, height] = [image.naturalWidth, image.naturalHeight];
  const exact = image.src.startsWith('data:image/png');
  const scale = exact ? Math.max(1, Math.ceil(LARGE / Math.max(width, height))) : 1;
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [scale * width, scale * height];
  const pen = canvas.getContext('2d');
  pen.imageSmoothingEnabled = false;
  pen.drawImage(image, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => blob ? done(blob) : fail(new Error('no picture')), 'image/png');
});

const made = (root, host, title, ending) => host.matches('.tl-picture')
  ? enlarged(host.querySelector('img'))
  : Saving.files[ending](Saving.framed(root, { title, ...Saving.traced(host) }), root);

export default function ({ parentElement }) {
  const root = parentElement.querySelector('span');
  const saved = (event) => {
    const button = event.target instanceof Element && event.target.closest('button[data-saved]');
    if (!button) return;
    event.preventDefault();
    const [bar, { saved: ending, name }] = [button.parentElement, button.dataset];
    Saving.keep(bar, name, ending, () => made(root, bar.closest('.tl-saved'), name, ending));
  };
  root.ended?.();                                  // Streamlit calls this with every rerun
  root.ended = () => document.removeEventListener('click', saved);
  document.addEventListener('click', saved);
  root.dataset.listening = '';
  return () => root.ended();
}
"""


def buttons(name: str, *endings: Ending) -> str:
    """HTML of buttons that save the element of the class `tl-saved` that they stand in.

    name: what the files are called and, where it is no picture alone, the title in them. Of an
    element that is of the class `tl-picture`, too, its picture alone is saved.
    """
    told = html.escape(name)
    shown = "".join(
        f'<button type="button" data-saved="{ending}" data-name="{told}" '
        f'title="Save as {ending.upper()}" aria-label="Save as {ending.upper()}: {told}">'
        f"{ending.upper()}</button>"
        for ending in endings
    )
    return f'<div class="tl-saving tl-unsaved">{shown}</div>'


def listen() -> None:
    """Have the buttons of a page save; once on each page."""
    _component()(data={}, key=KEY, width=1, height=1)


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_saving", html="<span hidden></span>", js=saving_script.JS + _JS
    )
