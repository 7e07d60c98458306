"""How a run is shown wherever it appears: its status, its name, its live charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.metrics import Event, read_events
from core.run_files import WAITING_OR_WORKING, WORKING, Status
from core.runs import Run
from ui import estimate, lab, theme
from ui.charts import Series, line_chart, probability_bars
from ui.figures import Figure, figures
from ui.lab import plain

MOST_POINTS = 1500
LOG_LINES = 30
LATEST_NOTES = 3


@dataclass(frozen=True)
class Badge:
    """How a status looks, and what it means."""

    icon: str
    color: Literal["gray", "blue", "orange", "green", "red"]
    meaning: str


STATUSES: dict[Status, Badge] = {
    "queued": Badge("schedule", "gray", "Waits for the runs before it."),
    "preparing": Badge("hourglass_top", "blue", "Getting ready to train."),
    "running": Badge("play_circle", "blue", "Training now."),
    "stopping": Badge("stop_circle", "orange", "Ends after this batch and is then evaluated."),
    "finished": Badge("check_circle", "green", "Trained to its last epoch."),
    "stopped": Badge("stop_circle", "orange", "Ended early because somebody stopped it."),
    "failed": Badge("error", "red", "Could not go on."),
    "interrupted": Badge("bolt", "red", "Its process ended without a word."),
}


def status_badge(run: Run) -> None:
    """The run's status as a coloured badge."""
    badge = STATUSES[run.status]
    st.badge(run.status, icon=f":material/{badge.icon}:", color=badge.color, help=badge.meaning)


def color_of(run: Run) -> str:
    """The colour that stands for a run on every page."""
    return theme.run_color(run.request.color)


def label(run: Run) -> str:
    """A run in a list to choose from: the accuracy it reached, then its name."""
    accuracy = run.state.metrics.get("test_accuracy")
    return run.name if accuracy is None else f"{theme.percent(accuracy)} · {run.name}"


def name(run: Run) -> str:
    """The run's name for where Streamlit reads Markdown."""
    return plain(run.name)


def choose(
    runs: Sequence[Run],
    title: str,
    *,
    parameter: str,
    default: int = 0,
    text: Callable[[Run], str] = label,
) -> Run:
    """Let a person choose a run; the choice is kept in the address under `parameter`."""
    by_id = {run.id: run for run in runs}
    ids = list(by_id)
    wanted = st.query_params.get(parameter)
    key = f"choice_{parameter}"
    if st.session_state.get(key) not in by_id:
        if wanted is not None and wanted not in by_id:
            st.warning(
                f"The run {plain(wanted)} of this link cannot be shown here: it was deleted, or it "
                "has no results yet. Another is shown instead.",
                icon=":material/link_off:",
            )
        st.session_state[key] = wanted if wanted in by_id else ids[default]
    chosen = st.selectbox(title, ids, format_func=lambda run_id: text(by_id[run_id]), key=key)
    st.query_params[parameter] = chosen
    return by_id[chosen]


def show_next(run: Run, *, parameter: str) -> None:
    """Make `choose` begin with this run, whatever was chosen before."""
    st.session_state[f"choice_{parameter}"] = run.id


def bars(probabilities: Mapping[Run, NDArray[np.float32] | None], *, key: str) -> None:
    """What each run makes of one image, in the runs' colours."""
    probability_bars(
        next(iter(probabilities)).config.class_names,
        {run.name: values for run, values in probabilities.items()},
        colors={run.name: color_of(run) for run in probabilities},
        key=key,
    )


@dataclass
class Curves:
    """The metrics of one run read so far, kept in the session so that a tick reads only news."""

    offset: int = 0
    events: list[Event] = field(default_factory=list)

    @classmethod
    def of(cls, run: Run) -> Curves:
        """Curves of a run, up to date."""
        curves: Curves = st.session_state.setdefault(f"_curves_{run.id}", cls())
        news, curves.offset = read_events(run.folder.metrics, curves.offset)
        curves.events += news
        return curves

    def points(self, event: str, value: str) -> tuple[list[float], list[float]]:
        """A value over epochs: batches stand between the whole numbers, epochs on them."""
        chosen = [e for e in self.events if e["event"] == event and value in e]
        if event == "batch":
            chosen = _thinned(chosen)
        return [_epoch_position(e) for e in chosen], [e[value] for e in chosen]

    @property
    def notes(self) -> list[tuple[int, str]]:
        """What the run remarked on, each with the epoch after which it did."""
        return [(e.get("epoch", 0), e["text"]) for e in self.events if e["event"] == "note"]


def _epoch_position(event: Event) -> float:
    if event["event"] == "batch":
        return float(event["epoch"] - 1 + event["batch"] / event["batches"])
    return float(event["epoch"])


def _thinned(events: Sequence[Event]) -> list[Event]:
    """At most MOST_POINTS of the events, evenly spread, the last one always among them."""
    if len(events) <= MOST_POINTS:
        return list(events)
    chosen = np.unique(np.linspace(0, len(events) - 1, MOST_POINTS).round().astype(int))
    return [events[i] for i in chosen]


def training_now(known: Sequence[Run]) -> None:
    """The runs that wait or train, followed until one of them ends or the next begins."""
    active = {run.id: run.status for run in known if is_active(run)}
    if not active:
        return

    @st.fragment(run_every=2.0)
    def follow() -> None:
        now = [run for run in lab.runs().all() if run.id in active]
        if {run.id: run.status for run in now} != active:
            st.rerun()  # what else the page shows has changed too
        for run in sorted(now, key=lambda run: (not is_working(run), run.id)):
            progress(run, title=f"**{name(run)}** · ")

    st.subheader("Training now", anchor=False)
    follow()


def loss_and_accuracy(run: Run) -> None:
    """Two charts that grow while the run trains."""
    curves = Curves.of(run)
    if not any(event["event"] in ("batch", "epoch") for event in curves.events):
        if is_active(run):
            st.caption("Loss and accuracy appear here with the first batches.")
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _chart(run, curves, "loss", "Loss falls as the network learns", "loss (cross-entropy)")
    with right:
        _chart(run, curves, "accuracy", "Accuracy rises", "share of images right", ".2~%")
    _show_notes(curves.notes)


def _chart(
    run: Run, curves: Curves, value: str, title: str, axis: str, number_format: str = ".3~f"
) -> None:
    batches, epochs = curves.points("batch", value), curves.points("epoch", f"val_{value}")
    watched = "test images" if run.config.data.validation == "test" else "validation images"
    line_chart(
        [
            Series("training, by batch", *batches, color=color_of(run)),
            Series(
                f"{watched}, by epoch",
                *epochs,
                color=theme.WATCHED_COLOR,
                mode="lines+markers",
                dash="dot",
            ),
        ],
        key=f"{value}_{run.id}",
        title=title,
        x_title="epoch",
        y_title=axis,
        y_format=number_format,
        view=run.id,
        height=300,
        marks=[epoch for epoch, _ in curves.notes],
    )


def _show_notes(notes: Sequence[tuple[int, str]]) -> None:
    """What the run remarked on, the latest first; each is a dotted line in the charts."""
    told = [
        f"**After epoch {epoch}** · {plain(text)}" if epoch else plain(text)
        for epoch, text in reversed(notes)
    ]
    with st.container(gap="xsmall"):
        for text in told[:LATEST_NOTES]:
            st.caption(text)
    if len(told) > LATEST_NOTES:
        with st.expander(f"Earlier remarks ({len(told) - LATEST_NOTES})"):
            for text in told[LATEST_NOTES:]:
                st.caption(text)


def progress(run: Run, title: str = "") -> None:
    """How far a waiting or working run has come, in one line."""
    state = run.state
    if run.status == "queued":
        st.progress(0.0, text=f"{title}Waiting; it begins when the runs before it are done.")
        return
    share = state.done / state.total if state.total else 0.0
    epoch = f"Epoch {state.epoch} of {run.config.all_epochs}: " if state.phase == "training" else ""
    counted = f", {state.done:,} of {state.total:,} {state.unit}" if state.total else ""
    st.progress(min(share, 1.0), text=f"{title}{epoch}{state.phase}{counted}")


def is_active(run: Run) -> bool:
    """Whether a run still changes."""
    return run.status in WAITING_OR_WORKING


def is_working(run: Run) -> bool:
    """Whether a process is at work on a run."""
    return run.status in WORKING


def failure(run: Run) -> None:
    """Why a run did not finish and what to do, with the end of its log."""
    error = run.state.error
    if run.status == "interrupted":
        st.warning(
            "The process of this run ended without a word: it was killed, or the machine was "
            "restarted. The epochs that it had finished are kept and can be compared; to train to "
            "the end, launch a new run with the same settings.",
            icon=":material/bolt:",
        )
    elif error is not None:
        st.error(f"{plain(error.sentence)} {plain(error.advice)}", icon=":material/error:")
    if run.status in ("failed", "interrupted"):
        log(run)


def log(run: Run) -> None:
    """The end of the worker's output."""
    with st.expander("Log", icon=":material/terminal:"):
        st.code(_tail(run), language=None)


def _tail(run: Run) -> str:
    try:
        lines = run.folder.log.read_text(errors="replace").splitlines()
    except OSError:
        return "Nothing was written."
    return "\n".join(lines[-LOG_LINES:]) or "Nothing was written."


def results(run: Run) -> None:
    """The figures of a run's best epoch."""
    metrics = run.state.metrics
    figures(
        Figure("Test accuracy", theme.percent(metrics.get("test_accuracy")), _TEST_ACCURACY),
        Figure("Test loss", _number(metrics.get("test_loss")), _TEST_LOSS),
        Figure("Time", theme.duration(run.state.seconds), "From the process's start to its end."),
        Figure("Parameters trained", theme.count(run.config.parameters.trainable)),
    )
    estimate.show_deviation(run)


_TEST_ACCURACY = (
    "Share of the test images taken for what they are, after the epoch that did best on the "
    "images watched while training."
)
_TEST_LOSS = (
    "Mean cross-entropy: how surprised the network is by the true classes. 0 is certain and right."
)


def _number(value: float | None) -> str:
    return theme.MISSING if value is None else f"{value:.4f}"
