"""How the browser draws a map of points: what `scatter` sends, on two canvases, and a legend.

Points are blended into the lower canvas pixel by pixel, which keeps a hundred thousand of them
quick; outline, marks and what is being drawn lie on the upper one.
"""

from ui.frame.browser import COLORS_JS
from ui.plots import headings

HTML = """
<div class="map">
  <div class="tools">
    <button type="button" data-tool="outline" aria-pressed="false">Outline</button>
    <button type="button" data-tool="move" aria-pressed="false">Move</button>
    <button type="button" data-zoom="1.6" aria-label="Enlarge">+</button>
    <button type="button" data-zoom="0.625" aria-label="Make smaller">−</button>
    <button type="button" data-zoom="0">Show all</button>
  </div>
  <div class="body">
    <div class="plot" tabindex="0" role="application">
      <canvas class="points"></canvas><canvas class="marks"></canvas>
      <span class="across"></span><span class="upwards"></span>
      <div class="tip tl-unsaved" aria-live="polite"></div>
    </div>
    <div class="legend" role="group" aria-label="Groups"></div>
  </div>
</div>
"""

CSS = """
.map { color: var(--st-text-color); transition: color 1ms;
       font: 0.8rem/1.4 var(--st-font, sans-serif); }
.tools { display: var(--tl-controls, flex); flex-wrap: wrap; gap: 0.4rem; margin-bottom: 0.5rem; }
.tools button { font: inherit; color: inherit; cursor: pointer; min-width: 2.1rem;
       min-height: 2.1rem; padding: 0 0.65rem; border-radius: 0.4rem;
       background: var(--st-background-color); border: 1px solid var(--st-border-color); }
.tools button:hover { border-color: var(--st-primary-color); }
.tools button[aria-pressed=true] { border-color: var(--st-primary-color);
       color: var(--st-primary-color); font-weight: 600; }
.plot { position: relative; overflow: hidden; border-radius: 0.4rem; outline-offset: 2px;
       border: 1px solid var(--st-border-color); user-select: none; touch-action: pan-y;
       cursor: grab; }
.plot.outline { cursor: crosshair; }
.plot.outline, .plot.move { touch-action: none; }
.plot.over { cursor: pointer; }
.plot:focus-visible { outline: 2px solid var(--st-primary-color); }
canvas { position: absolute; inset: 0; width: 100%; height: 100%; }
.across, .upwards { position: absolute; pointer-events: none; padding: 0.1rem 0.4rem;
       font-size: 0.75rem; opacity: 0.75; }
.across { bottom: 0; right: 0; }
.upwards { top: 0; left: 0; writing-mode: vertical-rl; transform: rotate(180deg); }
.tip { position: absolute; z-index: 2; width: max-content; max-width: min(18rem, 80%);
       padding: 0.4rem 0.6rem; pointer-events: none; opacity: 0; border-radius: 0.4rem;
       background: var(--st-background-color); border: 1px solid var(--st-border-color);
       box-shadow: 0 4px 18px rgb(0 0 0 / 0.22); }
.tip.shown { opacity: 1; }
.tip b { display: block; }
.tip div { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.legend { display: flex; flex-wrap: wrap; gap: 0.15rem 0.3rem; margin-top: 0.5rem;
       max-height: 8.5rem; overflow-y: auto; }
.legend button { all: unset; box-sizing: border-box; display: flex; align-items: center;
       gap: 0.4rem; max-width: 100%; padding: 0.1rem 0.45rem; border-radius: 0.4rem;
       border: 1px solid transparent; cursor: pointer; }
.legend button:hover { border-color: var(--st-border-color); }
.legend button:focus-visible { outline: 2px solid var(--st-primary-color); }
.legend button[aria-pressed=true] { border-color: var(--st-primary-color); }
.legend i { flex: none; width: 0.7rem; height: 0.7rem; border-radius: 50%; }
.legend span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; max-width: 16rem; }
.legend em { font-style: normal; opacity: 0.7; font-variant-numeric: tabular-nums; }
"""

JS = (
    COLORS_JS
    + headings.JS
    + r"""
const MOST_CIRCLES = 20000, MARGIN = 18, STEPS = 65535;

const make = (tag, text = '') => {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
};

// The counterpart of _pack and _numbers in scatter.py.
const unpack = (bytes) => {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const chart = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const n = chart.count;
  const numbers = bytes.slice(4 + size).buffer;
  chart.places = new Uint16Array(numbers, 0, 2 * n);
  chart.numbers = new Uint32Array(numbers, 4 * n, n);
  chart.group = new Uint16Array(numbers, 8 * n, n);
  const column = (k) => new Uint16Array(numbers, (10 + 2 * k) * n, n);
  chart.values = chart.facts.map((_, k) => column(k));
  chart.strong = chart.all_alike ? null : column(chart.facts.length);
  chart.order = drawingOrder(chart);
  return chart;
};

// Ranked groups one over the other; else all mixed, so that no group hides another.
const drawingOrder = ({ count, group, groups, ranked }) => {
  const order = new Uint32Array(count);
  if (!ranked) {
    let step = Math.floor(count * 0.618) || 1;
    const common = (a, b) => b ? common(b, a % b) : a;
    while (common(step, count) !== 1) step += 1;
    for (let k = 0, i = 0; k < count; k += 1, i = (i + step) % count) order[k] = i;
    return order;
  }
  const starts = new Uint32Array(groups.length + 1);
  group.forEach((g) => { starts[g + 1] += 1; });
  for (let g = 0; g < groups.length; g += 1) starts[g + 1] += starts[g];
  group.forEach((g, i) => { order[starts[g]] = i; starts[g] += 1; });
  return order;
};

// From data to pixels of the plot, with the same scale along both axes.

const projection = (root) => {
  const { chart: { bounds: [x0, x1, y0, y1] }, view, plot } = root;
  const [width, height] = [plot.clientWidth, plot.clientHeight];
  const [dx, dy] = [x1 - x0, y1 - y0];
  const fit = Math.min((width - 2 * MARGIN) / (dx || 1e-9), (height - 2 * MARGIN) / (dy || 1e-9));
  const scale = (Number.isFinite(fit) && dx + dy > 0 ? fit : 1) * view.zoom;
  const [cx, cy] = [x0 + dx * view.x, y0 + dy * view.y];
  return {
    scale,
    to: (x, y) => [width / 2 + (x - cx) * scale, height / 2 - (y - cy) * scale],
    from: (left, top) => [cx + (left - width / 2) / scale, cy - (top - height / 2) / scale],
  };
};

// The pixels round a point that its disc covers: how far off, and the share that is covered.
const disc = (radius) => {
  const reach = Math.ceil(radius), covered = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const share = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (share > 0) covered.push(x, y, share);
    }
  }
  return Float32Array.from(covered);
};

const radiusOf = ({ chart, view, plot }) => {
  const room = Math.sqrt(plot.clientWidth * plot.clientHeight / chart.count);
  return Math.min(7, Math.max(1.1, 0.28 * room) * Math.min(2, view.zoom ** 0.35));
};

const draw = (root) => {
  cancelAnimationFrame(root.frame);
  root.frame = requestAnimationFrame(() => { drawPoints(root); drawMarks(root); });
};

// Where each point stands in the plot, in pixels from its upper left corner.
const place = (root) => {
  const { chart, chart: { places, bounds: [x0, x1, y0, y1] } } = root;
  const { to, scale } = projection(root);
  const [left, top] = to(x0, y0);
  const across = (x1 - x0) * scale / STEPS, up = (y1 - y0) * scale / STEPS;
  if (root.screen?.length !== 2 * chart.count) root.screen = new Float32Array(2 * chart.count);
  for (let i = 0; i < chart.count; i += 1) {
    root.screen[2 * i] = left + places[2 * i] * across;
    root.screen[2 * i + 1] = top - places[2 * i + 1] * up;
  }
};

const blend = ({ data, width, height }, covered, x, y, color, strength) => {
  for (let k = 0; k < covered.length; k += 3) {
    const px = x + covered[k], py = y + covered[k + 1];
    if (px < 0 || py < 0 || px >= width || py >= height) continue;
    const at = 4 * (py * width + px), weight = covered[k + 2] * strength;
    data[at] += (color[0] - data[at]) * weight;
    data[at + 1] += (color[1] - data[at + 1]) * weight;
    data[at + 2] += (color[2] - data[at + 2]) * weight;
  }
};

const isFaint = ({ chart, focus }) => (i) => (chart.strong !== null && !chart.strong[i])
  || (focus !== null && chart.group[i] !== focus);

// As circles, the faint ones below.
const pointsAsSvg = (root) => {
  const { chart, screen } = root;
  const [faint, radius] = [isFaint(root), radiusOf(root).toFixed(1)];
  const circles = (wanted) => chart.groups.map(([, color], group) => {
    const at = (i) => `cx="${screen[2 * i].toFixed(1)}" cy="${screen[2 * i + 1].toFixed(1)}"`;
    const drawn = Array.from(chart.order)
      .filter((i) => chart.group[i] === group && faint(i) === wanted)
      .map((i) => `<circle ${at(i)} r="${radius}"/>`);
    return `<g fill="${color}" fill-opacity="${wanted ? 0.14 : 0.85}">${drawn.join('')}</g>`;
  }).join('');
  return circles(true) + circles(false);
};

const marksAsSvg = (root) => {
  const { chart, screen } = root;
  const { to } = projection(root);
  const ink = themeOf(root)('primary-color');
  const corners = chart.outline.map(([x, y]) => to(x, y).map((at) => at.toFixed(1)).join(','));
  const [x, y] = [screen[2 * chart.marked], screen[2 * chart.marked + 1]];
  return (corners.length ? `<polygon points="${corners.join(' ')}" fill="${ink}" stroke="${ink}" `
      + 'fill-opacity="0.1" fill-rule="evenodd" stroke-width="2" stroke-linejoin="round"/>' : '')
    + (chart.marked === null ? '' : `<circle cx="${x}" cy="${y}" r="${radiusOf(root) + 5}" `
      + `fill="none" stroke="${ink}" stroke-width="2.5"/>`);
};

const drawPoints = (root) => {
  const { chart, plot, focus } = root;
  const canvas = root.querySelector('.points');
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(plot.clientWidth * ratio);
  canvas.height = Math.round(plot.clientHeight * ratio);
  if (!canvas.width || !canvas.height) return;
  place(root);
  const ink = canvas.getContext('2d');
  ink.fillStyle = themeOf(root)('background-color');
  ink.fillRect(0, 0, canvas.width, canvas.height);
  const image = ink.getImageData(0, 0, canvas.width, canvas.height);
  const colors = chart.groups.map(([, color]) => rgb(color));
  const covered = disc(radiusOf(root) * ratio);
  const faint = isFaint(root);
  const pass = (wanted, strength) => {
    for (const i of chart.order) {
      if (faint(i) !== wanted) continue;
      const x = Math.round(root.screen[2 * i] * ratio);
      const y = Math.round(root.screen[2 * i + 1] * ratio);
      blend(image, covered, x, y, colors[chart.group[i]], strength);
    }
  };
  if (chart.strong !== null || focus !== null) pass(true, 0.14);
  pass(false, 0.85);
  ink.putImageData(image, 0, 0);
};

const drawMarks = (root) => {
  const { chart, plot, path, hovered } = root;
  const canvas = root.querySelector('.marks');
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(plot.clientWidth * ratio);
  canvas.height = Math.round(plot.clientHeight * ratio);
  const ink = canvas.getContext('2d');
  ink.scale(ratio, ratio);
  const theme = themeOf(root);
  const { to } = projection(root);
  const ring = (i, color, radius) => {
    const [x, y] = [root.screen[2 * i], root.screen[2 * i + 1]];
    for (const [line, shade] of [[5, theme('background-color')], [2.5, color]]) {
      ink.beginPath();
      ink.arc(x, y, radius, 0, 2 * Math.PI);
      ink.lineWidth = line;
      ink.strokeStyle = shade;
      ink.stroke();
    }
  };
  const polygon = (corners, closed) => {
    if (!corners.length) return;
    ink.beginPath();
    corners.forEach(([x, y], k) => k ? ink.lineTo(x, y) : ink.moveTo(x, y));
    if (closed) ink.closePath();
    ink.globalAlpha = 0.1;
    ink.fillStyle = theme('primary-color');
    ink.fill('evenodd');
    ink.globalAlpha = 1;
    ink.lineJoin = 'round';
    ink.lineWidth = 2;
    ink.strokeStyle = theme('primary-color');
    ink.stroke();
  };
  if (path) polygon(path, false);
  else polygon(chart.outline.map(([x, y]) => to(x, y)), true);
  if (chart.marked !== null) ring(chart.marked, theme('primary-color'), radiusOf(root) + 5);
  if (hovered !== null) ring(hovered, theme('text-color'), radiusOf(root) + 3);
};
"""
)
