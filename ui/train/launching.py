"""What is asked and told right before a launch: the name, the note, why the run would wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from core.errors import InvalidRequest, TransferLabError
from core.preferences import Preferences, load_preferences
from core.registry.config import RunConfig
from core.registry.places import in_queue_order
from core.registry.recipes import Recipe
from core.registry.run import Run
from core.registry.saying import LONGEST_NAME, LONGEST_NOTE, check_name, free_name
from core.training import estimates
from core.training.costs import Estimate
from ui import lab
from ui.frame import icons
from ui.runs import run_view

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


class Called(NamedTuple):
    """What a run will be called, empty where that is left to the recipe, and its note."""

    name: str
    note: str
    possible: bool


def ask_name(recipe: Recipe, known: Sequence[Run]) -> Called:
    """Ask for a name and a note; a name that cannot be is told at once."""
    taken = {run.name for run in known}
    launched = st.session_state.setdefault("_launched", 0)  # each launch empties both fields
    name = st.text_input(
        "Name",
        key=f"name_{launched}",
        persist_state="session",
        max_chars=LONGEST_NAME,
        placeholder=free_name(recipe.name, taken),
        help="What to call the run. Left empty, it is called as the grey text says.",
    ).strip()
    possible = not name or _is_free(name, taken)
    note = st.text_area(
        "Note",
        key=f"note_{launched}",
        persist_state="session",
        max_chars=LONGEST_NOTE,
        height=68,
        placeholder="What you want to find out",
        help="Kept with the run, for whoever looks at it later. It can be changed on Runs.",
    )
    return Called(name, note, possible)


def _is_free(name: str, taken: set[str]) -> bool:
    try:
        check_name(name, taken)
    except InvalidRequest as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return False
    return True


def begin(config: RunConfig, called: Called, expected: Estimate | None = None) -> Run | None:
    """Queue a run; None where that cannot be, with the reason shown.

    expected: what it was estimated to take, to be held against what it does.
    """
    try:
        run = lab.runs().create(config, called.name or None, called.note)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None
    if expected is not None:
        estimates.keep(expected, run)
    lab.engine().submit(run)
    st.toast(f"Launched {run_view.name(run)}.", icon=icons.START)
    return run


def empty_name_and_note() -> None:
    """Begin the name and the note of the next run anew."""
    st.session_state["_launched"] += 1


def bar() -> DeltaGenerator:
    """Where the buttons stand that launch: in view, however long the form above them is."""
    st.html(f"<style>{_BAR}</style>")
    return st.container(key="controls_launch")


_BAR = """
[data-testid="stLayoutWrapper"]:has(> .st-key-controls_launch) {
  position: sticky; bottom: 0; z-index: 5;
}
.st-key-controls_launch {
  padding: 0.6rem 0; backdrop-filter: blur(14px); background: var(--tl-surface);
}
[data-testid="stMain"] { scroll-padding-bottom: 5rem; }
"""


def show_wait(known: Sequence[Run]) -> None:
    """Say why a run launched now would not begin at once, where it would not."""
    with lab.failures_as_sentences():
        reason = reason_to_wait(known, load_preferences(lab.workspace()))
    if reason:
        st.caption(f"{icons.WAIT} {reason}")


def reason_to_wait(known: Sequence[Run], preferences: Preferences) -> str:
    """Why a run launched now would not begin at once; empty where it would.

    >>> reason_to_wait([], Preferences(paused=True))
    'The queue is paused: a run launched now waits until somebody lets the queue go on, at Runs.'
    """
    training = sum(map(run_view.is_working, known))
    waiting = len(in_queue_order(known))
    if preferences.paused:
        more = f" {_wait(waiting)}." if waiting else ""
        return (
            "The queue is paused: a run launched now waits until somebody lets the queue go on, "
            f"at Runs.{more}"
        )
    if training + waiting < preferences.at_once:
        return ""
    now = "1 run trains now" if training == 1 else f"{training} runs train now"
    told = [now] * bool(training) + [_wait(waiting)] * bool(waiting)
    return f"A run launched now will wait its turn: {' and '.join(told)}."


def _wait(count: int) -> str:
    return "1 run waits before it" if count == 1 else f"{count} runs wait before it"
