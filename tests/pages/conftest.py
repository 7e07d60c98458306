"""What tests of pages start from: a page run by Streamlit's AppTest, and runs for it to show."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.processes import ProcessIdentity
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import append_event
from core.workspace import ENVIRONMENT_VARIABLE, PROJECT, Workspace

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
PATIENCE = 200
"""Seconds after which what a page computes will not be there any more."""
TESTED = 40
"""Images that made-up runs were tested on, the first of MNIST's test part."""


@pytest.fixture(autouse=True)
def _shown_workspace(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(workspace.root))
    monkeypatch.chdir(PROJECT)


@pytest.fixture(autouse=True)
def _ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are run on until what they compute in the background is there.

    A browser asks again by itself, AppTest does not.
    """
    run = AppTest._run

    def run_on(at: AppTest, *arguments: Any, **named: Any) -> AppTest:
        run(at, *arguments, **named)
        deadline = time.monotonic() + PATIENCE
        while any(str(button.key).startswith("waiting_cancel") for button in at.button):
            assert time.monotonic() < deadline, "the page waits in vain"
            time.sleep(0.1)
            run(at, at._tree.get_widget_states(), named.get("timeout"))
        return at

    monkeypatch.setattr(AppTest, "_run", run_on)


@pytest.fixture
def open_page() -> OpenPage:
    """A function that opens a page by its script, with parameters as in its address."""

    def open_(script: str = "app.py", **parameters: str) -> AppTest:
        at = AppTest.from_file(PROJECT / "app.py", default_timeout=200)
        at.query_params.update(parameters)
        return (at if script == "app.py" else at.switch_page(script)).run()

    return open_


@pytest.fixture
def make_trained(runs: Runs, mnist: dict[str, NDArray[np.uint8]]) -> MakeTrained:
    """A function that makes a run which finished and took some test images for other classes.

    `wrong` holds, by position, the class that an image was taken for instead of its own.
    """

    def make(
        name: str | None = None,
        wrong: Mapping[int, int] = {},
        *,
        recipe: str = "cnn-digits",
        tested: int = TESTED,
        fingerprint: str = "",
        **changes: Any,
    ) -> Run:
        run = runs.create(change(RECIPES[recipe].config, {"test_images": tested}), name)
        labels = mnist["y_test"][:tested].astype(np.int64)
        guessed = labels.copy()
        guessed[list(wrong)] = list(wrong.values())
        probabilities = np.full((tested, 10), 0.01, np.float16)
        probabilities[np.arange(tested), guessed] = 0.91
        truth = fingerprint or f"the first {tested} of MNIST"
        write_truth(run.folder.predictions, labels, np.arange(tested), truth)
        write_epoch(run.folder.predictions, 1, probabilities)
        accuracy = float(np.mean(guessed == labels))
        for batch in (1, 2):
            loss = {"loss": 2.0 / batch, "accuracy": 0.4 * batch}
            append_event(
                run.folder.metrics,
                {"event": "batch", "epoch": 1, "batch": batch, "batches": 2, **loss},
            )
        metrics = {
            "test_accuracy": accuracy,
            "test_loss": 0.0943,
            "val_accuracy": accuracy,
            "val_loss": 0.0943,
        }
        append_event(run.folder.metrics, {"event": "epoch", "epoch": 1, **metrics})
        ended = {
            "status": "finished",
            "epoch": 1,
            "epochs_done": 1,
            "best_epoch": 1,
            "seconds": 65.0,
            "precision": "float32",
            "test_fingerprint": truth,
            "metrics": metrics,
        }
        return run.write_state(**(ended | changes))

    return make


@pytest.fixture
def make_running(
    runs: Runs, other_process: tuple[subprocess.Popen[str], ProcessIdentity]
) -> Callable[[], Run]:
    """A function that makes a run which a living process seems to be at work on."""

    def make() -> Run:
        run = runs.create(RECIPES["cnn-digits"].config, "at work")
        event = {"event": "batch", "epoch": 1, "batch": 3, "batches": 698}
        append_event(run.folder.metrics, event | {"loss": 1.5, "accuracy": 0.5})
        return run.write_state(
            status="running",
            process=other_process[1],
            phase="training",
            epoch=1,
            done=3,
            total=698,
            unit="batches",
        )

    return make


@pytest.fixture
def damaged_folder(workspace: Workspace) -> Path:
    """A run's folder of which half a file was written."""
    folder = workspace.runs / "20260101-000000-dead"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text('{"id": "20260101-0000')
    return folder


@pytest.fixture(autouse=True)
def _idle_runner(workspace: Workspace, request: pytest.FixtureRequest) -> Iterator[None]:
    """Runs that wait go on waiting: the test holds the lock that every runner waits for.

    Whoever opens a page has the queue seen to, and a test that looks at a page trains nothing.
    """
    if "runners_may_begin" in request.fixturenames:
        yield
        shutil.rmtree(workspace.runs, ignore_errors=True)
        return
    workspace.root.mkdir(parents=True)
    with FileLock(workspace.runner_lock):
        yield
        # What is left to train when a runner gets the lock: nothing.
        shutil.rmtree(workspace.runs, ignore_errors=True)
    psutil.wait_procs(_runners(workspace), timeout=200)


@pytest.fixture
def runners_may_begin() -> None:
    """For a test of what becomes of waiting runs."""


def _runners(workspace: Workspace) -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and {"core.training.runner", str(workspace.root)} <= set(child.cmdline())
    ]


@pytest.fixture(autouse=True, scope="module")
def _predictors_end(components_known: None, little_to_collect: None) -> Iterator[None]:
    """Whatever process answered predictions for a workspace of a file's tests ends with them.

    Each holds TensorFlow and its networks. That of the trained networks goes on, as tests of other
    files will ask it.
    """
    yield
    ours = [
        child
        for child in psutil.Process().children()
        if child.status() != psutil.STATUS_ZOMBIE
        and "core.predicting.answering" in child.cmdline()
        and not Path(child.cmdline()[-1]).name.startswith("trained")
    ]
    for process in ours:
        process.kill()
    psutil.wait_procs(ours, timeout=200)


@pytest.fixture(scope="session")
def trained_workspace(
    trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Workspace:
    """A workspace with a network that was really trained, if only a little, under two names."""
    workspace = Workspace(tmp_path_factory.mktemp("trained"))
    cnn = Runs(trained_workspace).find("cnn")
    for name in ("little", "its twin <b>*"):
        run = Runs(workspace).create(cnn.config, name)
        for part in (cnn.folder.model, cnn.folder.predictions):
            shutil.copytree(part, run.folder.path / part.name)
        shutil.copy(cnn.folder.metrics, run.folder.metrics)
        run.write_state(**{key: value for key, value in cnn.state if key != "queued"})
    return workspace


@pytest.fixture
def trained(trained_workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """The runs of the workspace with really trained networks, which the pages now show."""
    monkeypatch.setenv(ENVIRONMENT_VARIABLE, str(trained_workspace.root))
    return Runs(trained_workspace)
