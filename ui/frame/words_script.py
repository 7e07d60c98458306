"""The script and the look of the words of a page: found in its text, explained where they stand."""

HTML = """
<button type="button" class="open" popovertarget="words"
  title="The terms on this page, each in a sentence">Words</button>
<div id="words" class="words" popover role="dialog" aria-labelledby="title" tabindex="0" autofocus>
  <h2 id="title">Words on this page</h2>
  <p class="none" hidden>This page uses no word that needs one.</p>
  <dl></dl>
</div>
<div id="word" class="word" popover="manual" role="tooltip"></div>
"""

CSS = """
.open {
  all: unset; box-sizing: border-box; height: 2rem; padding: 0 .6rem; cursor: pointer;
  font: 400 .875rem/2rem var(--st-font); color: var(--st-text-color);
  border: 1px solid var(--st-border-color); border-radius: var(--st-base-radius);
}
.open:hover { color: var(--st-primary-color); border-color: var(--st-primary-color); }
.open:focus-visible, .words:focus-visible {
  outline: 2px solid var(--st-primary-color); outline-offset: 1px;
}
.words, .word {
  position: fixed; margin: 0; box-sizing: border-box; overflow: auto;
  font: 400 .875rem/1.45 var(--st-font); color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: var(--st-base-radius); box-shadow: 0 .4rem 1.2rem rgb(0 0 0 / 25%);
}
.words { width: min(27rem, 100vw - 1rem); max-height: 75vh; padding: .9rem 1rem 1rem; }
.word { width: max-content; max-width: min(24rem, 100vw - 1rem); padding: .5rem .7rem; }
h2 { margin: 0 0 .6rem; font: 600 1rem/1.3 var(--st-heading-font); }
p { margin: 0; }
dl { margin: 0; }
dt { font-weight: 600; }
dd { margin: 0 0 .55rem; }
"""

UNDERLINE = """
::highlight(transfer-lab-words) {
  text-decoration: underline dotted color-mix(in srgb, currentColor 55%, transparent) 1px;
  text-underline-offset: .2em;
}
"""
"""A highlight of the browser underlines text without changing the page that Streamlit drew."""

JS = r"""
const pattern = new RegExp(PATTERN, 'gi');
const KEPT_OFF = 'script, style, noscript, .words, .word';
const CONTROLS = 'a, button, label, summary, input, select, textarea, code, pre, canvas, ' +
  'h1, svg, [role=tab], [role=option], [role=button], [role=dialog], [data-testid=stTable]';
const page = () => document.querySelector('[data-testid=stMain]');

const seen = (element) => element.closest('canvas') || element.checkVisibility();

// The texts of an element, also within components, which Streamlit keeps apart from the page.
function* textsOf(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.currentNode; node; node = walker.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      const parent = node.parentElement;
      if (parent && !parent.closest(KEPT_OFF) && seen(parent)) yield node;
    } else if (node.shadowRoot) yield* textsOf(node.shadowRoot);
  }
}

const found = (text) => [...text.matchAll(pattern)].map((match) => ({
  term: match.slice(1).findIndex(Boolean), start: match.index, end: match.index + match[0].length,
}));

const termsOn = (root) => {
  const terms = new Set();
  for (const text of textsOf(root)) for (const { term } of found(text.data)) terms.add(term);
  return terms;
};

const entry = ([name, sentence]) => {
  const term = document.createElement('dt'), meaning = document.createElement('dd');
  term.textContent = name;
  meaning.textContent = sentence;
  return [term, meaning];
};

const place = (panel, at) => {
  const width = panel.offsetWidth, height = panel.offsetHeight;
  panel.style.left = `${Math.max(8, Math.min(at.left, innerWidth - width - 8))}px`;
  const below = at.bottom + 6;
  const top = below + height > innerHeight - 8 && at.top > height ? at.top - height - 6 : below;
  panel.style.top = `${top}px`;
};

// --- All words of the page ---

const list = (panel) => {
  const terms = termsOn(page());
  const entries = READ_IN.filter((term) => terms.has(term)).map((term) => WORDS[term]);
  panel.querySelector('dl').replaceChildren(...entries.flatMap(entry));
  panel.querySelector('.none').hidden = entries.length > 0;
};

// --- A word where it stands ---

const can = 'highlights' in CSS && 'caretPositionFromPoint' in document;
const marked = new Map();                             // the first of each term, by its number

const mark = () => {
  marked.clear();
  const walker = document.createTreeWalker(page(), NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    const fresh = found(node.data).filter(({ term }) => !marked.has(term));
    if (!fresh.length || parent.closest(CONTROLS) || !seen(parent)) continue;
    for (const { term, start, end } of fresh) {
      if (marked.has(term)) continue;
      const range = new Range();
      range.setStart(node, start);
      range.setEnd(node, end);
      marked.set(term, range);
    }
  }
  CSS.highlights.set('transfer-lab-words', new Highlight(...marked.values()));
};

const under = ({ clientX: x, clientY: y, target }) => {
  if (!(target instanceof Element) || target.closest(CONTROLS)) return null;
  const at = document.caretPositionFromPoint(x, y);
  if (!at) return null;
  for (const [term, range] of marked) {
    if (range.startContainer !== at.offsetNode || range.collapsed) continue;
    const inside = (r) => x >= r.left && x <= r.right && y >= r.top - 2 && y <= r.bottom + 2;
    const line = [...range.getClientRects()].find(inside);
    if (line) return { term, line };
  }
  return null;
};

const explaining = (hint) => {
  let resting, drawn;
  const hide = () => { if (hint.isConnected) hint.hidePopover(); };
  const show = (event) => {
    const word = under(event);
    if (!word) return hide();
    hint.textContent = WORDS[word.term][1];
    hint.showPopover();
    place(hint, word.line);
  };
  const onMove = (event) => {
    clearTimeout(resting);
    if (event.pointerType === 'mouse') resting = setTimeout(show, 150, event);
  };
  const onKey = (event) => { if (event.key === 'Escape') hide(); };
  const redraw = () => { clearTimeout(drawn); drawn = setTimeout(mark, 300); };
  const watching = new MutationObserver(redraw);
  watching.observe(page(), { childList: true, characterData: true, subtree: true });
  const heard = { pointermove: onMove, click: show, keydown: onKey };
  for (const [kind, hear] of Object.entries(heard)) document.addEventListener(kind, hear);
  page().addEventListener('scroll', hide, { passive: true, capture: true });
  mark();
  return () => {
    clearTimeout(resting);
    clearTimeout(drawn);
    watching.disconnect();
    for (const [kind, hear] of Object.entries(heard)) document.removeEventListener(kind, hear);
    page()?.removeEventListener('scroll', hide, { capture: true });
    CSS.highlights.delete('transfer-lab-words');
  };
};

const underline = () => {
  if (document.getElementById('transfer-lab-words')) return;
  const style = document.createElement('style');
  style.id = 'transfer-lab-words';
  style.textContent = UNDERLINE;
  document.head.append(style);
};

export default function ({ parentElement }) {
  const panel = parentElement.querySelector('.words');
  const button = parentElement.querySelector('.open');
  panel.onbeforetoggle = (event) => { if (event.newState === 'open') list(panel); };
  panel.ontoggle = (event) => {
    if (event.newState === 'open') place(panel, button.getBoundingClientRect());
    else if (panel.matches(':focus') || document.activeElement === document.body) {
      button.focus({ preventScroll: true });
    }
  };
  button.dataset.ready = '';
  if (!can) return;
  underline();
  parentElement.ended?.();                             // Streamlit calls this with every rerun
  parentElement.ended = explaining(parentElement.querySelector('.word'));
  return () => parentElement.ended();
}
"""
