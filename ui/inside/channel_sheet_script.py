"""HTML, style and script of the sheet of channels."""

HTML = """
<div class='sheet'><div class='body'>
  <div class='legend'><span></span><i></i><span></span></div>
  <div class='grid' role='group'></div>
</div></div>
"""

CSS = """
.sheet { color: var(--st-text-color); zoom: var(--tl-scale, 1);
         font: 0.75rem/1.3 var(--st-font, sans-serif); }
.body { max-width: 46rem; }
.legend { display: flex; align-items: center; gap: 0.6rem; margin-bottom: 0.6rem; }
.legend i { flex: 0 1 12rem; height: 0.55rem; border-radius: 3px; }
.grid { display: grid; gap: 4px;
        grid-template-columns: repeat(auto-fill, minmax(var(--least), 1fr)); }
.tile { all: unset; box-sizing: border-box; cursor: pointer; position: relative; min-width: 0;
        padding: 3px; border-radius: 6px; border: 2px solid transparent; }
.tile:hover { border-color: var(--st-border-color); }
.tile[aria-pressed=true] { border-color: var(--st-primary-color);
                           background: var(--st-secondary-background-color); }
.tile:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: -1px; }
.tile canvas { display: block; width: 100%; border-radius: 3px; image-rendering: pixelated; }
.said { display: flex; justify-content: space-between; gap: 2px; padding: 1px 1px 0;
        font-size: 0.7rem; font-variant-numeric: tabular-nums; white-space: nowrap;
        overflow: hidden; }
.said :last-child { opacity: 0.75; }
.mark { position: absolute; top: 5px; left: 5px; padding: 0 4px; border-radius: 3px;
        font-size: 0.65rem; color: var(--st-orange-text-color);
        background: var(--st-background-color); }
.mark:empty { display: none; }
"""

JS = r"""
const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const span = (name) => Object.assign(document.createElement('span'), { className: name });

const empty = () => {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'tile';
  const said = span('said');
  said.append(span(''), span(''));
  button.append(document.createElement('canvas'), said, span('mark'));
  return button;
};

const paint = (canvas, map, colors, [rows, columns]) => {
  canvas.width = columns;
  canvas.height = rows;
  const pixels = new ImageData(columns, rows);
  map.forEach((strength, i) => {
    pixels.data.set(colors.subarray(3 * strength, 3 * strength + 3), 4 * i);
    pixels.data[4 * i + 3] = 255;
  });
  canvas.getContext('2d').putImageData(pixels, 0, 0);
};

const write = (button, [channel, value, said, mark]) => {
  button.dataset.channel = channel;
  button.title = said;
  button.setAttribute('aria-label', said);
  const [number, beside] = button.querySelector('.said').children;
  number.textContent = channel;
  beside.textContent = value;
  button.querySelector('.mark').textContent = mark;
};

const mark = (grid, channel) => {
  const chosen = [...grid.children].find((button) => button.dataset.channel === String(channel));
  for (const button of grid.children) {
    button.setAttribute('aria-pressed', String(button === chosen));
    button.tabIndex = -1;
  }
  const reached = chosen ?? grid.children[0];
  if (reached) reached.tabIndex = 0;      // one stop for the tab key, arrows inside
};

const shade = (bar, colors) => {
  const stops = [0, 64, 128, 192, 255].map((strength) =>
    `rgb(${[...colors.subarray(3 * strength, 3 * strength + 3)].join(' ')})`);
  bar.style.background = `linear-gradient(to right, ${stops.join(',')})`;
};

const neighbour = (grid, from, key) => {
  const items = [...grid.children];
  const perRow = items.filter((e) => e.offsetTop === items[0].offsetTop).length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -perRow, ArrowDown: perRow,
                 Home: -from, End: items.length - 1 - from }[key];
  return step === undefined ? undefined : items[from + step];
};

export default function ({ data, parentElement, setTriggerValue }) {
  const sheet = parentElement.querySelector('.sheet');
  const grid = sheet.querySelector('.grid');
  const [maps, colors] = [bytes(data.maps), bytes(data.colors)];
  const fields = data.size[0] * data.size[1];
  titled(sheet, data.heading, sheet.querySelector('.body'));
  grid.setAttribute('aria-label', data.heading[0]);
  grid.style.setProperty('--least', `${data.least}px`);
  const [least, bar, most] = sheet.querySelector('.legend').children;
  [least.textContent, most.textContent] = data.legend;
  shade(bar, colors);
  while (grid.children.length > data.tiles.length) grid.lastChild.remove();
  data.tiles.forEach((tile, i) => {       // what is there already stays, and keeps the focus
    const button = grid.children[i] ?? grid.appendChild(empty());
    write(button, tile);
    paint(button.querySelector('canvas'), maps.subarray(i * fields, (i + 1) * fields), colors,
          data.size);
  });
  // Until the server knows of the last click, its answers to earlier ones mark nothing.
  if (grid.shown !== data.heading[0] || grid.waits === data.selected) grid.waits = null;
  grid.shown = data.heading[0];
  mark(grid, grid.waits ?? data.selected);
  const choose = (button) => {
    grid.waits = Number(button.dataset.channel);
    mark(grid, grid.waits);
    setTriggerValue('selected', grid.waits);
  };
  grid.onclick = (event) => {
    const button = event.target.closest('.tile');
    if (button) choose(button);
  };
  grid.onkeydown = (event) => {
    const from = event.target.closest('.tile');
    const to = from && neighbour(grid, [...grid.children].indexOf(from), event.key);
    if (!to) return;
    event.preventDefault();
    to.focus();
    choose(to);
  };
}
"""
