"""How far each network's confidence can be relied on, and what answering only where sure brings."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.calibration import Answered, Bins, Calibration, calibrate
from core.analysis.images import Judgement
from core.analysis.selection import Selection, Span
from core.glossary import meaning_of
from ui import lab, theme, units
from ui.compare import confidence_words as words
from ui.compare import link
from ui.compare.view import LETTERS, View
from ui.frame import icons
from ui.plots.charts import Chart, Mark, Scale, Series, line_chart
from ui.plots.figures import Figure, figures

HEIGHT = 360
HISTOGRAM_HEIGHT = 240
THRESHOLD, STEP, HIGHEST = 90.0, 0.1, 99.9
"""Per cent: what is asked of an answer at first, how finely that can be changed, the most."""
_KEY = "confidence_threshold"


def show(view: View) -> None:
    """Figures, reliability, coverage at a threshold, and histograms of both networks."""
    judged = {
        letter: _calibration(side.version, _judgement=judgement)
        for letter, side, judgement in zip(
            LETTERS, view.sides, (view.images.a, view.images.b), strict=True
        )
    }
    _figures(judged)
    threshold = _threshold()
    answered = {letter: made.coverage.at(threshold / 100) for letter, made in judged.items()}
    left, right = st.columns(2, gap="large")
    with left:
        _reliability(view, judged)
    with right:
        _coverage(view, judged, answered)
    _choose_threshold(threshold)
    for column, (letter, now) in zip(st.columns(2, gap="large"), answered.items(), strict=True):
        with column:
            _turned_away(view, letter, now)
    for column, (letter, made) in zip(st.columns(2, gap="large"), judged.items(), strict=True):
        with column:
            _histogram(view, letter, made.bins, answered[letter], _most(judged))
    with st.container(key="controls_confidence"):
        st.caption("A click on a point or a bar shows the images of that confidence below.")


@st.cache_resource(max_entries=32, show_spinner=False)
def _calibration(version: tuple[object, ...], _judgement: Judgement) -> Calibration:
    return calibrate(_judgement)


# --- Figures ------------------------------------------------------------------------------------


def _figures(judged: dict[str, Calibration]) -> None:
    figures(
        *(
            Figure(
                f"{letter}: ECE",
                units.percent(made.bins.expected_error),
                _ECE,
                words.excess_in_words(made.excess),
            )
            for letter, made in judged.items()
        ),
        *(
            Figure(f"{letter}: Brier score", units.figure(made.brier), _BRIER)
            for letter, made in judged.items()
        ),
    )
    for letter, made in judged.items():
        if made.unsure:
            st.warning(
                f"{letter} gave {words.images(made.unsure)} a confidence that is no number: its "
                "training diverged. They are in no chart here and count as turned away. Train the "
                "run again with a lower learning rate.",
                icon=icons.WARNING,
            )


_ECE = (
    f"{meaning_of('ECE')} Here in 15 bins of equal width. At 0 % an answer given with 80 % "
    "confidence is right 8 times in 10."
)
_BRIER = (
    f"{meaning_of('Brier score')} It falls when a network gets more right, and when it knows "
    "better which those are."
)


# --- Reliability --------------------------------------------------------------------------------


def _reliability(view: View, judged: dict[str, Calibration]) -> None:
    """How often answers are right against how sure they were, of both networks."""
    names = _names(view)
    clicked = line_chart(
        Chart(
            [
                Series("as sure as right", [0, 1], [0, 1], theme.WATCHED_COLOR, dash="dot"),
                *(
                    _reliability_line(names[letter], made.bins, view.color(side))
                    for (letter, made), side in zip(judged.items(), view.sides, strict=True)
                ),
            ],
            title=words.reliability(judged),
            hint="Above the dotted line a network is right more often than it says, below it less "
            "often. Whiskers: 95 % intervals, long where few images have that confidence.",
            x=Scale("confidence", ".0%", (-0.02, 1.03)),
            y=Scale("share of images right", ".1~%", (-0.02, 1.03)),
            height=HEIGHT,
            hover="closest",
        ),
        key="reliability",
        clicks=True,
    )
    for letter, made in judged.items():
        filled = _filled(made.bins)
        if clicked and clicked.series == names[letter] and clicked.place < len(filled):
            _show_bin(letter, made.bins, int(filled[clicked.place]))


def _reliability_line(name: str, bins: Bins, color: str) -> Series:
    filled = _filled(bins)
    return Series(
        name,
        bins.confidence[filled],
        bins.accuracy[filled],
        color,
        mode="lines+markers",
        hover=[_bin_in_words(bins, int(place)) for place in filled],
        low=bins.intervals[filled, 0],
        high=bins.intervals[filled, 1],
    )


def _bin_in_words(bins: Bins, place: int) -> str:
    count = int(bins.counts[place])
    return f"of {words.images(count)}, {words.span_in_words(bins.span(place))} sure"


def _filled(bins: Bins) -> NDArray[np.int64]:
    return np.flatnonzero(bins.counts)


def _show_bin(letter: str, bins: Bins, place: int) -> None:
    chosen = _judged_within(letter, bins.span(place))
    if chosen != link.selection():
        link.show(chosen)
        st.rerun()


def _judged_within(letter: str, span: Span, *, turned: bool = False) -> Selection:
    """The images that a network judged with a confidence in a span."""
    part = {f"confidence_{letter.lower()}": span}
    return Selection.model_validate({"group": "all", "turned": turned, **part})


# --- Coverage -----------------------------------------------------------------------------------


def _coverage(view: View, judged: dict[str, Calibration], answered: dict[str, Answered]) -> None:
    """How well each does where it answers only if surer than a threshold, for all thresholds."""
    names = _names(view)
    lines, rings = [], []
    for (letter, made), side in zip(judged.items(), view.sides, strict=True):
        shares, accuracies, least = made.coverage.curve()
        hover = [f"where at least {units.percent(float(sure), digits=1)} sure" for sure in least]
        color, now = view.color(side), answered[letter]
        line = Series(names[letter], shares, accuracies, color, hover=hover)
        lines.append(line if len(shares) > 1 else replace(line, mode="markers"))
        if now.answered:
            ring = f"{letter} at the threshold"
            rings.append(Series(ring, [now.coverage], [now.accuracy], color, mode="rings"))
    line_chart(
        Chart(
            [*lines, *rings],
            title=words.coverage(answered),
            hint="Further to the left fewer images are answered, only those it is surest of. The "
            "rings are where the threshold below stands.",
            x=Scale("share of images answered", ".1~%"),
            y=Scale("right of those answered", ".2~%"),
            height=HEIGHT,
        ),
        key="coverage",
    )


def _choose_threshold(threshold: float) -> None:
    st.session_state[_KEY] = threshold
    st.slider(
        "Answer only where surer than",
        0.0,
        HIGHEST,
        step=STEP,
        format="%.1f %%",
        key=_KEY,
        help="What a network is less sure of is turned away, for a person to look at.",
        on_change=_keep_threshold,
    )


def _turned_away(view: View, letter: str, now: Answered) -> None:
    """What a threshold does to one network, in a sentence, and the images it costs."""
    with st.container(gap="xsmall"):
        told = words.in_words(now).replace(" %", "\N{NO-BREAK SPACE}%")
        st.markdown(f"**{lab.plain(_names(view)[letter])}** {told}")
        st.button(
            f"Show what {letter} turns away: {words.images(now.turned_away)}",
            icon=":material/block:",
            key=f"turned_away_{letter.lower()}",
            disabled=now.turned_away == 0,
            on_click=link.show,
            args=(_judged_within(letter, (0.0, now.threshold), turned=True),),
        )


def _threshold() -> float:
    """The threshold of the link, in per cent; the usual one where it holds none to be used."""
    try:
        wanted = float(link.kept_value("threshold"))
    except ValueError:
        return THRESHOLD
    return round(min(max(wanted, 0.0), HIGHEST), 1) if math.isfinite(wanted) else THRESHOLD


def _keep_threshold() -> None:
    link.keep(threshold=f"{st.session_state[_KEY]:g}")


# --- Histograms ---------------------------------------------------------------------------------


def _histogram(view: View, letter: str, bins: Bins, now: Answered, most: int) -> None:
    """How many images a network judged with which confidence, rightly and wrongly."""
    color = view.color(view.sides[LETTERS.index(letter)])
    centres = (bins.edges[1:] + bins.edges[:-1]) / 2
    hover = [_bin_in_words(bins, place) for place in range(len(centres))]
    clicked = line_chart(
        Chart(
            [
                Series("right", centres, bins.right, color, mode="bars", hover=hover),
                Series("wrong", centres, bins.wrong, color, mode="bars", dash="dot", hover=hover),
            ],
            title=words.sure_mistakes(letter, now),
            hint=f"How sure {_names(view)[letter]} is. Each line of the grid is ten times the one "
            "below.",
            x=Scale("confidence", ".0%", (0, 1.02)),
            y=Scale("images", ",d", (0.5, 2.0 * max(most, 1)), log=True),
            height=HISTOGRAM_HEIGHT,
            marks=[Mark(now.threshold, f"Answers to the right of {100 * now.threshold:.1f} %")],
        ),
        key=f"histogram_{letter.lower()}",
        clicks=True,
    )
    if clicked and clicked.place < len(centres):
        _show_bin(letter, bins, clicked.place)


def _most(judged: dict[str, Calibration]) -> int:
    """The highest bar of both histograms."""
    return max(int(max(made.bins.right.max(), made.bins.wrong.max())) for made in judged.values())


# --- Words --------------------------------------------------------------------------------------


def _names(view: View) -> dict[str, str]:
    return {
        letter: f"{letter} · {side.name}" for letter, side in zip(LETTERS, view.sides, strict=True)
    }
