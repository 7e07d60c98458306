"""Having the features of a network's images computed, wherever a page needs them."""

from __future__ import annotations

import streamlit as st

from core.feature_space.background import Background, Task, Work
from core.feature_space.space import FeatureSpace
from ui import lab, units
from ui.frame import icons
from ui.frame.empty import empty

TICK_SECONDS = 1.0
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


def offer(space: FeatureSpace, name: str, task: Task) -> None:
    """Offer to compute what is not there, or show how far that is.

    name: what the network is called on the page. The page is shown anew as soon as it is there,
    which must not be so yet.
    """
    background = Background(space)

    @st.fragment(run_every=TICK_SECONDS if background.at_work() else None)
    def tick() -> None:
        work = background.work()
        if work is not None and not work.ended:
            _progress(background, work, name, task)
        elif is_there(background.space, task):
            st.rerun()
        else:
            _ask(background, work, name, task)

    tick()


def _progress(background: Background, work: Work, name: str, task: Task) -> None:
    """How far the process is, what it will do after, and a way to end it."""
    counted = f", {work.done:,} of {work.total:,}" if work.total else ""
    left = f" · {units.duration(work.left)} left of this" if work.left else ""
    share = min(work.done / work.total, 1.0) if work.total else 0.0
    st.progress(share, text=f"{lab.plain(name)}: {work.phase}{counted}{left}")
    if not background.asked(task):
        st.caption("It goes on when you close this page.")
    else:
        st.caption(f"After that: {_WHAT[task]}. It goes on when you close this page.")
    if st.button("Cancel", icon=icons.CANCEL, key=f"cancel_{task}_{name}"):
        background.cancel()
        st.rerun()


def is_there(space: FeatureSpace, task: Task) -> bool:
    """Whether nothing is left to compute."""
    asked_for = space.train() if task == "neighbours" else space.map(task)
    return space.test() is not None and asked_for is not None


def _ask(background: Background, work: Work | None, name: str, task: Task) -> None:
    failed = work is not None and work.failure and work.task in (None, task)
    if work is not None and failed:
        st.error(lab.sentence(work.failure), icon=icons.ERROR)
        ways = st.container()
    else:
        missing = _MISSING[task].format(lab.plain(name))
        takes = f"{_TAKES[task]} What is computed is kept."
        ways = empty(":material/scatter_plot:", missing, takes, key=f"{task}_{name}")
    again = "Start again" if failed else f"Compute it for {lab.plain(name)}"
    if ways.button(again, icon=icons.START, key=f"compute_{task}_{name}"):
        with lab.failures_as_sentences():
            background.ask(task)
        st.rerun()
