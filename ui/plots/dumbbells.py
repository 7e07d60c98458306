"""Rows to click on, each with two dots on one scale: how two networks compare in many things."""

from __future__ import annotations

import functools
import hashlib
import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from ui.frame.browser import nothing
from ui.plots import headings

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_HTML = """
<div class="chart">
  <div class="body">
    <div class="legend" aria-hidden="true"></div>
    <div class="scale" aria-hidden="true"><span></span><span></span></div>
    <div class="rows" role="group"></div>
  </div>
  <button type="button" class="more" hidden></button>
</div>
"""

_CSS = """
.chart { color: var(--st-text-color);
         font: 0.85rem/1.3 var(--st-font, sans-serif); }
.scale { display: grid; gap: 0 0.7rem; padding: 0.2rem 0.4rem;
         grid-template-columns: var(--name) minmax(3rem, 1fr) var(--values);
         font-size: 0.75rem; opacity: 0.7; }
.scale span { grid-column: 2; grid-row: 1; }
.scale span:last-child { text-align: right; }
.row { all: unset; display: grid; align-items: center; gap: 0 0.7rem; box-sizing: border-box;
       width: 100%; cursor: pointer; border-radius: 0.4rem; padding: 0.2rem 0.4rem;
       grid-template-columns: var(--name) minmax(3rem, 1fr) var(--values); }
.row:hover { background: var(--st-secondary-background-color); }
.row:focus-visible { outline: 2px solid var(--st-primary-color); }
.row[aria-pressed=true] { box-shadow: inset 0 0 0 2px var(--st-primary-color); }
.name { display: flex; gap: 0.3em; min-width: 0; white-space: nowrap; }
.name > :nth-child(odd) { overflow: hidden; text-overflow: ellipsis; }
.name > :nth-child(even) { flex: none; opacity: 0.75; }
.track { position: relative; height: 1rem; margin: 0 7px; }
.line { position: absolute; left: -7px; right: -7px; top: calc(50% - 0.5px); height: 1px;
        background: var(--st-border-color); }
.legend { display: flex; flex-wrap: wrap; gap: 0.2rem 1.2rem; padding: 0 0.4rem 0.3rem; }
.legend:empty { display: none; }
.legend span { display: flex; align-items: center; gap: 0.4rem; min-width: 0;
               overflow-wrap: anywhere; }
.legend i, .value i { flex: none; width: 0.7rem; height: 0.7rem; border-radius: 50%;
                      box-sizing: border-box; }
.legend .a i, .value.a i { background: var(--a); }
.legend .b i, .value.b i { border: 2.5px solid var(--b); }
.link { position: absolute; top: calc(50% - 1.5px); height: 3px; border-radius: 2px;
        background: var(--st-text-color); opacity: 0.3; }
.dot { position: absolute; top: 50%; width: 12px; height: 12px; box-sizing: border-box;
       border-radius: 50%; transform: translate(-50%, -50%); }
.dot.a { background: var(--a); }
.dot.b { border: 3px solid var(--b); }
.dot.b.over { width: 16px; height: 16px; }
.values { display: grid; grid-template-columns: 1fr 1fr; gap: 0.6rem; text-align: right;
          font-variant-numeric: tabular-nums; white-space: nowrap; }
.value { display: grid; grid-template-columns: auto auto 1fr; align-items: center; gap: 0.3rem; }
.more { all: unset; cursor: pointer; padding: 0.4rem; margin-top: 0.2rem; border-radius: 0.4rem;
        color: var(--st-link-color); }
.more:not([hidden]) { display: var(--tl-controls, inline-block); }
.more:hover { text-decoration: underline; }
.more:focus-visible { outline: 2px solid var(--st-primary-color); }
[hidden] { display: none !important; }
.stacked .row, .stacked .scale { grid-template-columns: minmax(3rem, 1fr) var(--values); }
.stacked .row { padding: 0.3rem 0.4rem; }
.stacked .name { grid-column: 1 / -1; }
.stacked .scale span { grid-column: 1; }
"""

_JS = r"""
const TRACK = 9;                            // rem; names stand above where dots have less room

const make = (tag, name, ...children) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
};
const percent = (share) => `${100 * share}%`;

const dot = (side, share, over) => {
  if (share === null) return [];
  const element = make('span', `dot ${side}${over ? ' over' : ''}`);
  element.style.left = percent(share);
  return [element];
};

const track = (a, b) => {
  const link = make('span', 'link');
  if (a !== null && b !== null) {
    link.style.left = percent(Math.min(a, b));
    link.style.width = percent(Math.abs(a - b));
  }
  const over = a !== null && b !== null && Math.abs(a - b) < 0.02;
  return make('span', 'track', make('i', 'line'), link, ...dot('a', a), ...dot('b', b, over));
};

const value = (side, text) => make('span', `value ${side}`, make('i'),
  make('span', '', side.toUpperCase()), make('span', '', text));

const row = ([parts, a, b, said_a, said_b, told], index) => {
  const name = parts.join(' ');
  const label = make('span', 'name', ...parts.map((part) => make('span', '', part)));
  const values = make('span', 'values', value('a', said_a),
    ...(said_b ? [value('b', said_b)] : []));
  const button = make('button', 'row', label, track(a, b), values);
  button.type = 'button';
  button.dataset.index = index;
  button.tabIndex = -1;
  const said = said_b ? `${name}: A ${said_a}, B ${said_b}` : `${name}: ${said_a}`;
  button.setAttribute('aria-label', said);
  button.title = told || said;
  return button;
};

const mark = (rows, selected) => [...rows.children].forEach((element, index) =>
  element.setAttribute('aria-pressed', String(index === selected)));

const reach = (rows, button) => {           // one stop for the tab key, arrows inside
  rows.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
  button?.setAttribute('tabindex', '0');
};

const fold = (chart, rows, data) => {
  const more = chart.querySelector('.more');
  const folded = !chart.unfolded && data.rows.length > data.few;
  [...rows.children].forEach((element, index) => {
    element.hidden = folded && index >= data.few && index !== data.selected;
  });
  more.hidden = data.rows.length <= data.few;
  more.textContent = folded ? `Show all ${data.rows.length}` : `Show the first ${data.few} only`;
};

const stack = (chart, data) => {
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  const needed = (data.name_width + data.width + TRACK) * rem;
  chart.classList.toggle('stacked', chart.clientWidth < needed);
};

export default function ({ data, parentElement, setTriggerValue }) {
  const chart = parentElement.querySelector('.chart');
  const rows = chart.querySelector('.rows');
  if (chart.dataset.tag !== data.tag) {
    chart.dataset.tag = data.tag;
    chart.style.setProperty('--a', data.colors[0]);
    chart.style.setProperty('--b', data.colors[1]);
    chart.style.setProperty('--name', `${data.name_width}rem`);
    chart.style.setProperty('--values', `${data.width}rem`);
    rows.setAttribute('aria-label', data.heading[0]);
    chart.querySelector('.legend').replaceChildren(...data.legend.map((text, i) =>
      make('span', 'ab'[i], make('i'), text)));
    titled(chart, data.heading, chart.querySelector('.body'));
    chart.querySelectorAll('.scale span').forEach((end, i) => { end.textContent = data.scale[i]; });
    rows.replaceChildren(...data.rows.map(row));
    reach(rows, rows.children[0]);
  }
  mark(rows, data.selected);
  fold(chart, rows, data);
  chart.observer?.disconnect();
  chart.observer = new ResizeObserver(() => stack(chart, data));
  chart.observer.observe(chart);
  chart.querySelector('.more').onclick = () => {
    chart.unfolded = !chart.unfolded;
    fold(chart, rows, data);
  };
  rows.onclick = (event) => {
    const button = event.target.closest('.row');
    if (!button) return;
    reach(rows, button);
    mark(rows, Number(button.dataset.index));
    setTriggerValue('clicked', [data.tag, Number(button.dataset.index)]);
  };
  rows.onkeydown = (event) => {
    const shown = [...rows.children].filter((element) => !element.hidden);
    const from = shown.indexOf(event.target.closest('.row'));
    const to = { ArrowUp: from - 1, ArrowDown: from + 1, Home: 0, End: shown.length - 1 };
    const button = shown[to[event.key]];
    if (!button) return;
    event.preventDefault();
    reach(rows, button);
    button.focus();
  };
  return () => chart.observer.disconnect();
}
"""


class Row(NamedTuple):
    """What is compared, A's and B's number, and how those are written; NaN has no dot.

    name: its first part, and where there are more, words and parts by turns: where it is too long
    the parts are cut short and the words are not. told: what it says on hover, if more than that.
    """

    name: tuple[str, ...]
    a: float
    b: float
    written_a: str
    written_b: str
    told: str = ""


def dumbbells(
    rows: Sequence[Row],
    *,
    scale: tuple[float, float],
    ends: tuple[str, str],
    colors: tuple[str, str],
    heading: headings.Heading,
    few: int,
    key: str,
    legend: tuple[str, ...] = (),
    selected: int | None = None,
) -> int | None:
    """Show rows with a dot for A and a ring for B; the index of the one just clicked, else None.

    scale: the numbers at the left end and at the right one, written as `ends`. legend: what A is,
    and B. Only `few` rows are shown until a person asks for all. `selected` is the row that is
    marked.
    """
    content = {
        "heading": heading,
        "legend": legend,
        "rows": [(row.name, _along(row.a, scale), _along(row.b, scale), *row[3:]) for row in rows],
        "scale": ends,
        "colors": colors,
        "few": few,
        "name_width": 0.5 * max((len(" ".join(row.name)) for row in rows), default=0) + 0.5,
        "width": _width(rows),
    }
    tag = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    result = _component()(
        data={**content, "tag": tag, "selected": selected}, key=key, on_clicked_change=nothing
    )
    click = result.get("clicked")
    # A click on earlier rows of the same key may arrive late.
    return int(click[1]) if click and click[0] == tag else None


def _along(number: float, scale: tuple[float, float]) -> float | None:
    """Where a number stands on the scale, from 0 to 1."""
    low, high = scale
    return None if math.isnan(number) else round((number - low) / (high - low), 4)


def _width(rows: Sequence[Row]) -> float:
    """Room for both written numbers, in rem."""
    longest = max((max(len(row.written_a), len(row.written_b)) for row in rows), default=0)
    return 2 * (1.7 + 0.5 * longest) + 0.6


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_dumbbells", html=_HTML, css=_CSS + headings.CSS, js=headings.JS + _JS
    )
