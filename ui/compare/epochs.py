"""How the two networks got there: what each epoch brought, what was learned and forgotten."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import streamlit as st

from core.analysis.comparison import OUTCOMES
from core.analysis.journey import Journey, outcomes
from core.analysis.selection import Selection
from core.registry.run import Run
from ui import lab, units
from ui.compare import confidence_words as words
from ui.compare import journeys, link, scrubber
from ui.compare.view import LETTERS, OUTCOME_NAMES, View
from ui.frame import icons
from ui.frame.empty import empty
from ui.plots.charts import Chart, Click, Mark, Scale, Series, line_chart
from ui.runs import findings

HEIGHT = 320
DRAWN_ZERO = 0.49
"""Where no image is drawn on an axis of logarithms; rounded, it is told as 0."""


class JourneyList(NamedTuple):
    """A list of images that a journey makes: what it is called and what is in it."""

    title: str
    meaning: str


LISTS = {
    "learned": JourneyList(
        "Learned",
        "wrong after epoch {first}, right after epoch {last}; those that took longest first",
    ),
    "forgotten": JourneyList(
        "Forgotten", "right before, wrong after epoch {last}; those right longest first"
    ),
    "flipping": JourneyList(
        "Flipping", "went from right to wrong or back more than once; the most changes first"
    ),
    "never": JourneyList(
        "Never right", "wrong after every epoch; those furthest from the truth first"
    ),
}
"""By the names of `Journey`."""


def show(view: View) -> None:
    """Charts of the epochs, a click on which moves both networks, and the lists of each."""
    found = _journeys(view)
    for letter, journey in found.items():
        _left_out(letter, journey, view.sides[LETTERS.index(letter)].run)
    if all(len(journey.epochs) < 2 for journey in found.values()):
        empty(
            ":material/timeline:",
            "What a network learns and forgets from epoch to epoch stands here.",
            "Of both, the predictions of one epoch were kept, so there is no way to follow. Have "
            f"one trained for more epochs: {_how_to_have_more(view.sides[0].run)}.",
            key="epochs",
        )
        return
    left, right = st.columns(2, gap="large")
    with left:
        in_left = _accuracy(view, found)
    with right:
        in_right = _outcomes(view, found)
    a, b = view.sides
    clicked = in_left if in_right is None else in_right
    if clicked is not None and scrubber.move((a.run, b.run), clicked):
        st.rerun()
    with st.container(key="controls_epochs"):
        st.caption(
            "Dotted lines: the epochs that are shown now. A click on an epoch moves "
            f"{'both networks' if len(found) == 2 else 'A'} there, and everything on this page."
        )
    for column, (letter, journey) in zip(st.columns(2, gap="large"), found.items(), strict=False):
        with column:
            _lists(view, letter, journey)


def _journeys(view: View) -> dict[str, Journey]:
    """The journeys of A and B, one where both are epochs of one run."""
    a, b = (side.run for side in view.sides)
    return {"A": journeys.of(a)} | ({} if a.id == b.id else {"B": journeys.of(b)})


def _how_to_have_more(run: Run) -> str:
    """What to click so that there are more epochs of a network."""
    if run.folder.has_checkpoint:
        return "choose “Train longer” at the run on the page Train"
    return "choose “Start from these settings” at the run on the page Runs"


def _left_out(letter: str, journey: Journey, run: Run) -> None:
    missing = journey.missing
    if run.is_sample and missing:
        st.caption(
            f"The sample run {letter} came with the predictions of {len(journey.epochs)} of its "
            f"{run.state.epochs_done} epochs, to be small."
        )
        missing = ()
    told = [
        *(f"epoch {epoch}, whose predictions are not there any more" for epoch in missing),
        *(f"epoch {epoch}, whose predictions cannot be read" for epoch in journey.damaged),
    ]
    if told:
        st.warning(
            f"Left out of {letter}: {'; '.join(told)}. Train the run again to get "
            f"{'it' if len(told) == 1 else 'them'} back.",
            icon=icons.WARNING,
        )


# --- Charts -------------------------------------------------------------------------------------


def _accuracy(view: View, found: Mapping[str, Journey]) -> int | None:
    clicked = line_chart(
        Chart(
            [
                Series(
                    f"{letter} · {side.run.name}",
                    journey.epochs,
                    journey.accuracy,
                    view.color(side),
                    mode="lines+markers",
                )
                for (letter, journey), side in zip(found.items(), view.sides, strict=False)
            ],
            title=_lead(found),
            hint="How many of the test images each got right after each of its epochs.",
            x=Scale("epoch"),
            y=Scale("share of images right", ".2~%"),
            height=HEIGHT,
            marks=_marks(view),
        ),
        key="accuracy_by_epoch",
        clicks=True,
    )
    of_a = clicked is None or not clicked.series.startswith("B")
    return _epoch(found["A" if of_a else "B"].epochs, clicked)


def _lead(found: Mapping[str, Journey]) -> str:
    """Who ends ahead, or what became of the one there is."""
    if len(found) < 2:
        journey = found["A"]
        return findings.of_run(findings.ACCURACY, (np.array(journey.epochs), journey.accuracy))
    a, b = (float(journey.accuracy[-1]) for journey in found.values())
    if a == b:
        return f"Both end at {units.percent(a)}"
    leader, against = ("A", b) if a > b else ("B", a)
    return f"{leader} ends ahead: {units.percent(max(a, b))} against {units.percent(against)}"


def _outcomes(view: View, found: Mapping[str, Journey]) -> int | None:
    """The four outcomes by epoch; of one run what each of its epochs changed."""
    if len(found) < 2:
        return _gains(view, found["A"])
    counted = outcomes(found["A"], found["B"])
    clicked = line_chart(
        Chart(
            [
                Series(
                    OUTCOME_NAMES[outcome],
                    counted.epochs,
                    np.maximum(counted.counts[outcome], DRAWN_ZERO),
                    view.outcome_color(outcome),
                    mode="lines+markers",
                    dash="solid" if outcome.startswith("only") else "dot",
                )
                for outcome in OUTCOMES
            ],
            title=f"After epoch {counted.epochs[-1]} only A is right on "
            f"{words.images(int(counted.counts['only_a_right'][-1]))}, only B on "
            f"{units.count(int(counted.counts['only_b_right'][-1]))}",
            hint="The four outcomes. Each line of the grid is ten times the one below.",
            x=Scale("epoch"),
            y=Scale("images", ",d", (0.9 * DRAWN_ZERO, 4.0 * len(found["A"].labels)), log=True),
            height=HEIGHT,
            marks=_marks(view),
        ),
        key="outcomes_by_epoch",
        clicks=True,
    )
    lasts = {letter: journey.epochs[-1] for letter, journey in found.items()}
    if len(set(lasts.values())) > 1:
        shorter = min(lasts, key=lasts.__getitem__)
        st.caption(f"After epoch {lasts[shorter]}, its last, {shorter} counts as it was then.")
    return _epoch(counted.epochs, clicked)


def _gains(view: View, journey: Journey) -> int | None:
    """How many images each epoch of a run got right that were wrong before, and the reverse."""
    before, after = journey.right[:-1], journey.right[1:]
    gained = np.count_nonzero(~before & after, axis=1)
    lost = np.count_nonzero(before & ~after, axis=1)
    epochs, color = journey.epochs[1:], view.color(view.sides[0])
    setbacks = [epoch for epoch, net in zip(epochs, gained - lost, strict=True) if net < 0]
    clicked = line_chart(
        Chart(
            [
                Series("became right", epochs, gained, color, mode="bars"),
                Series("became wrong", epochs, lost, color, mode="bars", dash="dot"),
            ],
            title=_gains_in_words(setbacks),
            hint="How many images became right with each epoch, and how many became wrong.",
            x=Scale("epoch"),
            y=Scale("images", ",d"),
            height=HEIGHT,
            marks=_marks(view),
        ),
        key="gains_by_epoch",
        clicks=True,
    )
    return _epoch(epochs, clicked)


def _gains_in_words(setbacks: Sequence[int]) -> str:
    """Which epochs made more wrong than right."""
    if not setbacks:
        return "Every epoch made at least as many right as wrong"
    if len(setbacks) == 1:
        return f"All but epoch {setbacks[0]} made at least as many right as wrong"
    return f"{len(setbacks)} epochs made more wrong than right"


def _marks(view: View) -> list[Mark]:
    """The epochs that are shown, each with who is shown after it."""
    shown: dict[int, str] = {}
    for letter, side in zip(LETTERS, view.sides, strict=True):
        shown[side.epoch] = f"{shown[side.epoch]}, {letter}" if side.epoch in shown else letter
    return [Mark(epoch, label=letters) for epoch, letters in shown.items()]


def _epoch(epochs: Sequence[int], clicked: Click | None) -> int | None:
    """The epoch that was clicked, None where none was."""
    return epochs[clicked.place] if clicked and clicked.place < len(epochs) else None


# --- Lists --------------------------------------------------------------------------------------


def _lists(view: View, letter: str, journey: Journey) -> None:
    """What a network learned, forgot, could not decide on and never got, with ways to see it."""
    side = view.sides[LETTERS.index(letter)]
    st.markdown(f"**{letter} · {lab.plain(side.run.name)}**")
    if len(journey.epochs) < 2:
        st.caption(
            "Of this run the predictions of one epoch were kept: what it learned and forgot shows "
            f"once it has more: {_how_to_have_more(side.run)}."
        )
        return
    total = len(journey.labels)
    st.caption(f"{units.count(journey.always)} of {units.count(total)} were right every time.")
    with st.container(key=f"controls_lists_{letter}"):
        for name in LISTS:
            _list(view, letter, journey, name)


def _list(view: View, letter: str, journey: Journey, name: str) -> None:
    """A button that shows the images of a list, and what they are."""
    listed, special = LISTS[name], f"{name}_{letter.lower()}"
    count = len(getattr(journey, name))
    button, meaning = st.columns([2, 3], gap="small", vertical_alignment="center")
    button.button(
        f"{listed.title}: {units.count(count)}",
        key=f"list_{special}",
        type="primary" if view.selection.special == special else "secondary",
        disabled=count == 0,
        width="stretch",
        help="Show them in the gallery below.",
        on_click=link.show,
        args=(Selection(group="all", special=special),),
    )
    meaning.caption(listed.meaning.format(first=journey.epochs[0], last=journey.epochs[-1]))
