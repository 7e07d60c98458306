"""What the pages work with: the runs, the engine that trains them, the process that predicts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import streamlit as st

from core.data.catalogue import DATASETS
from core.data.data_config import DataConfig
from core.data.datasets import Split, load_splits, load_tested
from core.errors import TransferLabError
from core.handwriting.handwriting import Handwriting
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.jobs import Tell
from core.predicting.prediction_service import PredictionService
from core.preferences import load_preferences
from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.runs import Runs
from core.training.engine import LocalEngine
from core.training.progress import tell_of
from core.workspace import Workspace, find_workspace
from ui.frame import icons, waiting


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


def warm_up(run: Run, epoch: int | None = None) -> None:
    """Begin loading a run, so that its first answer comes at once."""
    predictor().warm_up(run.id, epoch)


def test_images(run: Run, side: int) -> Split:
    """What a run was tested on, read once for all sessions; pictures from files in that size.

    Ends the page, with a word why, while they are not there. Raises what reading raises.
    """
    data = run.config.data
    size = side if data.sized else 0  # others come in one size
    return _test_images(data, run.state.test_fingerprint, size)


def example_images(dataset: str) -> Split:
    """The test images of a bundled dataset, read once for all sessions."""
    return _example_images(workspace(), dataset)


def training_images(config: RunConfig) -> Split:
    """What a run of such a configuration is trained on; as `test_images`."""
    place, side = workspace(), config.network.side
    key = "training images", place, config.model_dump_json(include={"data", "seed"}), side

    def load(tell: Tell) -> Split:
        report = partial(tell_of, tell)
        return load_splits(
            config.data, config.seed, side=side, workspace=place, report=report
        ).train

    return _there(waiting.wait_for("Reading the training images", key, load, most=4))


def _test_images(data: DataConfig, fingerprint: str, side: int) -> Split:
    place = workspace()
    key = "test images", place, data.model_dump_json(), fingerprint, side

    def load(tell: Tell) -> Split:
        report = partial(tell_of, tell)
        return load_tested(data, fingerprint, side=side, workspace=place, report=report)

    return _there(waiting.wait_for("Reading the test images", key, load, most=16))


def _there(split: Split | None) -> Split:
    if split is None:
        st.stop()
    return split


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


@st.cache_resource(max_entries=2, show_spinner=False)
def _example_images(workspace: Workspace, dataset: str) -> Split:
    return load_tested(DataConfig(name=dataset), "", side=0, workspace=workspace)
