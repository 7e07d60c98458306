"""Bars of probabilities that change in place: what networks make of one image."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.plots import headings

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

MAX_CLASSES = 10
"""Classes that are all shown, in their order."""
MOST_PROBABLE = 5
"""Classes that are shown where there are more."""

_BARS_HTML = """
<div class="chart"><div class="body">
  <div class="legend"></div>
  <div class="rows" role="group" aria-label="Probability of each class"></div>
</div></div>
"""

_BARS_CSS = """
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-bottom: 0.5rem; }
.run { display: flex; align-items: center; gap: 0.4rem; min-width: 0; max-width: 100%; }
.run i { flex: none; width: 0.7rem; height: 0.7rem; border-radius: 2px; }
.name { font-size: calc(0.875rem * var(--tl-scale, 1)); flex-shrink: 2; }
.best, .score, .class { font-size: calc(1rem * var(--tl-scale, 1)); }
.score { flex: none; font-variant-numeric: tabular-nums; }
.name, .best, .class { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rows { display: grid; grid-template-columns: fit-content(min(12rem, 35%)) 1fr; gap: 6px 0.6rem;
        align-items: center; }
.class { text-align: right; }
.class.win { font-weight: 700; }
.bar { display: grid; grid-template-columns: 1fr 5.25em; align-items: center; gap: 0.4rem;
       font-size: calc(0.8rem * var(--tl-scale, 1)); line-height: 1.15; }
.track { background: var(--st-secondary-background-color); border-radius: 3px; overflow: hidden; }
.fill { height: calc(var(--thickness) * var(--tl-scale, 1) * var(--tl-scale, 1)); width: 0;
        opacity: 0.55; transition: width 80ms linear; border-radius: 3px; }
.value { text-align: right; font-variant-numeric: tabular-nums; opacity: 0.75; }
.win > .track > .fill, .win > .value { opacity: 1; }
.win > .value { font-weight: 700; }
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }
"""

_BARS_JS = r"""
const make = (tag, name, ...children) => {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
};
const write = (element, text) => { element.textContent = text; element.title = text; };
const percent = (p) => p == null ? '–' : `${(100 * p).toFixed(1)} %`;

const build = (legend, rows, data) => {
  legend.replaceChildren(...data.runs.map((run) => {
    const swatch = make('i', '');
    swatch.style.background = run.color;
    return make('div', 'run', swatch, make('span', 'name'), make('b', 'best'), make('b', 'score'));
  }));
  rows.replaceChildren(...data.classes.flatMap(() => [
    make('div', 'class'),
    make('div', 'bars', ...data.runs.map((run) => {
      const fill = make('div', 'fill');
      fill.style.background = run.color;
      const bar = make('div', 'bar', make('div', 'track', fill), make('span', 'value'));
      bar.setAttribute('role', 'meter');
      bar.setAttribute('aria-valuemin', '0');
      bar.setAttribute('aria-valuemax', '100');
      return bar;
    })),
  ]));
  rows.style.setProperty('--thickness', `${[18, 12, 9, 8][Math.min(data.runs.length, 4) - 1]}px`);
};

const fillIn = (legend, rows, data) => {
  data.runs.forEach((run, r) => {
    const [, name, best, score] = legend.children[r].children;
    write(name, run.name);
    write(best, data.classes[run.best] ?? '');
    score.textContent = run.best < 0 ? '' : percent(run.values[run.best]);
  });
  data.classes.forEach((text, c) => {
    const label = rows.children[2 * c];
    write(label, text);
    label.classList.toggle('win', data.runs.some((run) => run.best === c));
    data.runs.forEach((run, r) => {
      const bar = rows.children[2 * c + 1].children[r];
      const value = run.values[c];
      bar.classList.toggle('win', run.best === c);
      bar.querySelector('.fill').style.width = `${100 * (value ?? 0)}%`;
      bar.querySelector('.value').textContent = percent(value);
      bar.setAttribute('aria-label', `${run.name}: ${text}`);
      bar.setAttribute('aria-valuenow', (100 * (value ?? 0)).toFixed(1));
      bar.setAttribute('aria-valuetext', percent(value));
    });
  });
};

export default function ({ data, parentElement }) {
  const legend = parentElement.querySelector('.legend');
  const rows = parentElement.querySelector('.rows');
  const shape = JSON.stringify([data.classes.length, data.runs.map((run) => run.color)]);
  if (rows.dataset.shape !== shape) build(legend, rows, data);
  rows.dataset.shape = shape;
  fillIn(legend, rows, data);
  titled(parentElement.querySelector('.chart'), data.heading,
    parentElement.querySelector('.body'));
}
"""


def probability_bars(
    classes: Sequence[str],
    probabilities: Mapping[str, NDArray[np.floating[Any]] | None],
    *,
    colors: Mapping[str, str],
    key: str,
) -> None:
    """Show each run's probability of each class, the winning class emphasised.

    `probabilities` maps a run's name to one probability per class, or to None while there is no
    answer; `colors` maps the same names. Of more than ten classes the five most probable are shown.
    """
    shown = _shown_classes(len(classes), list(probabilities.values()))
    runs = [
        {"name": name, "color": colors[name], **_bars(values, shown)}
        for name, values in probabilities.items()
    ]
    heading = headings.Heading(_headline(classes, probabilities))
    data = {"heading": heading, "classes": [classes[i] for i in shown], "runs": runs}
    _bars_component()(data=data, key=key, width="stretch")


def _headline(
    classes: Sequence[str], answers: Mapping[str, NDArray[np.floating[Any]] | None]
) -> str:
    """What the networks say of the image, and whether they agree."""
    said = {name: int(np.argmax(values)) for name, values in answers.items() if values is not None}
    if not said:
        return "No answer yet"
    counts = Counter(said.values()).most_common()
    first, count = classes[counts[0][0]], counts[0][1]
    if len(said) == 1:
        return f"{next(iter(said))} says {first}"
    if len(counts) == 1:
        return f"{'Both' if count == 2 else f'All {count}'} say {first}"
    if len(said) == 2:
        return f"They disagree: {first} or {classes[counts[1][0]]}"
    return f"They disagree: {count} of {len(said)} say {first}"


def _shown_classes(
    number: int, probabilities: Sequence[NDArray[np.floating[Any]] | None]
) -> list[int]:
    """Indices of the classes to show: all in their order, or the most probable first."""
    answers = [values for values in probabilities if values is not None]
    if number <= MAX_CLASSES or not answers:
        return list(range(number if number <= MAX_CLASSES else MOST_PROBABLE))
    highest = np.max(answers, axis=0)
    winners = {int(np.argmax(values)) for values in answers}
    # What a run answered is shown in any case, however sure others are of several classes.
    first = sorted(range(number), key=lambda i: (i not in winners, -highest[i]))
    return sorted(first[:MOST_PROBABLE], key=lambda i: -highest[i])


def _bars(values: NDArray[np.floating[Any]] | None, shown: Sequence[int]) -> dict[str, object]:
    if values is None:
        return {"values": [None] * len(shown), "best": -1}
    best = int(np.argmax(values))
    return {
        "values": [round(float(values[i]), 4) for i in shown],
        "best": shown.index(best) if best in shown else -1,
    }


@functools.cache
def _bars_component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_bars",
        html=_BARS_HTML,
        css=_BARS_CSS + headings.CSS,
        js=headings.JS + _BARS_JS,
    )
