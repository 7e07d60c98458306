import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from core.commands.command_line import main
from core.data.preprocessing import for_network
from core.errors import InvalidRequest
from core.network.models import export_keras
from core.predicting.predictor import Predictor
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

ELSEWHERE = """
import sys
import keras, numpy as np
model = keras.models.load_model(sys.argv[1])
np.save(sys.argv[3], model.predict(np.load(sys.argv[2]), verbose=0))
assert not any(name.split(".")[0] == "core" for name in sys.modules)
"""


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_an_export_answers_like_its_run_where_nothing_of_this_project_is(
    name: str, trained_workspace: Workspace, tmp_path: Path
) -> None:
    runs, exported = Runs(trained_workspace), tmp_path / "network.keras"
    run = runs.find(name)
    place = ["--workspace", str(trained_workspace.root)]
    assert main(["export", name, "--format", "keras", "-o", str(exported), *place]) == 0

    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    fed = for_network(images, run.config.network.side, run.config.network.channels)
    np.save(tmp_path / "images.npy", fed)
    files = [str(exported), str(tmp_path / "images.npy"), str(tmp_path / "answers.npy")]
    subprocess.run([sys.executable, "-c", ELSEWHERE, *files], cwd=tmp_path, check=True)
    answers = np.load(tmp_path / "answers.npy")
    np.testing.assert_allclose(answers, Predictor(runs).predict(run.id, images), atol=1e-5)


def test_an_export_leaves_the_run_as_it_was(copied_runs: Runs, tmp_path: Path) -> None:
    run = copied_runs.find("cnn")
    before = {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()}
    export_keras(run, tmp_path / "network.keras")
    after = {path: path.read_bytes() for path in run.folder.path.rglob("*") if path.is_file()}
    assert after == before


def test_another_ending_is_refused(cnn_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"--output must end in \.keras, got .*network\.h5"):
        export_keras(cnn_run, tmp_path / "network.h5")


def test_a_place_that_cannot_be_written_is_a_sentence(cnn_run: Run, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"cannot be written: .*; choose another place"):
        export_keras(cnn_run, tmp_path / "no such folder" / "network.keras")
    assert list(tmp_path.iterdir()) == []
