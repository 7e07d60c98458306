"""Compare: two trained networks side by side, from what they said of the same images."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.comparison import Comparison, Outcome, verdict
from core.runs import Run
from ui import lab, run_view, theme
from ui.gallery import Part, gallery
from ui.navigation import page

PER_PAGE = 100
SHOWN = {
    "disagreements": "They disagree",
    "only_a_right": "Only A right",
    "only_b_right": "Only B right",
    "both_wrong": "Both wrong",
    "both_right": "Both right",
}


def choose_two(finished: list[Run]) -> tuple[Run, Run]:
    """Run A and run B, kept in the address so that a link opens the same comparison."""
    left, right = st.columns(2)
    with left:
        a = run_view.choose(finished, "Run A", parameter="a", default=_other_network(finished))
    with right:
        b = run_view.choose(finished, "Run B", parameter="b", default=0)
    return a, b


def _other_network(finished: list[Run]) -> int:
    """The newest run of another network than the newest run's, tested on the same images."""
    newest = finished[0]
    fitting = (
        place
        for place, run in enumerate(finished)
        if run.state.test_fingerprint == newest.state.test_fingerprint
        and run.config.network.architecture != newest.config.network.architecture
    )
    return next(fitting, 1)


def show_verdict(comparison: Comparison) -> None:
    """The sentence, and the figures it rests on."""
    c = comparison
    st.markdown(f"#### {lab.plain(verdict(c))}")
    a, b, difference, chance = st.columns(4)
    a.metric(f"A · {run_view.name(c.a)}", theme.percent(c.accuracy_a), help=_ACCURACY)
    a.caption(_interval(c.interval_a))
    b.metric(f"B · {run_view.name(c.b)}", theme.percent(c.accuracy_b), help=_ACCURACY)
    b.caption(_interval(c.interval_b))
    difference.metric("A minus B", theme.points(c.difference), help=_DIFFERENCE)
    difference.caption(_interval(c.difference_interval))
    chance.metric("McNemar p", theme.p_value(c.mcnemar_p), help=_MCNEMAR)
    chance.caption("small: not chance")


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


def _interval(interval: tuple[float, float]) -> str:
    low, high = interval
    return f"95 %: {100 * low:.2f} to {100 * high:.2f} %"


def show_counts(comparison: Comparison) -> None:
    """How many images fall to each of the four outcomes."""
    columns = st.columns(4)
    for column, (outcome, text) in zip(columns, _OUTCOMES.items(), strict=True):
        number = comparison.counts[outcome]
        column.metric(text, theme.count(number), border=True)


_OUTCOMES: dict[Outcome, str] = {
    "both_right": "Both right",
    "only_a_right": "Only A right",
    "only_b_right": "Only B right",
    "both_wrong": "Both wrong",
}


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


def show_gallery(comparison: Comparison) -> None:
    """The images of one group, page by page; a click shows one in detail."""
    shown = st.segmented_control(
        "Images",
        list(SHOWN),
        format_func=lambda group: f"{SHOWN[group]} ({len(positions_of(comparison, group)):,})",
        default="disagreements",
        required=True,
        label_visibility="collapsed",
    )
    positions = positions_of(comparison, shown)
    if len(positions) == 0:
        st.info("There is no such image.", icon=":material/check:")
        return
    number = -(-len(positions) // PER_PAGE)
    current = st.pagination(number, key=f"page_{shown}") if number > 1 else 1
    positions = positions[(current - 1) * PER_PAGE : current * PER_PAGE]
    st.caption(
        "The images that a network was surest of come first. Green is right, red is wrong. "
        "Click one to see both networks' probabilities."
    )
    images = lab.test_images(comparison.a.config.data.name).images
    clicked = gallery(
        images[comparison.predictions_a.indices[positions]],
        [caption(comparison, int(position)) for position in positions],
        key="compared",
        label=SHOWN[shown],
    )
    if clicked is not None:
        show_image(comparison, int(positions[clicked]))


def show_image(comparison: Comparison, position: int) -> None:
    """One image in detail: large, with the probabilities of both networks."""
    c = comparison
    index = int(c.predictions_a.indices[position])
    names = c.a.config.class_names
    picture, bars = st.columns([1, 2], gap="large")
    with picture:
        true_class = names[int(c.predictions_a.labels[position])]
        st.subheader(f"Test image {index}: {lab.plain(true_class)}", anchor=False)
        image = lab.test_images(c.a.config.data.name).images[index]
        st.image(run_view.enlarged(image, 280), output_format="PNG")
    with bars:
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
show_gallery(compared)
