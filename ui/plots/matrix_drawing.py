"""How confusion matrices look in the browser, and the part of their script that draws them."""

from ui.frame.browser import COLORS_JS
from ui.plots import headings

HTML = """
<div class="matrices">
  <div class="tools" hidden>
    <button type="button" data-zoom="0.5" aria-label="Enlarge">+</button>
    <button type="button" data-zoom="2" aria-label="Make smaller">−</button>
    <button type="button" data-zoom="0">Show all</button>
    <span></span>
  </div>
  <div class="panels"></div>
  <div class="tip" aria-live="polite"></div>
</div>
"""

CSS = """
.matrices { position: relative; color: var(--st-text-color); transition: color 1ms;
            font: 0.75rem/1.35 var(--st-font, sans-serif); }
.panels { display: grid; gap: 1.25rem 1.5rem;
          grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
figure { margin: 0; min-width: 0; display: flex; flex-direction: column; }
figure .frame { margin-top: auto; }
/* Where two stand beside each other, the third has its words on its left. */
.matrices { container-type: inline-size; }
@container (min-width: 35.5rem) and (max-width: 53.99rem) {
  figure:nth-child(3) { grid-column: 1 / -1; display: grid; grid-template-columns: subgrid;
                        grid-template-rows: 1fr auto auto 1fr; }
  figure:nth-child(3) > * { grid-column: 1; }
  figure:nth-child(3) > figcaption { grid-row: 2; }
  figure:nth-child(3) > .remark { grid-row: 3; }
  figure:nth-child(3) > .scale { grid-row: 4; align-self: start; padding: 0; }
  figure:nth-child(3) > .frame { grid-area: 1 / 2 / -1; }
}
figcaption { display: flex; align-items: center; gap: 0.4rem; font-size: 0.95rem; font-weight: 600;
             min-width: 0; }
figcaption i { flex: none; width: 0.7rem; height: 0.7rem; border-radius: 2px; }
figcaption span, .lefts span, .tops span { overflow: hidden; text-overflow: ellipsis;
             white-space: nowrap; }
.remark { min-height: 1.35em; margin-bottom: 0.35rem; opacity: 0.75; overflow-wrap: anywhere; }
.frame { display: grid; grid-template-columns: 1.1rem var(--left) var(--plot);
         grid-template-rows: auto var(--top) var(--plot); }
.axis { opacity: 0.7; text-align: center; }
.said { grid-area: 1 / 3; }
.true { grid-area: 3 / 1; writing-mode: vertical-rl; transform: rotate(180deg); }
.tops { grid-area: 2 / 3; position: relative; }
.lefts { grid-area: 3 / 2; position: relative; }
.lefts span { position: absolute; right: 5px; max-width: calc(100% - 5px);
              transform: translateY(-50%); }
.tops span { position: absolute; bottom: 3px; max-width: none; transform: translateX(-50%); }
.upright .tops span { writing-mode: vertical-rl; transform: translateX(-50%) rotate(180deg);
                      max-height: calc(100% - 3px); line-height: 1; }
.plot { grid-area: 3 / 3; position: relative; overflow: hidden; cursor: pointer; border-radius: 3px;
        background: var(--st-secondary-background-color); touch-action: pan-y; outline-offset: 2px;
        user-select: none; }
.enlarged .plot { touch-action: none; }
.plot:focus-visible { outline: 2px solid var(--st-primary-color); }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.row, .column, .cell, .chosen, .marked { position: absolute; pointer-events: none;
        box-sizing: border-box; }
.row, .column { background: var(--st-text-color); opacity: 0.1; }
.row { left: 0; width: 100%; min-height: 1px; }
.column { top: 0; height: 100%; min-width: 1px; }
.cell { border: 1.5px solid var(--st-text-color); min-width: 7px; min-height: 7px; }
.chosen { border: 3px solid var(--st-primary-color); min-width: 11px; min-height: 11px;
          border-radius: 3px; box-shadow: 0 0 0 1.5px var(--st-background-color); }
.marked { border: 1.5px dashed var(--st-text-color);
          background: color-mix(in srgb, var(--st-primary-color) 20%, transparent); }
.scale { display: flex; align-items: center; gap: 0.5rem; margin-top: 0.4rem; opacity: 0.85;
         padding-left: calc(1.1rem + var(--left)); max-width: var(--plot);
         font-variant-numeric: tabular-nums; white-space: nowrap; }
.scale i { flex: 1; height: 0.45rem; border-radius: 3px; }
.tools { display: var(--tl-controls, flex); flex-wrap: wrap; gap: 0.4rem; align-items: center;
        margin-bottom: 0.6rem; }
.tools span { opacity: 0.75; font-size: 0.8rem; }
.tools button { font: inherit; font-size: 0.85rem; color: inherit; cursor: pointer;
        min-width: 2rem; min-height: 2rem; padding: 0 0.6rem; border-radius: 0.4rem;
        background: var(--st-background-color); border: 1px solid var(--st-border-color); }
.tools button:hover:enabled { border-color: var(--st-primary-color); }
.tools button:disabled { opacity: 0.4; cursor: default; }
[hidden] { display: none !important; }
.tip { position: absolute; z-index: 10; width: max-content; max-width: min(20rem, 100%);
       box-sizing: border-box; padding: 0.45rem 0.65rem; pointer-events: none; opacity: 0;
       border-radius: 0.4rem; background: var(--st-background-color);
       border: 1px solid var(--st-border-color); box-shadow: 0 4px 18px rgb(0 0 0 / 0.22); }
.tip.shown { opacity: 1; }
.tip b { display: -webkit-box; -webkit-line-clamp: 6; -webkit-box-orient: vertical;
         overflow: hidden; overflow-wrap: anywhere; font-size: 0.85rem; }
.tip div { font-variant-numeric: tabular-nums; }
.tip i { display: inline-block; width: 0.6rem; height: 0.6rem; border-radius: 2px;
         margin-right: 0.35rem; }
"""

# Goes before the script of matrix_script, which calls it and whose `place` it calls.
JS = (
    COLORS_JS
    + headings.JS
    + r"""
const LARGEST_CELL = 56, LARGEST_PLOT = 560, LEAST_CLASSES = 4, MANY_CLASSES = 12;
const FINGER = 14, ENLARGED_FOR_FINGER = 24, NAME_HEIGHT = 13, APART = 22;
const DIFFERENCE = 2;

const make = (tag, name, ...children) => {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children);
  return element;
};
const colored = (color) => {
  const square = make('i');
  square.style.background = color;
  return square;
};

// The counterpart of _pack in matrix.py.
const unpack = (bytes) => {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const numbers = new Uint32Array(bytes.slice(4 + size).buffer);
  const n = head.names.length;
  const filled = (numbers.length - n) / 3;
  const column = (place) => numbers.subarray(n + place * filled, n + (place + 1) * filled);
  return { ...head, n, support: numbers.subarray(0, n), cells: column(0), a: column(1),
           b: column(2) };
};

// What each of the three matrices shows in its filled cells, and the largest off the diagonal.
const measure = (chart) => {
  const { n, cells, a, b, support } = chart;
  const share = chart.unit === 'share';
  chart.places = new Map(Array.from(cells, (cell, place) => [cell, place]));
  chart.values = [(i) => a[i], (i) => b[i], (i) => a[i] - b[i]].map((count) =>
    Float64Array.from(cells, (cell, i) => count(i) / (share ? support[Math.floor(cell / n)] : 1)));
  const largest = chart.values.map((values) => values.reduce((most, value, i) =>
    cells[i] % (n + 1) ? Math.max(most, Math.abs(value)) : most, 0));
  chart.largest = [Math.max(largest[0], largest[1]), Math.max(largest[0], largest[1]), largest[2]];
  chart.orders = chart.values.map((values) =>         // the strongest are drawn last
    Uint32Array.from(cells.keys()).sort((i, j) => Math.abs(values[i]) - Math.abs(values[j])));
};

const whole = (number) => number.toLocaleString('en');
const signed = (value, text) => value > 0 ? `+${text}` : value < 0 ? `−${text}` : text;
const percent = (share, digits) =>                    // what is not all is never written as 100
  Math.min(100 * share, share < 1 ? 100 - 10 ** -digits : 100).toFixed(digits);
const written = (chart, panel, value, digits = 1) => {
  const size = Math.abs(value);
  const text = chart.unit === 'count' ? whole(size)
    : size && size < 0.0005 ? '<0.1' : percent(size, size < 0.0995 ? 1 : digits);
  return panel === DIFFERENCE ? signed(value, text) : text;
};

const waysToWrite = (chart, panel, value) => [
  ...[1, 0].map((digits) => written(chart, panel, value, digits)),
  ...(Math.abs(value) < 1000 ? [] : [`${(value / 1000).toFixed(1)}k`]),
];

// How much larger things are where pages are presented.
const largerBy = (root) => Number(getComputedStyle(root).getPropertyValue('--tl-scale')) || 1;

// Colours.

const mix = (under, over, alpha) => under.map((part, i) => part + (over[i] - part) * alpha);
const luminance = (color) => color.map((part) => {
  const share = part / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
}).reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
const readable = (behind) => luminance(behind) > 0.18 ? '#000000' : '#ffffff';  // both 4.5 to 1
const strength = (chart, panel, value, least) =>
  least + (1 - least) * Math.sqrt(Math.min(1, Math.abs(value) / chart.largest[panel]));
const hue = (chart, panel, value) =>
  panel === DIFFERENCE ? chart.colors[value > 0 ? 0 : 1] : chart.colors[panel];

// Drawing.

const draw = (root) => {
  const theme = themeOf(root);
  root.chart.panels.forEach((elements, panel) => drawPanel(root, elements, panel, theme));
  place(root);
};

// The squares of a panel, for a canvas or an SVG of that many pixels a side, and the font of their
// figures: each has a box [x, y, width, height], a colour with its alpha, and perhaps a text.
const squaresOf = (root, panel, side, scale, theme) => {
  const { chart, view } = root;
  const { n, cells } = chart;
  const cell = side / view.span;
  const edge = (index) => Math.round(index * cell);
  const gap = cell >= 6 * scale ? Math.round(scale) : 0;
  const box = (row, column) => {
    const [x, y] = [edge(column - view.column), edge(row - view.row)];
    const size = (from, index) => Math.max(edge(index + 1) - from - gap, Math.ceil(scale));
    return [x, y, size(x, column - view.column), size(y, row - view.row)];
  };
  const seen = (row, column) => row >= view.row && row < view.row + view.span
    && column >= view.column && column < view.column + view.span;

  const [text, background] = [theme('text-color'), rgb(theme('background-color'))];
  const squares = [];
  for (let i = 0; i < n; i += 1) {
    if (seen(i, i)) squares.push({ box: box(i, i), color: text, alpha: 0.13 });
  }
  const least = cell < 4 * scale ? 0.45 : 0.14;
  const size = Math.min(13 * largerBy(root), Math.max(9, 0.42 * cell / scale)) * scale;
  pen.font = `${size}px ${theme('font') || 'sans-serif'}`;
  for (const i of chart.orders[panel]) {
    const [row, column] = [Math.floor(cells[i] / n), cells[i] % n];
    const value = chart.values[panel][i];
    if (value === 0 || !seen(row, column)) continue;
    const [right, place] = [row === column, box(row, column)];
    const alpha = right ? 0 : strength(chart, panel, value, least);
    const color = hue(chart, panel, value);
    squares.push({
      box: place, color, alpha,
      ink: right ? text : readable(mix(background, rgb(color), alpha)), faint: right ? 0.75 : 1,
      text: cell < 13 * scale ? '' : waysToWrite(chart, panel, value)
        .find((fitting) => pen.measureText(fitting).width <= place[2] - scale),
    });
  }
  return { squares, size };
};

const drawPanel = (root, { canvas, plot }, panel, theme) => {
  const scale = window.devicePixelRatio || 1;
  const side = Math.round(plot.clientWidth * scale);
  if (!side) return;
  canvas.width = canvas.height = side;
  const ink = canvas.getContext('2d');
  const { squares, size } = squaresOf(root, panel, side, scale, theme);
  ink.textAlign = 'center';
  ink.textBaseline = 'middle';
  ink.font = `${size}px ${theme('font') || 'sans-serif'}`;
  for (const { box: [x, y, width, height], color, alpha, text, ink: written, faint } of squares) {
    ink.globalAlpha = alpha;
    ink.fillStyle = color;
    ink.fillRect(x, y, width, height);
    if (!text) continue;
    ink.globalAlpha = faint;
    ink.fillStyle = written;
    ink.fillText(text, x + width / 2, y + height / 2 + scale / 2);
  }
};

const panelAsSvg = (root, panel) => (side) => {
  const { squares, size } = squaresOf(root, panel, side, 1, themeOf(root));
  const drawn = squares.map(({ box: [x, y, width, height], color, alpha, text, ink, faint }) =>
    (alpha ? `<rect x="${x}" y="${y}" width="${width}" height="${height}" `
      + `fill="${color}" fill-opacity="${alpha}"/>` : '')
    + (text ? `<text x="${x + width / 2}" y="${y + height / 2}" dy="0.35em" fill="${ink}" `
      + `fill-opacity="${faint}">${Saving.markup(text)}</text>` : ''));
  return `<g font-size="${size}" text-anchor="middle">${drawn.join('')}</g>`;
};

// Names along the axes: all where they fit, else every so many-th.
const nameAxes = ({ chart, view }, { tops, lefts }, side) => {
  const all = NAME_HEIGHT * view.span <= side;
  const step = all ? 1 : Math.ceil(APART * view.span / side);
  const label = (edge, from) => (index) => {
    const name = make('span', '', chart.names[index]);
    name.title = chart.names[index];
    name.style[edge] = `${100 * (index - from + 0.5) / view.span}%`;
    return name;
  };
  const range = (from) => Array.from({ length: Math.ceil(view.span / step) },
    (_, k) => from + k * step).filter((index) => index < from + view.span);
  lefts.replaceChildren(...range(view.row).map(label('top', view.row)));
  tops.replaceChildren(...range(view.column).map(label('left', view.column)));
};

const layOut = (root) => {
  const { chart, view } = root;
  const width = chart.panels[0].figure.clientWidth;
  if (!width) return;
  const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
  pen.font = `${0.75 * rem}px ${themeOf(root)('font') || 'sans-serif'}`;
  const longest = Math.max(...chart.names.map((name) => pen.measureText(name.slice(0, 40)).width));
  const left = Math.ceil(Math.min(longest + 7, 0.3 * width));
  const plot = Math.floor(Math.min(width - left - 1.1 * rem, LARGEST_PLOT,
    LARGEST_CELL * Math.max(2, chart.n)));
  const upright = longest > plot / view.span - 4;
  root.classList.toggle('upright', upright);
  root.classList.toggle('enlarged', view.span < chart.n);
  root.style.setProperty('--left', `${left}px`);
  root.style.setProperty('--plot', `${plot}px`);
  root.style.setProperty('--top',
    `${Math.ceil(upright ? Math.min(longest + 6, 0.3 * width) : 1.35 * 0.75 * rem + 3)}px`);
  chart.panels.forEach((elements) => nameAxes(root, elements, plot));
  root.querySelectorAll('.tools button').forEach((button) => {
    const factor = Number(button.dataset.zoom);
    const end = factor === 0.5 ? Math.min(LEAST_CLASSES, chart.n) : chart.n;
    button.disabled = view.span === end;
  });
  root.querySelector('.tools span').textContent = view.span < chart.n
    ? 'Drag to move.'
    : matchMedia('(pointer: coarse)').matches ? 'Tap a part to enlarge it.'
      : 'Drag over a part to enlarge it.';
  draw(root);
};

const scaleOf = (chart, panel) => {
  const most = chart.largest[panel];
  const scale = make('div', 'scale');
  scale.hidden = !most;
  const stops = (color) => [0, 0.05, 0.2, 0.5, 1].map((share) => {
    const percent = 100 * strength(chart, panel, share * most, 0.14);
    return [`color-mix(in srgb, ${color} ${percent}%, transparent)`, share];
  });
  const bar = make('i');
  const unit = chart.unit === 'share' ? ' %' : '';
  if (panel === DIFFERENCE) {
    const [a, b] = chart.colors.map(stops);
    const parts = [...b.reverse().map(([color, share]) => `${color} ${50 - 50 * share}%`),
                   ...a.map(([color, share]) => `${color} ${50 + 50 * share}%`)];
    bar.style.background = `linear-gradient(to right, ${parts.join(', ')})`;
    scale.append('B more often', bar, 'A more often');
  } else {
    const parts = stops(chart.colors[panel]).map(([color, share]) => `${color} ${100 * share}%`);
    bar.style.background = `linear-gradient(to right, ${parts.join(', ')})`;
    scale.append('0', bar, `${written(chart, panel, most)}${unit}`);
  }
  return scale;
};

const build = (root) => {
  const { chart } = root;
  chart.panels = chart.titles.map((title, panel) => {
    const [tops, lefts] = [make('div', 'tops'), make('div', 'lefts')];
    const canvas = make('canvas');
    const marks = ['row', 'column', 'cell', 'chosen', 'marked'].map((name) => {
      const mark = make('div', `${name} tl-unsaved`);
      mark.hidden = true;
      return mark;
    });
    const plot = make('div', 'plot', canvas, ...marks);
    plot.tabIndex = 0;
    plot.dataset.panel = panel;
    plot.setAttribute('role', 'application');
    plot.setAttribute('aria-label', `Confusion matrix, ${title}, ${chart.n} classes: `
      + `${chart.remarks[panel]}. Arrow keys move from cell to cell, Enter shows its images.`);
    canvas.asSvg = panelAsSvg(root, panel);
    const name = make('span', '', title);
    name.title = title;
    const caption = make('figcaption', '',
      ...(panel === DIFFERENCE ? [] : [colored(chart.colors[panel])]), name);
    const frame = make('div', 'frame', make('div', 'axis said', 'taken for'), tops,
      make('div', 'axis true', 'true class'), lefts, plot);
    const remark = make('div', 'remark', chart.remarks[panel]);
    const figure = make('figure', '', caption, remark, frame, scaleOf(chart, panel));
    const [row, column, cell, chosen, marked] = marks;
    return { figure, plot, canvas, tops, lefts, row, column, cell, chosen, marked };
  });
  const held = root.contains(root.getRootNode().activeElement) && root.focused?.panel;
  const panels = root.querySelector('.panels');
  panels.replaceChildren(...chart.panels.map(({ figure }) => figure));
  titled(root, chart.heading, panels);
  root.querySelector('.tools').hidden = chart.n <= MANY_CLASSES;
  if (Number.isInteger(held)) chart.panels[held].plot.focus({ preventScroll: true });
};
"""
)
