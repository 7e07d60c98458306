"""What the pages work with: the runs, the engine that trains them, the process that predicts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.activations.excitement import Strongest
from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig
from core.data.datasets import Split, load_tested
from core.errors import TransferLabError
from core.explaining import occlusion
from core.explaining.heat import Heat
from core.handwriting.handwriting import Handwriting
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.predicting.prediction_service import PredictionService
from core.predicting.readings import Ask
from core.preferences import load_preferences
from core.registry import evaluation
from core.registry.run import Run
from core.registry.runs import Runs
from core.training.engine import LocalEngine
from core.workspace import Workspace, find_workspace
from ui.frame import icons


def workspace() -> Workspace:
    """The workspace that this server shows."""
    return find_workspace()


def runs() -> Runs:
    """The runs of the workspace."""
    return Runs(workspace())


def library() -> Library:
    """The datasets that were imported into the workspace."""
    return Library(workspace())


def imported(name: str) -> ImportedDataset | None:
    """An imported dataset, None where there is none of that name or it cannot be read."""
    if name in DATASETS:
        return None
    try:
        return library().find(name)
    except TransferLabError:
        return None  # who launches a run on it is told


def handwriting() -> Handwriting:
    """The samples of handwriting of the workspace."""
    return Handwriting(workspace())


def cache_limit() -> int:
    """Bytes that the output of frozen layers may take on disk."""
    with failures_as_sentences():
        return load_preferences(workspace()).cache_limit


def engine() -> LocalEngine:
    """Where runs are trained."""
    return LocalEngine(workspace())


def see_to_queue() -> None:
    """Have runs that wait trained, also where whoever worked through the queue is gone.

    A restart of the machine ends the runner; whoever opens a page next starts it again.
    """
    _see_to_queue(workspace())


def predictor() -> PredictionService:
    """What answers for networks, shared by all sessions."""
    return _predictor(workspace())


def asking(run: Run, epoch: int | None = None) -> Ask:
    """A function that asks a run about many images at once, also from a thread of its own."""
    return partial(_ask, predictor(), run.id, epoch)


def _ask(
    service: PredictionService, run_id: str, epoch: int | None, images: NDArray[np.uint8]
) -> NDArray[np.float32]:
    return service.predict(run_id, images, epoch)


def warm_up(run: Run, epoch: int | None = None) -> None:
    """Begin loading a run, so that its first answer comes at once."""
    predictor().warm_up(run.id, epoch)


def evaluate(run: Run, epoch: int) -> tuple[evaluation.Evaluation, bool]:
    """How an epoch does on the test images, and whether that had to be computed from its weights.

    Raises what reading predictions and predicting raise.
    """
    if (stored := evaluation.stored_evaluation(run, epoch)) is not None:
        return stored, False
    tested, parts = test_images(run, run.config.network.side), []
    place = st.empty()
    with place.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, text="Evaluating the test images …")
        # Any click begins a new run of the script, and this one ends where the bar moves next.
        st.button("Cancel", icon=icons.CANCEL, key=f"cancel_evaluation_{run.id}")
    for start in range(0, len(tested), AT_ONCE):
        images = tested.images[start : start + AT_ONCE]
        parts.append(predictor().predict(run.id, images, epoch))
        done = start + len(images)
        bar.progress(done / len(tested), text=f"Evaluated {done:,} of {len(tested):,} images")
    place.empty()
    return evaluation.evaluate(np.concatenate(parts), tested.labels), True


AT_ONCE = 500
"""Images that are evaluated before it is told how many are done."""


def test_images(run: Run, side: int) -> Split:
    """What a run was tested on, read once for all sessions; pictures from files in that size."""
    data = run.config.data
    size = side if data.sized else 0  # others come in one size
    return _test_images(workspace(), data.model_dump_json(), run.state.test_fingerprint, size)


def example_images(dataset: str) -> Split:
    """The test images of a bundled dataset, read once for all sessions."""
    return _test_images(workspace(), DataConfig(name=dataset).model_dump_json(), "", 0)


@contextmanager
def failures_as_sentences() -> Iterator[None]:
    """Show an expected failure as the sentence it carries and end the page there."""
    try:
        yield
    except TransferLabError as error:
        st.error(sentence(error), icon=icons.ERROR)
        st.stop()


def sentence(failure: TransferLabError | str) -> str:
    """The words of a failure, as a sentence that no markup in it can change."""
    text = str(failure)
    whole = text[:1].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")
    return plain(whole)


def plain(text: str) -> str:
    """Text from outside, such as a name or a path, for where Streamlit reads Markdown."""
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in text)


_MARKUP = set("\\`*_{}[]()#+-.!|<>~$:^&")


@st.cache_data(show_spinner=False, ttl=10)
def _see_to_queue(workspace: Workspace) -> None:
    with suppress(TransferLabError, OSError):  # Runs says why nothing begins
        LocalEngine(workspace).wake_if_asleep()


@st.cache_resource(show_spinner=False)
def _predictor(workspace: Workspace) -> PredictionService:
    return PredictionService(workspace)


@st.cache_resource(max_entries=16, show_spinner="Reading the test images …")
def _test_images(workspace: Workspace, data: str, fingerprint: str, side: int) -> Split:
    config = DataConfig.model_validate_json(data)
    return load_tested(config, fingerprint, side=side, workspace=workspace)
