"""How the browser draws a chart: what `charts` sends is drawn by Plotly and exchanged in place."""

HTML = """
<figure class="tl-chart"><figcaption></figcaption><div class="tl-plot" role="group"></div></figure>
"""

CSS = """
.tl-chart { margin: 0; color: var(--st-text-color); transition: color 1ms; }
.tl-chart figcaption { font: 600 0.95rem var(--st-font, sans-serif); padding: 0 0 0.25rem 2px; }
.tl-chart figcaption:empty { display: none; }
.tl-chart .tl-plot { width: 100%; }
.tl-chart .tl-clickable .nsewdrag { cursor: pointer !important; }
"""

JS = r"""
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
  return chart;
};

// Plotly reads markup in its texts; names are shown as they are.
const plain = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const lines = (text) => plain(text.replace(/(.{1,44})(\s|$)/g, '$1\n').trim())
  .replace(/\n/g, '<br>');

// Plotly builds CSS selectors from uids, so only letters and digits.
const uid = (name) => [...name].map((c) => c.codePointAt(0).toString(36)).join('z');

const shared = (chart, s) => ({
  uid: uid(s.name), name: plain(s.name), x: s.x, y: s.y, opacity: s.opacity,
  text: s.hover?.map(plain),
  hovertemplate: `%{y:${chart.y_format}}${s.hover ? ' %{text}' : ''}`,
});

const spread = (s) => s.low && {
  type: 'data', symmetric: false, color: s.color, thickness: 1.5, width: 4,
  array: s.high.map((high, i) => high - s.y[i]), arrayminus: s.low.map((low, i) => s.y[i] - low),
};

const bars = (chart, s) => ({
  ...shared(chart, s), type: 'bar', textposition: 'none',
  marker: { color: s.color, line: { color: s.color, width: 1 },
            pattern: { shape: s.dash === 'solid' ? '' : '/', size: 5, solidity: 0.35 } },
});

const rings = (_, s) => ({
  type: 'scatter', uid: uid(s.name), x: s.x, y: s.y, mode: 'markers', showlegend: false,
  hoverinfo: 'skip', cliponaxis: false,
  marker: { symbol: 'circle-open', size: 14, color: s.color, line: { width: 3 } },
});

const lineOf = (chart, s) => ({
  ...shared(chart, s), type: 'scatter', mode: s.mode, error_y: spread(s),
  line: { color: s.color, dash: s.dash, width: 2 }, marker: { color: s.color, size: 6 },
});

const traces = { bars, rings };
const trace = (chart) => (s) => (traces[s.mode] ?? lineOf)(chart, s);

// Invisible but for a small head on the line that layout() draws: something to point at.
const heads = (chart, root) => {
  const told = chart.marks.filter((mark) => mark.text);
  return {
    type: 'scatter', uid: 'marks', mode: 'markers', yaxis: 'y2', showlegend: false,
    x: told.map((mark) => mark.x), y: told.map(() => 1), text: told.map((mark) => lines(mark.text)),
    marker: { symbol: 'triangle-down', size: 10, color: themeOf(root)('text-color') },
    opacity: 0.7, cliponaxis: false, hovertemplate: '%{text}<extra></extra>',
  };
};

const ring = (chart, root) => ({
  type: 'scatter', uid: 'point', mode: 'markers', showlegend: false, hoverinfo: 'skip',
  cliponaxis: false,
  x: chart.point ? [chart.point.x] : [], y: chart.point ? [chart.point.y] : [],
  marker: { symbol: 'circle-open', size: 14, color: themeOf(root)('text-color'),
            line: { width: 2 } },
});

const span = (chart) => {
  const x = chart.series.flatMap((s) => [s.x[0], s.x[s.x.length - 1]]).filter(Number.isFinite);
  return [Math.min(...x), Math.max(...x)];
};

// A callout near the edge must not widen the axis.
const withinData = (chart) => {
  const [first, last] = span(chart);
  const margin = 0.02 * (last - first);
  return chart.point && margin > 0
    ? { autorangeoptions: { clipmin: first - margin, clipmax: last + margin } } : {};
};

const callout = (chart, theme) => {
  const { x, y, text, below } = chart.point;
  const [first, last] = span(chart);
  const late = x > (first + last) / 2;
  return {
    x, y, text: plain(text), showarrow: true, arrowhead: 0, arrowwidth: 1, standoff: 7,
    arrowcolor: theme('text-color'), ax: late ? -36 : 36, ay: below ? 34 : -34,
    xanchor: late ? 'right' : 'left', font: { size: 12, color: theme('text-color') },
    bgcolor: theme('background-color'), bordercolor: theme('border-color'), borderpad: 3,
  };
};

// Epochs are whole numbers: no ticks between them while they are few.
const wholeTicks = (chart) => {
  const [first, last] = span(chart);
  const whole = chart.series.every((s) => s.x.length <= 12 && s.x.every(Number.isInteger));
  return whole && last - first <= 12 ? { dtick: 1 } : {};
};

const named = ({ ticks }) => ticks.length ? {
  showgrid: false, tickmode: 'array',
  tickvals: ticks.map(([x]) => x), ticktext: ticks.map(([, name]) => plain(name)),
} : {};

const logarithmic = ({ y_range: range }) => ({
  type: 'log', dtick: 1, ...(range && { range: range.map(Math.log10) }),
});

const touch = () => matchMedia('(pointer: coarse)').matches;

const themeOf = (root) => {
  const style = getComputedStyle(root);
  return (name) => style.getPropertyValue(`--st-${name}`).trim();
};

const line = (theme) => (mark) => ({
  type: 'line', x0: mark.x, x1: mark.x, yref: 'paper', y0: 0, y1: 1, layer: 'below', opacity: 0.5,
  line: { color: theme('text-color'), width: 1, dash: 'dot' },
  label: { text: plain(mark.label), textposition: 'end', textangle: 0, xanchor: 'left',
           yanchor: 'top', padding: 6, font: { size: 11, color: theme('text-color') } },
});

const band = (theme) => ({ start, end, text }) => ({
  type: 'rect', x0: start, x1: end, yref: 'paper', y0: 0, y1: 1, layer: 'below', opacity: 0.9,
  fillcolor: theme('secondary-background-color'), line: { width: 0 },
  label: { text: plain(text), textposition: 'middle left', padding: 3,
           font: { size: 11, color: theme('text-color') } },
});

const layout = (chart, root) => {
  const theme = themeOf(root);
  const empty = chart.series.every((s) => s.x.length === 0);
  const axis = (title) => ({
    title: { text: plain(title), standoff: 8, font: { size: 13 } }, zeroline: false,
    gridcolor: theme('border-color'), linecolor: theme('border-color'),
    automargin: true, visible: !empty,
  });
  return {
    height: chart.height, uirevision: chart.view, hovermode: chart.hover, showlegend: chart.legend,
    margin: { l: 10, r: 10, t: 10, b: 10 }, bargap: 0.15,
    dragmode: touch() ? false : 'zoom',
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: theme('text-color'), family: theme('font'), size: 13 },
    hoverlabel: {
      bgcolor: theme('secondary-background-color'), bordercolor: theme('border-color'),
      font: { color: theme('text-color') },
    },
    legend: { orientation: 'h', x: 0, y: 1, xanchor: 'left', yanchor: 'bottom',
              font: { size: 12 } },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: '#8a94a6',
               activecolor: theme('text-color') },
    annotations: empty ? [{ text: 'Nothing measured yet', showarrow: false, opacity: 0.7,
                            xref: 'paper', yref: 'paper', x: 0.5, y: 0.5 }]
      : chart.point ? [callout(chart, theme)] : [],
    shapes: [...chart.bands.map(band(theme)), ...chart.marks.map(line(theme))],
    xaxis: { ...axis(chart.x_title), ...wholeTicks(chart), ...withinData(chart),
             spikecolor: theme('text-color'),
             spikethickness: -1, spikedash: 'dot', hoverformat: chart.x_format || '.2~f',
             tickformat: chart.x_format, ...named(chart),
             ...(chart.x_range && { range: chart.x_range }) },
    yaxis: { ...axis(chart.y_title), tickformat: chart.y_format,
             ...(chart.y_range && { range: chart.y_range }),
             ...(chart.y_log && logarithmic(chart)) },
    yaxis2: { overlaying: 'y', range: [0, 1], fixedrange: true, visible: false },
  };
};

const clicked = (root) => ({ points }) => {
  const hit = points.find((p) => p.curveNumber < root.chart.series.length);
  if (hit) root.send('clicked', [root.chart.series[hit.curveNumber].name, hit.pointNumber]);
};

const draw = (root) => {
  const chart = root.chart;
  const plot = root.querySelector('.tl-plot');
  root.querySelector('figcaption').textContent = chart.title;
  plot.style.minHeight = `${chart.height}px`;
  plot.setAttribute('aria-label', [chart.title, ...chart.series.map((s) => s.name)].join(', '));
  plotly(chart.plotly).then((Plotly) => {
    if (chart !== root.chart || !root.isConnected) return;
    const drawn = [...chart.series.map(trace(chart)), ring(chart, root), heads(chart, root)];
    Plotly.react(plot, drawn, layout(chart, root), {
      displaylogo: false, showTips: false, displayModeBar: touch() ? false : 'hover',
      modeBarButtons: [['zoom2d', 'pan2d', 'resetScale2d', 'toImage']],
    });
    plot.classList.toggle('tl-clickable', chart.clicks);
    plot.removeAllListeners('plotly_click');
    if (chart.clicks) plot.on('plotly_click', clicked(root));
  }).catch(() => { plot.textContent = 'The chart could not be loaded.'; });
};

const same = (a, b) => a?.length === b.length && a.every((byte, place) => byte === b[place]);

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector('.tl-chart');
  root.send = setTriggerValue;
  const plot = root.querySelector('.tl-plot');
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
