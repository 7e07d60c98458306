"""The queue: what trains, what waits and in which order, and how many may train at once."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from core.errors import TransferLabError
from core.preferences import MOST_AT_ONCE, Preferences, change_preferences, load_preferences
from core.registry.places import in_queue_order
from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.runs import run_view
from ui.runs.controls import attempt
from ui.runs.progress import in_words, share_done

TICK_SECONDS = 2.0
MOST_WAITING = 20
"""Waiting runs that are listed with their buttons."""
AT_ONCE = "at_once"
STARTING_SECONDS = 12.0
"""How long a runner may take until it sees to the queue."""
WAKE_SECONDS = 60.0
"""Seconds between two tries to start a runner."""
_WAKE = "_wake"


def is_busy(known: Sequence[Run]) -> bool:
    """Whether something waits or trains, or somebody paused the queue."""
    with lab.failures_as_sentences():
        return any(map(run_view.is_active, known)) or load_preferences(lab.workspace()).paused


def show(known: Sequence[Run]) -> None:
    """The queue, up to date while something waits or trains, with what can be done about it."""
    active = {run.id: run.status for run in known if run_view.is_active(run)}
    fresh = [known]

    @st.fragment(run_every=TICK_SECONDS if active else None)
    def follow() -> None:
        runs = fresh.pop() if fresh else lab.runs().all()
        now = [run for run in runs if run_view.is_active(run)]
        if {run.id: run.status for run in now} != active:
            st.rerun()  # what else the page shows has changed too
        with lab.failures_as_sentences():
            preferences = load_preferences(lab.workspace())
        _show(now, preferences)

    st.subheader("Queue", anchor=False)
    follow()


def _show(active: Sequence[Run], preferences: Preferences) -> None:
    waiting = in_queue_order(active)
    for run in filter(run_view.is_working, active):
        _show_working(run)
    if waiting:
        _see_to_it_that_somebody_works(preferences)
        for place, run in enumerate(waiting[:MOST_WAITING]):
            _show_waiting(run, place, len(waiting))
        if len(waiting) > MOST_WAITING:
            st.caption(f"… and {len(waiting) - MOST_WAITING} more wait after these.")
    _ask_settings(preferences, len(waiting), idle=not active)


def _show_working(run: Run) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(share_done(run), text=f"**{run_view.name(run)}** · {in_words(run)}")
        _button(run, "Stop", lambda: lab.engine().stop(run), run.status == "stopping")


def _show_waiting(run: Run, place: int, count: int) -> None:
    """One waiting run with its place in the order, counted from 0."""
    move = lab.runs().move
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"{place + 1}\\. **{run_view.name(run)}**", width="stretch")
        with st.container(horizontal=True, gap="xsmall", width="content"):
            first, last = place == 0, place == count - 1
            _button(run, "First", lambda: move(run, 0), first)
            _button(run, "Up", lambda: move(run, place - 1), first)
            _button(run, "Down", lambda: move(run, place + 1), last)
            _button(run, "Cancel", lambda: lab.engine().stop(run), False)


def _button(run: Run, title: str, action: Callable[[], object], disabled: bool) -> None:
    if st.button(
        title,
        key=f"queue_{title}_{run.id}",
        help=HELP[title],
        disabled=disabled,
    ):
        attempt(action)


HELP = {
    "First": "Train it next.",
    "Up": "One place earlier.",
    "Down": "One place later.",
    "Cancel": "Take it out of the queue. It is kept, and can be resumed.",
    "Stop": "End it within one batch; its best weights are kept.",
}


def _ask_settings(preferences: Preferences, waiting: int, idle: bool) -> None:
    """Pause the queue or let it go on, and how many runs may train at once."""
    if preferences.paused:
        st.warning(
            "The queue is paused: what trains goes on, what waits does not begin.",
            icon=":material/pause_circle:",
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if idle and not preferences.paused:
            st.caption("Nothing trains and nothing waits.")
        if preferences.paused:
            if st.button("Go on", icon=icons.START, type="primary", key="queue_go_on"):
                attempt(lambda: _change(paused=False))
        elif not idle and st.button(
            "Pause the queue",
            icon=icons.PAUSE,
            key="queue_pause",
            help="What trains goes on; what waits does not begin until the queue goes on.",
        ):
            attempt(lambda: _change(paused=True))
        with st.popover(
            f"{preferences.at_once} at once", icon=":material/tune:", key="queue_settings"
        ):
            _ask_at_once(preferences, idle)


def _ask_at_once(preferences: Preferences, idle: bool) -> None:
    st.session_state[AT_ONCE] = preferences.at_once  # somebody else may have changed it
    st.number_input(
        "Runs that may train at once",
        1,
        MOST_AT_ONCE,
        key=AT_ONCE,
        on_change=_take_at_once,
        help="They share the processor and its memory: on a small machine two at once take longer "
        "than one after the other.",
    )
    if (
        idle
        and not preferences.paused
        and st.button("Pause the queue", icon=icons.PAUSE, key="queue_pause_idle")
    ):
        attempt(lambda: _change(paused=True))


def _take_at_once() -> None:
    try:
        _change(at_once=st.session_state[AT_ONCE])
    except (TransferLabError, OSError) as error:
        st.toast(lab.sentence(str(error)), icon=icons.ERROR)


def _change(**changes: bool | int) -> None:
    """Change how the queue works, and have somebody work on it."""
    change_preferences(lab.workspace(), **changes)
    lab.engine().wake_if_asleep()


@dataclass
class Wake:
    """When this session first and last tried to start a runner, in seconds of a clock."""

    first: float
    last: float = -math.inf


def _see_to_it_that_somebody_works(preferences: Preferences) -> None:
    """Start a runner where runs wait and none is at work; say why where none can be started."""
    if preferences.paused or lab.engine().at_work():
        st.session_state.pop(_WAKE, None)
        return
    now = time.monotonic()
    wake: Wake = st.session_state.setdefault(_WAKE, Wake(now))
    if now - wake.last > WAKE_SECONDS:
        wake.last = now
        try:
            lab.engine().wake()
        except TransferLabError as error:
            st.error(lab.sentence(error), icon=icons.ERROR)
    if now - wake.first > STARTING_SECONDS:
        _complain(wake)


def _complain(wake: Wake) -> None:
    said = lab.engine().complaint()
    st.error(
        "Runs wait, and the process that begins them does not start. "
        + (f"The last it said: {lab.sentence(said)} " if said else "")
        + "See to it that the disk has room and that the requirements are installed, then try "
        "again.",
        icon=icons.ERROR,
    )
    if st.button("Try again", icon=icons.RETRY, key="queue_wake"):
        wake.last = time.monotonic()
        attempt(lab.engine().wake)
