"""The list of keys in the browser, and the keys that open it or lead to another page."""

HTML = """
<button type="button" class="open" popovertarget="shortcuts" aria-label="Keys"
  title="Keys of this page, also by ?">
  <svg viewBox="0 0 24 24" aria-hidden="true"><rect x="2.5" y="5.5" width="19" height="13" rx="2"/>
  <path d="M6.5 9.5h.01M10.2 9.5h.01M13.8 9.5h.01M17.5 9.5h.01M6.5 12.5h.01M10.2 12.5h.01
  M13.8 12.5h.01M17.5 12.5h.01M8.5 15.5h7"/></svg></button>
<div id="shortcuts" class="panel" popover role="dialog" aria-labelledby="title" tabindex="0"
  autofocus>
  <h2 id="title">Keys</h2>
  <div class="groups"></div>
  <label><input type="checkbox"> Listen to single keys
    <small>Never while you type, nor with Ctrl, Alt or ⌘.</small></label>
</div>
"""

CSS = """
.open {
  all: unset; box-sizing: border-box; width: 2.25rem; height: 2rem; cursor: pointer;
  display: var(--tl-controls, grid); place-items: center; color: var(--st-text-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
.open:hover { color: var(--st-primary-color); border-color: var(--st-primary-color); }
:is(.open, input):focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
.panel:focus-visible { outline: none; border-color: var(--st-primary-color); }
svg { width: 20px; height: 20px; fill: none; stroke: currentColor; stroke-width: 1.5;
      stroke-linecap: round; }
.panel {
  position: fixed; inset: 0; margin: auto; box-sizing: border-box; overflow: auto;
  width: min(46rem, 100vw - 2rem); height: fit-content; max-height: 85vh; padding: 1.4rem 1.6rem;
  font: 400 .9rem/1.45 var(--st-font); color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: .75rem; box-shadow: 0 .75rem 2.5rem rgb(0 0 0 / 25%);
}
.panel::backdrop { background: rgb(0 0 0 / 30%); }
h2 { margin: 0 0 .9rem; font: 600 1.15rem/1.3 var(--st-heading-font); }
.groups { columns: 2; column-gap: 2.5rem; margin-bottom: .4rem; }
section { break-inside: avoid; margin-bottom: 1.2rem; }
h3 { margin: 0 0 .35rem; font: 600 .8rem/1.4 var(--st-font); opacity: .72; }
dl { display: grid; grid-template-columns: 6.2rem 1fr; gap: .35rem .8rem; margin: 0; }
dt { display: flex; flex-wrap: wrap; gap: .2rem; align-content: flex-start; }
dd { margin: 0; line-height: 1.6rem; text-wrap: pretty; }
kbd {
  min-width: 1.45em; box-sizing: border-box; padding: 0 .35em; text-align: center;
  font: 500 .8rem/1.45rem var(--st-font); border: 1px solid var(--st-border-color);
  border-bottom-width: 2px; border-radius: .3rem; background: var(--st-secondary-background-color);
}
i { font-style: normal; opacity: .6; font-size: .8rem; align-self: center; }
label { display: flex; flex-wrap: wrap; gap: .15rem .5rem; align-items: center; cursor: pointer;
        padding-top: .9rem; border-top: 1px solid var(--st-border-color); }
input { accent-color: var(--st-primary-color); width: 1rem; height: 1rem; margin: 0; }
small { font-size: .8rem; opacity: .72; }
@media (max-width: 640px) { .open { display: none; } .groups { columns: 1; } }
"""

JS = r"""
const SHOWN = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', Escape: 'Esc',
                PageUp: 'Page ↑', PageDown: 'Page ↓', '-': '−' };
const PATIENCE = 1500;                                // between the two keys of a way

const made = (tag, text = '', ...within) => {
  const element = document.createElement(tag);
  element.textContent = text;
  element.append(...within);
  return element;
};

const drawn = (key) => key.split(' ').map((one) => made('kbd', SHOWN[one] ?? one));

// Of a row of keys its ends: 1 … 9.
const row = (keys) => keys.length > 4 ? [...drawn(keys[0]), made('i', '…'), ...drawn(keys.at(-1))]
  : keys.flatMap(drawn);

const group = ([title, shortcuts]) => made('section', '', made('h3', title), made('dl', '',
  ...shortcuts.flatMap(([keys, does]) => [made('dt', '', ...row(keys)), made('dd', does)])));

const busy = () => document.querySelector('[data-testid=stDialog]');

export default function ({ data, parentElement, setTriggerValue }) {
  const panel = parentElement.querySelector('.panel');
  const listens = panel.querySelector('input');
  const told = JSON.stringify(data.groups);
  if (panel.dataset.told !== told) {
    panel.dataset.told = told;
    panel.querySelector('.groups').replaceChildren(...data.groups.map(group));
  }
  panel.onbeforetoggle = () => { listens.checked = !silent(); };
  listens.onchange = () => silence(!listens.checked);

  let begun = 0;                                      // when the way to a page was begun
  const meant = (event) => {
    const to = Date.now() - begun < PATIENCE && LETTERS[event.key];
    begun = event.key === GO ? Date.now() : 0;
    if (to) return () => setTriggerValue('go', to);
    if (event.key === LIST) return () => panel.togglePopover();
    const field = event.key === SEARCH && data.searched && document.querySelector(data.searched);
    return field ? () => { field.focus(); field.select(); } : null;
  };
  const hear = (event) => {
    const act = isSingle(event) && !event.repeat && !busy() ? meant(event) : null;
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();                 // r and c are Streamlit's own
    act();
  };
  parentElement.ended?.();                             // Streamlit calls this with every rerun
  window.addEventListener('keydown', hear, { capture: true });
  parentElement.ended = () => window.removeEventListener('keydown', hear, { capture: true });
  parentElement.querySelector('.open').dataset.page = data.page;
  return () => parentElement.ended();
}
"""
