"""A matrix of networks against each other, to click on: who is better, and how surely."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui import theme, units
from ui.frame.browser import nothing
from ui.plots import headings

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

MOST_WRITTEN = 14
"""Networks up to which the cells hold their figures; of more they tell them on hover."""
STEPS = (0.05, 0.01, 0.001)
"""P-values below which a cell is coloured, and more strongly."""
STRENGTHS = (0, 28, 46, 66)
"""Per cent of its colour that a cell has, after none, one, two or all of the steps."""

_HTML = """
<div class="chart"><div class="scroll"><div class="body">
  <div class="legend"></div>
  <table><thead></thead><tbody></tbody></table>
</div></div></div>
"""

_CSS = """
:host, .scroll { font: 0.8rem/1.25 var(--st-font, sans-serif); color: var(--st-text-color);
                 font-variant-numeric: tabular-nums; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-bottom: 0.5rem;
          font-size: 0.8rem; }
.legend i { display: inline-block; width: 0.8rem; height: 0.8rem; border-radius: 2px;
            margin-right: 0.15rem; vertical-align: -1px; }
.legend .last { margin-right: 0.4rem; }
.scroll { overflow-x: auto; padding-bottom: 4px; }
.body { width: max-content; }
.legend { max-width: 100cqw; }
table { border-collapse: separate; border-spacing: 1px; }
th { font-weight: 400; padding: 0 0.3rem; }
tbody th { position: sticky; left: 0; background: var(--st-background-color); text-align: left;
           max-width: 13rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
td { padding: 0; }
thead th { padding: 0; font-size: 0.62rem; width: 0.9rem; }
.written thead th { font-size: inherit; }
button { all: unset; box-sizing: border-box; display: block; cursor: pointer; text-align: center;
         width: 0.9rem; height: 0.95rem; border-radius: 3px; }
.written button { width: auto; min-width: 3.6rem; height: 2.5rem; padding: 0.15rem 0.25rem; }
button:hover { outline: 1px solid var(--st-text-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
b { display: block; }
small { display: block; font-size: 0.7rem; }
@media (max-width: 640px) { tbody th { max-width: 7rem; } }
"""

_JS = r"""
const color = (step, ahead) => step === 0
  ? 'var(--st-secondary-background-color)'
  : `color-mix(in srgb, ${COLORS[ahead ? 0 : 1]} ${STRENGTHS[step]}%, transparent)`;

const make = (tag, text = '') => {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
};

// Pairs come as the rows above the diagonal, one after the other; below it they are turned round.
const placeOf = (data, row, column) => {
  const [low, high] = row < column ? [row, column] : [column, row];
  return low * data.names.length - low * (low + 1) / 2 + high - low - 1;
};
const signed = (points) =>
  `${points < 0 ? '−' : points > 0 ? '+' : '±'}${Math.abs(points).toFixed(2)}`;

const cell = (data, row, column) => {
  const td = make('td');
  if (row === column) return td;
  const place = placeOf(data, row, column);
  const points = (row < column ? 1 : -1) * data.points[place];
  const step = data.steps[place];
  const ahead = points > 0;
  const [one, other] = [data.names[row], data.names[column]];
  const outcome = step === 0 ? `${one} and ${other} may be equally good`
    : `${one} is ${ahead ? 'better' : 'worse'} than ${other}`;
  const button = make('button');
  button.type = 'button';
  button.dataset.pair = `${row} ${column}`;
  button.tabIndex = row === 0 && column === 1 ? 0 : -1;
  button.title = `${outcome}: ${signed(points)} percentage points, p ${data.p[place]}`;
  button.setAttribute('aria-label', button.title);
  button.style.background = color(step, ahead);
  if (data.written) button.append(make('b', signed(points)), make('small', `p ${data.p[place]}`));
  td.append(button);
  return td;
};

const header = (text, name, scope) => {
  const th = make('th', text);
  th.title = name;
  th.scope = scope;
  return th;
};

const rowOf = (data, row) => {
  const tr = make('tr');
  tr.append(header(`${row + 1}  ${data.names[row]}`, data.names[row], 'row'),
            ...data.names.map((_, column) => cell(data, row, column)));
  return tr;
};

const legend = (data) => [[true, 'row is better'], [false, 'row is worse']].map(([ahead, text]) => {
  const span = make('span');
  span.append(...data.levels.map((_, level) => {
    const square = make('i');
    if (level === data.levels.length - 1) square.className = 'last';
    square.style.background = color(level + 1, ahead);
    return square;
  }), `${text}: p below ${data.levels.join(', ')}`);
  return span;
}).concat((() => {
  const span = make('span');
  const square = make('i');
  square.className = 'last';
  square.style.background = color(0, false);
  span.append(square, 'may well be chance');
  return span;
})());

const reach = (table, button) => {
  table.querySelector('[tabindex="0"]')?.setAttribute('tabindex', '-1');
  button.setAttribute('tabindex', '0');
  button.focus();
};
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

const neighbour = (table, from, key, count) => {
  const [down, right] = STEPS[key] ?? [0, 0];
  let [row, column] = from.dataset.pair.split(' ').map(Number);
  if (!down && !right) return null;
  do { row += down; column += right; } while (row === column);
  return row >= 0 && column >= 0 && row < count && column < count
    ? table.querySelector(`[data-pair="${row} ${column}"]`) : null;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const table = parentElement.querySelector('table');
  if (table.dataset.tag !== data.tag) {
    table.dataset.tag = data.tag;
    table.classList.toggle('written', data.written);
    const head = make('tr');
    head.append(make('td'), ...data.names.map((name, i) => header(`${i + 1}`, name, 'col')));
    table.tHead.replaceChildren(head);
    table.tBodies[0].replaceChildren(...data.names.map((_, row) => rowOf(data, row)));
    parentElement.querySelector('.legend').replaceChildren(...legend(data));
    table.setAttribute('aria-label', data.heading[0]);
    titled(parentElement.querySelector('.chart'), data.heading,
      parentElement.querySelector('.body'));
  }
  table.onclick = (event) => {
    const button = event.target.closest('button');
    if (button) setTriggerValue('pair', [data.tag, ...button.dataset.pair.split(' ').map(Number)]);
  };
  table.onkeydown = (event) => {
    const from = event.target.closest('button');
    const to = from && neighbour(table, from, event.key, data.names.length);
    if (!to) return;
    event.preventDefault();
    reach(table, to);
  };
}
"""


def pairs(
    names: Sequence[str],
    difference: NDArray[np.float64],
    p: NDArray[np.float64],
    better: NDArray[np.bool_],
    *,
    heading: headings.Heading,
    key: str,
) -> tuple[int, int] | None:
    """Show each network of a row against each of a column; the pair just clicked, else None.

    difference: the row's accuracy minus the column's; p: of each pair, corrected; better: whether
    the row is better by more than chance explains. All are (names, names).
    """
    above = np.triu_indices(len(names), k=1)
    content = {
        "heading": heading,
        "names": list(names),
        "points": (100 * difference[above]).round(2).tolist(),
        "p": [units.p_value(value) for value in p[above].tolist()],
        "steps": _steps(p[above], (better | better.T)[above]),
        "levels": list(STEPS),
        "written": len(names) <= MOST_WRITTEN,
    }
    tag = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
    result = _component()(data={"tag": tag, **content}, key=key, on_pair_change=nothing)
    click = result.get("pair")
    # A click on an earlier matrix of the same key may arrive late.
    return (int(click[1]), int(click[2])) if click and click[0] == tag else None


def _steps(p: NDArray[np.float64], significant: NDArray[np.bool_]) -> list[int]:
    """How strongly each pair is coloured: 0 where it may be chance, else by the p-value."""
    passed = np.sum([p < level for level in STEPS], axis=0)
    steps: list[int] = np.where(significant, passed, 0).tolist()
    return steps


@functools.cache
def _component() -> ComponentRenderer:
    constants = f"const COLORS = {list(theme.RUN_COLORS[:2])}, STRENGTHS = {list(STRENGTHS)};"
    return st.components.v2.component(
        "transfer_lab_pairs",
        html=_HTML,
        css=_CSS + headings.CSS,
        js=headings.JS + constants + _JS,
    )
