"""The layers of a network in a row to choose from, drawn as large as what they put out."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

TALLEST, LOWEST = 44, 6
WIDEST, THINNEST = 26, 4
"""Pixels of the largest box and of the smallest."""

_HTML = "<div class='row' role='group'></div>"

_CSS = """
.row { display: flex; align-items: stretch; overflow-x: auto; padding: 3px 3px 0.5rem;
       scrollbar-width: thin; font: 0.75rem/1.3 var(--st-font, sans-serif);
       color: var(--st-text-color); zoom: var(--tl-scale, 1); }
.layer { all: unset; box-sizing: border-box; flex: none; cursor: pointer; position: relative;
         display: flex; flex-direction: column; align-items: center; justify-content: flex-end;
         min-width: 3.6rem; min-height: 8.1rem; padding: 0.35rem 0.4rem; border-radius: 6px;
         border: 2px solid transparent; text-align: center; }
.layer:hover { background: var(--st-secondary-background-color); }
.layer[aria-pressed=true] { border-color: var(--st-primary-color);
                            background: var(--st-secondary-background-color); }
.layer:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -1px; }
.block { position: absolute; top: 0.15rem; left: 0.4rem; opacity: 0.75; white-space: nowrap; }
.box { border-radius: 2px; background: var(--ink); margin-bottom: 0.3rem; }
.pool .box { background: none; border: 2px solid var(--ink); box-sizing: border-box; }
.name { font-weight: 600; white-space: nowrap; }
.shape { opacity: 0.75; white-space: nowrap; font-variant-numeric: tabular-nums; }
.dead { min-height: 1.3em; white-space: nowrap; color: var(--st-orange-text-color); }
.first { margin-left: 0.6rem; }
.first::before { content: ''; position: absolute; left: -0.45rem; top: 0.5rem; bottom: 0.5rem;
                 border-left: 1px solid var(--st-border-color); }
"""

_JS = r"""
const make = (name, text = '') =>
  Object.assign(document.createElement('span'), { className: name, textContent: text });

const layer = (one, place) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = ['layer', one.pools && 'pool', one.first && 'first'].filter(Boolean).join(' ');
  button.dataset.place = place;
  button.title = one.said;
  button.setAttribute('aria-label', one.said);
  const box = make('box');
  Object.assign(box.style, { width: `${one.width}px`, height: `${one.height}px` });
  button.append(make('block', one.block), box,
                ...['name', 'shape', 'dead'].map((part) => make(part, one[part])));
  return button;
};

const mark = (row, place) => [...row.children].forEach((button, i) => {
  button.setAttribute('aria-pressed', String(i === place));
  button.tabIndex = i === place ? 0 : -1;
});

// Scrolls the row alone, never the page.
const reveal = (row, button) => {
  const [seen, box] = [row.getBoundingClientRect(), button.getBoundingClientRect()];
  if (box.left < seen.left) row.scrollLeft -= seen.left - box.left + 12;
  if (box.right > seen.right) row.scrollLeft += box.right - seen.right + 12;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const row = parentElement.querySelector('.row');
  const drawn = JSON.stringify([data.layers, data.label]);
  if (row.drawn !== drawn) {
    const focused = row.getRootNode().activeElement?.dataset?.place;
    row.drawn = drawn;
    row.marked = undefined;
    row.style.setProperty('--ink', data.color);
    row.setAttribute('aria-label', data.label);
    row.replaceChildren(...data.layers.map(layer));
    row.children[focused]?.focus();
  }
  if (row.marked !== data.selected) {
    row.marked = data.selected;
    mark(row, data.selected);
    reveal(row, row.children[data.selected]);
  }
  const choose = (place) => {
    row.marked = place;
    mark(row, place);
    reveal(row, row.children[place]);
    setTriggerValue('selected', [data.label, place]);
  };
  row.onclick = (event) => {
    const button = event.target.closest('.layer');
    if (button) choose(Number(button.dataset.place));
  };
  row.onkeydown = (event) => {
    const from = event.target.closest('.layer');
    const last = row.children.length - 1;
    const at = from && Number(from.dataset.place);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last }[event.key];
    if (!from || to === undefined) return;
    event.preventDefault();
    const next = row.children[Math.max(0, Math.min(last, to))];
    next.focus();
    if (next !== from) choose(Number(next.dataset.place));
  };
}
"""


@dataclass(frozen=True)
class Shown:
    """A layer: its name, the part that it belongs to, its output's shape, and its dead channels.

    dead: None while that is not known.
    """

    name: str
    block: str
    pools: bool
    shape: tuple[int, ...]
    dead: int | None


def layer_row(
    layers: Sequence[Shown],
    *,
    label: str,
    color: str,
    selected: int,
    on_select: Callable[[int], None],
    key: str,
) -> None:
    """Show layers from the input on; on_select is called with the place of one just chosen.

    It may be called twice. label: whose layers they are.
    """

    def chosen() -> None:
        click = (st.session_state[key] or {}).get("selected")
        # A click on the layers of another network may arrive late.
        if click and click[0] == label and 0 <= click[1] < len(layers):
            on_select(int(click[1]))

    _component()(
        data={
            "layers": [_to_draw(layers, place) for place in range(len(layers))],
            "label": label,
            "color": color,
            "selected": selected,
        },
        key=key,
        on_selected_change=chosen,
    )


def _to_draw(layers: Sequence[Shown], place: int) -> dict[str, object]:
    layer = layers[place]
    rows, columns, channels = layer.shape
    tallest = max(other.shape[0] for other in layers)
    widest = max(other.shape[2] for other in layers)
    first = place == 0 or layer.block != layers[place - 1].block
    dead = "" if not layer.dead else f"{layer.dead} dead"
    size = f"{rows} × {columns} fields, {channels} channels"
    return {
        "name": layer.name.removeprefix(f"{layer.block}_"),
        "block": layer.block if first else "",
        "shape": f"{rows}×{columns}×{channels}",
        "said": f"{layer.name}: {size}{', ' if dead else ''}{dead}",
        "dead": dead,
        "pools": layer.pools,
        "first": first and place > 0,
        "height": _between(LOWEST, TALLEST, math.sqrt(rows / tallest)),
        "width": _between(THINNEST, WIDEST, math.sqrt(channels / widest)),
    }


def _between(least: float, most: float, share: float) -> float:
    return round(least + (most - least) * share, 1)


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_layer_row", html=_HTML, css=_CSS, js=_JS)
