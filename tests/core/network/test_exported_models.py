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
for name in sys.argv[1:]:
    model = keras.models.load_model(f"{name}.keras")
    np.save(f"{name}-answers.npy", model.predict(np.load(f"{name}-images.npy"), verbose=0))
assert not any(name.split(".")[0] == "core" for name in sys.modules)
"""


def test_an_export_answers_like_its_run_where_nothing_of_this_project_is(
    trained_workspace: Workspace, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28)).astype(np.uint8)
    runs, names = Runs(trained_workspace), ("cnn", "vgg16")
    for name in names:
        exported = ["--format", "keras", "-o", str(tmp_path / f"{name}.keras")]
        assert main(["export", name, *exported, "--workspace", str(trained_workspace.root)]) == 0
        network = runs.find(name).config.network
        fed = for_network(images, network.side, network.channels)
        np.save(tmp_path / f"{name}-images.npy", fed)

    subprocess.run([sys.executable, "-c", ELSEWHERE, *names], cwd=tmp_path, check=True)
    for name in names:
        expected = Predictor(runs).predict(runs.find(name).id, images)
        answers = np.load(tmp_path / f"{name}-answers.npy")
        np.testing.assert_allclose(answers, expected, atol=1e-5)


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
