"""What confusion matrices in the browser do when they are pointed at, clicked or sent anew."""

from ui.plots import matrix_drawing

JS = (
    matrix_drawing.JS
    + r"""
// The cell that is pointed at or reached by keys, in all three; and the one that was chosen.

const put = (mark, view, row, column, rows = 1, columns = 1) => {
  mark.hidden = row + rows <= view.row || row >= view.row + view.span
    || column + columns <= view.column || column >= view.column + view.span;
  mark.style.top = `${100 * (row - view.row) / view.span}%`;
  mark.style.left = `${100 * (column - view.column) / view.span}%`;
  mark.style.height = `${100 * rows / view.span}%`;
  mark.style.width = `${100 * columns / view.span}%`;
};

const place = (root) => {
  const { chart, view, focused } = root;
  chart.panels.forEach((panel, number) => {
    for (const mark of [panel.row, panel.column, panel.cell, panel.chosen]) mark.hidden = true;
    if (focused) {
      put(panel.row, view, focused.row, view.column, 1, view.span);
      put(panel.column, view, view.row, focused.column, view.span, 1);
      put(panel.cell, view, focused.row, focused.column);
    }
    const [of, row, column] = chart.selected ?? [];
    if (of === number) put(panel.chosen, view, row, column);
  });
};

const countsAt = (chart, row, column) => {
  const i = chart.places.get(row * chart.n + column);
  return i === undefined ? [0, 0] : [chart.a[i], chart.b[i]];
};

const short = (name) => name.length > 70 ? `${name.slice(0, 69)}…` : name;

const tell = (root) => {
  const { chart, view, focused } = root;
  const tip = root.querySelector('.tip');
  tip.classList.toggle('shown', Boolean(focused));
  if (!focused) return;
  const { panel, row, column } = focused;
  const [a, b] = countsAt(chart, row, column);
  const images = chart.support[row];
  const share = (count) => `${percent(count / images, 2)} %`;
  const line = (start, color, count) => make('div', '', colored(color),
    images ? `${start}${whole(count)} of ${whole(images)}, ${share(count)}`
           : `${start}no images of this class`);
  const said = row === column ? 'what it is' : short(chart.names[column]);
  const difference = signed(a - b, whole(Math.abs(a - b)));
  const lines = chart.panels.length === 1 ? [line('', chart.colors[0], a)]
    : [line('A: ', chart.colors[0], a), line('B: ', chart.colors[1], b),
       make('div', '', `A − B: ${difference}`)];
  tip.replaceChildren(make('b', '', `${short(chart.names[row])} taken for ${said}`), ...lines);
  const [box, plot] = [root.getBoundingClientRect(),
                       chart.panels[panel].plot.getBoundingClientRect()];
  const cell = plot.width / view.span;
  const x = plot.left - box.left + (column - view.column + 1) * cell + 10;
  const y = plot.top - box.top + (row - view.row + 1) * cell + 10;
  const fits = x + tip.offsetWidth <= box.width;
  const left = fits ? x : x - cell - 20 - tip.offsetWidth;
  tip.style.left = `${Math.max(0, Math.min(left, box.width - tip.offsetWidth))}px`;
  tip.style.top = `${y}px`;
};

const focusOn = (root, focused) => {
  root.focused = focused;
  place(root);
  tell(root);
};

const enlarge = (root, row, column, span) => {
  const { n } = root.chart;
  const least = Math.min(LEAST_CLASSES, n);
  const size = Math.max(least, Math.min(n, Math.round(span)));
  const within = (start) => Math.max(0, Math.min(n - size, Math.round(start)));
  root.view = { row: within(row), column: within(column), span: size };
  layOut(root);
  tell(root);
};
const enlargeAround = (root, span, row, column) =>
  enlarge(root, row - (span - 1) / 2, column - (span - 1) / 2, span);
const zoom = (root, factor) => {
  const { chart, view, focused } = root;
  const middle = (start) => start + (view.span - 1) / 2;
  enlargeAround(root, factor ? view.span * factor : chart.n,
    focused?.row ?? middle(view.row), focused?.column ?? middle(view.column));
};

const choose = (root, panel, row, column) => {
  const [a, b] = countsAt(root.chart, row, column);
  if (![a, b, a + b][panel]) return;                  // no images to show
  root.chart.selected = [panel, row, column];
  place(root);
  root.send('clicked', [root.chart.tag, panel, row, column]);
};

// The pointer.

const cellAt = (root, plot, event) => {
  const { view } = root;
  const box = plot.getBoundingClientRect();
  const index = (at, start, size) =>
    Math.max(0, Math.min(view.span - 1, Math.floor((at - start) / size * view.span)));
  return { panel: Number(plot.dataset.panel),
           row: view.row + index(event.clientY, box.top, box.height),
           column: view.column + index(event.clientX, box.left, box.width) };
};

const dragged = (drag, event) =>
  Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 6;

const begin = (root) => (event) => {
  const plot = event.target.closest('.plot');
  if (!plot || event.button) return;
  const whole = root.view.span === root.chart.n;
  root.moved = false;
  if (root.chart.n <= MANY_CLASSES || (whole && event.pointerType === 'touch')) return;
  root.drag = { plot, x: event.clientX, y: event.clientY, view: root.view, whole,
                from: cellAt(root, plot, event), id: event.pointerId };
};

const corner = (from, to) => [Math.min(from.row, to.row), Math.min(from.column, to.column),
  1 + Math.max(Math.abs(from.row - to.row), Math.abs(from.column - to.column))];

const move = (root) => (event) => {
  const { drag } = root;
  const plot = drag?.plot ?? event.target.closest('.plot');
  if (!plot) return focusOn(root, null);
  if (drag && !root.moved && dragged(drag, event)) {
    root.moved = true;
    plot.setPointerCapture(drag.id);
  }
  if (!drag || !root.moved) {
    if (event.pointerType !== 'touch') focusOn(root, cellAt(root, plot, event));
    return;
  }
  focusOn(root, null);
  if (drag.whole) {
    const [row, column, span] = corner(drag.from, cellAt(root, plot, event));
    put(root.chart.panels[Number(plot.dataset.panel)].marked, root.view, row, column, span, span);
  } else {
    const cell = plot.clientWidth / drag.view.span;
    enlarge(root, drag.view.row - (event.clientY - drag.y) / cell,
            drag.view.column - (event.clientX - drag.x) / cell, drag.view.span);
  }
};

const end = (root) => (event) => {
  const { drag } = root;
  root.drag = undefined;
  if (!drag || !root.moved || !drag.whole) return;
  root.chart.panels[Number(drag.plot.dataset.panel)].marked.hidden = true;
  if (event.type === 'pointerup') {
    enlarge(root, ...corner(drag.from, cellAt(root, drag.plot, event)));
  }
};

const click = (root) => (event) => {
  const plot = event.target.closest('.plot');
  if (!plot || root.moved) return;
  const { panel, row, column } = cellAt(root, plot, event);
  const small = plot.clientWidth / root.view.span < FINGER;
  focusOn(root, { panel, row, column });
  if (event.pointerType === 'touch' && small) {
    enlargeAround(root, plot.clientWidth / ENLARGED_FOR_FINGER, row, column);
  } else choose(root, panel, row, column);
};

// Keys.

const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1],
                Home: [0, -Infinity], End: [0, Infinity] };

const first = (root, panel) => {
  const [of, row, column] = root.chart.selected ?? [];
  return of === panel ? { panel, row, column }
    : { panel, row: root.view.row, column: root.view.column };
};

const key = (root) => (event) => {
  const plot = event.target.closest('.plot');
  if (!plot) return;
  const panel = Number(plot.dataset.panel);
  const from = root.focused?.panel === panel ? root.focused : first(root, panel);
  if (event.key in STEPS) {
    const { n } = root.chart;
    const [down, right] = STEPS[event.key];
    const within = (index) => Math.max(0, Math.min(n - 1, index));
    const to = { panel, row: within(from.row + down), column: within(from.column + right) };
    const { view } = root;
    const follow = (start, index) => Math.min(Math.max(start, index - view.span + 1), index);
    const [row, column] = [follow(view.row, to.row), follow(view.column, to.column)];
    root.focused = to;
    if (row !== view.row || column !== view.column) enlarge(root, row, column, view.span);
    focusOn(root, to);
  } else if (event.key === 'Enter' || event.key === ' ') {
    choose(root, panel, from.row, from.column);
  } else if (['+', '=', '-', 'Escape'].includes(event.key) && root.chart.n > MANY_CLASSES) {
    zoom(root, { '-': 2, Escape: 0 }[event.key] ?? 0.5);
  } else return;
  event.preventDefault();
};

const listen = (root) => {
  const panels = root.querySelector('.panels');
  panels.addEventListener('pointerdown', begin(root));
  panels.addEventListener('pointermove', move(root));
  panels.addEventListener('pointerup', end(root));
  panels.addEventListener('pointercancel', end(root));
  panels.addEventListener('pointerleave', () => root.drag || focusOn(root, null));
  panels.addEventListener('click', click(root));
  panels.addEventListener('keydown', key(root));
  panels.addEventListener('focusin', ({ target }) =>
    target.matches(':focus-visible') && focusOn(root, first(root, Number(target.dataset.panel))));
  panels.addEventListener('focusout', () => focusOn(root, null));
  root.querySelector('.tools').addEventListener('click', ({ target }) =>
    target.dataset.zoom && zoom(root, Number(target.dataset.zoom)));
  root.addEventListener('transitionend', (event) => event.target === root && draw(root));
};

// Where only another cell was chosen, nothing is drawn anew; a part that is enlarged stays so while
// the classes stay the same.
const take = (root, chart) => {
  const before = root.chart;
  if (before?.tag === chart.tag && root.observer) {
    before.selected = chart.selected;
    place(root);
    return;
  }
  if (before?.names.join() !== chart.names.join()) {
    root.view = { row: 0, column: 0, span: chart.n };
    root.focused = null;
  }
  root.chart = chart;
  measure(chart);
  build(root);
  layOut(root);
  tell(root);
};

const same = (a, b) => a?.length === b.length && a.every((byte, place) => byte === b[place]);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.matrices');
  root.send = setTriggerValue;
  if (!same(root.drawn, data)) {
    root.drawn = data.slice();
    take(root, unpack(data));
  }
  if (!root.observer) {
    if (!root.listening) listen(root);
    root.listening = true;
    root.observer = new ResizeObserver(() => layOut(root));
    root.observer.observe(root.querySelector('.panels'));
  }
  return () => {
    root.observer?.disconnect();
    root.observer = undefined;
    root.drawn = undefined;
  };
}
"""
)
