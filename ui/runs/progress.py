"""How far a run has come, how quick it is, and what it takes of the machine."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.glossary import meaning_of
from core.preferences import load_preferences
from core.registry.config import Phase, RunConfig
from core.registry.run import Run
from core.registry.run_files import Gpu, State
from ui import lab, units
from ui.plots.figures import Figure, figures
from ui.runs.histories import history_of


def progress(run: Run, *, queue: Sequence[Run], title: str = "") -> None:
    """How far a waiting or working run has come, in one line.

    queue: all runs that wait, this one too if it does, the next one first.
    """
    if run.status == "queued":
        st.progress(0.0, text=title + _place_in(queue, run))
    else:
        st.progress(share_done(run), text=title + in_words(run))


def _place_in(queue: Sequence[Run], run: Run) -> str:
    with lab.failures_as_sentences():
        paused = load_preferences(lab.workspace()).paused
    before = [other.id for other in queue].index(run.id)
    if paused:
        return "Waiting: the queue is paused. Let it go on, on the page Runs."
    if not before:
        return "Waiting: it is the next to begin."
    return f"Waiting: {before} {'other waits' if before == 1 else 'others wait'} before it."


def in_words(run: Run) -> str:
    """Epoch, phase and what is done within them."""
    state, config = run.state, run.config
    counted = f"{state.done:,} of {state.total:,}" if state.total else ""
    if not _within_epoch(state):
        return f"{state.phase}{counted and f', {counted} {state.unit}'}{_rest_of_phase(state)}"
    doing = f"batch {counted}" if state.phase == "training" else f"{state.phase}, {counted} images"
    left = [f"{units.duration(state.seconds_left)} left"] if state.seconds_left else []
    places = [f"Epoch {state.epoch} of {config.all_epochs}", *_phase(run), doing, *left]
    return " · ".join(places)


def _rest_of_phase(state: State) -> str:
    left = state.total - state.done
    if not state.units_per_second or left <= 0:
        return ""
    return f" · {units.duration(left / state.units_per_second)} left of this"


def _within_epoch(state: State) -> bool:
    return state.phase in ("training", "evaluating") and state.epoch > state.epochs_done


def _phase(run: Run) -> list[str]:
    phases = run.config.phases
    if len(phases) == 1:
        return []
    with history_of(run) as history:
        at_work = history.standing(run.config).phase
    return [f"phase {at_work.number} of {len(phases)} ({what_trains(run.config, at_work)})"]


def what_trains(config: RunConfig, phase: Phase) -> str:
    """The layers that a phase changes."""
    layers = len(config.network.graph.layers)
    if phase.frozen_count == layers:
        return "head only"
    if phase.frozen_count == 0:
        return "every layer"
    return f"head and {layers - phase.frozen_count} layers"


def share_done(run: Run) -> float:
    """Share of all epochs that lies behind; before the first one, of what comes before it."""
    state = run.state
    within = min(state.done / state.total, 1.0) if state.total else 0.0
    if state.phase == "training":
        done = state.epoch - 1 + within
    elif state.epochs_done or _within_epoch(state):
        done = float(state.epoch)
    else:
        return within
    return min(done / run.config.all_epochs, 1.0)


def live_figures(run: Run) -> None:
    """How quick a run is that trains, how well it does so far, and what it takes."""
    figures(*_of_training(run.state), *_of_machine(run.state))


def _of_training(state: State) -> list[Figure]:
    speed = f"{state.images_per_second:,.0f}" if state.images_per_second else units.MISSING
    shown = [
        Figure("Time left", units.duration(state.seconds_left), _LEFT,
               f"{units.duration(state.seconds)} so far"),
        Figure("Images per second", speed, "Training images, in the last 20 seconds."),
    ]  # fmt: skip
    if state.best_epoch:
        accuracy = units.percent(state.metrics.get("val_accuracy"))
        shown.append(Figure("Best so far", accuracy, _BEST, f"epoch {state.best_epoch}"))
    return shown


def _of_machine(state: State) -> list[Figure]:
    usage = state.usage
    if usage is None:
        return []
    return [
        Figure("CPU", f"{usage.cores:.1f} cores", "Processor cores that this training keeps busy."),
        Figure("Memory", units.size(usage.memory), "What the training's process holds.",
               f"{units.size(usage.free_memory)} free"),
        *(_of_gpu(place, gpu) for place, gpu in enumerate(usage.gpus)),
    ]  # fmt: skip


def _of_gpu(place: int, gpu: Gpu) -> Figure:
    held = f"{units.size(gpu.memory)} of {units.size(gpu.total_memory)}"
    return Figure(f"GPU {place}", units.percent(gpu.load, 0), f"Share at work of {gpu.name}.", held)


_LEFT = "At the pace of the last seconds, until the last epoch ends."
_BEST = f"Accuracy on these: {meaning_of('validation')}"
