"""Charts that change in place: lines that grow while training, and bars of probabilities.

Streamlit's own Plotly element is built anew whenever its data changes, and loses zoom and legend;
these components keep their elements and only exchange the numbers.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray
from streamlit.components.v1 import declare_component

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

MAX_CLASSES = 10

_CHART_HTML = """
<figure class="tl-chart"><figcaption></figcaption><div class="tl-plot" role="img"></div></figure>
"""

_CHART_CSS = """
.tl-chart { margin: 0; color: var(--st-text-color); transition: color 1ms; }
.tl-chart figcaption { font: 600 0.95rem var(--st-font, sans-serif); padding: 0 0 0.25rem 2px; }
.tl-chart figcaption:empty { display: none; }
.tl-chart .tl-plot { width: 100%; }
"""

_CHART_JS = r"""
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
  chart.series.forEach((s) => { s.x = column(s.x); s.y = column(s.y); });
  return chart;
};

// Plotly reads markup in its texts; names are shown as they are.
const plain = (text) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

// Plotly builds CSS selectors from uids, so only letters and digits.
const uid = (name) => [...name].map((c) => c.codePointAt(0).toString(36)).join('z');

const trace = (chart) => (s) => ({
  type: 'scatter', uid: uid(s.name), name: plain(s.name), x: s.x, y: s.y, mode: s.mode,
  line: { color: s.color, dash: s.dash, width: 2 }, marker: { color: s.color, size: 6 },
  text: s.hover?.map(plain),
  hovertemplate: `%{y:${chart.y_format}}${s.hover ? ' %{text}' : ''}`,
});

// Epochs are whole numbers: no ticks between them while they are few.
const wholeTicks = (chart) => {
  const x = chart.series.flatMap((s) => [s.x[0], s.x[s.x.length - 1]]).filter(Number.isFinite);
  const whole = chart.series.every((s) => s.x.length <= 12 && s.x.every(Number.isInteger));
  return whole && Math.max(...x) - Math.min(...x) <= 12 ? { dtick: 1 } : {};
};

const touch = () => matchMedia('(pointer: coarse)').matches;

const layout = (chart, root) => {
  const style = getComputedStyle(root);
  const theme = (name) => style.getPropertyValue(`--st-${name}`).trim();
  const empty = chart.series.every((s) => s.x.length === 0);
  const axis = (title) => ({
    title: { text: plain(title), standoff: 8 }, gridcolor: theme('border-color'),
    linecolor: theme('border-color'), zeroline: false, automargin: true, visible: !empty,
  });
  return {
    height: chart.height, uirevision: chart.view, hovermode: 'x unified', showlegend: true,
    margin: { l: 10, r: 10, t: 10, b: 10 },
    dragmode: touch() ? false : 'zoom',
    paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
    font: { color: theme('text-color'), family: theme('font'), size: 13 },
    hoverlabel: {
      bgcolor: theme('secondary-background-color'), bordercolor: theme('border-color'),
      font: { color: theme('text-color') },
    },
    legend: { orientation: 'h', x: 0, y: 1, xanchor: 'left', yanchor: 'bottom' },
    modebar: { bgcolor: 'rgba(0,0,0,0)', color: '#8a94a6',
               activecolor: theme('text-color') },
    annotations: empty ? [{ text: 'Nothing measured yet', showarrow: false, opacity: 0.7,
                            xref: 'paper', yref: 'paper', x: 0.5, y: 0.5 }] : [],
    shapes: chart.marks.map((x) => ({
      type: 'line', x0: x, x1: x, yref: 'paper', y0: 0, y1: 1, layer: 'below',
      line: { color: theme('text-color'), width: 1, dash: 'dot' }, opacity: 0.5,
    })),
    xaxis: { ...axis(chart.x_title), ...wholeTicks(chart), spikecolor: theme('text-color'),
             spikethickness: -1, spikedash: 'dot' },
    yaxis: { ...axis(chart.y_title), tickformat: chart.y_format,
             ...(chart.y_range && { range: chart.y_range }) },
  };
};

const draw = (root) => {
  const chart = root.chart;
  const plot = root.querySelector('.tl-plot');
  root.querySelector('figcaption').textContent = chart.title;
  plot.style.minHeight = `${chart.height}px`;
  plot.setAttribute('aria-label', [chart.title, ...chart.series.map((s) => s.name)].join(', '));
  plotly(chart.plotly).then((Plotly) => {
    if (chart !== root.chart || !root.isConnected) return;
    Plotly.react(plot, chart.series.map(trace(chart)), layout(chart, root), {
      displaylogo: false, showTips: false, displayModeBar: touch() ? false : 'hover',
      modeBarButtons: [['zoom2d', 'pan2d', 'resetScale2d', 'toImage']],
    });
  }).catch(() => { plot.textContent = 'The chart could not be loaded.'; });
};

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.tl-chart');
  const plot = root.querySelector('.tl-plot');
  root.chart = unpack(data);
  draw(root);
  if (!root.observer) {
    root.observer = new ResizeObserver(() => {
      if (plot.data && plot.offsetWidth) window.Plotly.Plots.resize(plot);
    });
    root.observer.observe(plot);
    root.addEventListener('transitionend', (event) => event.target === root && draw(root));
  }
  return () => {
    root.observer?.disconnect();
    root.observer = undefined;
    // Later, because Plotly's delayed hover fails on a chart that is gone.
    setTimeout(() => plot.data && !root.isConnected && window.Plotly.purge(plot), 1000);
  };
}
"""

_BARS_HTML = """
<div class="legend"></div>
<div class="rows" role="group" aria-label="Probability of each class"></div>
"""

_BARS_CSS = """
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin-bottom: 0.5rem; }
.run { display: flex; align-items: center; gap: 0.4rem; min-width: 0; max-width: 100%; }
.run i { flex: none; width: 0.7rem; height: 0.7rem; border-radius: 2px; }
.name { font-size: 0.875rem; flex-shrink: 2; }
.score { flex: none; font-variant-numeric: tabular-nums; }
.name, .best, .class { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.rows { display: grid; grid-template-columns: fit-content(min(12rem, 35%)) 1fr; gap: 6px 0.6rem;
        align-items: center; }
.class { text-align: right; }
.class.win { font-weight: 700; }
.bar { display: grid; grid-template-columns: 1fr 4.2rem; align-items: center; gap: 0.4rem;
       font-size: 0.8rem; line-height: 1.15; }
.track { background: var(--st-secondary-background-color); border-radius: 3px; overflow: hidden; }
.fill { height: var(--thickness); width: 0; opacity: 0.55; transition: width 80ms linear;
        border-radius: 3px; }
.value { text-align: right; font-variant-numeric: tabular-nums; opacity: 0.75; }
.win > .track > .fill, .win > .value { opacity: 1; }
.win > .value { font-weight: 700; }
@media (prefers-reduced-motion: reduce) { .fill { transition: none; } }
"""

_BARS_JS = r"""
const make = (tag, name, ...children) => {
  const element = document.createElement(tag);
  element.className = name;
  element.append(...children);
  return element;
};
const write = (element, text) => { element.textContent = text; element.title = text; };
const percent = (p) => p == null ? '–' : `${(100 * p).toFixed(1)} %`;

const build = (legend, rows, data) => {
  legend.replaceChildren(...data.runs.map((run) => {
    const swatch = make('i', '');
    swatch.style.background = run.color;
    return make('div', 'run', swatch, make('span', 'name'), make('b', 'best'), make('b', 'score'));
  }));
  rows.replaceChildren(...data.classes.flatMap(() => [
    make('div', 'class'),
    make('div', 'bars', ...data.runs.map((run) => {
      const fill = make('div', 'fill');
      fill.style.background = run.color;
      const bar = make('div', 'bar', make('div', 'track', fill), make('span', 'value'));
      bar.setAttribute('role', 'meter');
      bar.setAttribute('aria-valuemin', '0');
      bar.setAttribute('aria-valuemax', '100');
      return bar;
    })),
  ]));
  rows.style.setProperty('--thickness', `${[18, 12, 9, 8][Math.min(data.runs.length, 4) - 1]}px`);
};

const fillIn = (legend, rows, data) => {
  data.runs.forEach((run, r) => {
    const [, name, best, score] = legend.children[r].children;
    write(name, run.name);
    write(best, data.classes[run.best] ?? '');
    score.textContent = run.best < 0 ? '' : percent(run.values[run.best]);
  });
  data.classes.forEach((text, c) => {
    const label = rows.children[2 * c];
    write(label, text);
    label.classList.toggle('win', data.runs.some((run) => run.best === c));
    data.runs.forEach((run, r) => {
      const bar = rows.children[2 * c + 1].children[r];
      const value = run.values[c];
      bar.classList.toggle('win', run.best === c);
      bar.querySelector('.fill').style.width = `${100 * (value ?? 0)}%`;
      bar.querySelector('.value').textContent = percent(value);
      bar.setAttribute('aria-label', `${run.name}: ${text}`);
      bar.setAttribute('aria-valuenow', (100 * (value ?? 0)).toFixed(1));
      bar.setAttribute('aria-valuetext', percent(value));
    });
  });
};

export default function ({ data, parentElement }) {
  const legend = parentElement.querySelector('.legend');
  const rows = parentElement.querySelector('.rows');
  const shape = JSON.stringify([data.classes.length, data.runs.map((run) => run.color)]);
  if (rows.dataset.shape !== shape) build(legend, rows, data);
  rows.dataset.shape = shape;
  fillIn(legend, rows, data);
}
"""


@dataclass(frozen=True, eq=False)
class Series:
    """One line of a chart: `y` over `x`, NaN in `y` for a gap, a text to each point on hover."""

    name: str
    x: ArrayLike
    y: ArrayLike
    color: str
    mode: Literal["lines", "lines+markers", "markers"] = "lines"
    dash: Literal["solid", "dot", "dash", "dashdot"] = "solid"
    hover: Sequence[str] | None = None

    def __post_init__(self) -> None:
        if np.shape(self.x) != np.shape(self.y) or np.ndim(self.x) != 1:
            raise ValueError(
                f"x and y of series {self.name!r} must be one-dimensional and equally long, "
                f"got shapes {np.shape(self.x)} and {np.shape(self.y)}"
            )
        if self.hover is not None and len(self.hover) != np.size(self.x):
            raise ValueError(
                f"hover of series {self.name!r} must have one text per point, "
                f"got {len(self.hover)} texts for {np.size(self.x)} points"
            )


def line_chart(
    series: Sequence[Series],
    *,
    key: str,
    title: str = "",
    x_title: str = "",
    y_title: str = "",
    y_range: tuple[float, float] | None = None,
    y_format: str = "",
    height: int = 320,
    view: str = "",
    marks: Sequence[float] = (),
) -> None:
    """Draw lines that may grow on every rerun, keeping zoom and legend as the person left them.

    `y_format` is a d3 format such as ".1%". A zoom lasts until `view` changes: pass what the chart
    is about, a run's id for example. A thin vertical line stands at each of `marks`, places on the
    x axis. Numbers are sent as float32.
    """
    chart: dict[str, object] = {
        "title": title,
        "x_title": x_title,
        "y_title": y_title,
        "y_range": y_range,
        "y_format": y_format,
        "height": height,
        "view": view or key,
        "marks": list(marks),
        "plotly": _plotly_url(),
    }
    _chart_component()(data=_pack(chart, series), key=key, width="stretch")


def probability_bars(
    classes: Sequence[str],
    probabilities: Mapping[str, NDArray[np.floating[Any]] | None],
    *,
    colors: Mapping[str, str],
    key: str,
) -> None:
    """Show each run's probability of each class, the winning class emphasised.

    `probabilities` maps a run's name to one probability per class, or to None while there is no
    answer; `colors` maps the same names. Of more than ten classes the ten most probable are shown.
    """
    shown = _shown_classes(len(classes), list(probabilities.values()))
    runs = [
        {"name": name, "color": colors[name], **_bars(values, shown)}
        for name, values in probabilities.items()
    ]
    data = {"classes": [classes[i] for i in shown], "runs": runs}
    _bars_component()(data=data, key=key, width="stretch")


def _pack(chart: dict[str, object], series: Sequence[Series]) -> bytes:
    """One message: the length of the JSON head, the head, then all numbers as float32.

    A column that several series share, such as the steps, is sent once.
    """
    columns: dict[bytes, tuple[int, int]] = {}
    head = json.dumps({**chart, "series": [_describe(s, columns) for s in series]}).encode()
    return struct.pack("<I", len(head)) + head + b"".join(columns)


def _describe(series: Series, columns: dict[bytes, tuple[int, int]]) -> dict[str, object]:
    return {
        "name": series.name,
        "color": series.color,
        "mode": series.mode,
        "dash": series.dash,
        "hover": None if series.hover is None else list(series.hover),
        "x": _column(series.x, columns),
        "y": _column(series.y, columns),
    }


def _column(values: ArrayLike, columns: dict[bytes, tuple[int, int]]) -> tuple[int, int]:
    """Place of a column among the numbers: first index and length."""
    numbers = np.asarray(values, dtype="<f4").tobytes()
    start = sum(map(len, columns)) // 4
    return columns.setdefault(numbers, (start, len(numbers) // 4))


def _shown_classes(
    number: int, probabilities: Sequence[NDArray[np.floating[Any]] | None]
) -> list[int]:
    """Indices of the classes to show: all in their order, or the most probable first."""
    answers = [values for values in probabilities if values is not None]
    if number <= MAX_CLASSES or not answers:
        return list(range(min(number, MAX_CLASSES)))
    order = np.argsort(-np.max(answers, axis=0), kind="stable")
    return [int(i) for i in order[:MAX_CLASSES]]


def _bars(values: NDArray[np.floating[Any]] | None, shown: Sequence[int]) -> dict[str, object]:
    if values is None:
        return {"values": [None] * len(shown), "best": -1}
    best = int(np.argmax(values))
    return {
        "values": [round(float(values[i]), 4) for i in shown],
        "best": shown.index(best) if best in shown else -1,
    }


@functools.cache
def _chart_component() -> ComponentRenderer:
    # Plotly puts its style sheet into the document's head, out of reach of a shadow root.
    return st.components.v2.component(
        "transfer_lab_chart",
        html=_CHART_HTML,
        css=_CHART_CSS,
        js=_CHART_JS,
        isolate_styles=False,
    )


@functools.cache
def _bars_component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_bars", html=_BARS_HTML, css=_BARS_CSS, js=_BARS_JS
    )


@functools.cache
def _plotly_url() -> str:
    """Address of plotly.min.js, served from the installed package.

    Declaring a component makes the server hand out the files of a folder; its frame is never shown.
    """
    package = distribution("plotly")
    component = declare_component("plotly", path=str(package.locate_file("plotly/package_data")))
    base = "/".join(filter(None, ["", st.get_option("server.baseUrlPath").strip("/")]))
    return f"{base}/component/{component.name}/plotly.min.js?v={package.version}"
