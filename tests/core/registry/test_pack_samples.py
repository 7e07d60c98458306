import json
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest

from core.assets import ASSETS, MANIFEST, verified
from core.registry.environment import Environment, add_environment, read_environments
from core.registry.pack_samples import finished_run, kept_epochs, pack
from core.registry.run import Run
from core.registry.run_files import Request, RunFolder, State
from core.registry.runs import Runs
from core.registry.settings import change

MakeEnvironment = Callable[..., Environment]
MakeRun = Callable[..., Run]


@pytest.fixture
def assets(tmp_path: Path) -> Path:
    """A folder with a manifest to add to."""
    folder = tmp_path / "assets"
    folder.mkdir()
    shutil.copy(ASSETS / MANIFEST, folder)
    return folder


@pytest.fixture
def trained(make_run: MakeRun) -> Run:
    """A finished run with everything that a real one has beside what a sample needs."""
    run = make_run()
    for path in (run.folder.weights(1), run.folder.checkpoint / "step-1.npz", run.folder.log):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"bytes of " + path.name.encode())
    run.folder.tensorboard.mkdir()
    (run.folder.tensorboard / "events").touch()
    run.folder.metrics.touch()
    return run


def test_a_packed_run_holds_what_pages_and_inference_need_and_no_more(
    trained: Run, assets: Path
) -> None:
    with ZipFile(pack(trained, "A note", assets)) as packed:
        assert sorted(packed.namelist()) == [
            "about.json",
            "config.json",
            "metrics.jsonl",
            "model/epoch-1.npz",
            "predictions/epoch-1.npz",
            "predictions/test.npz",
            "state.json",
        ]
        request = Request.model_validate_json(packed.read("config.json"))
        state = State.model_validate_json(packed.read("state.json"))
        assert packed.read("model/epoch-1.npz") == trained.folder.weights(1).read_bytes()
    assert (request.id, request.name) == ("sample-cnn-digits", "cnn-digits (sample)")
    assert (request.config, request.created) == (trained.config, trained.request.created)
    assert state.metrics == trained.state.metrics
    assert state.process is None


def test_a_packed_run_tells_what_it_was_trained_on_but_not_whose_machine_that_was(
    trained: Run, assets: Path, make_environment: MakeEnvironment
) -> None:
    add_environment(trained.folder, make_environment(host="a-person-s-laptop"))
    path = pack(trained, folder=assets)
    with ZipFile(path) as packed:
        packed.extract("environment.json", assets)
    told = read_environments(RunFolder(assets))
    assert told == (make_environment(host=""),)


def test_a_packed_run_is_in_the_manifest(trained: Run, assets: Path) -> None:
    path = pack(trained, folder=assets)
    assert verified("samples/cnn-digits.zip", assets) == path
    manifest = json.loads((assets / MANIFEST).read_text())
    assert {"content", "source", "licence"} < set(manifest["samples/cnn-digits.zip"])


def test_the_same_run_gives_the_same_bytes(trained: Run, assets: Path) -> None:
    first = pack(trained, folder=assets).read_bytes()
    trained.folder.state.touch()
    assert pack(trained, folder=assets).read_bytes() == first


def test_of_a_longer_training_some_predictions_are_kept(make_run: MakeRun) -> None:
    run = make_run((7, 2), (7, 2), *[(7, 2)] * 10).write_state(best_epoch=7)
    assert kept_epochs(run) == [1, 3, 6, 7, 9, 11]


def test_the_newest_finished_run_of_just_the_recipe_is_taken(runs: Runs, make_run: MakeRun) -> None:
    assert finished_run(runs, "cnn-digits") is None
    make_run()
    wanted = make_run()
    runs.create(wanted.config)
    changed = runs.create(change(wanted.config, {"seed": 1}))
    changed.write_state(status="finished", best_epoch=1)
    found = finished_run(runs, "cnn-digits")
    assert found is not None
    assert found.id == wanted.id
