"""What tests of commands start from: the command line, and runs to be changed."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from core.commands.command_line import main
from core.registry.runs import Runs
from core.workspace import Workspace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # before any test imports TensorFlow


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
