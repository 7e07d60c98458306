"""The bar of a presentation in the browser: the pages before and after, and the way out."""

HTML = """
<nav class="bar" aria-label="Presentation">
  <button type="button" class="before" aria-label="Page before">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M15 5l-7 7 7 7"/></svg></button>
  <span class="page"></span>
  <button type="button" class="next" aria-label="Next page">
    <svg viewBox="0 0 24 24" aria-hidden="true"><path d="M9 5l7 7-7 7"/></svg></button>
  <button type="button" class="leave" title="Or press Escape">Leave</button>
</nav>
"""

CSS = """
.bar {
  position: fixed; z-index: 1000; right: 1rem; bottom: 1rem; display: flex; align-items: center;
  padding: 3px; font: 400 14px/32px var(--st-font); color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: 20px; box-shadow: 0 4px 16px rgb(0 0 0 / 14%);
}
.page { min-width: 72px; text-align: center; }
button {
  all: unset; box-sizing: border-box; cursor: pointer; min-width: 32px; height: 32px;
  text-align: center; border-radius: 16px;
}
button:hover { background: var(--st-secondary-background-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
button:disabled { visibility: hidden; }
.leave { padding: 0 12px; margin-left: 6px; }
svg { width: 16px; height: 16px; vertical-align: -3px; fill: none; stroke: currentColor;
      stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
@media (max-width: 640px) { button { min-width: 44px; height: 44px; line-height: 44px; } }
"""

JS = r"""
const main = () => document.querySelector('[data-testid=stMain]');
const TYPED_INTO = 'input, textarea, select, [contenteditable=true]';
const typed = (event) => event.composedPath().some(
  (at) => at instanceof Element && at.matches(TYPED_INTO));

// The keys of a presenter's remote scroll a page to its end first, as they do elsewhere.
const turned = ({ key }) => {
  const { scrollTop, clientHeight, scrollHeight } = main();
  if (key === 'PageDown' && scrollTop + clientHeight >= scrollHeight - 2) return '.next';
  if (key === 'PageUp' && scrollTop <= 1) return '.before';
  return null;
};

export default function ({ data, parentElement, setTriggerValue }) {
  const part = (name) => parentElement.querySelector(name);
  part('.page').textContent = data.page;
  for (const way of ['before', 'next']) {
    const button = part(`.${way}`);
    button.disabled = !data[way];
    button.title = data[way];
    button.onclick = () => setTriggerValue('go', way);
  }
  const leave = () => setTriggerValue('left', true);
  part('.leave').onclick = leave;
  const bar = part('.bar');
  bar.ended?.();                                   // Streamlit calls this with every rerun
  bar.ended = hearing((event) => {
    if (escapes(event)) leave();
    const way = typed(event) ? null : turned(event);
    if (way) part(way).click();
  });
  return () => bar.ended();
}
"""
