"""What charts in the browser do: they are exchanged in place, hidden, read by keys and saved."""

from ui.plots import chart_drawing, saving_script

HTML = chart_drawing.HTML

CSS = (
    saving_script.CSS
    + chart_drawing.CSS
    + """
.tl-chart { outline-offset: calc(var(--tl-scale, 1) * 1px);
            transition: color 1ms, outline-offset 1ms; }
"""
)
"""A change of the theme's colours, or of how large things are, has the chart drawn anew."""

JS = (
    saving_script.JS
    + chart_drawing.JS
    + r"""
const plotly = (url) => (window.transferLabPlotly ??= fetch(url, { cache: 'force-cache' })
  .then((answer) => answer.ok ? answer.blob() : Promise.reject(answer.status))
  .then((code) => new Promise((done, fail) => {
    const script = document.createElement('script');
    script.src = URL.createObjectURL(new Blob([code], { type: 'text/javascript' }));
    script.onload = () => { URL.revokeObjectURL(script.src); done(window.Plotly); };
    script.onerror = fail;
    document.head.append(script);
  }))
  .catch((reason) => { window.transferLabPlotly = undefined; throw reason; }));

// The counterpart of _pack in charts.py.
const unpack = (bytes) => {
  const size = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const chart = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const numbers = new Float32Array(bytes.slice(4 + size).buffer);
  const column = ([start, length]) => numbers.subarray(start, start + length);
  chart.series.forEach((s) => {
    ['x', 'y', 'low', 'high'].forEach((name) => { s[name] &&= column(s[name]); });
  });
  return inPerCent(chart);
};

const plotOf = (root) => root.querySelector('.tl-plot');

// --- Legend: what was hidden stays so while the chart is about the same. ---

const hide = (root, name) => {
  if (!root.unseen.delete(name)) root.unseen.add(name);
  draw(root);
};

const leaveOnly = (root, name) => {
  const others = listed(root.chart).map((s) => s.name).filter((other) => other !== name);
  const alone = others.every((other) => root.unseen.has(other));
  root.unseen = new Set(alone ? [] : others);
  draw(root);
};

const entry = (root) => (s) => {
  const button = document.createElement('button');
  button.type = 'button';
  button.title = `${s.name}: press to hide it or show it, twice to see it alone`;
  button.innerHTML = `<svg width="20" height="12">${markOf(s)}</svg>`;
  button.append(Object.assign(document.createElement('span'), { textContent: s.name }));
  button.onclick = () => hide(root, s.name);
  button.ondblclick = () => leaveOnly(root, s.name);
  return button;
};

const drawLegend = (root) => {
  const { chart } = root;
  const legend = root.querySelector('.tl-legend');
  const shown = chart.legend ? listed(chart) : [];
  const made = JSON.stringify(shown.map((s) => [s.name, s.color, s.dash, s.mode, s.opacity]));
  if (legend.made !== made) legend.replaceChildren(...shown.map(entry(root)));
  legend.made = made;
  shown.forEach((s, i) =>
    legend.children[i].setAttribute('aria-pressed', String(!root.unseen.has(s.name))));
};

// --- Pointing: by mouse, by keys, and in other charts over the same axis. ---

const seriesAt = (root, { curveNumber }) => root.chart.series[curveNumber];

const clicked = (root) => ({ points }) => {
  const hit = points.find((p) => p.curveNumber < root.chart.series.length);
  if (hit) root.send('clicked', [seriesAt(root, hit).name, hit.pointNumber]);
};

const others = (root) => root.chart.group
  ? [...document.querySelectorAll('.tl-chart')].filter((other) =>
    other !== root && other.chart?.group === root.chart.group && plotOf(other).data)
  : [];

const pointed = (root) => ({ xvals }) => others(root).forEach((other) =>
  window.Plotly.Fx.hover(plotOf(other), { xval: xvals[0] }, 'xy', true));
const left = (root) => () => others(root).forEach((other) =>
  window.Plotly.Fx.unhover(plotOf(other)));

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

const shownNumbers = ({ chart, unseen }) => [...chart.series.keys()].filter((number) => {
  const s = chart.series[number];
  return !UNLISTED.includes(s.mode) && !unseen.has(s.name) && s.x.length;
});

const tell = (root, number, point) => {
  const { chart } = root;
  const s = chart.series[number];
  const x = chart.ticks.find(([place]) => place === s.x[point])?.[1]
    ?? `${chart.x_title} ${written(s.x[point], chart.x_format || '.2~f')}`;
  root.querySelector('.tl-told').textContent =
    `${x}, ${s.name}: ${written(s.y[point], chart.y_format)} ${s.hover?.[point] ?? ''}`;
};

const walk = (root, event) => {
  const numbers = shownNumbers(root);
  const plot = plotOf(root);
  if (!numbers.length || !plot.data) return;
  const [number, point] = root.reached ?? [];
  if (event.key === 'Escape') { root.reached = undefined; window.Plotly.Fx.unhover(plot); return; }
  if (event.key === 'Enter' && root.chart.clicks && number !== undefined) {
    root.send('clicked', [root.chart.series[number].name, point]);
  }
  const step = STEPS[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const row = Math.max(0, numbers.indexOf(number));
  const next = numbers[Math.min(numbers.length - 1, Math.max(0, row + step[1]))];
  const count = root.chart.series[next].x.length;
  const place = point === undefined ? (step[0] < 0 ? count - 1 : 0)
    : Math.min(count - 1, Math.max(0, point + step[0]));
  root.reached = [next, place];
  window.Plotly.Fx.hover(plot, [{ curveNumber: next, pointNumber: place }]);
  tell(root, next, place);
};

// --- Saving ---

const NARROWEST = 640;
const picture = async (root) => {
  const { chart } = root;
  const plot = plotOf(root);
  const Plotly = await plotly(chart.plotly);
  const [width, height] = [Math.max(NARROWEST, plot.offsetWidth), chart.height];
  const url = await Plotly.toImage(plot, { format: 'svg', width, height });
  const legend = chart.legend ? listed(chart).filter((s) => !root.unseen.has(s.name)) : [];
  return Saving.framed(root, {
    title: chart.title, hint: chart.hint, width, height,
    legend: legend.map((s) => [s.color, shortened(s.name), markOf(s)]),
    body: decodeURIComponent(url.slice(url.indexOf(',') + 1)),
  });
};

// --- Drawing ---

// How much larger things are where pages are presented.
const scaleOf = (root) => Number(getComputedStyle(root).getPropertyValue('--tl-scale')) || 1;

const larger = (part, by) => {
  if (Array.isArray(part)) return part.map((each) => larger(each, by));
  if (part?.constructor !== Object) return part;
  const scaled = ([name, value]) =>
    [name, ['size', 'height'].includes(name) ? by * value : larger(value, by)];
  return Object.fromEntries(Object.entries(part).map(scaled));
};

const write = (root) => {
  const { chart } = root;
  const plot = plotOf(root);
  root.querySelector('.tl-chart-title').textContent = chart.title;
  root.querySelector('.tl-chart-hint').textContent = chart.hint;
  root.querySelector('.tl-none').hidden = !isEmpty(chart);
  plot.style.minHeight = `${scaleOf(root) * chart.height}px`;
  plot.setAttribute('aria-label', described(chart));
  Saving.buttons(root, () => root.chart.title || 'chart', () => picture(root));
};

const draw = (root) => {
  const { chart } = root;
  const plot = plotOf(root);
  if (root.view !== chart.view) [root.view, root.unseen, root.reached] = [chart.view, new Set()];
  write(root);
  drawLegend(root);
  plotly(chart.plotly).then((Plotly) => {
    if (chart !== root.chart || !root.isConnected) return;
    const theme = Saving.theme(root);
    const drawn = [...chart.series.map(trace(chart, root.unseen)), ring(chart, theme),
                   heads(chart, theme)];
    Plotly.react(plot, drawn, larger(layout(chart, theme), scaleOf(root)), {
      displaylogo: false, showTips: false, displayModeBar: touch() ? false : 'hover',
      modeBarButtons: [['zoom2d', 'pan2d', 'resetScale2d']],
    });
    plot.classList.toggle('tl-clickable', chart.clicks);
    for (const kind of ['click', 'hover', 'unhover']) plot.removeAllListeners(`plotly_${kind}`);
    if (chart.clicks) plot.on('plotly_click', clicked(root));
    if (chart.group) {
      plot.on('plotly_hover', pointed(root));
      plot.on('plotly_unhover', left(root));
    }
  }).catch(() => {
    plot.textContent = 'The chart could not be loaded from the server. Reload the page.';
  });
};

const same = (a, b) => a?.length === b.length && a.every((byte, place) => byte === b[place]);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.tl-chart');
  root.send = setTriggerValue;
  const plot = plotOf(root);
  if (!same(root.drawn, data)) {
    root.drawn = data.slice();
    root.chart = unpack(data);
    draw(root);
  }
  if (!root.observer) {
    root.observer = new ResizeObserver(() => {
      if (plot.data && plot.offsetWidth) window.Plotly.Plots.resize(plot);
    });
    root.observer.observe(plot);
    root.addEventListener('transitionend', (event) => event.target === root && draw(root));
    plot.addEventListener('keydown', (event) => walk(root, event));
    plot.addEventListener('blur', () => plot.data && window.Plotly.Fx.unhover(plot));
  }
  return () => {
    root.drawn = undefined;
    root.observer?.disconnect();
    root.observer = undefined;
    // Later, because Plotly's delayed hover fails on a chart that is gone.
    setTimeout(() => plot.data && !root.isConnected && window.Plotly.purge(plot), 1000);
  };
}
"""
)
