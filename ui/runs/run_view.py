"""How a run is shown wherever it appears: its status, its name, its figures."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core.glossary import meaning_of
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING, WORKING, Status
from ui import theme, units
from ui.frame import icons
from ui.lab import plain
from ui.plots.figures import Figure, figures
from ui.train import estimate


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
    """The run's status as a coloured badge, then that it is a sample, then its tags."""
    badge = STATUSES[run.status]
    with st.container(horizontal=True, gap="xsmall"):
        st.badge(run.status, icon=f":material/{badge.icon}:", color=badge.color, help=badge.meaning)
        if run.is_sample:
            sample_badge()
        for tag in run.about.tags:
            st.badge(plain(tag), icon=icons.TAG, color="gray")


def sample_badge() -> None:
    """Says that a run came with the project."""
    st.badge(SAMPLE, icon=icons.SAMPLE, color="violet", help=_WHAT_A_SAMPLE_IS)


SAMPLE = "sample"
"""The word for a run that came with the project."""
_WHAT_A_SAMPLE_IS = (
    "Came with Transfer Lab, trained by its own recipe; not in this workspace. Sample runs can be "
    "removed at the end of Runs."
)


def color_of(run: Run) -> str:
    """The colour that stands for a run on every page."""
    return theme.run_color(run.request.color)


def look_of(run: Run) -> theme.Look:
    """How a run is drawn where it stands alone, or nothing tells it from others of its colour."""
    return theme.Look(color_of(run))


def colors_of(runs: Iterable[Run]) -> tuple[str, ...]:
    """The colours of a few runs that are shown together, none like another."""
    return tuple(theme.apart([run.request.color for run in runs]))


def looks_of(runs: Iterable[Run]) -> dict[str, theme.Look]:
    """How each of many runs that are shown together is drawn, by its id; none like another."""
    ordered = list(runs)
    found = theme.looks([run.request.color for run in ordered])
    return {run.id: look for run, look in zip(ordered, found, strict=True)}


def label(run: Run) -> str:
    """A run in a list to choose from: the accuracy it reached, then its name."""
    accuracy = run.state.metrics.get("test_accuracy")
    return run.name if accuracy is None else f"{units.percent(accuracy)} · {run.name}"


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
                icon=icons.BROKEN_LINK,
            )
        st.session_state[key] = wanted if wanted in by_id else ids[default]
    chosen = st.selectbox(title, ids, format_func=lambda run_id: text(by_id[run_id]), key=key)
    st.query_params[parameter] = chosen
    return by_id[chosen]


def show_next(run: Run, *, parameter: str) -> None:
    """Make `choose` begin with this run, whatever was chosen before."""
    st.session_state[f"choice_{parameter}"] = run.id


def forget_choice(parameter: str) -> None:
    """Make `choose` begin as if nothing had been chosen yet."""
    st.session_state.pop(f"choice_{parameter}", None)
    st.query_params.pop(parameter, None)


def is_active(run: Run) -> bool:
    """Whether a run still changes."""
    return run.status in WAITING_OR_WORKING


def is_working(run: Run) -> bool:
    """Whether a process is at work on a run."""
    return run.status in WORKING


def results(run: Run) -> None:
    """The figures of a run's best epoch."""
    metrics = run.state.metrics
    accuracy = units.percent(metrics.get("test_accuracy"))
    figures(
        Figure("Test accuracy", accuracy, _TEST_ACCURACY, _of_which_epoch(run)),
        Figure("Test loss", units.figure(metrics.get("test_loss")), _TEST_LOSS),
        *_watched(run),
        Figure("Time", units.duration(run.state.seconds), "From the process's start to its end."),
        Figure("Parameters trained", units.count(run.config.parameters.trainable)),
    )
    estimate.show_deviation(run)


def _watched(run: Run) -> list[Figure]:
    """Accuracy on the images watched while training, where those were not the test images."""
    accuracy = run.state.metrics.get("val_accuracy")
    if accuracy is None or run.config.data.validation == "test":
        return []
    return [Figure("Validation accuracy", units.percent(accuracy), _WATCHED)]


def _of_which_epoch(run: Run) -> str:
    several = run.state.epochs_done > 1
    return f"epoch {run.state.best_epoch} of {run.state.epochs_done}" if several else ""


_TEST_ACCURACY = (
    f"{meaning_of('accuracy')} Here of the test images, after the epoch that did best on the "
    "images watched while training."
)
_WATCHED = f"Accuracy on these: {meaning_of('validation')}"
_TEST_LOSS = f"{meaning_of('loss')} Here by the test images (mean cross-entropy)."
