"""A network as a row of boxes that wraps where the page is narrow, with the layers inside on hover.

Boxes are as tall as their images are large and as wide as they have channels; a dashed line and a
pair of scissors stand where the network is cut.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from core.network.blueprint import Blueprint, ParameterCount, Row, Shape
from ui import theme, units
from ui.plots import headings
from ui.plots.headings import Heading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from streamlit.components.v2.types import ComponentRenderer

State = Literal["trained", "frozen", "plain"]
MOST_LISTED = 12
"""Layers of a box that are listed one by one."""
TALLEST, LOWEST = 84, 12
WIDEST, THINNEST = 34, 4
"""Pixels of the largest box and of the smallest."""

_HTML = """
<figure><div class='body'><div class='net'></div><figcaption></figcaption></div></figure>
"""

_CSS = """
figure { margin: 0; position: relative; color: var(--st-text-color);
         font: 0.75rem/1.35 var(--st-font, sans-serif); }
.net { display: flex; flex-wrap: wrap; align-items: stretch; gap: 1.1rem 0; }
.box, .cut { display: flex; flex-direction: column; align-items: center; justify-content: flex-end;
             position: relative; }
.box { all: unset; display: flex; flex-direction: column; align-items: center;
       justify-content: flex-end; position: relative; min-width: 3.5rem; padding: 0.4rem 0.2rem;
       border-radius: 0.4rem; cursor: help; }
.box:hover, .box:focus-visible, .box.shown { background: var(--st-secondary-background-color); }
.box:focus-visible { outline: 2px solid var(--st-primary-color); }
svg { display: block; overflow: visible; margin-bottom: 0.35rem; }
.arrow { position: absolute; left: -5px; bottom: 4rem; margin: 0; opacity: 0.5; }
.box:first-child .arrow, .cut + .box .arrow { display: none; }
.name { font-weight: 600; white-space: nowrap; }
.shape { opacity: 0.75; white-space: nowrap; font-variant-numeric: tabular-nums; }
.trained { --ink: var(--trained); }
.frozen { --ink: var(--frozen); }
.plain { --ink: var(--plain); }
.face { fill: var(--ink); stroke: var(--ink); stroke-linejoin: round; }
.plain .face { fill: var(--st-secondary-background-color); }
.top { fill-opacity: 0.45; }
.side { fill-opacity: 0.7; }
.hatch { stroke: var(--st-background-color); stroke-width: 1.6; opacity: 0.65; }
.cut { padding: 0.4rem 0.5rem; min-width: 4.6rem; text-align: center; }
.cut i { flex: 1; border-left: 2px dashed var(--st-text-color); min-height: 2.2rem; opacity: 0.7;
         margin-bottom: 0.3rem; }
.cut svg { margin-bottom: 0.15rem; }
.cut b { white-space: nowrap; }
figcaption { display: flex; flex-wrap: wrap; gap: 0.25rem 1.1rem; margin-top: 0.9rem;
             font-size: 0.8rem; }
figcaption span { display: flex; align-items: center; gap: 0.4rem; }
.tip { position: absolute; z-index: 10; max-width: min(26rem, 100%); padding: 0.6rem 0.75rem;
       box-sizing: border-box; pointer-events: none; border-radius: 0.4rem;
       background: var(--st-background-color); border: 1px solid var(--st-border-color);
       box-shadow: 0 4px 18px rgb(0 0 0 / 0.22); }
.tip strong { font-size: 0.85rem; }
.tip table { border-spacing: 0; margin-top: 0.35rem; font-variant-numeric: tabular-nums; }
.tip td { padding: 0.05rem 0.8rem 0.05rem 0; }
.tip td:last-child { padding-right: 0; text-align: right; opacity: 0.75; }
"""

_JS = r"""
const make = (tag, name, ...children) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
};
const draw = (tag, attributes, ...children) => {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  element.append(...children);
  return element;
};

const polygon = (kind, ...points) =>
  draw('polygon', { class: `face ${kind}`, points: points.join(' ') });

// Slanted lines over the front, so that frozen is told by more than colour.
const hatch = (w, h, top) => {
  const lines = [];
  for (let at = 6; at < w + h; at += 6) {
    const from = [Math.min(at, w), top + Math.max(0, at - w)];
    const to = [Math.max(0, at - h), top + Math.min(at, h)];
    lines.push(draw('line', { class: 'hatch', x1: from[0], y1: from[1], x2: to[0], y2: to[1] }));
  }
  return lines;
};

const solid = ({ width: w, height: h, depth, state }) => {
  const [dx, dy] = [depth, depth * 0.6];
  return draw('svg', { width: w + dx, height: h + dy, class: state, 'aria-hidden': 'true' },
    ...(depth ? [
      polygon('top', [0, dy], [dx, 0], [w + dx, 0], [w, dy]),
      polygon('side', [w, dy], [w + dx, 0], [w + dx, h], [w, h + dy]),
    ] : []),
    draw('rect', { class: 'face', x: 0, y: dy, width: w, height: h, rx: depth ? 0 : 1.5 }),
    ...(state === 'frozen' ? hatch(w, h, dy) : []));
};

const stroke = {
  fill: 'none', stroke: 'currentColor', 'stroke-width': 1.8, 'stroke-linecap': 'round',
};
const ICONS = {
  scissors: () => [
    draw('circle', { ...stroke, cx: 6, cy: 16, r: 3 }),
    draw('circle', { ...stroke, cx: 14, cy: 16, r: 3 }),
    draw('path', { ...stroke, d: 'M7.6 13.4 L14 2 M12.4 13.4 L6 2' }),
  ],
  repeat: () => [
    draw('path', { ...stroke, d: 'M4 10 a6 6 0 0 1 10.5 -4 M16 10 a6 6 0 0 1 -10.5 4' }),
    draw('path', { ...stroke, d: 'M15 2.5 v4 h-4 M5 17.5 v-4 h4' }),
  ],
  arrow: () => [draw('path', { ...stroke, d: 'M4 3 L12 10 L4 17' })],
};
const icon = (name, size = 20) => draw('svg',
  { viewBox: '0 0 20 20', width: size, height: size, 'aria-hidden': 'true' }, ...ICONS[name]());

const row = (cells) => make('tr', '', ...cells.map((text) => make('td', '', text)));
const tip = (box) => make('div', 'tip',
  make('strong', '', box.name), make('div', '', box.facts),
  make('table', '', ...box.layers.map(row)),
  ...(box.more ? [make('div', 'shape', box.more)] : []));

const show = (figure, element, box) => {
  hide(figure);
  const shown = tip(box);
  figure.append(shown);
  element.classList.add('shown');
  const left = element.offsetLeft + element.offsetWidth / 2 - shown.offsetWidth / 2;
  shown.style.left = `${Math.max(0, Math.min(left, figure.offsetWidth - shown.offsetWidth))}px`;
  shown.style.top = `${element.offsetTop + element.offsetHeight + 6}px`;
};
const hide = (figure) => {
  figure.querySelectorAll('.tip').forEach((shown) => shown.remove());
  figure.querySelectorAll('.shown').forEach((element) => element.classList.remove('shown'));
};

const part = (figure) => (box) => {
  const arrow = icon('arrow', 9);
  arrow.classList.add('arrow');
  const element = make('button', 'box', arrow, solid(box), make('span', 'name', box.name),
                       make('span', 'shape', box.shape));
  element.type = 'button';
  element.setAttribute('aria-label', `${box.name}, ${box.shape}, ${box.facts}`);
  element.onpointerenter = element.onfocus = () => show(figure, element, box);
  element.onpointerleave = element.onblur = () => hide(figure);
  element.onkeydown = (event) => event.key === 'Escape' && hide(figure);
  return element;
};

const cut = (data) => {
  const element = make('div', 'cut', icon(data.icon), make('i'), make('b', '', data.text),
                       make('span', 'shape', data.note));
  element.title = data.title;
  return element;
};

const swatch = (state) => solid({ width: 14, height: 12, depth: 0, state });

export default function ({ data, parentElement }) {
  const figure = parentElement.querySelector('figure');
  const net = figure.querySelector('.net');
  for (const [state, ink] of Object.entries(data.colors)) {
    figure.style.setProperty(`--${state}`, ink);
  }
  hide(figure);
  const items = data.boxes.map(part(figure));
  if (data.cut) items.splice(data.cut.before, 0, cut(data.cut));
  net.replaceChildren(...items);
  figure.querySelector('figcaption').replaceChildren(
    ...data.legend.map(([state, text]) => make('span', '', swatch(state), text)),
    ...(data.cut ? [make('span', '', icon(data.cut.icon, 15), data.cut.title)] : []));
  figure.setAttribute('aria-label', data.heading[0]);
  titled(figure, data.heading, figure.querySelector('.body'));
}
"""


@dataclass(frozen=True)
class Box:
    """One box: a block of layers, or one of the two parts that a cut makes of it.

    plain are those without weights. once tells whether its output is computed once per image.
    """

    name: str
    rows: tuple[Row, ...]
    state: State
    once: bool

    @property
    def shape(self) -> Shape:
        """What it puts out, without the batch."""
        return self.rows[-1].shape

    @property
    def parameters(self) -> int:
        """Numbers in its weights."""
        return sum(row.parameters for row in self.rows)


def boxes(blueprint: Blueprint, phase: int) -> list[Box]:
    """The boxes of one phase of training (0 is the first), from the images on."""
    return [
        _box(name, tuple(part), phase)
        for name, rows in groupby(blueprint.rows, key=_name)
        for part in _cut_in_two(list(rows), phase)
    ]


def _name(row: Row) -> str:
    if row.part == "backbone":
        return row.block
    return "images" if row.part == "input" else row.name.replace("dropout", "dense")


def _cut_in_two(rows: Sequence[Row], phase: int) -> Iterator[list[Row]]:
    for once in (True, False):
        part = [row for row in rows if row.once[phase] == once]
        if part:
            yield part


def _box(name: str, rows: tuple[Row, ...], phase: int) -> Box:
    weighty = [row for row in rows if row.parameters]
    frozen = any(row.frozen[phase] for row in weighty)
    state: State = "plain" if not weighty else "frozen" if frozen else "trained"
    return Box(name, rows, state, once=rows[0].once[phase])


def size(shape: Shape) -> str:
    """A shape as a person writes it.

    >>> size((14, 14, 512)), size((25088,))
    ('14×14×512', '25,088')
    """
    return units.count(shape[0]) if len(shape) == 1 else "×".join(map(str, shape))


def diagram(blueprint: Blueprint, phase: int, *, kept: bool, key: str) -> None:
    """Draw the network of one phase of training (0 is the first).

    kept tells whether what crosses the cut is kept, so that the frozen part runs only once.
    """
    drawn = boxes(blueprint, phase)
    states = [state for state in LEGEND if any(box.state == state for box in drawn)]
    _component()(
        data={
            "heading": Heading(_headline(blueprint.phases[phase]), _HINT, _USE),
            "boxes": [_to_draw(box, drawn, kept) for box in drawn],
            "cut": _cut(drawn, blueprint.crossing(phase), kept),
            "legend": [(state, LEGEND[state]) for state in states],
            "colors": COLORS,
        },
        key=key,
        width="stretch",
    )


_HINT = (
    "Images come in at the left. The taller a box, the larger the images it puts out; the wider, "
    "the more channels they have."
)
_USE = "Point at a box to see its layers."


def _headline(parameters: ParameterCount) -> str:
    if not parameters.frozen:
        return f"All {units.count(parameters.trainable)} parameters train"
    trained, total = units.count(parameters.trainable), units.count(parameters.total)
    return f"{trained} of {total} parameters train, the others are frozen"


LEGEND: dict[State, str] = {
    "trained": "trains",
    "frozen": "frozen",
    "plain": "nothing to train",
}
COLORS: dict[State, str] = {
    "trained": theme.TRAINED_COLOR,
    "frozen": theme.FROZEN_COLOR,
    "plain": theme.WATCHED_COLOR,
}


def _cut(drawn: Sequence[Box], crossing: Sequence[Shape], kept: bool) -> dict[str, Any] | None:
    """Where the network is cut and what crosses there."""
    before = next(place for place, box in enumerate(drawn) if not box.once)
    if before == 0:
        return None
    numbers = f"{units.count(sum(map(math.prod, crossing)))} numbers"
    shapes = " and ".join(map(size, crossing))
    if kept:
        title = f"computed once up to here, {shapes} kept per image"
        return {"before": before, "icon": "scissors", "text": numbers, "title": title,
                "note": "kept per image"}  # fmt: skip
    title = "the part before runs in every epoch"
    return {"before": before, "icon": "repeat", "text": numbers, "title": title,
            "note": "in each epoch"}  # fmt: skip


def _to_draw(box: Box, drawn: Sequence[Box], kept: bool) -> dict[str, Any]:
    name, shape = CALLED.get(box.name, box.name.replace("_", " ")), size(box.shape)
    listed = box.rows[:MOST_LISTED]
    more = len(box.rows) - len(listed)
    return {
        "name": name,
        "shape": f"{shape} classes" if box.name == "probabilities" else shape,
        "state": box.state,
        "facts": _facts(box, kept),
        "layers": [(row.name, row.kind, size(row.shape)) for row in listed],
        "more": f"and {more} more" if more else "",
        **_measures(box.shape, drawn),
    }


CALLED = {"probabilities": "softmax"}


def _facts(box: Box, kept: bool) -> str:
    count = len(box.rows)
    layers = f"{count} {'layer' if count == 1 else 'layers'}"
    weights = [f"{units.count(box.parameters)} parameters", LEGEND[box.state]]
    once = ["computed once per image"] if box.once and kept else []
    return ", ".join([layers, *(weights if box.parameters else []), *once])


def _measures(shape: Shape, drawn: Sequence[Box]) -> dict[str, float]:
    """Pixels of a box, the largest of the network having the most; a row of numbers is a bar."""
    if len(shape) == 1:
        longest = max(box.shape[0] for box in drawn if len(box.shape) == 1)
        share = math.log1p(shape[0]) / math.log1p(longest)
        return {"width": 9, "height": _between(LOWEST, TALLEST, share), "depth": 0}
    images = [box.shape for box in drawn if len(box.shape) == 3]
    height = _between(LOWEST, TALLEST, math.sqrt(shape[0] / max(each[0] for each in images)))
    widest = max(each[2] for each in images)
    width = _between(THINNEST, WIDEST, math.sqrt(shape[2] / widest))
    return {"width": width, "height": height, "depth": round(0.28 * height, 1)}


def _between(least: float, most: float, share: float) -> float:
    return round(least + (most - least) * share, 1)


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_diagram", html=_HTML, css=_CSS + headings.CSS, js=headings.JS + _JS
    )
