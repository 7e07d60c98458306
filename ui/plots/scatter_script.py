"""How the browser draws a map of points: what `scatter` sends, on two canvases, and a legend.

Points are blended into the lower canvas pixel by pixel, which keeps a hundred thousand of them
quick; outline, marks and what is being drawn lie on the upper one.
"""

from ui.frame.browser import COLORS_JS

HTML = """
<div class="map">
  <div class="tools">
    <button type="button" data-tool="outline" aria-pressed="false">Outline</button>
    <button type="button" data-tool="move" aria-pressed="false">Move</button>
    <button type="button" data-zoom="1.6" aria-label="Enlarge">+</button>
    <button type="button" data-zoom="0.625" aria-label="Make smaller">−</button>
    <button type="button" data-zoom="0">Show all</button>
  </div>
  <div class="plot" tabindex="0" role="img">
    <canvas class="points"></canvas><canvas class="marks"></canvas>
    <div class="tip"></div>
  </div>
  <div class="legend" role="group" aria-label="Groups"></div>
</div>
"""

CSS = """
.map { color: var(--st-text-color); transition: color 1ms;
       font: 0.8rem/1.4 var(--st-font, sans-serif); }
.tools { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-bottom: 0.5rem; }
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
    + r"""
const MOST_CORNERS = 40, MOST_ZOOM = 200, MARGIN = 18, STEPS = 65535;
const SMALL_AREA = 14, NEAR = 10, NEAR_FINGER = 18, DRAG = 6;

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
  const faint = (i) => (chart.strong !== null && !chart.strong[i])
    || (focus !== null && chart.group[i] !== focus);
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

const tell = (root, left, top) => {
  const { chart, hovered } = root;
  const tip = root.querySelector('.tip');
  root.plot.classList.toggle('over', hovered !== null);
  tip.classList.toggle('shown', hovered !== null);
  if (hovered === null) return;
  tip.replaceChildren(
    make('b', `${chart.number} ${chart.numbers[hovered]}`),
    ...chart.facts.map((title, k) =>
      make('div', `${title}: ${chart.names[chart.values[k][hovered]]}`)),
  );
  const [width, height] = [root.plot.clientWidth, root.plot.clientHeight];
  const beside = left + 14 + tip.offsetWidth < width ? left + 14 : left - 14 - tip.offsetWidth;
  tip.style.left = `${Math.max(2, beside)}px`;
  tip.style.top = `${Math.max(2, Math.min(top + 12, height - tip.offsetHeight - 2))}px`;
};

const nearest = (root, left, top, reach) => {
  let best = reach ** 2, found = null;
  const { screen, chart, focus } = root;
  for (let i = 0; i < chart.count; i += 1) {
    if (focus !== null && chart.group[i] !== focus) continue;
    const apart = (screen[2 * i] - left) ** 2 + (screen[2 * i + 1] - top) ** 2;
    if (apart < best) { best = apart; found = i; }
  }
  return found;
};

// Fewer corners: again and again the one that matters least (Visvalingam and Whyatt, 1993).
const simplified = (corners) => {
  const kept = [...corners];
  const area = (k) => {
    const [a, b, c] = [-1, 0, 1].map((by) => kept[(k + by + kept.length) % kept.length]);
    return Math.abs((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1])) / 2;
  };
  while (kept.length > 3) {
    let least = 0;
    for (let k = 1; k < kept.length; k += 1) if (area(k) < area(least)) least = k;
    if (kept.length <= MOST_CORNERS && area(least) > SMALL_AREA) break;
    kept.splice(least, 1);
  }
  return kept;
};

const zoomBy = (root, factor, left, top) => {
  const { view, chart: { bounds: [x0, x1, y0, y1] } } = root;
  const before = projection(root).from(left, top);
  view.zoom = Math.min(MOST_ZOOM, Math.max(1, view.zoom * factor));
  const after = projection(root).from(left, top);
  view.x += (before[0] - after[0]) / ((x1 - x0) || 1);
  view.y += (before[1] - after[1]) / ((y1 - y0) || 1);
  stay(view);
  draw(root);
};
const moveBy = (root, dx, dy) => {
  const { view, chart: { bounds: [x0, x1, y0, y1] } } = root;
  const { scale } = projection(root);
  view.x -= dx / scale / ((x1 - x0) || 1);
  view.y += dy / scale / ((y1 - y0) || 1);
  stay(view);
  draw(root);
};
const stay = (view) => {
  if (view.zoom === 1) { view.x = 0.5; view.y = 0.5; }
  view.x = Math.min(1, Math.max(0, view.x));
  view.y = Math.min(1, Math.max(0, view.y));
};
const showAll = (root) => { root.view = { zoom: 1, x: 0.5, y: 0.5 }; draw(root); };

const choose = (root, tool) => {
  root.tool = tool;
  ['outline', 'move'].forEach((name) => root.plot.classList.toggle(name, tool === name));
  root.querySelectorAll('[data-tool]').forEach((button) =>
    button.setAttribute('aria-pressed', String(button.dataset.tool === tool)));
};

const legend = (root) => {
  const { chart } = root;
  const counts = new Uint32Array(chart.groups.length);
  chart.group.forEach((g) => { counts[g] += 1; });
  const items = chart.groups.map(([name, color], g) => {
    const button = make('button');
    const square = make('i');
    square.style.background = color;
    button.type = 'button';
    button.title = name;
    button.setAttribute('aria-pressed', String(root.focus === g));
    button.append(square, make('span', name), make('em', counts[g].toLocaleString('en')));
    button.onclick = () => {
      root.focus = root.focus === g ? null : g;
      legend(root);
      root.querySelectorAll('.legend button')[g]?.focus();
      draw(root);
    };
    return button;
  });
  root.querySelector('.legend').replaceChildren(
    ...items.filter((_, g) => counts[g] || chart.groups.length <= 10));
};

// Pointers: one draws, moves or clicks; two enlarge and move.

const listen = (root) => {
  const { plot } = root;
  const down = new Map();
  const where = (event) => {
    const box = plot.getBoundingClientRect();
    return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
  };
  const reach = (event) => event.pointerType === 'mouse' ? NEAR : NEAR_FINGER;
  const hover = (i, at) => {
    if (root.hovered !== i) { root.hovered = i; drawMarks(root); }
    tell(root, ...at);
  };
  const pinch = () => {
    const [[x1, y1], [x2, y2]] = [...down.values()];
    return { apart: Math.hypot(x2 - x1, y2 - y1), middle: [(x1 + x2) / 2, (y1 + y2) / 2] };
  };

  plot.onpointerdown = (event) => {
    if (event.button > 1) return;
    down.set(event.pointerId, where(event));
    if (down.size === 2) { root.path = null; root.grip = pinch(); return; }
    root.start = where(event);
    root.moving = root.tool !== 'outline' || event.button === 1 || event.shiftKey;
    root.path = root.moving ? null : [root.start];
    if (root.tool || event.pointerType === 'mouse') plot.setPointerCapture(event.pointerId);
    if (event.button === 1) event.preventDefault();
  };
  plot.onpointermove = (event) => {
    const at = where(event);
    if (!down.has(event.pointerId)) { hover(nearest(root, ...at, reach(event)), at); return; }
    const before = down.get(event.pointerId);
    down.set(event.pointerId, at);
    if (down.size === 2) {
      const now = pinch();
      zoomBy(root, now.apart / (root.grip.apart || 1), ...now.middle);
      moveBy(root, now.middle[0] - root.grip.middle[0], now.middle[1] - root.grip.middle[1]);
      root.grip = now;
    } else if (root.moving && (root.tool || event.pointerType === 'mouse')) {
      hover(null, at);
      moveBy(root, at[0] - before[0], at[1] - before[1]);
    } else if (root.path) {
      hover(null, at);
      const last = root.path[root.path.length - 1];
      if (Math.hypot(at[0] - last[0], at[1] - last[1]) > 3) root.path.push(at);
      drawMarks(root);
    }
  };
  plot.onpointerup = (event) => {
    const alone = down.delete(event.pointerId) && down.size === 0;
    if (!alone || root.grip) { if (!down.size) root.grip = null; return; }
    const at = where(event), path = root.path;
    const far = Math.hypot(at[0] - root.start[0], at[1] - root.start[1]);
    const spread = path ? Math.max(...path.map(([x, y]) =>
      Math.hypot(x - root.start[0], y - root.start[1]))) : far;
    if (spread < DRAG) {
      root.path = null;
      const point = nearest(root, ...at, reach(event));
      if (point !== null) root.send('clicked', [root.chart.tag, point]);
    } else if (path && path.length > 2) {
      const { from } = projection(root);
      root.send('outlined', [root.chart.tag, simplified(path).map(([x, y]) => from(x, y))]);
    } else root.path = null;
    drawMarks(root);
  };
  plot.onpointercancel = (event) => {
    down.delete(event.pointerId);
    if (!down.size) root.grip = null;
    root.path = null;
    drawMarks(root);
  };
  plot.onpointerleave = (event) => { if (!down.size) hover(null, where(event)); };
  plot.onwheel = (event) => {
    const factor = Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0018));
    if (factor < 1 && root.view.zoom === 1) return;    // the page scrolls on
    event.preventDefault();
    zoomBy(root, factor, ...where(event));
  };
  plot.ondblclick = () => showAll(root);
  plot.onkeydown = (event) => {
    const middle = [plot.clientWidth / 2, plot.clientHeight / 2];
    const moves = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60],
                    ArrowDown: [0, -60] };
    if (event.key in moves && root.view.zoom > 1) moveBy(root, ...moves[event.key]);
    else if (event.key === '+') zoomBy(root, 1.6, ...middle);
    else if (event.key === '-') zoomBy(root, 1 / 1.6, ...middle);
    else if (event.key === 'Escape' && root.path) { root.path = null; drawMarks(root); }
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  root.querySelector('.tools').onclick = (event) => {
    const { tool, zoom } = event.target.closest('button')?.dataset ?? {};
    if (tool) choose(root, root.tool === tool && touch() ? null : tool);
    else if (zoom === '0') showAll(root);
    else if (zoom) zoomBy(root, Number(zoom), plot.clientWidth / 2, plot.clientHeight / 2);
  };
};

const touch = () => matchMedia('(pointer: coarse)').matches;
const same = (a, b) => a?.length === b.length && a.every((byte, place) => byte === b[place]);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.map');
  root.send = setTriggerValue;
  if (!root.plot) {
    root.plot = root.querySelector('.plot');
    root.focus = root.hovered = root.path = null;
    choose(root, touch() ? null : 'outline');
    listen(root);
  }
  if (!same(root.drawn, data)) {
    const before = root.chart;
    root.drawn = data.slice();
    root.chart = unpack(data);
    root.path = root.hovered = null;
    if (before?.place !== root.chart.place) root.view = { zoom: 1, x: 0.5, y: 0.5 };
    if (JSON.stringify(before?.groups) !== JSON.stringify(root.chart.groups)) root.focus = null;
    root.plot.style.height = `min(${root.chart.height}px, 110vw)`;
    root.plot.setAttribute('aria-label', root.chart.label);
    legend(root);
    draw(root);
  }
  if (!root.observer) {
    root.observer = new ResizeObserver(() => draw(root));
    root.observer.observe(root.plot);
    root.addEventListener('transitionend', (event) => event.target === root && draw(root));
  }
  return () => {
    root.drawn = undefined;
    root.observer?.disconnect();
    root.observer = undefined;
  };
}
"""
)
