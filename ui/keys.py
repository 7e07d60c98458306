"""Keys of the keyboard that a page listens to, wherever on the page the focus is."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

ARROWS = ("ArrowLeft", "ArrowRight")
"""Left to what has the focus where that knows arrows itself, such as a slider."""

_JS = r"""
const TYPED_INTO = 'input:not([type=checkbox], [type=radio], [type=button], [type=range]), ' +
  'textarea, select, [contenteditable=""], [contenteditable=true], [role=slider], ' +
  '[role=combobox], [role=listbox], [role=spinbutton]';
const KNOWS_ARROWS = 'input, canvas, [role=group], [role=grid], [role=radiogroup], ' +
  '[role=slider], [role=tablist], [role=menu], [role=toolbar], [role=application], ' +
  '[data-testid=stButtonGroup]';

const within = (event, selector) =>
  event.composedPath().some((element) => element instanceof Element && element.matches(selector));

const named = (event) => event.key.length === 1 ? event.key.toLowerCase() : event.key;

const meant = (event, { keys, held }) => {
  if (event.defaultPrevented || event.isComposing) return null;
  if (event.ctrlKey || event.altKey || event.metaKey) return null;
  const key = named(event);
  if (!keys.includes(key) || (event.repeat && !held.includes(key))) return null;
  if (within(event, TYPED_INTO)) return null;
  return key.startsWith('Arrow') && within(event, KNOWS_ARROWS) ? null : key;
};

export default function ({ data, parentElement, setTriggerValue }) {
  // A press that the server has not heard is sent again: with the next, or after a while.
  const waiting = (parentElement.__waiting ?? []).filter(([number]) => number > data.heard);
  const send = () => setTriggerValue('pressed', waiting.slice());
  parentElement.__waiting = waiting;
  clearTimeout(parentElement.__again);
  if (waiting.length) parentElement.__again = setTimeout(send, 500);
  const listener = (event) => {
    const key = meant(event, data);
    if (key === null) return;
    event.preventDefault();
    const number = Math.max(Date.now(), (parentElement.__last ?? 0) + 1);
    parentElement.__last = number;
    waiting.push([number, key]);
    send();
  };
  document.removeEventListener('keydown', parentElement.__listener);
  parentElement.__listener = listener;
  document.addEventListener('keydown', listener);
  return () => {
    clearTimeout(parentElement.__again);
    document.removeEventListener('keydown', parentElement.__listener);
  };
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

    Nothing is heard while text is typed or with Ctrl, Alt or Meta. held: keys that count again and
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
        data={"keys": list(keys), "held": list(held), "heard": heard.last},
        key=key,
        height=1,
        on_pressed_change=pressed,
    )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_keys", html="<span hidden></span>", js=_JS)
