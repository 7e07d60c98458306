"""What tests of training start from: networks that were really trained, and patience."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from core.commands.command_line import main
from core.registry import preflight
from core.registry.recipes import RECIPES
from core.registry.run_files import WAITING_OR_WORKING
from core.registry.runs import Run, Runs
from core.registry.settings import change
from core.training.engine import LocalEngine
from core.workspace import Workspace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before any test imports TensorFlow

Value = TypeVar("Value")
Eventually = Callable[[Callable[[], Value]], Value]
PATIENCE = 200
"""Seconds after which what a test waits for will not happen any more."""
TRAINED: dict[str, dict[str, Any]] = {
    "cnn": {"recipe": "cnn-digits", "train_images": 600, "test_images": 200},
    "vgg16": {"recipe": "vgg16-digits", "train_images": 100, "test_images": 50, "side": 32},
}


def wait_until(condition: Callable[[], Value]) -> Value:
    """What `condition` returns once that is true."""
    deadline = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
    return value


@pytest.fixture(scope="session")
def eventually() -> Eventually[Any]:
    """A function that waits until a condition holds."""
    return wait_until


@pytest.fixture(scope="session")
def trained_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Two networks, trained as a page does it: a runner was started for each. Not to be changed."""
    workspace = Workspace(tmp_path_factory.mktemp("trained"))
    runs, engine = Runs(workspace), LocalEngine(workspace)
    for name, settings in TRAINED.items():
        base = RECIPES[settings["recipe"]].config
        chosen = {key: value for key, value in settings.items() if key != "recipe"}
        config = preflight.settle(change(base, chosen | {"precision": "float32"}), runs)
        engine.submit(runs.create(config, name))
    wait_until(lambda: all(run.status not in WAITING_OR_WORKING for run in runs.all()))
    return workspace


@pytest.fixture(scope="session")
def cnn_run(trained_workspace: Workspace) -> Run:
    """A finished run of the CNN on 600 images."""
    return Runs(trained_workspace).find("cnn")


@pytest.fixture(scope="session")
def vgg16_run(trained_workspace: Workspace) -> Run:
    """A finished run of VGG16 on 100 images of 32 pixels."""
    return Runs(trained_workspace).find("vgg16")


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document that standard output must hold."""
        return json.loads(self.out)


@pytest.fixture
def command(workspace: Workspace, capfd: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """A function that runs one command on a workspace, by default an empty one."""

    def command(*words: object, of: Workspace = workspace) -> Answer:
        capfd.readouterr()
        try:
            status = main([*map(str, words), "--workspace", str(of.root)])
        except SystemExit as exit_:  # argparse's way to refuse
            status = int(str(exit_.code))
        return Answer(status, *capfd.readouterr())

    return command


@pytest.fixture
def copied_runs(trained_workspace: Workspace, tmp_path: Path) -> Runs:
    """Copies of the trained runs, to be changed at will."""
    copy = Workspace(tmp_path / "copied")
    shutil.copytree(trained_workspace.runs, copy.runs)
    return Runs(copy)
