"""Your handwriting: all that was kept, to look through and mend, and how networks do on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.images import Judgement
from core.handwriting.handwriting import Samples
from core.handwriting.handwriting_scores import reads_handwriting
from core.registry.run import Run
from ui import lab, units
from ui.frame import icons
from ui.frame.empty import empty
from ui.pictures.gallery import Part, gallery
from ui.predict import handwriting_files, handwriting_scores, one_sample
from ui.predict.handwriting_scores import Score

PER_PAGE = 200
HEIGHT, MANY = 760, 40
"""Pixels that the samples are scrolled in, where there are that many."""
LABELS = tuple(range(10))
ANY = "any"
_LABELS, _SOURCE, _NETWORK, _ORDER, _PAGE = (
    f"handwriting_{part}" for part in ("labels", "source", "network", "order", "page")
)
_MISTAKES = "handwriting_mistakes"

Places = NDArray[np.int64]
"""Places of samples among all that can be read, oldest first."""


@dataclass(frozen=True)
class Order:
    """A way to put samples in order; `of_network` where it needs to know what a network says."""

    title: str
    key: Callable[[Places, Judgement | None], NDArray[np.floating] | Places]


ORDERS: dict[str, Order] = {
    "newest": Order("Newest first", lambda places, _: -places),
    "oldest": Order("Oldest first", lambda places, _: places),
    "furthest": Order(
        "Furthest off first",
        lambda places, judged: places if judged is None else judged.of_truth[places],
    ),
}


def show(finished: list[Run]) -> None:
    """How networks do on the samples, all samples, and one of them large."""
    with lab.failures_as_sentences():
        samples = lab.handwriting().read()
    runs = [run for run in finished if reads_handwriting(run)]
    st.caption(
        "Pictures that you kept on this page with “This was a …”: a test set of your own, which no "
        "network has seen unless it was told to learn from it."
    )
    handwriting_files.tell_of_damaged(samples)
    if not len(samples):
        one_sample.tell_of_changes()
        _invite()
        return
    scores = handwriting_scores.show(samples, runs)
    progress = st.empty()
    st.subheader("Samples", anchor="samples", divider="gray")
    score = _filters(samples, scores)
    places = _chosen(samples, score)
    left, right = st.columns([3, 2], gap="large")
    with left:
        place = _gallery(samples, places, score)
    with right:
        if place is None:
            one_sample.tell_of_changes()
        else:
            one_sample.show(samples, place, scores, _following(samples, places, place))
    handwriting_files.show(samples)
    handwriting_scores.ask_those_missing(samples, runs, progress)


def _invite() -> None:
    with empty(
        icons.PREDICT,
        "Your own digits become a test set here, on which every network is tested.",
        "Nothing is kept yet. Draw a digit, or bring a picture of one, and say below the answers "
        "what it was meant to be.",
        key="handwriting",
    ):
        st.button("Draw a digit", icon=icons.PREDICT, on_click=_draw)
    handwriting_files.show_without_samples()


def _draw() -> None:
    st.session_state["mode"] = "one"


def _filters(samples: Samples, scores: Sequence[Score]) -> Score | None:
    """What narrows the samples down; returns the network whose answers are looked at."""
    counts = np.bincount(samples.labels, minlength=len(LABELS)).tolist()
    st.pills(
        "Meant as",
        LABELS,
        format_func=lambda label: f"{label} · {units.count(counts[label])}",
        selection_mode="multi",
        key=_LABELS,
        wrap=True,
        help="Each digit with how many samples there are of it. Choose some to see only those.",
    )
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        sources = {sample.source for sample in samples.samples}
        if len(sources) > 1:
            titles: dict[str, str] = {name: one_sample.SOURCES[name] for name in sorted(sources)}
            _select("From", _SOURCE, {ANY: "Anywhere", **titles})
        by_id = {score.run.id: score for score in scores}
        if by_id:
            names = {run_id: score.run.name for run_id, score in by_id.items()}
            _select("As taken by", _NETWORK, names, width=240)
            st.checkbox("Only its mistakes", key=_MISTAKES)
        orders = {name: order.title for name, order in ORDERS.items()}
        _select("Order", _ORDER, orders)
    return by_id.get(st.session_state.get(_NETWORK, ""))


def _select(title: str, key: str, options: dict[str, str], width: int = 180) -> None:
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    st.selectbox(title, list(options), format_func=options.__getitem__, key=key, width=width)


def _chosen(samples: Samples, score: Score | None) -> Places:
    """The samples that the filters leave, in order."""
    state = st.session_state
    kept = np.ones(len(samples), bool)
    if labels := state.get(_LABELS):
        kept &= np.isin(samples.labels, labels)
    if (source := state.get(_SOURCE, ANY)) != ANY:
        kept &= np.array([sample.source == source for sample in samples.samples])
    judged = None if score is None else Judgement(score.predictions)
    if judged is not None and state.get(_MISTAKES):
        kept &= ~judged.right
    places = np.flatnonzero(kept)
    return places[np.argsort(ORDERS[state[_ORDER]].key(places, judged), kind="stable")]


def _gallery(samples: Samples, places: Places, score: Score | None) -> int | None:
    """A page of the samples that are left; returns the place of the one to look at."""
    if not len(places):
        empty(
            icons.NO_FILTER,
            "No sample is left.",
            "All are left out by what is chosen above. Take some of it away.",
            key="samples",
        )
        return None
    looked_at = _looked_at(samples, places)
    pages = -(-len(places) // PER_PAGE)
    st.markdown(f"**{units.count(len(places))} sample{'s'[: len(places) != 1]}**")
    if pages > 1:
        if st.session_state.get(_PAGE, 1) > pages:
            st.session_state[_PAGE] = pages
        st.pagination(pages, key=_PAGE)
    first = (st.session_state.get(_PAGE, 1) - 1) * PER_PAGE if pages > 1 else 0
    shown = places[first : first + PER_PAGE]
    marked = np.flatnonzero(shown == looked_at)
    with st.container(height=HEIGHT if len(shown) > MANY else "content", border=False):
        clicked = gallery(
            samples.digits[shown],
            [_caption(samples, place, score) for place in shown.tolist()],
            key="handwriting_gallery",
            label="Samples of handwriting",
            selected=int(marked[0]) if len(marked) else None,
            marks=[samples.samples[place].note for place in shown.tolist()],
        )
    if clicked is None:
        return looked_at
    one_sample.look_at(samples.samples[int(shown[clicked])].id)
    return int(shown[clicked])


def _looked_at(samples: Samples, places: Places) -> int:
    """The sample that was clicked last, else the first that is shown."""
    wanted = one_sample.looked_at()
    found = [place for place, sample in enumerate(samples.samples) if sample.id == wanted]
    return found[0] if found else int(places[0])


def _following(samples: Samples, places: Places, place: int) -> str:
    """The id of the sample to look at when one is deleted: the next, or the last before it."""
    others = places[places != place]
    if not len(others):
        return ""
    before = np.flatnonzero(places == place)
    standing = int(before[0]) if len(before) else 0
    return samples.samples[int(others[min(standing, len(others) - 1)])].id


def _caption(samples: Samples, place: int, score: Score | None) -> list[Part]:
    caption = [Part(f"meant {samples.samples[place].label}", "muted")]
    if score is not None:
        made = score.predictions
        sure = units.percent(float(made.probabilities[place].max()), digits=0)
        right = bool(made.correct[place])
        caption.append(Part(f"{made.classes[place]} · {sure}", "good" if right else "bad"))
    return caption
