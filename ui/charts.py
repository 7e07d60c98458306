"""Lines that grow in place while a network trains.

Streamlit's own Plotly element is built anew whenever its data changes, and loses zoom and legend;
this component keeps its elements and only exchanges the numbers.
"""

from __future__ import annotations

import functools
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike
from streamlit.components.v1 import declare_component

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

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
const lines = (text) => plain(text.replace(/(.{1,44})(\s|$)/g, '$1\n').trim())
  .replace(/\n/g, '<br>');

// Plotly builds CSS selectors from uids, so only letters and digits.
const uid = (name) => [...name].map((c) => c.codePointAt(0).toString(36)).join('z');

const trace = (chart) => (s) => ({
  type: 'scatter', uid: uid(s.name), name: plain(s.name), x: s.x, y: s.y, mode: s.mode,
  line: { color: s.color, dash: s.dash, width: 2 }, marker: { color: s.color, size: 6 },
  opacity: s.opacity,
  text: s.hover?.map(plain),
  hovertemplate: `%{y:${chart.y_format}}${s.hover ? ' %{text}' : ''}`,
});

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
    height: chart.height, uirevision: chart.view, hovermode: 'x unified', showlegend: chart.legend,
    margin: { l: 10, r: 10, t: 10, b: 10 },
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
             spikethickness: -1, spikedash: 'dot', hoverformat: '.2~f' },
    yaxis: { ...axis(chart.y_title), tickformat: chart.y_format,
             ...(chart.y_range && { range: chart.y_range }) },
    yaxis2: { overlaying: 'y', range: [0, 1], fixedrange: true, visible: false },
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
    const traces = [...chart.series.map(trace(chart)), ring(chart, root), heads(chart, root)];
    Plotly.react(plot, traces, layout(chart, root), {
      displaylogo: false, showTips: false, displayModeBar: touch() ? false : 'hover',
      modeBarButtons: [['zoom2d', 'pan2d', 'resetScale2d', 'toImage']],
    });
  }).catch(() => { plot.textContent = 'The chart could not be loaded.'; });
};

const same = (a, b) => a?.length === b.length && a.every((byte, place) => byte === b[place]);

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector('.tl-chart');
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


class Mark(NamedTuple):
    """A thin vertical line: a text on hover, a label written along it."""

    x: float
    text: str = ""
    label: str = ""


class Band(NamedTuple):
    """A stretch of the x axis that is shaded, with a text."""

    start: float
    end: float
    text: str


class Point(NamedTuple):
    """One point that is ringed and named, above it or below."""

    x: float
    y: float
    text: str
    below: bool = False


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
    opacity: float = 1.0

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
    marks: Sequence[Mark] = (),
    bands: Sequence[Band] = (),
    point: Point | None = None,
    legend: bool = True,
) -> None:
    """Draw lines that may grow on every rerun, keeping zoom and legend as the person left them.

    `y_format` is a d3 format such as ".1%". A zoom lasts until `view` changes: pass what the chart
    is about, a run's id for example. Numbers are sent as float32.
    """
    chart: dict[str, object] = {
        "title": title,
        "x_title": x_title,
        "y_title": y_title,
        "y_range": y_range,
        "y_format": y_format,
        "height": height,
        "view": view or key,
        "marks": [mark._asdict() for mark in marks],
        "bands": [band._asdict() for band in bands],
        "legend": legend,
        "point": point and point._asdict(),
        "plotly": _plotly_url(),
    }
    _chart_component()(data=_pack(chart, series), key=key, width="stretch")


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
        "opacity": series.opacity,
        "x": _column(series.x, columns),
        "y": _column(series.y, columns),
    }


def _column(values: ArrayLike, columns: dict[bytes, tuple[int, int]]) -> tuple[int, int]:
    """Place of a column among the numbers: first index and length."""
    numbers = np.asarray(values, dtype="<f4").tobytes()
    start = sum(map(len, columns)) // 4
    return columns.setdefault(numbers, (start, len(numbers) // 4))


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
def _plotly_url() -> str:
    """Address of plotly.min.js, served from the installed package.

    Declaring a component makes the server hand out the files of a folder; its frame is never shown.
    """
    package = distribution("plotly")
    component = declare_component("plotly", path=str(package.locate_file("plotly/package_data")))
    base = "/".join(filter(None, ["", st.get_option("server.baseUrlPath").strip("/")]))
    return f"{base}/component/{component.name}/plotly.min.js?v={package.version}"
