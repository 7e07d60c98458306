"""A map of many points, coloured by group, on which a person draws an outline or clicks a point."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from ui.frame.browser import nothing, packed
from ui.plots import headings, scatter_drawing, scatter_script

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

HEIGHT = 560
LONGEST_NAME = 80
"""Characters of a name that are shown."""
STEPS = 65_535
"""Places along each axis that a point can have: more than any screen has pixels."""

Corner = tuple[float, float]


class Group(NamedTuple):
    """Points of one colour, as the legend names them."""

    name: str
    color: str


class Fact(NamedTuple):
    """What is told of each point: a title, and for each point a place among the names."""

    title: str
    values: NDArray[np.int64]


class Outline(NamedTuple):
    """A person drew round some points; at most 40 corners, in the map's own coordinates."""

    corners: tuple[Corner, ...]


class Click(NamedTuple):
    """A person clicked a point."""

    point: int


@dataclass(frozen=True, eq=False)
class Points:
    """Points of a map and what is told of each.

    places: (count, 2), NaN for a point that is not shown. numbers: what each is called by.
    group: (count,), the place of each point's group among `groups`. With `ranked` the groups are
    drawn one over the other, the last on top; else the points are mixed. strong: (count,), which
    points stand out, the others being faint; None where all are alike.
    """

    places: NDArray[np.float32]
    numbers: NDArray[np.int64]
    facts: Sequence[Fact]
    names: Sequence[str]
    group: NDArray[np.integer]
    groups: Sequence[Group]
    ranked: bool = False
    strong: NDArray[np.bool_] | None = None


def scatter(
    points: Points,
    *,
    key: str,
    heading: headings.Heading,
    axes: tuple[str, str] = ("", ""),
    number: str = "Point",
    outline: Sequence[Corner] = (),
    marked: int | None = None,
    height: int = HEIGHT,
) -> Outline | Click | None:
    """Show a map; what a person just did on it, else None.

    axes: what its places are along, and upwards. number: what comes before a point's number.
    outline: the one that is drawn on it. marked: the point that is ringed. Both axes have the same
    scale.
    """
    shown = np.flatnonzero(np.isfinite(points.places).all(axis=1))
    if not len(shown):
        return None
    low, high = points.places[shown].min(axis=0), points.places[shown].max(axis=0)
    head: dict[str, object] = {
        "heading": heading,
        "axes": axes,
        "number": number,
        "height": height,
        "bounds": [float(low[0]), float(high[0]), float(low[1]), float(high[1])],
        "names": [_short(name) for name in points.names],
        "facts": [fact.title for fact in points.facts],
        "groups": [[_short(name), color] for name, color in points.groups],
        "ranked": points.ranked,
        "count": len(shown),
        "all_alike": points.strong is None,
    }
    numbers = _numbers(points, shown, low, high)
    tag = hashlib.sha256(json.dumps(head).encode() + numbers).hexdigest()[:16]
    head |= {
        "tag": tag,
        "place": hashlib.sha256(numbers[: 4 * len(shown)]).hexdigest()[:16],
        "outline": [list(corner) for corner in outline],
        "marked": _among(shown, marked),
    }
    result = _component()(
        data=packed(head, numbers),
        key=key,
        on_outlined_change=nothing,
        on_clicked_change=nothing,
    )
    return _done(result.get("outlined"), result.get("clicked"), tag, shown)


def _done(
    outlined: Sequence[object] | None,
    clicked: Sequence[object] | None,
    tag: str,
    shown: NDArray[np.int64],
) -> Outline | Click | None:
    """What was just done; on an earlier map of the same key it may arrive late, and is nothing."""
    if outlined and outlined[0] == tag:
        corners = np.asarray(outlined[1], np.float64)
        return Outline(tuple((float(x), float(y)) for x, y in corners))
    if clicked and clicked[0] == tag:
        return Click(int(shown[int(str(clicked[1]))]))
    return None


def _among(shown: NDArray[np.int64], point: int | None) -> int | None:
    """The place of a point among those that are shown, None where it is not."""
    if point is None:
        return None
    place = int(np.searchsorted(shown, point))
    return place if place < len(shown) and shown[place] == point else None


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _numbers(
    points: Points, shown: NDArray[np.int64], low: NDArray[np.float32], high: NDArray[np.float32]
) -> bytes:
    """Places (x, y) as uint16, numbers as uint32, then as uint16 groups, facts, what is strong."""
    extent = np.maximum(high - low, np.finfo(np.float32).tiny)
    places = np.rint((points.places[shown] - low) / extent * STEPS)
    columns = [points.group, *(fact.values for fact in points.facts)]
    if points.strong is not None:
        columns.append(points.strong.astype(np.int64))
    return b"".join(
        [
            places.astype("<u2").tobytes(),
            points.numbers[shown].astype("<u4").tobytes(),
            *(column[shown].astype("<u2").tobytes() for column in columns),
        ]
    )


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component(
        "transfer_lab_scatter",
        html=scatter_drawing.HTML,
        css=scatter_drawing.CSS + headings.CSS,
        js=scatter_script.JS,
    )
