"""Several runs in one chart each for loss and accuracy, and what differs in their settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pandas as pd
import streamlit as st

from core.registry.history import Axis, History, Line, smoothed, thinned
from core.registry.runs import Run
from core.registry.settings import differences
from ui.plots.charts import Series, line_chart
from ui.runs import run_view
from ui.runs.histories import history_of
from ui.train import fields
from ui.train.settings_form import TITLES

MOST_RUNS = 12
"""Lines that can still be told apart."""
MOST_POINTS = 600
"""Points of each line: a dozen of them are drawn at once."""
FEW = 40
"""Points that are drawn as such; more of them would hide their line."""
TICK_SECONDS = 2.0
Dash = Literal["solid", "dash", "dot", "dashdot"]
DASHES: tuple[Dash, ...] = ("solid", "dash", "dot", "dashdot")
AXES: dict[str, Axis] = {"Step": "step", "Epoch": "epoch", "Time": "seconds"}
SPLITS = ("Training", "Validation")


class View(NamedTuple):
    """How a person wants the lines drawn."""

    split: str
    axis: Axis
    smoothing: float


def show(runs: Sequence[Run]) -> None:
    """Draw the curves of runs over each other, and list the settings in which they differ."""
    drawn = runs[:MOST_RUNS]
    if len(runs) > MOST_RUNS:
        st.caption(f"The first {MOST_RUNS} of the {len(runs)} chosen runs are drawn.")
    view = ask_view()
    active = any(map(run_view.is_active, drawn))

    @st.fragment(run_every=TICK_SECONDS if active else None)
    def charts() -> None:
        left, right = st.columns(2, gap="medium")
        with left:
            _chart(drawn, view, "loss", "Loss", "loss (cross-entropy)", ".3~f")
        with right:
            _chart(drawn, view, "accuracy", "Accuracy", "share of images right", ".2~%")

    charts()
    show_differences(drawn)


def ask_view() -> View:
    """Ask what to draw, over what, and how smooth."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        split = st.segmented_control(
            "Curves", SPLITS, default=SPLITS[0], required=True, key="overlay_split"
        )
        axis = st.segmented_control(
            "Over", list(AXES), default="Epoch", required=True, key="overlay_axis"
        )
        smoothing = st.slider(
            "Smoothing",
            0.0,
            0.99,
            0.6 if split == SPLITS[0] else 0.0,
            step=0.01,
            key=f"smoothing_{split}",
            width=240,
            help="0 draws what was measured; towards 1 each point takes in more of those before.",
        )
    return View(split, AXES[axis], smoothing)


def _chart(
    runs: Sequence[Run], view: View, value: str, title: str, y_title: str, y_format: str
) -> None:
    lines = {run: _line_of(run, view, value) for run in runs}
    x_title, unit = _x_axis(view.axis, lines.values())
    series: list[Series] = []
    for run, dash in zip(runs, dashes(runs), strict=True):
        places, values = lines[run]
        smooth = places / unit, smoothed(values, view.smoothing)
        series.append(_series(run, smooth, dash))
    line_chart(
        series,
        key=f"overlay_{value}",
        title=f"{title}, {view.split.lower()}",
        x_title=x_title,
        y_title=y_title,
        y_format=y_format,
        view=f"{view.split} {view.axis} {[run.id for run in runs]}",
        height=340,
    )


def _line_of(run: Run, view: View, value: str) -> Line:
    with history_of(run) as history:
        return _measured(history, view, value)


def _measured(history: History, view: View, value: str) -> Line:
    everything = 10**9
    if view.split == SPLITS[0]:
        return history.batch_line(value, view.axis, everything)
    return history.epoch_line(f"val_{value}", view.axis, everything)


def _series(run: Run, line: Line, dash: Dash) -> Series:
    places, values = thinned(line, MOST_POINTS)
    return Series(
        run.name,
        places,
        values,
        color=run_view.color_of(run),
        mode="lines+markers" if len(places) <= FEW else "lines",
        dash=dash,
    )


def dashes(runs: Sequence[Run]) -> list[Dash]:
    """How each run's line is dashed: solid, but for runs that share a colour with one before."""
    seen: dict[str, int] = {}
    chosen = []
    for run in runs:
        color = run_view.color_of(run)
        chosen.append(DASHES[seen.get(color, 0) % len(DASHES)])
        seen[color] = seen.get(color, 0) + 1
    return chosen


def _x_axis(axis: Axis, lines: Iterable[Line]) -> tuple[str, float]:
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


def show_differences(runs: Sequence[Run]) -> None:
    """The settings in which runs differ, one column per run."""
    table = table_of_differences(runs)
    st.markdown("**What differs in their settings**")
    if table.empty:
        st.caption("Nothing: they were launched with the same settings.")
        return
    st.dataframe(
        table,
        height="content",
        column_config={"_index": st.column_config.TextColumn("Setting", pinned=True)},
    )


def table_of_differences(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per setting that is not the same in all runs, one column per run, as on screen."""
    first, *others = runs
    found = [differences(first.config, other.config) for other in others]
    keys = dict.fromkeys(key for each in found for key in each)
    rows = {}
    for key in keys:
        own = next(each[key][0] for each in found if key in each)
        values = [own, *(each[key][1] if key in each else own for each in found)]
        rows[TITLES.get(key, key.capitalize())] = [fields.shown(key, value) for value in values]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[run.name for run in runs])
