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


def line_chart(
    series: Sequence[Series],
    *,
    key: str,
    title: str = "",
    hint: str = "",
    x_title: str = "",
    y_title: str = "",
    x_range: tuple[float, float] | None = None,
    x_format: str = "",
    y_range: tuple[float, float] | None = None,
    y_format: str = "",
    y_log: bool = False,
    hover: Literal["x unified", "closest"] = "x unified",
    height: int = 320,
    view: str = "",
    group: str = "",
    marks: Sequence[Mark] = (),
    bands: Sequence[Band] = (),
    ticks: Sequence[tuple[float, str]] = (),
    point: Point | None = None,
    legend: bool = True,
    clicks: bool = False,
) -> Click | None:
    """Draw lines that may grow on every rerun, keeping zoom and legend as the person left them.

    title: what there is to see; hint: how to read it. `x_format` and `y_format` are d3 formats such
    as ".1%". A zoom lasts until `view` changes: pass what the chart is about, a run's id for
    example. Charts of one `group` have an x axis in common: pointing at one points at all. ticks:
    places on the x axis and the names that stand there instead of numbers. Numbers are sent as
    float32. Returns the point that was just clicked, if there is something to click.
    """
    chart: dict[str, object] = {
        "title": title,
        "hint": hint,
        "x_title": x_title,
        "y_title": y_title,
        "x_range": x_range,
        "x_format": x_format,
        "y_range": y_range,
        "y_format": y_format,
        "y_log": y_log,
        "hover": hover,
        "clicks": clicks,
        "height": height,
        "view": view or key,
        "group": group,
        "marks": [mark._asdict() for mark in marks],
        "bands": [band._asdict() for band in bands],
        "ticks": list(ticks),
        "legend": legend,
        "point": point and point._asdict(),
        "plotly": _plotly_url(),
    }
    packed = _pack(chart, series)
    if not clicks:
        _chart_component()(data=packed, key=key, width="stretch")
        return None
    result = _chart_component()(
        data=packed, key=key, width="stretch", on_clicked_change=lambda: None
    )
    clicked = result.get("clicked")
    return Click(str(clicked[0]), int(clicked[1])) if clicked else None


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
