"""Charts whose numbers are exchanged in place: lines that grow while a network trains, and bars.

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

from ui.plots import chart_script

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer


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
    """One line of a chart: `y` over `x`, NaN in `y` for a gap, a text to each point on hover.

    low, high: where an interval of each y ends. Bars are hatched where `dash` is not solid. Rings
    are drawn around points of other series; `raw` is what was measured, faintly behind the smoothed
    series of the same name. Neither is listed in the legend.
    """

    name: str
    x: ArrayLike
    y: ArrayLike
    color: str
    mode: Literal["lines", "lines+markers", "markers", "bars", "rings", "raw"] = "lines"
    dash: Literal["solid", "dot", "dash", "dashdot"] = "solid"
    hover: Sequence[str] | None = None
    opacity: float = 1.0
    low: ArrayLike | None = None
    high: ArrayLike | None = None

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
        ends = [end for end in (self.low, self.high) if end is not None]
        if any(np.shape(end) != np.shape(self.y) for end in ends):
            raise ValueError(
                f"low and high of series {self.name!r} must have one number per point, got shapes "
                f"{[np.shape(end) for end in ends]} for {np.size(self.x)} points"
            )


class Click(NamedTuple):
    """A point that was just clicked: the name of its series, and its place in it."""

    series: str
    place: int


@dataclass(frozen=True)
class Scale:
    """One axis of a chart: what stands along it, how it is written, from where to where it goes.

    form: a d3 format such as ".1%". span: None takes in all that is drawn. ticks: places, and the
    names that stand there instead of numbers; of the x axis alone, as `log` is of the y axis.
    """

    title: str = ""
    form: str = ""
    span: tuple[float, float] | None = None
    log: bool = False
    ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, eq=False)
class Chart:
    """What is drawn. title: what there is to see; hint: how to read it."""

    series: Sequence[Series]
    title: str = ""
    hint: str = ""
    x: Scale = Scale()
    y: Scale = Scale()
    marks: Sequence[Mark] = ()
    bands: Sequence[Band] = ()
    point: Point | None = None
    hover: Literal["x unified", "closest"] = "x unified"
    legend: bool = True
    height: int = 320


def line_chart(
    chart: Chart, *, key: str, view: str = "", group: str = "", clicks: bool = False
) -> Click | None:
    """Draw lines that may grow on every rerun, keeping zoom and legend as the person left them.

    A zoom lasts until `view` changes: pass what the chart is about, a run's id for example. Charts
    of one `group` have an x axis in common: pointing at one points at all. Numbers are sent as
    float32. Returns the point that was just clicked, if there is something to click.
    """
    head = {"view": view or key, "group": group, "clicks": clicks, "plotly": _plotly_url()}
    packed = _pack(_described(chart) | head, chart.series)
    if not clicks:
        _chart_component()(data=packed, key=key, width="stretch")
        return None
    result = _chart_component()(
        data=packed, key=key, width="stretch", on_clicked_change=lambda: None
    )
    clicked = result.get("clicked")
    return Click(str(clicked[0]), int(clicked[1])) if clicked else None


def _described(chart: Chart) -> dict[str, object]:
    """All of a chart but its series, as the component's script takes it."""
    return {
        "title": chart.title,
        "hint": chart.hint,
        "x_title": chart.x.title,
        "x_range": chart.x.span,
        "x_format": chart.x.form,
        "ticks": list(chart.x.ticks),
        "y_title": chart.y.title,
        "y_range": chart.y.span,
        "y_format": chart.y.form,
        "y_log": chart.y.log,
        "hover": chart.hover,
        "height": chart.height,
        "legend": chart.legend,
        "marks": [mark._asdict() for mark in chart.marks],
        "bands": [band._asdict() for band in chart.bands],
        "point": chart.point and chart.point._asdict(),
    }


def _pack(chart: dict[str, object], series: Sequence[Series]) -> bytes:
    """One message: the length of the JSON head, the head, then all numbers as float32.

    A column that several series share, such as the steps, is sent once.
    """
    columns: dict[bytes, tuple[int, int]] = {}
    head = json.dumps({**chart, "series": [_columns_of(s, columns) for s in series]}).encode()
    return struct.pack("<I", len(head)) + head + b"".join(columns)


def _columns_of(series: Series, columns: dict[bytes, tuple[int, int]]) -> dict[str, object]:
    return {
        "name": series.name,
        "color": series.color,
        "mode": series.mode,
        "dash": series.dash,
        "hover": None if series.hover is None else list(series.hover),
        "opacity": series.opacity,
        "x": _column(series.x, columns),
        "y": _column(series.y, columns),
        "low": None if series.low is None else _column(series.low, columns),
        "high": None if series.high is None else _column(series.high, columns),
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
        html=chart_script.HTML,
        css=chart_script.CSS,
        js=chart_script.JS,
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
