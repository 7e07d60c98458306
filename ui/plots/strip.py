"""A strip of epochs to click on: what one image was taken for after each."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from ui.plots import headings

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_HTML = "<div class='chart'><div class='strip' role='group'></div></div>"

_CSS = """
.strip { display: flex; flex-wrap: wrap; gap: 4px; max-height: 190px; overflow-y: auto;
         padding: 2px; font: 0.75rem/1.3 var(--st-font, sans-serif); }
.cell { all: unset; box-sizing: border-box; cursor: pointer; width: 68px; padding: 3px 5px;
        border-radius: 5px; border: 2px solid transparent; text-align: center; }
.cell > * { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.cell:hover { border-color: var(--st-border-color); }
.cell:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.cell[aria-pressed=true] { border-color: var(--st-primary-color); }
.right { background: var(--st-green-background-color); color: var(--st-green-text-color); }
.wrong { background: var(--st-red-background-color); color: var(--st-red-text-color); }
.epoch { color: var(--st-text-color); opacity: 0.75; }
.said { font-weight: 650; }
.sure { font-variant-numeric: tabular-nums; }
.many .cell { width: 34px; padding: 2px; }
.many .said, .many .sure { display: none; }
"""

_JS = r"""
const MANY = 16;

const line = (name, text) => {
  const span = document.createElement('span');
  span.className = name;
  span.textContent = text;
  return span;
};

const cell = (send, chosen, many) => ([epoch, said, sure, right]) => {
  const button = document.createElement('button');
  const told = `Epoch ${epoch}: ${said}, ${sure}, ${right ? 'right' : 'wrong'}`;
  button.type = 'button';
  button.className = `cell ${right ? 'right' : 'wrong'}`;
  button.title = told;
  button.setAttribute('aria-label', told);
  button.setAttribute('aria-pressed', epoch === chosen);
  const number = many ? epoch : `epoch ${epoch}`;
  button.append(line('epoch', number), line('said', said), line('sure', sure));
  button.onclick = () => send('chosen', epoch);
  return button;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const strip = parentElement.querySelector('.strip');
  const drawn = JSON.stringify(data);
  if (strip.drawn === drawn) return;
  strip.drawn = drawn;
  strip.setAttribute('aria-label', data.heading[0]);
  titled(parentElement.querySelector('.chart'), data.heading, strip);
  const many = data.cells.length > MANY;
  strip.classList.toggle('many', many);
  strip.replaceChildren(...data.cells.map(cell(setTriggerValue, data.chosen, many)));
  const pressed = strip.querySelector('[aria-pressed=true]');
  if (pressed) strip.scrollTop = pressed.offsetTop - strip.offsetTop - strip.clientHeight / 2;
}
"""


class Cell(NamedTuple):
    """What was said after one epoch, how sure that was, and whether it was right."""

    epoch: int
    said: str
    sure: str
    right: bool


def strip(cells: Sequence[Cell], *, chosen: int, heading: headings.Heading, key: str) -> int | None:
    """Show a cell for each epoch, the chosen one marked; the epoch just clicked, else None."""
    result = _component()(
        data={"cells": [tuple(cell) for cell in cells], "chosen": chosen, "heading": heading},
        key=key,
        on_chosen_change=lambda: None,
    )
    epoch = result.get("chosen")
    return None if epoch is None else int(epoch)


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_strip", html=_HTML, css=_CSS + headings.CSS, js=headings.JS + _JS
    )
