import subprocess

from filelock import FileLock
from streamlit.testing.v1 import AppTest

from core.processes import ProcessIdentity
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.workspace import Workspace

OtherProcess = tuple[subprocess.Popen[str], ProcessIdentity]


def labels(app: AppTest) -> list[str]:
    return [link.proto.label for link in app.sidebar.get("page_link")]


def test_the_sidebar_names_what_trains_and_how_far_it_is(
    app: AppTest, runs: Runs, workspace: Workspace, other_process: OtherProcess
) -> None:
    run = runs.create(RECIPES["cnn-digits"].config, "at *work*")
    run.write_state(
        status="running", process=other_process[1], phase="training", epoch=1, done=1, total=4
    )
    with FileLock(workspace.runner_lock):
        assert labels(app.run())[-1] == r"25 % · at \*work\*"


def test_while_nothing_trains_the_sidebar_has_pages_only(app: AppTest, runs: Runs) -> None:
    runs.create(RECIPES["cnn-digits"].config).write_state(status="stopped")
    assert labels(app.run())[-1] == "Predict"
