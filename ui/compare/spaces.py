"""The features of the networks compared: what is kept of them, and having them computed."""

from __future__ import annotations

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.comparison import Side
from core.analysis.selection import Selection
from core.feature_space.background import Background, Task, Work
from core.feature_space.outline import within
from core.feature_space.space import FeatureSpace, Kind
from ui import lab, theme

TICK_SECONDS = 1.0
KINDS: dict[Kind, str] = {"pca": "PCA", "tsne": "t-SNE"}
_WHAT: dict[Task, str] = {
    "pca": "the PCA map",
    "tsne": "the t-SNE map",
    "neighbours": "the features of the training images",
}
_MISSING: dict[Task, str] = {
    "pca": "The PCA map of {} is not computed yet.",
    "tsne": "The t-SNE map of {} is not computed yet.",
    "neighbours": "The features of {}'s training images are not computed yet.",
}
_TAKES: dict[Task, str] = {
    "pca": "The network looks at every test image once: some seconds to some minutes.",
    "tsne": "On two processor cores 10,000 images take a minute or two, and longer while a "
    "network trains.",
    "neighbours": "The network looks at every training image once: some seconds to some minutes.",
}


def space_of(side: Side) -> FeatureSpace:
    """The features of one network."""
    return FeatureSpace(lab.workspace(), side.run, side.epoch)


def map_named(kind: Kind, letter: str) -> str:
    """What a selection and a link call a map.

    >>> map_named("tsne", "B")
    'tsne_b'
    """
    return f"{kind}_{letter.lower()}"


def outlined(selection: Selection, sides: tuple[Side, Side]) -> NDArray[np.bool_] | None:
    """Whether each test image lies within the outline of a selection.

    None where nothing is outlined, or the map that it was drawn on is not there.
    """
    if len(selection.outline) < 3 or (side := _outlined_side(selection, sides)) is None:
        return None
    made = space_of(side).map(_kind(selection))
    return None if made is None else within(made.points, selection.outline)


def tell_of_outline(selection: Selection, sides: tuple[Side, Side]) -> None:
    """Say so where the images are narrowed to an outline on a map that is not there."""
    if not selection.outline or outlined(selection, sides) is not None:
        return
    if (side := _outlined_side(selection, sides)) is None:
        st.warning("The link names a map that is not known; its outline is left out.")
        return
    kind, letter = KINDS[_kind(selection)], selection.outlined[-1].upper()
    st.warning(
        f"An outline was drawn on the {kind} map of {letter}, {lab.plain(side.name)}, which is not "
        "computed here: all images are shown, inside it and outside. Compute that map in the view "
        "“Map”.",
        icon=":material/lasso_select:",
    )


def _outlined_side(selection: Selection, sides: tuple[Side, Side]) -> Side | None:
    named = {
        map_named(kind, letter): side
        for kind in KINDS
        for letter, side in zip("AB", sides, strict=True)
    }
    return named.get(selection.outlined)


def _kind(selection: Selection) -> Kind:
    return "tsne" if selection.outlined.startswith("tsne") else "pca"


def offer(side: Side, letter: str, task: Task) -> None:
    """Offer to compute what is not there, or show how far that is.

    The page is shown anew as soon as it is there, which must not be so yet.
    """
    background = Background(space_of(side))

    @st.fragment(run_every=TICK_SECONDS if background.at_work() else None)
    def tick() -> None:
        work = background.work()
        if work is not None and not work.ended:
            _progress(background, work, letter, task)
        elif is_there(background.space, task):
            st.rerun()
        else:
            _ask(background, work, letter, task)

    tick()


def _progress(background: Background, work: Work, letter: str, task: Task) -> None:
    """How far the process is, what it will do after, and a way to end it."""
    counted = f", {work.done:,} of {work.total:,}" if work.total else ""
    left = f" · {theme.duration(work.left)} left of this" if work.left else ""
    share = min(work.done / work.total, 1.0) if work.total else 0.0
    st.progress(share, text=f"{letter}: {work.phase}{counted}{left}")
    if not background.asked(task):
        st.caption("It goes on when you close this page.")
    else:
        st.caption(f"After that: {_WHAT[task]}. It goes on when you close this page.")
    if st.button("Cancel", icon=":material/close:", key=f"cancel_{task}_{letter}"):
        background.cancel()
        st.rerun()


def is_there(space: FeatureSpace, task: Task) -> bool:
    """Whether nothing is left to compute."""
    asked_for = space.train() if task == "neighbours" else space.map(task)
    return space.test() is not None and asked_for is not None


def _ask(background: Background, work: Work | None, letter: str, task: Task) -> None:
    failed = work is not None and work.failure and work.task in (None, task)
    if work is not None and failed:
        st.error(lab.sentence(work.failure), icon=":material/error:")
    else:
        st.info(
            f"{_MISSING[task].format(letter)} {_TAKES[task]} What is computed is kept.",
            icon=":material/scatter_plot:",
        )
    again = "Start again" if failed else f"Compute it for {letter}"
    if st.button(again, icon=":material/play_arrow:", key=f"compute_{task}_{letter}"):
        with lab.failures_as_sentences():
            background.ask(task)
        st.rerun()
