"""How the browser draws a chart: what `charts` sends as Plotly's traces and layout."""

HTML = """
<figure class="tl-chart">
  <figcaption><div class="tl-chart-title"></div><div class="tl-chart-hint"></div></figcaption>
  <div class="tl-legend" role="group" aria-label="What is drawn; press to hide it or show it"></div>
  <div class="tl-drawn">
    <div class="tl-plot" role="group" tabindex="0"></div>
    <div class="tl-none" hidden>
      <svg viewBox="0 0 48 28" width="48" aria-hidden="true"><path d="M2 2v24h44M8 20l9-8 8 5 15-13"
        fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round"
        stroke-linejoin="round"/></svg>
      <span>Nothing measured yet</span>
    </div>
    <span class="tl-told" role="status"></span>
  </div>
</figure>
"""

CSS = """
.tl-chart { margin: 0; color: var(--st-text-color); transition: color 1ms;
            font: 0.85rem/1.45 var(--st-font, sans-serif); }
.tl-chart figcaption { min-height: 1.6rem; padding-bottom: 0.35rem; }
.tl-chart figcaption::before { content: ''; float: right; width: 5.6rem; height: 1.3rem; }
.tl-chart-title { font-size: 1rem; font-weight: 600; line-height: 1.4; overflow-wrap: anywhere;
                  text-wrap: pretty; }
.tl-chart-hint { max-width: 48rem; opacity: 0.75; text-wrap: pretty; }
.tl-chart-hint:empty, .tl-legend:empty { display: none; }
.tl-legend { display: flex; flex-wrap: wrap; gap: 0 0.35rem; margin: 0 0 0.2rem -0.35rem; }
.tl-legend button { all: unset; box-sizing: border-box; display: flex; align-items: center;
                    gap: 0.4rem; max-width: min(100%, 22rem); min-height: 1.6rem; cursor: pointer;
                    padding: 0.1rem 0.35rem; border-radius: 0.35rem; font-size: 0.8rem; }
.tl-legend button:hover { background: var(--st-secondary-background-color); }
.tl-legend button:focus-visible { outline: 2px solid var(--st-primary-color); }
.tl-legend button[aria-pressed=false] { opacity: 0.45; text-decoration: line-through; }
.tl-legend svg { flex: none; }
.tl-legend span { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.tl-drawn { position: relative; }
.tl-plot { width: 100%; border-radius: 0.35rem; }
.tl-plot:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 2px; }
.tl-chart .tl-clickable .nsewdrag { cursor: pointer !important; }
.tl-none:not([hidden]) { position: absolute; inset: 0; display: flex; flex-direction: column;
           align-items: center; justify-content: center; gap: 0.5rem; border-radius: 0.5rem;
           border: 1px dashed var(--st-border-color); }
.tl-none > * { opacity: 0.65; }
.tl-told { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%);
           white-space: nowrap; }
"""

JS = r"""
// Plotly reads markup in its texts; names are shown as they are.
const plain = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const lines = (text) => plain(text.replace(/(.{1,44})(\s|$)/g, '$1\n').trim())
  .replace(/\n/g, '<br>');
const shortened = (name) => name.length > 48 ? `${name.slice(0, 47)}…` : name;

// Plotly builds CSS selectors from uids, so only letters and digits.
const uid = (name) => [...name].map((c) => c.codePointAt(0).toString(36)).join('z');

// Shares are drawn as per cent, so that they read as "98.95 %" here, too.
const isShare = (format) => format.endsWith('%');
const ofShare = (format) => isShare(format) ? `${format.slice(0, -1)}f` : format;
const unitOf = (format) => isShare(format) ? ' %' : '';
const inPerCent = (chart) => {
  const hundredfold = (numbers) => numbers && numbers.map((number) => 100 * number);
  if (isShare(chart.y_format)) {
    chart.y_range = hundredfold(chart.y_range);
    if (chart.point) chart.point.y *= 100;
    chart.series.forEach((s) => ['y', 'low', 'high'].forEach((end) => {
      s[end] = hundredfold(s[end]);
    }));
  }
  if (isShare(chart.x_format)) {
    chart.x_range = hundredfold(chart.x_range);
    chart.marks.forEach((mark) => { mark.x *= 100; });
    chart.series.forEach((s) => { s.x = hundredfold(s.x); });
  }
  return chart;
};

// A number as the axis of this format would write it.
const written = (number, format) => {
  if (!Number.isFinite(number)) return '–';
  const digits = Number(format.match(/\.(\d+)/)?.[1] ?? 3);
  const kind = format.slice(-1);
  const options = kind === 'g' || kind === '' ? { maximumSignificantDigits: digits }
    : kind === 'd' || kind === 'r' ? { maximumFractionDigits: 0 }
    : { maximumFractionDigits: digits };
  return number.toLocaleString('en', options) + unitOf(format);
};

const UNLISTED = ['rings', 'raw'];
const listed = (chart) => chart.series.filter((s) => !UNLISTED.includes(s.mode));

const shared = (chart, s) => ({
  uid: uid(s.name), name: plain(shortened(s.name)), x: s.x, y: s.y, opacity: s.opacity,
  showlegend: false, text: s.hover?.map(plain),
  hovertemplate: pointedAt(chart, s),
});

// Plotly itself names the series where it tells of all of them.
const pointedAt = (chart, s) => {
  const value = `%{y:${ofShare(chart.y_format)}}${unitOf(chart.y_format)}`
    + `${s.hover ? ' %{text}' : ''}`;
  return chart.hover === 'closest'
    ? `<b>${plain(shortened(s.name))}</b><br>${value}<extra></extra>` : value;
};

const spread = (s) => s.low && {
  type: 'data', symmetric: false, color: s.color, thickness: 1.5, width: 4,
  array: s.high.map((high, i) => high - s.y[i]), arrayminus: s.low.map((low, i) => s.y[i] - low),
};

// Points, too, tell lines of one colour apart.
const SYMBOLS = { solid: 'circle', dot: 'diamond', dash: 'square', dashdot: 'triangle-up' };
const POINTS = {
  solid: 'M6.5 6a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z', dot: 'M10 1.5 14.5 6 10 10.5 5.5 6z',
  dash: 'M6.8 2.8h6.4v6.4H6.8z', dashdot: 'M10 2 14 9.5H6z',
};

const bars = (chart, s) => ({
  ...shared(chart, s), type: 'bar', textposition: 'none',
  marker: { color: s.color, line: { color: s.color, width: 1 }, cornerradius: 2,
            pattern: { shape: s.dash === 'solid' ? '' : '/', size: 5, solidity: 0.35 } },
});

const rings = (_, s) => ({
  type: 'scatter', uid: uid(s.name), x: s.x, y: s.y, mode: 'markers', showlegend: false,
  hoverinfo: 'skip', cliponaxis: false,
  marker: { symbol: 'circle-open', size: 14, color: s.color, line: { width: 3 } },
});

const raw = (_, s) => ({
  type: 'scatter', uid: `raw${uid(s.name)}`, x: s.x, y: s.y, mode: 'lines', showlegend: false,
  hoverinfo: 'skip', opacity: s.opacity, line: { color: s.color, width: 1 },
});

const lineOf = (chart, s) => ({
  ...shared(chart, s), type: 'scatter', mode: s.mode, error_y: spread(s),
  line: { color: s.color, dash: s.dash, width: 2 },
  marker: { color: s.color, size: s.dash === 'solid' ? 6 : 7, symbol: SYMBOLS[s.dash] },
});

const traces = { bars, rings, raw };
const trace = (chart, hidden) => (s) => ({
  ...(traces[s.mode] ?? lineOf)(chart, s), visible: !hidden.has(s.name),
});

// What stands for a series in the legend: a line as it is dashed, or a bar as it is filled.
const DASHES = { dot: '1.5 3', dash: '6 3', dashdot: '6 3 1.5 3' };
const markOf = (s) => {
  const color = Saving.markup(s.color);
  if (s.mode === 'bars') {
    const hatched = s.dash !== 'solid';
    return `<rect x="4" y="0.5" width="11" height="11" rx="2" stroke="${color}" fill="${color}"`
      + ` fill-opacity="${hatched ? 0 : 1}"/>`
      + (hatched ? `<path d="M5 11 14 1M5 6 9 1M10 11l4-5" stroke="${color}"/>` : '');
  }
  const line = s.mode === 'markers' ? '' : `<path d="M0 6h20" stroke="${color}" stroke-width="2.5" `
    + `stroke-dasharray="${DASHES[s.dash] ?? 'none'}"/>`;
  const dot = s.mode.includes('markers') ? `<path d="${POINTS[s.dash]}" fill="${color}"/>` : '';
  return `<g opacity="${s.opacity}">${line}${dot}</g>`;
};

// Invisible but for a small head on the line that layout() draws: something to point at.
const heads = (chart, theme) => {
  const told = chart.marks.filter((mark) => mark.text);
  return {
    type: 'scatter', uid: 'marks', mode: 'markers', yaxis: 'y2', showlegend: false,
    x: told.map((mark) => mark.x), y: told.map(() => 1), text: told.map((mark) => lines(mark.text)),
    marker: { symbol: 'triangle-down', size: 10, color: theme('text-color') },
    opacity: 0.7, cliponaxis: false, hovertemplate: '%{text}<extra></extra>',
  };
};

const ring = (chart, theme) => ({
  type: 'scatter', uid: 'point', mode: 'markers', showlegend: false, hoverinfo: 'skip',
  cliponaxis: false,
  x: chart.point ? [chart.point.x] : [], y: chart.point ? [chart.point.y] : [],
  marker: { symbol: 'circle-open', size: 14, color: theme('text-color'), line: { width: 2 } },
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
    x, y: chart.y_log ? Math.log10(y) : y, text: plain(text), showarrow: true, arrowhead: 0,
    arrowwidth: 1, standoff: 7, arrowcolor: theme('text-color'),
    ax: late ? -36 : 36, ay: below ? 34 : -34, xanchor: late ? 'right' : 'left',
    font: { size: 12, color: theme('text-color') },
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
  tickmode: 'array',
  tickvals: ticks.map(([x]) => x), ticktext: ticks.map(([, name]) => plain(name)),
} : {};

const logarithmic = ({ y_range: range }) => ({
  type: 'log', dtick: 1, ...(range && { range: range.map(Math.log10) }),
});

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

const touch = () => matchMedia('(pointer: coarse)').matches;

// The look of all charts, from the theme of the page.
const template = (theme) => {
  const axis = {
    zeroline: false, automargin: true, tickfont: { size: 12 },
    gridcolor: theme('border-color'), gridwidth: 0.5, linecolor: theme('border-color'),
  };
  return {
    margin: { l: 8, r: 12, t: 10, b: 8 }, bargap: 0.15, showlegend: false,
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: theme('text-color'), family: theme('font'), size: 13 },
    hoverlabel: {
      bgcolor: theme('background-color'), bordercolor: theme('border-color'), namelength: -1,
      font: { color: theme('text-color'), family: theme('font'), size: 13 }, align: 'left',
    },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: '#8a94a6', activecolor: theme('text-color') },
    xaxis: { ...axis, showgrid: false, showline: true, ticks: 'outside', ticklen: 4,
             tickcolor: theme('border-color'), spikecolor: theme('text-color'),
             spikethickness: -1, spikedash: 'dot' },
    yaxis: { ...axis, showline: false },
  };
};

const layout = (chart, theme) => {
  const empty = isEmpty(chart);
  const base = template(theme);
  const axis = (title, format) => ({
    title: { text: plain(title), standoff: 8, font: { size: 13 } }, visible: !empty,
    tickformat: ofShare(format), ticksuffix: unitOf(format),
  });
  const format = ofShare(chart.x_format) || '.2~f';
  return {
    ...base, height: chart.height, uirevision: chart.view, hovermode: chart.hover,
    dragmode: touch() ? false : 'zoom',
    annotations: chart.point && !empty ? [callout(chart, theme)] : [],
    shapes: [...chart.bands.map(band(theme)), ...chart.marks.map(line(theme))],
    xaxis: { ...base.xaxis, ...axis(chart.x_title, chart.x_format), ...wholeTicks(chart),
             ...withinData(chart), hoverformat: format, ...named(chart),
             unifiedhovertitle: { text: `${plain(chart.x_title)} %{x:${format}}`
               + unitOf(chart.x_format) },
             ...(chart.x_range && { range: chart.x_range }) },
    yaxis: { ...base.yaxis, ...axis(chart.y_title, chart.y_format),
             ...(chart.y_range && { range: chart.y_range }),
             ...(chart.y_log && logarithmic(chart)) },
    yaxis2: { overlaying: 'y', range: [0, 1], fixedrange: true, visible: false },
  };
};

const isEmpty = (chart) => chart.series.every((s) => s.x.length === 0);

// The chart in words, for those who do not see it.
const MOST_TOLD = 12;
const inWords = (chart) => (s) => {
  const [x, y] = [(at) => written(at, chart.x_format || '.2~f'),
                  (at) => written(at, chart.y_format)];
  const name = (at) => chart.ticks.find(([place]) => place === at)?.[1] ?? x(at);
  const known = [...s.y.keys()].filter((i) => Number.isFinite(s.y[i]));
  if (!known.length) return `${s.name}: nothing measured yet`;
  if (known.length <= MOST_TOLD) {
    return `${s.name}: ${known.map((i) => `${y(s.y[i])} at ${name(s.x[i])}`).join(', ')}`;
  }
  const values = known.map((i) => s.y[i]);
  const [first, last] = [known[0], known[known.length - 1]];
  return `${s.name}: from ${y(s.y[first])} at ${name(s.x[first])} to ${y(s.y[last])} at `
    + `${name(s.x[last])}, between ${y(Math.min(...values))} and ${y(Math.max(...values))}`;
};

const described = (chart) => [
  chart.title, chart.hint,
  [chart.y_title, chart.x_title && `over ${chart.x_title}`].filter(Boolean).join(' '),
  ...listed(chart).map(inWords(chart)),
].filter(Boolean).map((sentence) => sentence.replace(/[.]$/, '')).join('. ');
"""
