"""Keys of the keyboard that a page listens to, wherever on the page the focus is."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

from ui.frame.browser import SINGLE_KEYS_JS

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

_JS = r"""
const KNOWS_ARROWS = 'input, canvas, [role=group], [role=grid], [role=radiogroup], ' +
  '[role=slider], [role=tablist], [role=menu], [role=toolbar], [role=application], ' +
  '[data-testid=stButtonGroup]';

const named = (event) => event.key.length === 1 ? event.key.toLowerCase() : event.key;

const meant = (event, { keys, held }) => {
  if (!isSingle(event)) return null;
  const key = named(event);
  if (!keys.includes(key) || (event.repeat && !held.includes(key))) return null;
  return key.startsWith('Arrow') && within(event, KNOWS_ARROWS) ? null : key;
};

// What was pressed outlives the component: Streamlit may take it off the page and put it there
// again while runs of the page interrupt each other.
const GAP = 4000;
const all = (window.__transferLabKeys ??= {});
const left = (state) => state.gone !== null && Date.now() - state.gone > GAP;

const listening = (name) => {
  const state = { waiting: [], last: 0, gone: null };
  state.send = () => state.gone === null && state.trigger('pressed', state.waiting.slice());
  const listener = (event) => {
    if (left(state)) {
      document.removeEventListener('keydown', listener);
      delete all[name];
      return;
    }
    const key = meant(event, state.data);
    if (key === null) return;
    event.preventDefault();
    state.last = Math.max(Date.now(), state.last + 1);
    state.waiting.push([state.last, key]);
    state.send();
  };
  document.addEventListener('keydown', listener);
  return state;
};

export default function ({ data, parentElement, setTriggerValue }) {
  // A press before this is nobody's: pages are drawn before their components have loaded.
  parentElement.querySelector('span').dataset.listening = data.name;
  const state = (all[data.name] ??= listening(data.name));
  const heard = ([number]) => number <= data.heard;
  state.waiting = left(state) ? [] : state.waiting.filter((press) => !heard(press));
  const back = state.gone !== null;
  Object.assign(state, { data, trigger: setTriggerValue, gone: null });
  // A press that the server has not heard is sent again: with the next, or after a while.
  clearTimeout(state.again);
  if (state.waiting.length) state.again = setTimeout(state.send, back ? 0 : 500);
  return () => { if (state.trigger === setTriggerValue) state.gone = Date.now(); };
}
"""


@dataclass
class _Heard:
    """The number of the last press of a session that was heard."""

    last: int = 0
    alone: threading.Lock = field(default_factory=threading.Lock)


def keyboard(
    keys: Sequence[str], on_press: Callable[[str], None], *, key: str, held: Sequence[str] = ()
) -> None:
    """Call `on_press` with each key that was pressed, before the page is drawn again.

    Nothing is heard while text is typed or with Ctrl, Alt or Meta. Arrows are left to what has the
    focus where that knows them itself, such as a slider. held: keys that count again and
    again while they are held down. Streamlit's own are r and c.

    `on_press` must do without st.session_state, but may change what it holds: where the next press
    is there already, Streamlit ends a callback at its next use, and what was done is done twice.
    """

    def pressed() -> None:
        sent = (st.session_state[key] or {}).get("pressed") or []
        with heard.alone:  # the callback of the next press may run before this one has ended
            for number, name in sent:
                if number > heard.last:
                    if name in keys:
                        on_press(name)
                    heard.last = number

    heard = st.session_state.setdefault(f"{key}_heard", _Heard())
    _component()(
        data={"name": key, "keys": list(keys), "held": list(held), "heard": heard.last},
        key=key,
        width=1,
        height=1,
        on_pressed_change=pressed,
    )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_keys", html="<span hidden></span>", js=SINGLE_KEYS_JS + _JS
    )
