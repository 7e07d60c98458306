"""What components share in how they speak with the browser."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

COLORS_JS = r"""
const themeOf = (root) => {
  const style = getComputedStyle(root);
  return (name) => style.getPropertyValue(`--st-${name}`).trim();
};
const pen = document.createElement('canvas').getContext('2d');
const rgb = (color) => {
  pen.fillStyle = color;                              // any way of writing becomes #rrggbb
  return [1, 3, 5].map((at) => parseInt(pen.fillStyle.slice(at, at + 2), 16));
};
"""
"""The theme's colours and how to take one apart; to stand before a component's own script."""

KEYS_JS = r"""
const HEARS_ESCAPE = 'input, textarea, select, [popover], [role=dialog], [role=listbox], ' +
  '[role=combobox], [contenteditable=true]';
const escapes = (event) => event.key === 'Escape' && !event.defaultPrevented &&
  !event.composedPath().some((at) => at instanceof Element && at.matches(HEARS_ESCAPE));
const hearing = (hear) => {
  document.addEventListener('keydown', hear);
  return () => document.removeEventListener('keydown', hear);
};
"""
"""Whether a press of Escape is meant for the whole page, and listening to keys wherever the focus
is, until the returned function is called; to stand before a component's script."""


SINGLE_KEYS_JS = r"""
const TYPED_INTO = 'input:not([type=checkbox], [type=radio], [type=button], [type=range]), ' +
  'textarea, select, [contenteditable=""], [contenteditable=true], [role=slider], ' +
  '[role=combobox], [role=listbox], [role=spinbutton]';
const within = (event, selector) =>
  event.composedPath().some((element) => element instanceof Element && element.matches(selector));
const silent = () => localStorage.getItem('transferLabKeys') === 'silent';
const silence = (yes) => localStorage.setItem('transferLabKeys', yes ? 'silent' : '');
const isSingle = (event) => !silent() && !event.defaultPrevented && !event.isComposing &&
  !event.ctrlKey && !event.altKey && !event.metaKey && !within(event, TYPED_INTO);
"""
"""Whether a press is of a key by itself, which a page may hear: nobody types, and nobody has
switched such keys off for this browser; to stand before a component's script."""


def packed(head: Mapping[str, object], numbers: bytes) -> bytes:
    """One message: the length of the JSON head, the head, then the numbers."""
    text = json.dumps(head).encode()
    return struct.pack("<I", len(text)) + text + numbers


def nothing() -> None:
    """Streamlit keeps a value of a component only if something listens to its changes."""
