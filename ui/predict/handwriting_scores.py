"""How each network does on the samples of handwriting."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from core.errors import TransferLabError
from core.glossary import meaning_of
from core.handwriting.handwriting import Samples
from core.handwriting.handwriting_scores import evaluation, learned_from, stored_scores
from core.registry.evaluation import Evaluation
from core.registry.predictions import Predictions
from core.registry.run import Run
from ui import lab, questions, units
from ui.frame import icons

AT_ONCE = 2_000
"""Samples times networks that are asked about without being told to."""
MOST_NETWORKS = 6
"""Networks that are asked without being told to; each has to be loaded first."""
_FAILED, _WANTED = "handwriting_failed", "handwriting_wanted"


@dataclass(frozen=True, eq=False)
class Score:
    """What a run made of the samples as they are. learned: which of them it learned from."""

    run: Run
    predictions: Predictions
    learned: NDArray[np.bool_]

    @property
    def evaluation(self) -> Evaluation:
        """How many samples it takes for what they were meant to be."""
        return evaluation(self.predictions)


def show(samples: Samples, runs: Sequence[Run]) -> list[Score]:
    """The scores that are known, best first, and which networks were not asked yet."""
    scores, told = _known(samples, runs)
    head, compare = st.columns([3, 2], vertical_alignment="bottom")
    with head:
        st.subheader("How networks do on it", anchor=False)
    with compare:
        st.page_link(
            "pages/4_Compare.py",
            label="Compare two networks on your handwriting",
            icon=icons.COMPARE,
            query_params={"on": "handwriting"},
            disabled=len(runs) < 2,
        )
        st.page_link(
            "pages/2_Train.py",
            label="Train a network that learns from it too",
            icon=icons.TRAIN,
            help="Switch on “My handwriting” among the common settings of a recipe for digits.",
        )
    for sentence in told:
        st.warning(sentence, icon=icons.ERROR)
    if scores:
        st.dataframe(_table(scores), hide_index=True, width="stretch", column_config=_COLUMNS)
        st.caption(_about(samples, scores))
    _tell_of_missing(samples, _missing(samples, runs))
    return scores


def _known(samples: Samples, runs: Sequence[Run]) -> tuple[list[Score], list[str]]:
    scores, told = [], []
    for run in runs:
        made = stored_scores(run, samples)
        if made is None:
            continue
        try:
            learned = learned_from(run, samples, lab.workspace())
        except TransferLabError as error:
            told.append(lab.sentence(error))
            learned = np.zeros(len(samples), bool)
        scores.append(Score(run, made, learned))
    scores.sort(key=lambda score: -score.evaluation.accuracy)
    return scores, told


_COLUMNS = {
    "On your handwriting": st.column_config.NumberColumn(format="%.2f %%"),
    "On its test images": st.column_config.NumberColumn(format="%.2f %%"),
}


def _table(scores: Sequence[Score]) -> pd.DataFrame:
    made = [score.evaluation for score in scores]
    columns: dict[str, list[object]] = {
        "Run": [score.run.name for score in scores],
        "On your handwriting": [100 * each.accuracy for each in made],
        "Interval": [units.interval(each.interval, units.percent) for each in made],
        "Right": [f"{units.count(each.correct)} of {units.count(each.images)}" for each in made],
        "On its test images": [_tested(score.run) for score in scores],
    }
    if any(score.learned.any() for score in scores):
        columns["Learned from"] = [_learned(score) for score in scores]
    return pd.DataFrame(columns)


def _tested(run: Run) -> float | None:
    accuracy = run.state.metrics.get("test_accuracy")
    return None if accuracy is None else 100 * accuracy


def _learned(score: Score) -> str:
    """How many of the samples a run learned from, and how it does on the others."""
    known, others = int(score.learned.sum()), ~score.learned
    if not known:
        return "none of them"
    if not others.any():
        return "all of them"
    right = int(score.predictions.correct[others].sum())
    return f"{known} of them; right on {right} of the other {int(others.sum())}"


def _about(samples: Samples, scores: Sequence[Score]) -> str:
    told = (
        f"Of {units.count(len(samples))} sample{'s'[: len(samples) != 1]}, by each run's best "
        f"epoch. Wilson interval: {meaning_of('Wilson interval')} Few samples, wide interval."
    )
    if any(score.learned.any() for score in scores):
        told += " What a network learned from proves little: look at how it does on the others."
    return told


# --- Asking -------------------------------------------------------------------------------------


def _missing(samples: Samples, runs: Sequence[Run]) -> list[Run]:
    """The runs whose scores are not of the samples as they are."""
    return [run for run in runs if stored_scores(run, samples) is None]


def _tell_of_missing(samples: Samples, missing: Sequence[Run]) -> None:
    """Which networks are not asked by themselves, and the button that asks them."""
    failed: dict[str, str] = st.session_state.get(_FAILED, {})
    for run in missing:
        if run.id in failed:
            name = lab.plain(run.name)
            st.warning(f"{name} could not be asked: {failed[run.id]}", icon=icons.ERROR)
    if not missing or (_few(samples, missing) and not failed):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        number = len(missing)
        st.markdown(
            f"{units.count(number)} network{'s' if number > 1 else ''} "
            f"{'have' if number > 1 else 'has'} not been asked about the samples as they are now.",
            width="content",
        )
        st.button("Ask now", icon=icons.START, key="handwriting_ask", on_click=_want)


def _want() -> None:
    """Ask all whose answers are missing, also those that could not be asked before."""
    st.session_state.pop(_FAILED, None)
    st.session_state[_WANTED] = True


def _few(samples: Samples, missing: Sequence[Run]) -> bool:
    return len(missing) <= MOST_NETWORKS and len(samples) * len(missing) <= AT_ONCE


def ask_those_missing(samples: Samples, runs: Sequence[Run], place: DeltaGenerator) -> None:
    """Ask the networks whose scores are missing, where they are few or somebody wants it.

    To be called when all else is drawn: the page is drawn again with what they answer. place: where
    to tell how far that is.
    """
    failed: dict[str, str] = st.session_state.setdefault(_FAILED, {})
    missing = _missing(samples, runs)
    if not missing:
        st.session_state[_WANTED] = False
    if not (st.session_state.get(_WANTED) or _few(samples, missing)):
        return
    asked = [run for run in missing if run.id not in failed]
    if not asked:
        return
    for run in asked:
        try:
            with place.container():
                if questions.score_handwriting(run, samples) is None:
                    return  # the page is drawn again once it has answered
        except TransferLabError as error:
            failed[run.id] = lab.sentence(error)
    if any(stored_scores(run, samples) is None and run.id not in failed for run in asked):
        failed.update({run.id: _NOT_KEPT for run in asked if run.id not in failed})
    st.rerun()


_NOT_KEPT = "What it answered could not be written into its folder; make room, then ask again."
