"""Choosing the two networks to compare: any two runs, or two epochs of one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import Run
from ui import lab
from ui.compare import link, scrubber
from ui.compare.test_sets import Compared, TestSet, compared
from ui.frame import icons
from ui.frame.empty import empty
from ui.runs import run_view


def choose(finished: Sequence[Run], test_set: TestSet) -> Compared:
    """Let a person choose runs A and B and their epochs; ends the page where they do not fit."""
    finished = [run for run in finished if test_set.takes(run)]
    if len(finished) < 2 and not test_set.by_epoch:
        link.write()
        with empty(
            icons.COMPARE,
            "Two networks stand side by side here, on what you wrote yourself.",
            "Two networks that read digits are needed to compare on handwriting, and there "
            f"{'is one' if finished else 'are none'} yet. Train another recipe for digits.",
            key="two_networks",
        ):
            st.page_link("pages/2_Train.py", label="Train a network", icon=icons.TRAIN)
        st.stop()
    place_a, place_b = _telling_pair(finished)
    _recall(finished)
    left, right = st.columns(2)
    with left:
        a = run_view.choose(finished, "Run A", parameter="a", default=place_a)
        below_a = st.container()
    with right:
        b = run_view.choose(finished, "Run B", parameter="b", default=place_b)
        below_b = st.container()
    for letter, run in (("a", a), ("b", b)):
        if link.kept_value(letter) not in ("", run.id):  # an epoch of another run
            link.keep(**{f"e{letter}": ""})
    epochs = a.state.best_epoch, b.state.best_epoch
    if test_set.by_epoch:
        epochs = scrubber.choose((a, b), (below_a, below_b))
    link.keep(
        a=a.id,
        b=b.id,
        ea="" if epochs[0] == a.state.best_epoch else epochs[0],
        eb="" if epochs[1] == b.state.best_epoch else epochs[1],
    )
    link.write()  # also where the two do not fit and the page ends here
    with lab.failures_as_sentences():
        return compared(test_set, (a, b), epochs)


def _recall(finished: Sequence[Run]) -> None:
    """Choose again what was chosen before another page was visited."""
    for letter in ("a", "b"):
        kept = link.kept_value(letter)
        if letter not in st.query_params and kept in {run.id for run in finished}:
            st.session_state[f"choice_{letter}"] = kept


def _telling_pair(finished: Sequence[Run]) -> tuple[int, int]:
    """Places of the newest run and the newest of another network, the better one first."""
    newest = finished[0]
    fitting = (
        place
        for place, run in enumerate(finished)
        if run.state.test_fingerprint == newest.state.test_fingerprint
        and run.config.network.architecture != newest.config.network.architecture
    )
    pair = (0, next(fitting, min(1, len(finished) - 1)))
    first, second = sorted(pair, key=lambda place: -finished[place].state.metrics["val_accuracy"])
    return first, second
