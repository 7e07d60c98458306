"""How a run trains and trained, as lines that grow: loss, accuracy, learning rate, the machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import NamedTuple

import numpy as np
import streamlit as st

from core.registry.history import History, Line, Standing
from core.registry.run_files import WAITING_OR_WORKING
from core.registry.runs import Run
from core.training import schedules
from core.training.metrics import Event
from ui import theme, units
from ui.lab import plain
from ui.plots.charts import Band, Mark, Point, Series, line_chart
from ui.runs.histories import history_of
from ui.train.fields import in_words

LATEST_NOTES = 3
BATCHES_OPACITY = 0.45
"""Of what single batches say, behind the means of whole epochs."""


def curves(run: Run) -> None:
    """All that can be drawn of a run, with what it remarked on."""
    with history_of(run) as history:
        if not len(history.batches) and not history.epochs:
            if run.status in WAITING_OR_WORKING:
                st.caption("Loss and accuracy appear here with the first batches.")
            return
        loss_and_accuracy(run, history)
        if len(history.batches):
            learning_rate(run, history)
        if run.status in WAITING_OR_WORKING:
            for sentence in patience(run, history):
                st.caption(sentence)
        show_notes(history.notes)


# --- Loss and accuracy --------------------------------------------------------------------------


class Measure(NamedTuple):
    """What one chart is about; `rises` where more of it is better."""

    value: str
    title: str
    axis: str
    number_format: str
    rises: bool


LOSS = Measure("loss", "Loss falls as the network learns", "loss (cross-entropy)", ".3~f", False)
ACCURACY = Measure("accuracy", "Accuracy rises", "share of images right", ".2~%", True)


def loss_and_accuracy(run: Run, history: History) -> None:
    """Two charts that grow while the run trains."""
    for column, measure in zip(st.columns(2, gap="medium"), (LOSS, ACCURACY), strict=True):
        with column:
            _metric_chart(run, history, measure)


def _metric_chart(run: Run, history: History, measure: Measure) -> None:
    best = run.state.best_epoch
    color = theme.run_color(run.request.color)
    by_batch = history.batch_line(measure.value)
    by_epoch = history.epoch_line(measure.value, best=best)
    watched = history.epoch_line(f"val_{measure.value}", best=best)
    line_chart(
        [
            Series(
                "by batch",
                *by_batch,
                color=color,
                mode="lines" if len(by_batch[0]) > 1 else "markers",
                opacity=BATCHES_OPACITY,
            ),
            Series("by epoch", *by_epoch, color=color, mode="lines+markers"),
            Series(
                _watched_images(run),
                *watched,
                color=theme.WATCHED_COLOR,
                mode="lines+markers",
                dash="dot",
            ),
        ],
        key=f"{measure.value}_{run.id}",
        title=measure.title,
        x_title="epoch",
        y_title=measure.axis,
        y_format=measure.number_format,
        view=run.id,
        height=300,
        marks=[*_note_marks(history.notes), *_resumptions(history)],
        point=_best(history, best, measure),
    )


def _watched_images(run: Run) -> str:
    return "test images" if run.config.data.validation == "test" else "validation images"


def _best(history: History, best: int, measure: Measure) -> Point | None:
    """The best epoch, once there are others."""
    found, value = history.epoch(best), f"val_{measure.value}"
    if found is None or value not in found or len(history.epochs) < 2:
        return None
    figure = units.percent(found[value]) if measure.rises else f"{found[value]:.4f}"
    return Point(best, found[value], f"best: epoch {best}, {figure}", below=measure.rises)


def _note_marks(notes: Iterable[Event], labels: Mapping[int, str] = {}) -> list[Mark]:
    """A mark for each epoch after which something was remarked on, with all of it on hover."""
    placed = (note for note in notes if note.get("epoch"))
    return [
        Mark(epoch, " ".join(note["text"] for note in told), labels.get(epoch, ""))
        for epoch, told in groupby(placed, key=lambda note: int(note["epoch"]))
    ]


def _resumptions(history: History, label: str = "") -> list[Mark]:
    text = "Training went on here after it had ended or was interrupted."
    return [Mark(place, text, label) for place in history.resumptions()]


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


def learning_rate(run: Run, history: History) -> None:
    """The rate that was in force at each step, and what is planned where the run goes on."""
    standing = history.standing(run.config)
    used = history.batch_line("learning_rate")
    series = [Series("in force", *used, color=theme.run_color(run.request.color))]
    if run.status in WAITING_OR_WORKING:
        planned = plan(run, history, standing)
        series.append(Series("planned", *planned, color=theme.WATCHED_COLOR, dash="dot"))
    second = standing.phase.number == 2 and standing.start
    line_chart(
        series,
        key=f"learning_rate_{run.id}",
        title="Learning rate",
        x_title="epoch",
        y_format=".3~g",
        view=run.id,
        height=210,
        marks=[
            *_note_marks(history.notes, {standing.start: "phase 2"} if second else {}),
            *_resumptions(history, "resumed"),
        ],
        bands=_rises(run, standing),
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


# --- The machine --------------------------------------------------------------------------------


def machine(run: Run) -> None:
    """What the training took of the machine, in charts that are drawn where they are unfolded."""
    folded = st.expander(
        "Speed and machine", icon=":material/memory:", key=f"machine_{run.id}", on_change="rerun"
    )
    if not folded.open:
        return
    with folded, history_of(run) as history:
        if not history.usage:
            st.caption("Nothing was measured yet: that happens every few seconds of training.")
            return
        charts = [chart for chart in _machine_charts(history) if len(chart.line[0])]
        for first in range(0, len(charts), 2):
            for column, chart in zip(st.columns(2, gap="medium"), charts[first:], strict=False):
                with column:
                    _machine_chart(run, chart)


class MachineChart(NamedTuple):
    """One value over the seconds that training took."""

    title: str
    line: Line
    number_format: str


def _machine_charts(history: History) -> list[MachineChart]:
    def line(value: str, unit: float = 1.0) -> Line:
        places, values = history.usage_line(value)
        return places, values / unit

    shares = [name for name in history.usage[-1] if name.endswith("_load")]
    return [
        MachineChart("Images per second", line("images_per_second"), ",.0f"),
        MachineChart("Processor cores", line("cores"), ".1f"),
        MachineChart("Memory, in GiB", line("memory", 2**30), ".2f"),
        MachineChart("Free memory, in GiB", line("free_memory", 2**30), ".2f"),
        *(
            MachineChart(f"{name.removesuffix('_load').upper()} at work", line(name), ".0%")
            for name in shares
        ),
    ]


def _machine_chart(run: Run, chart: MachineChart) -> None:
    line_chart(
        [Series(chart.title, *chart.line, color=theme.run_color(run.request.color))],
        key=f"{chart.title}_{run.id}",
        title=chart.title,
        x_title="seconds of training",
        y_format=chart.number_format,
        view=run.id,
        height=190,
        legend=False,
    )
