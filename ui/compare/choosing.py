"""Choosing the two networks to compare: any two runs, or two epochs of one."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.analysis.images import Images
from core.predictions import stored_epochs
from core.runs import Run
from ui import lab, run_view
from ui.compare import link

TOGETHER = "epochs_together"


def choose(finished: Sequence[Run]) -> Images:
    """Let a person choose runs A and B and their epochs; ends the page where they do not fit."""
    place_a, place_b = _telling_pair(finished)
    _recall(finished)
    left, right = st.columns(2)
    with left:
        a = run_view.choose(finished, "Run A", parameter="a", default=place_a)
        below_a = st.container()
    with right:
        b = run_view.choose(finished, "Run B", parameter="b", default=place_b)
        below_b = st.container()
    epochs_a, epochs_b = stored_epochs(a), stored_epochs(b)
    if a.id == b.id and not any(map(link.kept_value, ("ea", "eb"))):
        others = [epoch for epoch in epochs_b if epoch != b.state.best_epoch]
        link.keep(eb=others[0] if others else "")
    with below_a:
        epoch_a = _choose_epoch(a, "a", epochs_a, epochs_b)
    with below_b:
        epoch_b = _choose_epoch(b, "b", epochs_b, epochs_a)
    if len(epochs_a) > 1 and len(epochs_b) > 1:
        st.checkbox(
            "Move both epochs together",
            key=TOGETHER,
            help="Moving one slider moves the other to the same epoch, or to its last.",
        )
    link.keep(
        a=a.id,
        b=b.id,
        ea="" if epoch_a == a.state.best_epoch else epoch_a,
        eb="" if epoch_b == b.state.best_epoch else epoch_b,
    )
    link.write()  # also where the two do not fit and the page ends here
    with lab.failures_as_sentences():
        return lab.images(a, b, epoch_a, epoch_b)


def _recall(finished: Sequence[Run]) -> None:
    """Choose again what was chosen before another page was visited."""
    for letter in ("a", "b"):
        kept = link.kept_value(letter)
        if letter not in st.query_params and kept in {run.id for run in finished}:
            st.session_state[f"choice_{letter}"] = kept


def _choose_epoch(run: Run, letter: str, epochs: Sequence[int], of_other: Sequence[int]) -> int:
    """A slider through the epochs of a run, which begins at its best; where there is one, that."""
    best, name = run.state.best_epoch, f"e{letter}"
    wanted = link.kept_value(name)
    chosen = int(wanted) if wanted.isdecimal() else best
    if wanted and chosen not in epochs:
        st.warning(
            f"Epoch {lab.plain(wanted)} of this link was not kept; the best is shown instead.",
            icon=":material/link_off:",
        )
        link.keep(**{name: ""})
        chosen = best
    if len(epochs) < 2 or chosen not in epochs:
        return chosen
    st.session_state[f"epoch_{letter}"] = chosen
    st.select_slider(
        f"Epoch of {letter.upper()}",
        epochs,
        key=f"epoch_{letter}",
        format_func=lambda epoch: f"{epoch} (best)" if epoch == best else str(epoch),
        on_change=_take,
        args=(letter, of_other),
    )
    return chosen


def _take(letter: str, of_other: Sequence[int]) -> None:
    """Keep the epoch that a slider was moved to, and move the other with it where asked."""
    epoch = st.session_state[f"epoch_{letter}"]
    link.keep(**{f"e{letter}": epoch})
    if st.session_state.get(TOGETHER) and len(of_other) > 1:
        near = min(of_other, key=lambda other: abs(other - epoch))
        link.keep(**{"eb" if letter == "a" else "ea": near})


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
