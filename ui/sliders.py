"""Sliders that tell where they are while they move; Streamlit's own tell once they are let go."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import streamlit as st

from ui.frame.browser import nothing

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_HTML = "<div class='sliders' role='group'></div>"

_CSS = """
.sliders { display: grid; grid-template-columns: repeat(auto-fill, minmax(150px, 1fr));
           gap: 0.9rem 1.25rem; font: 0.875rem/1.4 var(--st-font, sans-serif);
           color: var(--st-text-color); }
.slider { display: grid; grid-template-columns: 1fr auto auto; gap: 0 0.4rem;
          align-items: center; position: relative; min-width: 0; }
.slider output { font-variant-numeric: tabular-nums; color: var(--st-primary-color); }
.slider input { grid-column: 1 / -1; appearance: none; width: 100%; height: 1.25rem; margin: 0;
                background: none; cursor: pointer; touch-action: pan-y; }
.slider input::-webkit-slider-runnable-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--st-primary-color) var(--share),
                              var(--st-border-color) 0); }
.slider input::-moz-range-track { height: 4px; border-radius: 2px;
  background: linear-gradient(to right, var(--st-primary-color) var(--share),
                              var(--st-border-color) 0); }
.slider input::-webkit-slider-thumb { appearance: none; width: 14px; height: 14px;
  margin-top: -5px; border-radius: 50%; background: var(--st-primary-color); }
.slider input::-moz-range-thumb { width: 14px; height: 14px; border: 0; border-radius: 50%;
  background: var(--st-primary-color); }
.slider input:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px;
                              border-radius: 4px; }
.help { all: unset; width: 1.1em; height: 1.1em; border-radius: 50%; text-align: center;
        font-size: 0.7rem; line-height: 1.1em; border: 1px solid currentColor; opacity: 0.6;
        cursor: help; }
.help:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.meaning { display: none; position: absolute; z-index: 10; top: 1.5rem; left: 0; right: 0;
           padding: 0.5rem 0.6rem; border-radius: 0.5rem; font-size: 0.8rem;
           background: var(--st-background-color); border: 1px solid var(--st-border-color);
           box-shadow: 0 2px 8px rgb(0 0 0 / 25%); pointer-events: none; }
.help:hover ~ .meaning, .help:focus ~ .meaning { display: block; }
"""

_JS = r"""
const written = (value, step) => Number(value).toFixed(step < 1 ? 2 : 0);

const draw = (label, value) => {
  const input = label.querySelector('input');
  const { min, max, step } = input;
  input.value = value;
  input.style.setProperty('--share', `${100 * (input.value - min) / (max - min)}%`);
  label.querySelector('output').textContent = written(input.value, step);
};

const element = (kind, parts) => Object.assign(document.createElement(kind), parts);

const slider = ({ name, title, low, high, step, meaning }, i) => {
  const whole = element('div', { className: 'slider' });
  whole.dataset.name = name;
  const id = `slider-${i}`;
  const input = element('input', { id, type: 'range', min: low, max: high, step });
  const help = element('button', { type: 'button', className: 'help', textContent: '?' });
  help.setAttribute('aria-label', meaning);
  const said = element('div', { className: 'meaning', textContent: meaning });
  said.setAttribute('aria-hidden', 'true');
  const label = element('label', { htmlFor: id, textContent: title });
  whole.append(label, element('output', { htmlFor: id }), help, said, input);
  return whole;
};

// One message is under way at a time: how quickly the page answers decides how many there are.
const UNANSWERED = 2000;

export default function ({ data, parentElement, setTriggerValue }) {
  const group = parentElement.querySelector('.sliders');
  const state = (group.__state ??= { moved: {}, sent: null });
  if (group.dataset.tag !== data.tag) {
    group.dataset.tag = data.tag;
    group.setAttribute('aria-label', data.label);
    group.replaceChildren(...data.sliders.map(slider));
    state.moved = {};
  }
  state.send = () => {
    clearTimeout(state.again);
    state.sent = { number: Date.now(), values: state.moved };
    state.moved = {};
    setTriggerValue('moved', [state.sent.number, state.sent.values]);
    state.again = setTimeout(() => {
      state.moved = { ...state.sent.values, ...state.moved };
      state.send();
    }, UNANSWERED);
  };
  if (state.sent && state.sent.number === data.heard) {
    clearTimeout(state.again);
    state.sent = null;
    if (Object.keys(state.moved).length) state.send();
  }
  for (const whole of group.children) {
    const { name } = whole.dataset;
    const mine = name in state.moved || (state.sent && name in state.sent.values);
    if (!mine) draw(whole, data.values[name]);
  }
  group.oninput = (event) => {
    const whole = event.target.closest('.slider');
    draw(whole, event.target.value);
    state.moved[whole.dataset.name] = Number(event.target.value);
    if (!state.sent) state.send();
  };
}
"""


class Slider(NamedTuple):
    """One slider: a name for its value, its title, limits and step, and what it is for."""

    name: str
    title: str
    low: float
    high: float
    step: float
    meaning: str


def sliders(
    asked: Sequence[Slider], values: Mapping[str, float], *, key: str, label: str
) -> dict[str, float]:
    """Show sliders at some values, by name; those that are moved at the moment, by name.

    label: what all of them are for, read out where the page is.
    """
    sent: tuple[int | None, dict[str, Any]] | None = (st.session_state.get(key) or {}).get("moved")
    number, moved = sent or (None, {})
    found = {
        slider.name: _within(moved[slider.name], slider)
        for slider in asked
        if type(moved.get(slider.name)) in (int, float)
    }
    each = [slider._asdict() for slider in asked]
    data: dict[str, Any] = {"label": label, "sliders": each, "heard": number}
    data["values"] = {**values, **found}
    data["tag"] = repr(each)
    _component()(data=data, key=key, on_moved_change=nothing)
    return found


def _within(value: float, slider: Slider) -> float:
    """What a browser sent, within the limits."""
    return float(min(max(value, slider.low), slider.high))


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_sliders", html=_HTML, css=_CSS, js=_JS)
