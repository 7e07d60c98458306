"""Several runs in one chart each for loss and accuracy, and what differs in their settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd
import streamlit as st

from core.registry.history import Line, smoothed, thinned
from core.registry.run import Run
from core.registry.settings import differences
from ui.plots.beside import beside
from ui.plots.charts import Chart, Scale, Series, line_chart
from ui.runs import curve_view, environment, findings, run_view
from ui.runs.curve_view import CurveView
from ui.runs.findings import LOSS, Measure
from ui.runs.histories import history_of
from ui.theme import Look
from ui.train import fields
from ui.train.settings_form import TITLES

MOST_RUNS = 12
"""Lines that can still be told apart."""
MOST_POINTS = 600
"""Points of each line: a dozen of them are drawn at once."""
FEW = 40
"""Points that are drawn as such; more of them would hide their line."""
TICK_SECONDS = 2.0
MOST_RAW = 6
"""Runs behind whose smoothed lines there is room for what was measured."""
FAINT = 0.22
EVERYTHING = 10**9
_NAMES = {
    **TITLES,
    "network.head.activation": "Activation of dense layers",
    "network.head.dropout": "Dropout of dense layers",
}
"""Of settings; those that the form asks for in one table have one each here."""
TRAINING, VALIDATION = "Training", "Validation"
IMAGES = {
    TRAINING: "Of the images that were trained on, batch by batch.",
    VALIDATION: "Of the images that were watched while training, after each epoch.",
}


class View(NamedTuple):
    """Of which images lines are drawn, and how."""

    split: str
    curves: CurveView


def show(runs: Sequence[Run]) -> None:
    """Draw the curves of runs over each other, and list the settings in which they differ."""
    drawn = runs[:MOST_RUNS]
    if len(runs) > MOST_RUNS:
        st.caption(f"The first {MOST_RUNS} of the {len(runs)} chosen runs are drawn.")
    view = ask_view()
    active = any(map(run_view.is_active, drawn))

    @st.fragment(run_every=TICK_SECONDS if active else None)
    def charts() -> None:
        for column, measure in zip(beside("overlay"), findings.MEASURES, strict=True):
            with column:
                _chart(drawn, view, measure)

    charts()
    show_differences(drawn)
    environment.show_differences(drawn)


def ask_view() -> View:
    """Ask what to draw, over what, and how smooth."""
    with st.container(
        key="controls_overlay", horizontal=True, gap="medium", vertical_alignment="bottom"
    ):
        split = st.segmented_control(
            "Curves",
            list(IMAGES),
            default=TRAINING,
            required=True,
            key="curves",
            bind="query-params",
        )
        if split == VALIDATION:
            curves = curve_view.ask(smoothing=0.0, smoothing_key="smoothing_validation")
        else:
            curves = curve_view.ask()
    return View(split or TRAINING, curves)


def _chart(runs: Sequence[Run], view: View, measure: Measure) -> None:
    lines = [_line_of(run, view, measure.value) for run in runs]
    smooth = [(places, smoothed(values, view.curves.smoothing)) for places, values in lines]
    looks = run_view.looks_of(runs)
    x_title, unit = curve_view.x_axis(view.curves.axis, lines)
    raw = lines if view.curves.smoothing and len(runs) <= MOST_RAW else []
    line_chart(
        Chart(
            [
                *(
                    _series(run, line, unit, looks[run.id])
                    for run, line in zip(runs, smooth, strict=True)
                ),
                *(
                    replace(
                        _series(run, line, unit, run_view.look_of(run)), mode="raw", opacity=FAINT
                    )
                    for run, line in zip(runs, raw, strict=False)
                ),
            ],
            title=findings.of_runs(measure, [run.name for run in runs], smooth),
            hint=IMAGES[view.split],
            x=Scale(x_title),
            y=Scale(
                measure.axis, measure.number_format, log=view.curves.tenfold and measure is LOSS
            ),
            height=340,
        ),
        key=f"overlay_{measure.value}",
        view=f"{view} {[run.id for run in runs]}",
        group="overlay",
    )


def _line_of(run: Run, view: View, value: str) -> Line:
    with history_of(run) as history:
        if view.split == TRAINING:
            return history.batch_line(value, view.curves.axis, EVERYTHING)
        return history.epoch_line(f"val_{value}", view.curves.axis, EVERYTHING)


def _series(run: Run, line: Line, unit: float, look: Look) -> Series:
    places, values = thinned(line, MOST_POINTS)
    return Series(
        run.name,
        places / unit,
        values,
        color=look.color,
        mode="lines+markers" if len(places) <= FEW else "lines",
        dash=look.pattern,
    )


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
        rows[_NAMES.get(key, key.capitalize())] = [fields.shown(key, value) for value in values]
    return pd.DataFrame.from_dict(rows, orient="index", columns=[run.name for run in runs])
