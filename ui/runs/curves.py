"""How a run trains and trained, as lines that grow: loss, accuracy, learning rate."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Literal

import numpy as np
import streamlit as st

from core.registry.history import Axis, History, Line, Standing, smoothed, thinned
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING
from core.training import schedules
from core.training.metrics import Event
from ui import theme
from ui.lab import plain
from ui.plots.beside import beside
from ui.plots.charts import Band, Chart, Mark, Point, Scale, Series, line_chart
from ui.runs import curve_view, findings
from ui.runs.curve_view import CurveView
from ui.runs.findings import LOSS, Measure
from ui.runs.histories import history_of
from ui.train.fields import in_words

LATEST_NOTES = 3
EVERYTHING = 10**9
"""Points that are not thinned before they are smoothed."""
BATCHES = "by batch"
FAINT = 0.2
"""Of what single batches say, behind their smoothed line."""


def curves(run: Run) -> None:
    """All that can be drawn of a run, with what it remarked on."""
    with history_of(run) as history:
        if not len(history.batches) and not history.epochs:
            if run.status in WAITING_OR_WORKING:
                st.caption("Loss and accuracy appear here with the first batches.")
            return
        with st.container(key="controls_curves", horizontal=True, vertical_alignment="bottom"):
            view = curve_view.ask()
        loss_and_accuracy(run, history, view)
        if len(history.batches):
            learning_rate(run, history, view.axis)
        if run.status in WAITING_OR_WORKING:
            for sentence in patience(run, history):
                st.caption(sentence)
        show_notes(history.notes)


# --- Loss and accuracy --------------------------------------------------------------------------


def loss_and_accuracy(run: Run, history: History, view: CurveView) -> None:
    """Two charts that grow while the run trains."""
    for column, measure in zip(beside("curves"), findings.MEASURES, strict=True):
        with column:
            _metric_chart(run, history, measure, view)


def _metric_chart(run: Run, history: History, measure: Measure, view: CurveView) -> None:
    best = run.state.best_epoch
    color = theme.run_color(run.request.color)
    by_batch = history.batch_line(measure.value, view.axis, EVERYTHING)
    by_epoch = history.epoch_line(measure.value, view.axis, best=best)
    watched = history.epoch_line(f"val_{measure.value}", view.axis, best=best)
    x_title, unit = curve_view.x_axis(view.axis, [by_batch, by_epoch])
    marks = [*_note_marks(history, view.axis), *_resumptions(history, view.axis)]
    line_chart(
        Chart(
            [
                *_batches(by_batch, unit, view.smoothing, color),
                Series(
                    "by epoch",
                    by_epoch[0] / unit,
                    by_epoch[1],
                    color=color,
                    mode="lines+markers",
                ),
                Series(
                    _watched_images(run),
                    watched[0] / unit,
                    watched[1],
                    color=theme.WATCHED_COLOR,
                    mode="lines+markers",
                    dash="dot",
                ),
            ],
            title=findings.of_run(
                measure, history.epoch_line(f"val_{measure.value}", most=EVERYTHING)
            ),
            hint=_hint(measure, history),
            x=Scale(x_title),
            y=Scale(measure.axis, measure.number_format, log=view.tenfold and measure is LOSS),
            height=300,
            marks=[Mark(mark.x / unit, mark.text, mark.label) for mark in marks],
            point=_best(history, best, measure, view.axis, unit),
        ),
        key=f"{measure.value}_{run.id}",
        view=f"{run.id} {view.axis} {view.tenfold}",
        group="training",
    )


def _batches(line: Line, unit: float, smoothing: float, color: str) -> list[Series]:
    """What batches said, smoothed, and behind it as it was."""
    places, values = line[0] / unit, line[1]
    mode: Literal["lines", "markers"] = "lines" if len(places) > 1 else "markers"
    smooth = thinned((places, smoothed(values, smoothing)))
    raw = thinned((places, values))
    return [
        Series(BATCHES, *smooth, color=color, mode=mode),
        *([Series(BATCHES, *raw, color=color, mode="raw", opacity=FAINT)] if smoothing else []),
    ]


def _hint(measure: Measure, history: History) -> str:
    lines = (history.epoch_line(name, most=EVERYTHING) for name in ("loss", "val_loss"))
    return f"{measure.hint}{_BY_HEART if measure is LOSS and findings.by_heart(*lines) else ''}"


_BY_HEART = (
    " It still falls on images that were learned from, but not on others: from the best epoch on, "
    "the network learns images by heart (overfitting)."
)


def _watched_images(run: Run) -> str:
    return "test images" if run.config.data.validation == "test" else "validation images"


def _best(history: History, best: int, measure: Measure, axis: Axis, unit: float) -> Point | None:
    """The best epoch, once there are others."""
    found, value, place = history.epoch(best), f"val_{measure.value}", history.end_of(best, axis)
    if found is None or place is None or value not in found or len(history.epochs) < 2:
        return None
    figure = measure.written(found[value])
    return Point(place / unit, found[value], f"best: epoch {best}, {figure}", below=measure.rises)


def _note_marks(history: History, axis: Axis, labels: Mapping[int, str] = {}) -> list[Mark]:
    """A mark for each epoch after which something was remarked on, with all of it on hover."""
    placed = (note for note in history.notes if note.get("epoch"))
    marks = []
    for epoch, told in groupby(placed, key=lambda note: int(note["epoch"])):
        place = epoch if axis == "epoch" else history.end_of(epoch, axis)
        if place is not None:
            marks.append(
                Mark(place, " ".join(note["text"] for note in told), labels.get(epoch, ""))
            )
    return marks


def _resumptions(history: History, axis: Axis, label: str = "") -> list[Mark]:
    text = "Training went on here after it had ended or was interrupted."
    return [Mark(place, text, label) for place in history.resumptions(axis)]


def show_notes(notes: list[Event]) -> None:
    """What the run remarked on, the latest first."""
    told = [
        f"**After epoch {note['epoch']}** · {plain(note['text'])}"
        if note.get("epoch")
        else plain(note["text"])
        for note in reversed(notes)
    ]
    with st.container(gap="xsmall"):
        for text in told[:LATEST_NOTES]:
            st.caption(text)
    if len(told) > LATEST_NOTES:
        with st.expander(f"Earlier remarks ({len(told) - LATEST_NOTES})"):
            for text in told[LATEST_NOTES:]:
                st.caption(text)


# --- The learning rate --------------------------------------------------------------------------


def learning_rate(run: Run, history: History, axis: Axis) -> None:
    """The rate that was in force at each step and, over epochs, what is planned further on."""
    standing = history.standing(run.config)
    used = history.batch_line("learning_rate", axis)
    x_title, unit = curve_view.x_axis(axis, [used])
    places, rates = used[0] / unit, used[1]
    series = [Series("in force", places, rates, color=theme.run_color(run.request.color))]
    if run.status in WAITING_OR_WORKING and axis == "epoch":
        planned = plan(run, history, standing)
        series.append(Series("planned", *planned, color=theme.WATCHED_COLOR, dash="dot"))
        rates = np.concatenate([rates, planned[1]])
    second = standing.phase.number == 2 and standing.start
    marks = [
        *_note_marks(history, axis, {standing.start: "phase 2"} if second else {}),
        *_resumptions(history, axis, "resumed"),
    ]
    line_chart(
        Chart(
            series,
            title=findings.of_rates(rates),
            hint="How far each training step moves the weights.",
            x=Scale(x_title),
            y=Scale("learning rate", ".3~g"),
            height=210,
            legend=len(series) > 1,
            marks=[Mark(mark.x / unit, mark.text, mark.label) for mark in marks],
            bands=_rises(run, standing) if axis == "epoch" else (),
        ),
        key=f"learning_rate_{run.id}",
        view=f"{run.id} {axis}",
        group="training",
    )


def plan(run: Run, history: History, standing: Standing) -> Line:
    """The learning rate from now to the last epoch: places in epochs, and rates.

    On a plateau schedule it is the most that the rate can be. A phase that ended early moves the
    next one forward.
    """
    config = run.config
    steps = [history.steps_per_epoch] * len(config.phases)
    places, rates = np.array(schedules.drawn(config, steps)).T
    if standing.phase.number == 2:
        places = np.where(places >= config.epochs, places - config.epochs + standing.start, places)
    if standing.plateau is not None:
        rates = np.minimum(rates, standing.plateau.rate)
    ahead = places > history.now
    return places[ahead], rates[ahead]


def _rises(run: Run, standing: Standing) -> list[Band]:
    """Where the rate rises at the beginning of a phase."""
    config = run.config
    starts = [0, standing.start] if standing.phase.number == 2 else [0]
    bands = []
    for start, phase in zip(starts, config.phases, strict=False):
        if config.schedule == "one_cycle":
            bands.append(Band(start, start + schedules.RISE * phase.epochs, "rise"))
        elif 0 < config.warmup_epochs < phase.epochs:
            bands.append(Band(start, start + config.warmup_epochs, "warm-up"))
    return bands


def patience(run: Run, history: History) -> list[str]:
    """How long early stopping and a plateau schedule still wait for an improvement."""
    config, standing = run.config, history.standing(run.config)
    told = []
    if (left := standing.patience.left) is not None:
        last = standing.phase.number == len(config.phases)
        told.append(
            f"Early stopping: {_waited(config.early_stopping.monitor, standing.patience.waited)}; "
            f"{'the run' if last else 'this phase'} ends once {_epochs(left)} more bring nothing "
            "better."
        )
    if standing.plateau is not None and (left := standing.plateau.left) is not None:
        monitor = in_words("decay.monitor")(config.decay.monitor)
        told.append(
            f"The learning rate falls to {standing.plateau.next_rate:.2g} once {_epochs(left)} "
            f"more do not improve the {monitor}."
        )
    return told


def _waited(monitor: str, epochs: int) -> str:
    name = in_words("early_stopping.monitor")(monitor)
    return (
        f"the {name} has not improved for {_epochs(epochs)}" if epochs else f"the {name} improves"
    )


def _epochs(count: int) -> str:
    return f"{count} epoch{'s' * (count != 1)}"
