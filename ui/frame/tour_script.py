"""The card of the tour in the browser: what it says, where it lies, what its keys do."""

from ui.theme import FILLED_COLOR

HTML = """
<section class="card" role="region" tabindex="-1" aria-labelledby="where title"
  aria-describedby="text">
  <p class="where" id="where"></p>
  <h2 id="title"></h2>
  <p class="text" id="text"></p>
  <div class="ways">
    <button type="button" class="leave">Leave</button>
    <span class="dots" aria-hidden="true"></span>
    <button type="button" class="back">Back</button>
    <button type="button" class="on"></button>
  </div>
</section>
"""

CSS = (
    f":host {{ --filled: {FILLED_COLOR}; }}"
    + """
.card {
  position: fixed; z-index: 1000; right: 1.5rem; bottom: 1.5rem; box-sizing: border-box;
  width: min(25rem, 100vw - 3rem); padding: 1.1rem 1.25rem 1rem;
  font: 400 .95rem/1.5 var(--st-font); color: var(--st-text-color);
  background: var(--st-background-color); border: 1px solid var(--st-border-color);
  border-radius: .75rem; box-shadow: 0 .75rem 2.5rem rgb(0 0 0 / 22%);
}
.card:focus { outline: none; }
.card:focus-visible { border-color: var(--st-primary-color); }
.where { margin: 0; font-size: .8rem; opacity: .72; }
h2 { margin: .1rem 0 .35rem; font: 600 1.15rem/1.3 var(--st-heading-font); letter-spacing: -.01em; }
.text { margin: 0 0 .9rem; text-wrap: pretty; }
.ways { display: flex; align-items: center; gap: .5rem; }
.dots { display: flex; gap: .35rem; margin: 0 auto; }
.dots i { width: .4rem; height: .4rem; border-radius: 50%; background: currentColor; opacity: .25; }
.dots i.here { opacity: 1; background: var(--st-primary-color); }
button {
  all: unset; box-sizing: border-box; cursor: pointer; min-height: 2.25rem; padding: 0 .8rem;
  font: 500 .9rem/2.1rem var(--st-font); text-align: center; white-space: nowrap;
  border: 1px solid var(--st-border-color); border-radius: .4rem;
}
button[hidden] { display: none; }
button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.leave { border-color: transparent; padding-left: 0; }
.leave:hover { border-color: transparent; }
.on { background: var(--filled); border-color: var(--filled); color: #fff; }
.on:hover { color: #fff; filter: brightness(.88); }
@media (max-width: 640px) {
  .card {
    right: 0; bottom: 0; width: 100vw; border-width: 1px 0 0; border-radius: .9rem .9rem 0 0;
    padding-bottom: calc(1rem + env(safe-area-inset-bottom));
  }
  button { min-height: 2.75rem; line-height: 2.6rem; }
}
"""
)

JS = r"""
const fill = (card, { step, steps, title, text, back, on }) => {
  const say = (part, words) => { card.querySelector(part).textContent = words; };
  say('.where', `Tour · ${step + 1} of ${steps}`);
  say('h2', title);
  say('.text', text);
  say('.on', on ? `Next: ${on}` : 'Done');
  card.querySelector('.back').hidden = !back;
  card.querySelector('.dots').replaceChildren(...Array.from({ length: steps }, (_, place) => {
    const dot = document.createElement('i');
    dot.className = place === step ? 'here' : '';
    return dot;
  }));
};

// A part of the page may be drawn after the card.
const reveal = (part, patience = 40) => {
  const found = part && document.querySelector(`.st-key-${part}`);
  if (found) found.scrollIntoView({ block: 'nearest' });
  else if (part && patience) setTimeout(reveal, 150, part, patience - 1);
};

const begin = () => document.querySelector('.st-key-tour_begin button');

export default function ({ data, parentElement, setTriggerValue }) {
  const card = parentElement.querySelector('.card');
  fill(card, data);
  const leave = () => {
    begin()?.focus({ preventScroll: true });
    setTriggerValue('left', true);
  };
  card.querySelector('.leave').onclick = leave;
  card.querySelector('.back').onclick = () => setTriggerValue('go', 'back');
  card.querySelector('.on').onclick = data.on ? () => setTriggerValue('go', 'on') : leave;
  card.ended?.();                                  // Streamlit calls this with every rerun
  card.ended = hearing((event) => { if (escapes(event)) leave(); });
  const here = `${data.step} ${data.part}`;
  if (window.transferLabTour !== here) {           // a rerun of the page moves nothing
    window.transferLabTour = here;
    card.focus({ preventScroll: true });
    reveal(data.part);
  }
  return () => {
    card.ended();
    setTimeout(() => { if (!card.isConnected) window.transferLabTour = undefined; }, 2000);
  };
}
"""
