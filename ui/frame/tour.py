"""The guided tour: five steps from page to page, each in a card that blocks nothing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from ui import lab
from ui.frame import address, icons
from ui.frame.browser import KEYS_JS, nothing
from ui.frame.pages import go_to, script_of
from ui.frame.tour_script import CSS, HTML, JS
from ui.theme import FILLED_COLOR

if TYPE_CHECKING:
    from streamlit.components.v2.types import ComponentRenderer

KEY = "tour"
TAKEN = "tour_taken"
"""In the session once somebody began the tour."""


class Step(NamedTuple):
    """One step: the page that it is on, the part of it that it speaks of, and what it says.

    opens: what the page's address shall say. part: the key of a container. needs: how many trained
    networks there must be for that; with fewer, `instead` is said.
    """

    page: str
    part: str
    title: str
    text: str
    opens: tuple[tuple[str, str], ...] = ()
    needs: int = 0
    instead: str = ""


STEPS = (
    Step(
        "Overview",
        "overview_answer",
        "The answer first",
        "Two networks took the same test: one built for digits, one carried over from "
        "photographs. Here is which is better, how sure that is, and digits that show it.",
        needs=2,
        instead="Does a network carried over from photographs beat one built for digits? Once two "
        "are trained, or the sample runs are brought in, the answer stands here with its pictures.",
    ),
    Step(
        "Data",
        "data_view_shown",
        "The pictures",
        "This is what networks learn from, looked at before one does: every class, odd pictures, "
        "doubles. Your own come in by “Import a dataset”.",
        opens=(("view", "pictures"),),
    ),
    Step(
        "Train",
        "train_launch",
        "Launch and watch",
        "Pick a recipe and launch it as it is: its curves grow at the side, and it trains on when "
        "you close this tab. Every setting can be changed, none has to be.",
    ),
    Step(
        "Compare",
        "compare_outcomes",
        "Where they disagree",
        "Every test image falls to one of four outcomes: both right, only one of them, or "
        "neither. “Show” opens exactly those images in the gallery below.",
        needs=2,
        instead="Two trained networks stand side by side here: which is better, and the very "
        "images on which they disagree. Bring in the sample runs to see it now.",
    ),
    Step(
        "Predict",
        "predict_picture",
        "Now you",
        "Draw a digit with the mouse or a finger: each network answers as soon as a stroke ends, "
        "and shows what it was fed. That was the tour.",
        needs=1,
        instead="Draw a digit here and watch each network decide, once one is trained. The sample "
        "runs can answer at once. That was the tour.",
    ),
)
PLACES = {step.page: place for place, step in enumerate(STEPS)}
"""The step of a page: whoever goes to a page by themselves is at its step."""


def offer(page: str) -> None:
    """A button that begins the tour, for the header of a page.

    On the first page it invites who may be here for the first time.
    """
    inviting = page == STEPS[0].page and TAKEN not in st.session_state
    if st.button(
        "Take the tour" if inviting else "Tour",
        type="primary" if inviting else "secondary",
        icon=icons.TOUR,
        key="tour_begin",
        help="Five steps through the pages; the tour can be left at any time.",
    ):
        _go(0)


def is_under_way() -> bool:
    """Whether somebody takes the tour."""
    return address.TOUR in address.kept()


def keep_step(page: str) -> None:
    """Have the address name the step of this page, where the tour is under way."""
    if is_under_way() and page in PLACES:
        address.keep(address.TOUR, str(PLACES[page] + 1))


def show(page: str) -> None:
    """The card of the step that is under way."""
    place = st.empty()  # what follows keeps its place on the page, and a drawing its strokes
    if is_under_way():
        with place:
            _show_step(page)


def _show_step(page: str) -> None:
    astray, place = page not in PLACES, PLACES.get(page, _told_place())
    on = place if astray else place + 1
    result = _component()(
        data={
            "step": place,
            "steps": len(STEPS),
            "title": STEPS[place].title,
            "text": ASTRAY if astray else _words(STEPS[place]),
            "part": "" if astray else STEPS[place].part,
            "back": "" if astray or not place else STEPS[place - 1].page,
            "on": STEPS[on].page if on < len(STEPS) else "",
        },
        key=KEY,
        on_go_change=nothing,
        on_left_change=lambda: address.keep(address.TOUR, ""),
    )
    if (way := result.get("go")) is not None:
        _go(on if way == "on" else place - 1)


ASTRAY = "This page is not part of the tour. Look around; the tour waits where you left it."


def _words(step: Step) -> str:
    trained = sum(run.has_results for run in lab.runs().all()) if step.needs else 0
    return step.text if trained >= step.needs else step.instead


def _told_place() -> int:
    """The place of the step that the address names, the first where it names none."""
    told = address.kept()[address.TOUR]
    return int(told) - 1 if told in map(str, range(1, len(STEPS) + 1)) else 0


def _go(place: int) -> None:
    step = STEPS[place]
    st.session_state[TAKEN] = True
    address.keep(address.PRESENT, "")
    address.keep(address.TOUR, str(place + 1))
    go_to(script_of(step.page), dict(step.opens) | address.kept())


def sheet(page: str) -> str:
    """The style that outlines the part of a page that the tour speaks of."""
    if not is_under_way() or page not in PLACES:
        return ""
    return f"""
.st-key-{STEPS[PLACES[page]].part} {{
  outline: 2px solid {FILLED_COLOR}; outline-offset: 0.5rem; border-radius: 0.4rem;
  scroll-margin: 5rem 0 {ROOM};
}}
[data-testid="stMainBlockContainer"] {{ padding-bottom: {ROOM}; }}
"""


ROOM = "16rem"
"""Left free at the end of a page, so that nothing stays behind the card."""


@functools.cache
def _component() -> ComponentRenderer:
    return st.components.v2.component("transfer_lab_tour", html=HTML, css=CSS, js=KEYS_JS + JS)
