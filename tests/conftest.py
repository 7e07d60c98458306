"""What tests of several modules start from: workspaces, runs with made-up predictions, MNIST."""

import gc
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from numpy.typing import NDArray

from core.assets import verified
from core.config import RunConfig
from core.predictions import write_epoch, write_truth
from core.processes import ProcessIdentity
from core.recipes import RECIPES
from core.runs import Run, Runs
from core.workspace import PROJECT, Workspace

# How long an example takes says nothing on a machine that does other work as well.
settings.register_profile("unhurried", settings.default, deadline=None)
settings.load_profile("unhurried")

MakeRun = Callable[..., Run]
CLASSES = 10


@pytest.fixture(scope="module")
def little_to_collect() -> Iterator[None]:
    """For files of tests that run pages: what was made before is left out of collecting garbage.

    Streamlit has all garbage collected after every run of a page, which takes long where tests
    before have loaded TensorFlow into the same process.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An empty workspace."""
    return Workspace(tmp_path / "workspace")


@pytest.fixture
def runs(workspace: Workspace) -> Runs:
    """The runs of an empty workspace."""
    return Runs(workspace)


@pytest.fixture
def config() -> RunConfig:
    """A configuration to make runs of."""
    return RECIPES["cnn-digits"].config


@pytest.fixture
def make_run(runs: Runs, config: RunConfig) -> MakeRun:
    """A function that makes a finished run which took each test image for a given class.

    `epochs` holds the classes after further epochs; the first, `classes`, is the best.
    """

    def make(
        classes: Sequence[int] = (7, 2, 1, 0),
        labels: Sequence[int] = (7, 2, 1, 0),
        *epochs: Sequence[int],
        name: str | None = None,
        fingerprint: str = "one test split",
    ) -> Run:
        run = runs.create(config, name)
        truth = np.array(labels, np.int64)
        write_truth(run.folder.predictions, truth, np.arange(len(truth)), fingerprint)
        for epoch, guessed in enumerate((classes, *epochs), start=1):
            write_epoch(run.folder.predictions, epoch, probabilities_of(guessed))
        accuracy = float(np.mean(np.equal(classes, labels)))
        return run.write_state(
            status="finished",
            epoch=1 + len(epochs),
            epochs_done=1 + len(epochs),
            best_epoch=1,
            test_fingerprint=fingerprint,
            metrics={"test_accuracy": accuracy, "test_loss": 0.5},
        )

    return make


def probabilities_of(classes: Sequence[int]) -> NDArray[np.float16]:
    """0.91 for the class of each image and 0.01 for every other, (count, 10)."""
    probabilities = np.full((len(classes), CLASSES), 0.01, np.float16)
    probabilities[np.arange(len(classes)), classes] = 0.91
    return probabilities


@pytest.fixture
def other_process() -> Iterator[tuple[subprocess.Popen[str], ProcessIdentity]]:
    """A living process that is not ours, with its identity as it sees it itself."""
    script = (
        "import sys; from core.processes import this_process;"
        "print(this_process().model_dump_json(), flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    with process:
        yield process, ProcessIdentity.model_validate_json(process.stdout.readline())
        process.kill()


@pytest.fixture(scope="session")
def mnist() -> dict[str, NDArray[np.uint8]]:
    """The arrays of the bundled MNIST file."""
    with np.load(verified("mnist.npz"), allow_pickle=False) as arrays:
        return dict(arrays)
