"""Compare: two trained networks side by side, from what they said of the same images."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Comparison, Outcome, verdict
from core.runs import Run
from ui import lab, run_view, theme
from ui.figures import FIGURE_WIDTH, Figure, figures
from ui.gallery import Part, gallery
from ui.navigation import page
from ui.picture import picture

PER_PAGE = 100
GALLERY_HEIGHT = 480
OUTCOMES: dict[Outcome, str] = {
    "only_a_right": "Only A right",
    "only_b_right": "Only B right",
    "both_wrong": "Both wrong",
    "both_right": "Both right",
}
GROUPS = {"disagreements": "They disagree", **OUTCOMES}


def choose_two(finished: list[Run]) -> tuple[Run, Run]:
    """Run A and run B, kept in the address so that a link opens the same comparison."""
    default_a, default_b = _telling_pair(finished)
    left, right = st.columns(2)
    with left:
        a = run_view.choose(finished, "Run A", parameter="a", default=default_a)
    with right:
        b = run_view.choose(finished, "Run B", parameter="b", default=default_b)
    return a, b


def _telling_pair(finished: list[Run]) -> tuple[int, int]:
    """Places of the newest run and the newest of another network, the better one first."""
    newest = finished[0]
    fitting = (
        place
        for place, run in enumerate(finished)
        if run.state.test_fingerprint == newest.state.test_fingerprint
        and run.config.network.architecture != newest.config.network.architecture
    )
    pair = (0, next(fitting, 1))
    first, second = sorted(pair, key=lambda place: -finished[place].state.metrics["val_accuracy"])
    return first, second


def show_verdict(comparison: Comparison) -> None:
    """The sentence, and the figures it rests on."""
    c = comparison
    st.markdown(f"#### {lab.plain(theme.superscripts(verdict(c)))}")
    significance = "unlikely by chance" if c.better else "may well be chance"
    figures(
        Figure(
            f"A · {run_view.name(c.a)}",
            theme.percent(c.accuracy_a),
            _ACCURACY,
            theme.interval(c.interval_a, theme.percent),
        ),
        Figure(
            f"B · {run_view.name(c.b)}",
            theme.percent(c.accuracy_b),
            _ACCURACY,
            theme.interval(c.interval_b, theme.percent),
        ),
        Figure(
            "A minus B",
            theme.points(c.difference),
            _DIFFERENCE,
            theme.interval(c.difference_interval, theme.points),
        ),
        Figure("McNemar p", theme.p_value(c.mcnemar_p), _MCNEMAR, significance),
    )


_ACCURACY = (
    "Share of the test images taken for what they are. The 95 % interval (Wilson) says how far the "
    "true share may lie from it, given how many images were tested."
)
_DIFFERENCE = (
    "Difference of the two accuracies in percentage points, with its 95 % interval from drawing "
    "the same test images again and again (paired bootstrap)."
)
_MCNEMAR = (
    "If both networks were equally good, how often would they differ at least this much on the "
    "images that only one of them gets right? (McNemar's exact test)"
)


def show_counts(comparison: Comparison) -> None:
    """How many images fall to each of the four outcomes."""
    with st.container(horizontal=True, gap="small"):
        for outcome, text in OUTCOMES.items():
            color = outcome_color(comparison, outcome)
            with st.container(border=True, width=FIGURE_WIDTH, gap="xsmall"):
                st.html(theme.swatch(color, text))
                st.markdown(f"### {theme.count(comparison.counts[outcome])}")


def outcome_color(comparison: Comparison, outcome: Outcome) -> str:
    """The colour of an outcome: a run's own where only that run is right."""
    winners = {"only_a_right": comparison.a, "only_b_right": comparison.b}
    if outcome in winners:
        return run_view.color_of(winners[outcome])
    return theme.OUTCOME_COLORS[outcome]


def positions_of(comparison: Comparison, shown: str) -> NDArray[np.int64]:
    """Positions of the images to show, those first on which A or B was surest."""
    chosen = comparison.disagreements() if shown == "disagreements" else comparison.positions(shown)
    a, b = comparison.predictions_a.probabilities, comparison.predictions_b.probabilities
    surest = np.maximum(a[chosen].max(axis=1), b[chosen].max(axis=1))
    return chosen[np.argsort(-surest, kind="stable")]


def caption(comparison: Comparison, position: int) -> list[Part]:
    """What stands under a picture: the true class, then what each network took it for."""
    names = comparison.a.config.class_names
    truth = int(comparison.predictions_a.labels[position])
    parts = [Part(f"true {names[truth]}", "muted")]
    for letter, made in (("A", comparison.predictions_a), ("B", comparison.predictions_b)):
        said = int(made.probabilities[position].argmax())
        sure = theme.percent(float(made.probabilities[position, said]), digits=0)
        parts.append(Part(f"{letter}: {names[said]} {sure}", "good" if said == truth else "bad"))
    return parts


def show_images(comparison: Comparison) -> None:
    """The images of one group, page by page, and beside them the one that was clicked."""
    shown = st.segmented_control(
        "Images",
        ["disagreements", *OUTCOMES],
        format_func=lambda group: f"{GROUPS[group]} · {len(positions_of(comparison, group)):,}",
        default="disagreements",
        required=True,
        label_visibility="collapsed",
    )
    positions = positions_of(comparison, shown)
    if len(positions) == 0:
        st.info("There is no such image.", icon=":material/check:")
        return
    many, one = st.columns([3, 2], gap="large")
    with many:
        clicked = show_gallery(comparison, shown, positions)
    with one:
        show_image(comparison, clicked)


def show_gallery(comparison: Comparison, shown: str, positions: NDArray[np.int64]) -> int:
    """Thumbnails of the images at some positions; the position of the one that is chosen."""
    st.caption(
        "Those that a network was surest of come first. Green is right, red is wrong. Click an "
        "image, or reach it by the arrow keys, to see it large."
    )
    pages = -(-len(positions) // PER_PAGE)
    current = st.pagination(pages, key=f"page_{shown}") if pages > 1 else 1
    positions = positions[(current - 1) * PER_PAGE : current * PER_PAGE]
    images = tested_images(comparison)
    with st.container(height=GALLERY_HEIGHT, border=False):
        clicked = gallery(
            images[positions],
            [caption(comparison, int(position)) for position in positions],
            key="compared",
            label=GROUPS[shown],
            selected=0,
        )
    return int(positions[clicked or 0])


def tested_images(comparison: Comparison) -> NDArray[np.uint8]:
    """The images that both were tested on, a folder's as sharp as the sharper of them saw it."""
    a, b = comparison.a, comparison.b
    side = max(a.config.network.side, b.config.network.side)
    with lab.failures_as_sentences():
        return lab.test_images(a, side).images


def show_image(comparison: Comparison, position: int) -> None:
    """One image large, with the probabilities that both networks gave it."""
    c = comparison
    index = int(c.predictions_a.indices[position])
    true_class = c.a.config.class_names[int(c.predictions_a.labels[position])]
    image = tested_images(c)[position]
    st.markdown(f"**Test image {index}** · true class **{lab.plain(true_class)}**")
    picture(image, side=196, alt=f"Test image {index}")
    run_view.bars(
        {
            c.a: c.predictions_a.probabilities[position],
            c.b: c.predictions_b.probabilities[position],
        },
        key="compared_bars",
    )


page("Compare", "⚖️")
finished = [run for run in lab.runs().all() if run.has_results]
if len(finished) < 2:
    st.info(
        f"Two trained networks are needed, and there {'is one' if finished else 'are none'} yet. "
        "Train the recipes cnn-digits and vgg16-digits: their mistakes are compared here.",
        icon=":material/info:",
    )
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
    st.stop()

run_a, run_b = choose_two(finished)
with lab.failures_as_sentences():
    compared = lab.comparison(run_a, run_b)
show_verdict(compared)
show_counts(compared)
show_images(compared)
