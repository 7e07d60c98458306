"""What stands above a drawing: what it shows, how to read it, and buttons that save it.

A component puts `JS` before its own script and `CSS` after its own style sheet, and sends a
`Heading` as `heading`. `titled(host, heading, body)` writes it at the top of `host` and saves
`body` under it; an element with a function `asSvg(width, height)` is saved as what that returns,
others as the browser shows them.
"""

from __future__ import annotations

from typing import NamedTuple

from ui.plots import saving_script


class Heading(NamedTuple):
    """What a drawing shows, how to read it, and what can be done on it.

    A saved picture has the first two, and is called after the title.
    """

    title: str
    hint: str = ""
    use: str = ""


CSS = (
    saving_script.CSS
    + """
.tl-heading { min-height: 1.6rem; margin-bottom: 0.6rem; color: var(--st-text-color);
              font: 0.85rem/1.45 var(--st-font, sans-serif); }
.tl-title { font-size: 1rem; font-weight: 600; line-height: 1.4; overflow-wrap: anywhere;
            text-wrap: pretty; }
.tl-title::before { content: ''; float: right; width: 6.2rem; height: 1.6rem; }
.tl-hint { max-width: 48rem; opacity: 0.75; text-wrap: pretty; }
.tl-hint:not(:has(span:not(:empty))) { display: none; }
.tl-use { display: var(--tl-controls, inline); }
"""
)

JS = (
    saving_script.JS
    + r"""
const titled = (host, [title, hint, use], body) => {
  let heading = host.querySelector(':scope > .tl-heading');
  if (!heading) {
    const part = (kind) => Object.assign(document.createElement('div'), { className: kind });
    heading = part('tl-heading tl-unsaved');
    const hint = part('tl-hint');
    hint.append(...['tl-read', 'tl-use'].map((kind) =>
      Object.assign(document.createElement('span'), { className: kind })));
    heading.append(part('tl-title'), hint);
    heading.firstChild.setAttribute('role', 'heading');
    heading.firstChild.setAttribute('aria-level', '4');
    host.prepend(heading);
  }
  heading.firstChild.textContent = title.replace(/(\d) %/g, '$1\u00a0%');  // breaks before none
  const [read, used] = heading.lastChild.children;
  read.textContent = hint;
  used.textContent = use && ` ${use}`;
  Saving.buttons(host, () => title, () =>
    Saving.framed(host, { title, hint, ...Saving.traced(body) }));
};
"""
)
