"""How a person wants curves drawn: over what, how smooth, losses in tenfolds; for links, too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import streamlit as st

from core.registry.history import Axis, Line

AXES: dict[str, Axis] = {"Epoch": "epoch", "Step": "step", "Time": "seconds"}
SMOOTH = 0.6
"""Of what single batches say, which leaps about."""
MOST_SMOOTH = 0.99


class CurveView(NamedTuple):
    """What the x axis counts, how smooth lines are, whether losses are drawn in tenfolds."""

    axis: Axis = "epoch"
    smoothing: float = SMOOTH
    tenfold: bool = False


def ask(*, smoothing: float = SMOOTH, smoothing_key: str = "smoothing") -> CurveView:
    """Ask for it with widgets that stand in the row of the caller."""
    over = st.segmented_control(
        "Over", list(AXES), default="Epoch", required=True, key="over", bind="query-params"
    )
    smooth = st.slider(
        "Smoothing",
        0.0,
        MOST_SMOOTH,
        smoothing,
        step=0.01,
        key=smoothing_key,
        bind="query-params",
        width=220,
        help="0 draws what was measured; towards 1 each point takes in more of those before. What "
        "was measured stays, faintly, behind.",
    )
    tenfold = st.toggle(
        "Logarithmic loss",
        key="tenfold",
        bind="query-params",
        help="Each line of the grid is ten times the one below, so that small losses can be told "
        "apart, too.",
    )
    return CurveView(AXES[over or "Epoch"], smooth, tenfold)


def x_axis(axis: Axis, lines: Iterable[Line]) -> tuple[str, float]:
    """The title of the x axis, and what to divide places by for it."""
    if axis == "seconds":
        return time_axis(lines)
    return ("training step" if axis == "step" else "epoch"), 1.0


def time_axis(lines: Iterable[Line]) -> tuple[str, float]:
    """The title of an axis of time, and the seconds of the unit that suits the longest line."""
    longest = max((float(places[-1]) for places, _ in lines if len(places)), default=0.0)
    for unit, seconds in (("hours", 3600.0), ("minutes", 60.0)):
        if longest >= 3 * seconds:
            return f"time ({unit})", seconds
    return "time (seconds)", 1.0
