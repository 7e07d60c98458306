"""The part of collecting pictures that runs in the browser: camera, classes, pictures."""

from ui.pictures import camera_script

HTML = f"""
<div class="collector">
  {camera_script.HTML}
  <div class="classes"></div>
  <div class="row below">
    <button type="button" class="add">Add a class</button>
    <button type="button" class="make">Make the dataset</button>
    <button type="button" class="anew">Start over</button>
    <span class="said" role="status"></span>
  </div>
</div>
"""

CSS = (
    camera_script.CSS
    + """
.collector { display: grid; grid-template-columns: minmax(200px, 280px) 1fr; gap: 1rem 1.25rem;
  font: 0.9rem/1.45 var(--st-font, sans-serif); color: var(--st-text-color); }
@media (max-width: 640px) { .collector { grid-template-columns: 1fr; }
  .screen { max-width: 220px; } }
.recording .screen { outline: 3px solid var(--st-red-color); outline-offset: -1px; }
.below { grid-column: 1 / -1; margin-top: 0; }
input { font: inherit; color: inherit; border-radius: 6px; box-sizing: border-box;
  border: 1px solid var(--st-border-color); background: var(--st-background-color); }
input:focus-visible, .files:focus-within { outline: 2px solid var(--st-primary-color);
  outline-offset: 1px; }
.make:enabled, .hold:enabled { border-color: var(--st-primary-color); font-weight: 600;
  box-shadow: inset 0 0 0 1px var(--st-primary-color); }
.classes { display: grid; gap: 0.75rem; align-content: start; min-width: 0; }
.class { border: 1px solid var(--st-border-color); border-radius: 8px; padding: 0.7rem;
  min-width: 0; }
.head { display: flex; flex-wrap: wrap; gap: 0.5rem; align-items: center; }
.head input[type=text] { flex: 1 1 8rem; min-width: 0; padding: 0.35rem 0.6rem; }
.count { font-variant-numeric: tabular-nums; min-width: 5.5rem; }
.hold { touch-action: none; -webkit-touch-callout: none; }
.hold:enabled[aria-pressed=true] { border-color: var(--st-red-color);
  color: var(--st-red-text-color); box-shadow: inset 0 0 0 1px var(--st-red-color); }
.files { position: relative; overflow: hidden; padding: 0.35rem 0.75rem; border-radius: 6px;
  border: 1px solid var(--st-border-color); cursor: pointer; }
.files input { position: absolute; inset: 0; opacity: 0; cursor: pointer; }
.strip { display: flex; flex-wrap: wrap; gap: 4px; max-height: 120px; overflow-y: auto; }
.strip:not(:empty) { margin-top: 0.6rem; }
.strip button { all: unset; position: relative; width: 52px; height: 52px; cursor: pointer;
  border-radius: 4px; overflow: hidden; flex: none; }
.strip button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -2px; }
.strip img { width: 100%; height: 100%; display: block; }
.strip button:hover::after, .strip button:focus-visible::after { content: "×"; position: absolute;
  inset: 0; display: grid; place-content: center; font-size: 1.6rem; color: #fff;
  background: rgba(0, 0, 0, 0.55); }
.said { flex: 1 1 14rem; }
"""
)

JS = (
    camera_script.JS
    + r"""
const EVERY = 150;

// Pictures stay in this window, also while other pages are looked at, until somebody starts over.
const fresh = () => ({ classes: [{ name: '', pictures: [] }, { name: '', pictures: [] }] });
const kept = () => (window.__transferLabCollected ??= fresh());
const counted = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

const element = (tag, className, text, about = {}) => {
  const made = document.createElement(tag);
  made.className = className;
  if (text) made.textContent = text;
  for (const [name, value] of Object.entries(about)) made.setAttribute(name, value);
  return made;
};
const button = (className, text, about) =>
  element('button', className, text, { type: 'button', ...about });

const INVITING = 'Pictures are taken as long as you hold a class’s button.';

class Collector {
  constructor(root, limits) {
    this.root = root;
    this.limits = limits;
    this.camera = new Camera(root.querySelector('.looking'), INVITING, () => {
      this.stop();
      this.tell();
    });
    this.find('.add').onclick = () => {
      kept().classes.push({ name: '', pictures: [] });
      this.draw();
      [...this.root.querySelectorAll('.head [type=text]')].at(-1).focus();
    };
    this.find('.anew').onclick = () => {
      const count = this.total();
      if (count && !confirm(`Remove ${counted(count, 'picture')}?`)) return;
      window.__transferLabCollected = fresh();
      this.draw();
    };
    this.find('.make').onclick = () => {
      this.sent = true;                     // once, until the server has refused it
      this.tell();
      this.make(kept().classes.map(({ name, pictures }) =>
        ({ name: name.trim(), pictures: pictures.map((url) => url.split(',')[1]) })));
    };
    this.hidden = () => document.hidden && this.stop();
    document.addEventListener('visibilitychange', this.hidden);
    this.draw();
  }

  find(selector) { return this.root.querySelector(selector); }
  total() { return kept().classes.reduce((sum, { pictures }) => sum + pictures.length, 0); }

  start(one, hold) {
    if (!this.camera.on || this.timer) return;
    hold.setAttribute('aria-pressed', 'true');
    this.root.classList.add('recording');
    this.held = hold;
    const take = () => {
      if (this.total() >= this.limits.most) return this.stop();
      this.add(one, this.camera.picture());
    };
    this.timer = setInterval(take, EVERY);
    take();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    this.held?.setAttribute('aria-pressed', 'false');
    this.root.classList.remove('recording');
  }

  add(one, url) {
    one.pictures.push(url);
    const strip = this.strips.get(one);
    strip.append(this.thumbnail(one, url));
    strip.scrollTop = strip.scrollHeight;
    this.tell();
  }

  async addFiles(one, files) {
    let unread = 0;
    for (const file of [...files].slice(0, this.limits.most - this.total())) {
      try {
        const picture = await createImageBitmap(file);
        this.add(one, squared(picture, picture.width, picture.height));
      } catch { unread += 1; }
    }
    if (unread) {
      this.tell(`${counted(unread, 'file')} could not be read as a picture by the browser; ` +
        'bring such with “Import a dataset”.');
    }
  }

  thumbnail(one, url) {
    const taken = button('', '', { title: 'Remove this picture' });
    const image = element('img', '', '', { alt: `Picture of ${one.name || 'this class'}` });
    image.src = url;
    taken.append(image);
    taken.setAttribute('aria-label', `Remove a picture of ${one.name || 'this class'}`);
    taken.onclick = () => {
      one.pictures.splice(one.pictures.indexOf(url), 1);
      const next = taken.nextElementSibling ?? taken.previousElementSibling;
      taken.remove();
      next?.focus();
      this.tell();
    };
    return taken;
  }

  draw() {
    this.stop();
    this.strips = new Map();
    this.counts = new Map();
    this.find('.classes').replaceChildren(
      ...kept().classes.map((one, place) => this.card(one, place)));
    this.tell();
  }

  card(one, place) {
    const card = element('div', 'class'), head = element('div', 'head');
    const title = `Class ${place + 1}`;
    const name = element('input', '', '', { type: 'text', maxlength: this.limits.longest,
      placeholder: `${title}: its name`, 'aria-label': `Name of class ${place + 1}` });
    name.value = one.name;
    name.oninput = () => { one.name = name.value; this.tell(); };
    const hold = this.holding(one, title);
    const files = element('label', 'files', 'Add files');
    const chosen = element('input', '', '', { type: 'file', multiple: '', accept: 'image/*',
      'aria-label': `Add picture files to class ${place + 1}` });
    chosen.onchange = () => { this.addFiles(one, chosen.files).then(() => chosen.value = ''); };
    files.append(chosen);
    const away = button('away', 'Remove', { 'aria-label': `Remove class ${place + 1}` });
    away.hidden = kept().classes.length < 3;
    away.onclick = () => { kept().classes.splice(place, 1); this.draw(); };
    const count = element('span', 'count'), strip = element('div', 'strip');
    strip.append(...one.pictures.map((url) => this.thumbnail(one, url)));
    this.counts.set(one, count);
    this.strips.set(one, strip);
    head.append(name, hold, files, count, away);
    card.append(head, strip);
    return card;
  }

  holding(one, title) {
    const hold = button('hold', 'Hold to record',
      { 'aria-pressed': 'false', 'aria-label': `Hold to record ${title.toLowerCase()}` });
    const holds = (event) => event.key === ' ' || event.key === 'Enter';
    hold.onpointerdown = (event) => {
      if (event.button) return;
      hold.setPointerCapture(event.pointerId);
      this.start(one, hold);
    };
    hold.onpointerup = hold.onpointercancel = hold.onblur = () => this.stop();
    hold.oncontextmenu = (event) => event.preventDefault();
    hold.onkeydown = (event) => {
      if (!holds(event)) return;
      event.preventDefault();
      if (!event.repeat) this.start(one, hold);
    };
    hold.onkeyup = (event) => { if (holds(event)) this.stop(); };
    return hold;
  }

  lacking() {
    const { classes } = kept(), { fewest, most } = this.limits;
    const names = classes.map(({ name }) => name.trim());
    const few = classes.findIndex(({ pictures }) => pictures.length < fewest);
    if (this.total() >= most) return `These are ${most} pictures, and there can be no more.`;
    if (few >= 0) {
      const left = fewest - classes[few].pictures.length;
      return `${names[few] || `Class ${few + 1}`} needs ${left} more ` +
        `picture${left === 1 ? '' : 's'}.`;
    }
    const unnamed = names.indexOf('');
    if (unnamed >= 0) return `Class ${unnamed + 1} needs a name.`;
    return this.limits.named ? '' : 'The dataset needs another name.';
  }

  ready() {
    const { classes } = kept();
    return !this.sent && this.limits.named && classes.every(({ name, pictures }) =>
      name.trim() && pictures.length >= this.limits.fewest);
  }

  tell(text = '') {
    if (!this.counts) return;
    for (const [one, count] of this.counts) {
      count.textContent = counted(one.pictures.length, 'picture');
    }
    for (const hold of this.root.querySelectorAll('.hold')) hold.disabled = !this.camera.on;
    this.find('.make').disabled = !this.ready();
    this.find('.add').disabled = kept().classes.length >= this.limits.classes;
    const hint = 'Move a little while you record: many views teach more than many pictures.';
    this.find('.said').textContent =
      this.sent ? 'Making the dataset …' : text || this.lacking() || hint;
  }

  leave() {
    this.camera.turnOff();
    document.removeEventListener('visibilitychange', this.hidden);
  }
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.collector');
  root.collector ??= new Collector(root, data);
  if (root.collector.limits.refused !== data.refused) root.collector.sent = false;
  root.collector.limits = data;
  root.collector.tell();
  root.collector.make = (classes) => setTriggerValue('made', classes);
  return () => setTimeout(() => {           // also called before each new call: only what is gone
    if (root.isConnected) return;
    root.collector?.leave();
    root.collector = null;
  }, 0);
}
"""
)
