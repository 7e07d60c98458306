"""What a map of points in the browser does when it is pointed at, outlined or sent anew."""

from ui.plots import scatter_drawing

JS = (
    scatter_drawing.JS
    + r"""
const MOST_CORNERS = 40, MOST_ZOOM = 200;
const KEYS = 'Arrow keys go from point to point, Enter looks at one, plus and minus enlarge, '
  + 'arrows with Shift move the map.';
const SMALL_AREA = 14, NEAR = 10, NEAR_FINGER = 18, DRAG = 6;

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

// The nearest point that lies rather in this direction than beside it, from one or from the middle.
const towards = (root, [right, down]) => {
  const { screen, chart, focus, hovered, plot } = root;
  if (hovered === null) {
    return nearest(root, plot.clientWidth / 2, plot.clientHeight / 2, Infinity);
  }
  let best = Infinity, found = hovered;
  for (let i = 0; i < chart.count; i += 1) {
    if (i === hovered || (focus !== null && chart.group[i] !== focus)) continue;
    const x = screen[2 * i] - screen[2 * hovered];
    const y = screen[2 * i + 1] - screen[2 * hovered + 1];
    const [along, beside] = [x * right + y * down, Math.abs(x * down - y * right)];
    if (along <= 0 || beside > along) continue;
    const apart = x * x + y * y;
    if (apart < best) { best = apart; found = i; }
  }
  return found;
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
  return chart.groups.map(([name], g) => `${name}: ${counts[g].toLocaleString('en')}`);
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
  const step = (direction) => {
    const i = towards(root, direction);
    const at = () => [root.screen[2 * i], root.screen[2 * i + 1]];
    const [x, y] = at();
    if (x < 0 || y < 0 || x > plot.clientWidth || y > plot.clientHeight) {
      moveBy(root, plot.clientWidth / 2 - x, plot.clientHeight / 2 - y);
      place(root);
    }
    hover(i, at());
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
    const move = moves[event.key];
    if (move && event.shiftKey) moveBy(root, ...move);
    else if (move) step(move.map((by) => -Math.sign(by)));
    else if (event.key === 'Enter' && root.hovered !== null) {
      root.send('clicked', [root.chart.tag, root.hovered]);
    }
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
    root.querySelector('.marks').asSvg = () => marksAsSvg(root);
  }
  if (!same(root.drawn, data)) {
    const before = root.chart;
    root.drawn = data.slice();
    root.chart = unpack(data);
    root.path = root.hovered = null;
    if (before?.place !== root.chart.place) root.view = { zoom: 1, x: 0.5, y: 0.5 };
    if (JSON.stringify(before?.groups) !== JSON.stringify(root.chart.groups)) root.focus = null;
    root.plot.style.height = `min(calc(${root.chart.height}px * var(--tl-scale, 1)), 110vw)`;
    const counts = legend(root);
    root.plot.setAttribute('aria-label', `${root.chart.heading[0]}. ${counts.join(', ')}. ${KEYS}`);
    root.querySelector('.across').textContent = root.chart.axes[0];
    root.querySelector('.upwards').textContent = root.chart.axes[1];
    root.querySelector('.points').asSvg =
      root.chart.count > MOST_CIRCLES ? undefined : () => pointsAsSvg(root);
    titled(root, root.chart.heading, root.querySelector('.body'));
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
