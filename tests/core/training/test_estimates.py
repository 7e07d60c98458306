import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from filelock import FileLock

from core.errors import InvalidConfig, WorkFailed
from core.jobs import Cancelled
from core.preferences import change_preferences
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import estimates
from core.training.costs import Estimate, this_machine
from core.training.feature_cache import FeatureCache
from core.workspace import Workspace
from tests.conftest import STAND_IN
from tests.core.estimated import GIB, estimate_of, phase_of

MakeRun = Callable[..., Run]
Eventually = Callable[[Callable[[], Any]], Any]


@pytest.fixture(scope="module")
def trained(trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace where networks were trained, so that features are in its cache."""
    workspace = Workspace(tmp_path_factory.mktemp("trained") / "workspace")
    shutil.copytree(trained_workspace.root, workspace.root)
    return workspace


@pytest.fixture(scope="module", autouse=True)
def _hasty() -> Iterator[None]:
    """A dry run times each kind of work for a moment only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(STAND_IN.with_name("hasty_clock")))
        yield


@pytest.fixture(scope="module")
def tried(trained: Workspace) -> dict[str, Estimate]:
    """Estimates of what was trained there, by the name of the run."""
    runs = Runs(trained).all()
    return {run.name: estimates.estimate(run.config, trained) for run in runs}


@pytest.fixture
def lived_in(trained: Workspace, tried: dict[str, Estimate], tmp_path: Path) -> Workspace:
    """A copy of the workspace that the estimates were made in, to be changed at will."""
    copy = Workspace(tmp_path / "lived in")
    shutil.copytree(trained.root, copy.root)
    return copy


def test_an_estimate_tells_what_it_assumed(tried: dict[str, Estimate]) -> None:
    cnn, vgg16 = tried["cnn"], tried["vgg16"]
    assert (cnn.train_images, cnn.validation_images, cnn.test_images) == (600, 0, 200)
    assert [(phase.epochs, phase.steps, phase.evaluated) for phase in cnn.phases] == [(1, 7, 200)]
    assert [(phase.epochs, phase.steps, phase.evaluated) for phase in vgg16.phases] == [(1, 2, 50)]
    assert cnn.machine == this_machine()
    assert cnn.precision == "float32"


def test_everything_takes_time_and_more_memory_than_the_weights(
    tried: dict[str, Estimate], cnn_run: Run, vgg16_run: Run
) -> None:
    for run in (cnn_run, vgg16_run):
        estimate = tried[run.name]
        assert 0 < estimate.phases[0].seconds < estimate.seconds
        assert 4 * run.config.parameters.total < estimate.memory < estimate.machine.memory


def test_where_nothing_is_frozen_nothing_is_cached(tried: dict[str, Estimate]) -> None:
    (phase,) = tried["cnn"].phases
    assert (phase.features_seconds, phase.cache_bytes, phase.not_kept) == (0, 0, None)


def test_the_cache_takes_as_much_as_a_training_left_there(
    tried: dict[str, Estimate], trained_workspace: Workspace
) -> None:
    files = trained_workspace.features.glob("*/*.npy")
    held = sum(np.load(file, mmap_mode="r").nbytes for file in files)
    assert tried["vgg16"].cache_bytes == tried["vgg16"].phases[0].cache_bytes == held > 0


def test_features_that_are_in_the_cache_take_no_time_and_those_that_are_not_do(
    tried: dict[str, Estimate], lived_in: Workspace, vgg16_run: Run
) -> None:
    assert tried["vgg16"].phases[0].features_seconds == 0
    FeatureCache(lived_in.features, limit=GIB).clear()
    found = estimates.find(vgg16_run.config, lived_in)
    assert found is not None
    assert found.phases[0].features_seconds > 0


def test_an_estimate_is_found_again(
    tried: dict[str, Estimate], lived_in: Workspace, cnn_run: Run, vgg16_run: Run
) -> None:
    for run in (cnn_run, vgg16_run):
        assert estimates.find(run.config, lived_in) == tried[run.name]


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.1},
        {"schedule": "constant"},
        {"seed": 5},
        {"early_stopping.patience": 2},
        {"recipe": "another"},
    ],
)
def test_settings_that_cost_nothing_need_no_other_dry_run(
    tried: dict[str, Estimate], lived_in: Workspace, cnn_run: Run, settings: dict[str, Any]
) -> None:
    assert estimates.find(change(cnn_run.config, settings), lived_in) == tried["cnn"]


@pytest.mark.parametrize(
    "settings", [{"batch_size": 85}, {"side": 32}, {"optimizer": "adam"}, {"train_images": 500}]
)
def test_settings_that_cost_something_do(
    lived_in: Workspace, cnn_run: Run, settings: dict[str, Any]
) -> None:
    assert estimates.find(change(cnn_run.config, settings), lived_in) is None


def test_more_epochs_take_that_much_longer(
    tried: dict[str, Estimate], lived_in: Workspace, cnn_run: Run
) -> None:
    longer = estimates.find(change(cnn_run.config, {"epochs": 31}), lived_in)
    assert longer is not None
    an_epoch = tried["cnn"].phases[0].seconds
    assert longer.seconds - tried["cnn"].seconds == pytest.approx(30 * an_epoch)


def test_fewer_steps_and_fewer_validation_images_take_less(
    tried: dict[str, Estimate], lived_in: Workspace, cnn_run: Run
) -> None:
    shorter = estimates.find(change(cnn_run.config, {"steps_per_epoch": 3}), lived_in)
    assert shorter is not None
    assert shorter.phases[0].steps == 3
    assert shorter.phases[0].seconds < tried["cnn"].phases[0].seconds


def test_another_limit_of_the_cache_asks_for_another_dry_run(
    lived_in: Workspace, vgg16_run: Run
) -> None:
    change_preferences(lived_in, cache_limit=0)
    assert estimates.find(vgg16_run.config, lived_in) is None


def test_a_damaged_estimate_is_none(lived_in: Workspace, cnn_run: Run) -> None:
    for file in lived_in.estimates.glob("*.json"):
        file.write_text("{")
    assert estimates.find(cnn_run.config, lived_in) is None


def test_an_estimate_without_the_images_and_weights_holds_until_they_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    network = {"architecture": "mobilenet", "weights": "keras", "alpha": 0.25, "side": 32}
    recipe = change(RECIPES["inceptionv3-cifar10-transfer"].config, {"train_images": 100})
    config = change(recipe, network)
    workspace = Workspace(tmp_path / "workspace")
    estimate = estimates.estimate(config, workspace)
    assert (estimate.train_images, estimate.test_images) == (100, 10_000)
    assert estimate.phases[0].features_seconds > 0
    assert estimates.find(config, workspace) == estimate
    (tmp_path / "keras" / "models").mkdir(parents=True, exist_ok=True)
    (tmp_path / "keras" / "models" / "mobilenet.h5").touch()
    assert estimates.find(config, workspace) is None


def test_an_estimate_outlives_a_round_trip_through_json() -> None:
    estimate = estimate_of(phase_of(), phase_of(not_kept="limit"))
    assert Estimate.model_validate_json(estimate.model_dump_json()) == estimate


def test_a_run_takes_all_that_its_phases_take() -> None:
    assert estimate_of().seconds == 5 + 10 + 4 + 3 * 2
    kept, not_kept = phase_of(memory=10), phase_of(memory=20, not_kept="limit")
    both = estimate_of(kept, not_kept)
    assert (both.seconds, both.memory, both.cache_bytes) == (5 + 2 * 20, 20, 1000)


# --- What cannot work ---------------------------------------------------------------------------


def test_what_is_blocked_is_not_tried(config: RunConfig, tmp_path: Path) -> None:
    huge = change(config, {"side": 512, "batch_size": 65_536})
    with pytest.raises(InvalidConfig, match="batch_size must be at most"):
        estimates.estimate(huge, Workspace(tmp_path / "workspace"))
    assert not (tmp_path / "workspace").exists()


def test_a_dry_run_that_takes_too_long_is_ended(config: RunConfig, tmp_path: Path) -> None:
    with pytest.raises(WorkFailed, match=r"not done after 0\.1 seconds"):
        estimates.estimate(config, Workspace(tmp_path), timeout=0.1)


def test_a_dry_run_that_is_cancelled_ends_and_keeps_nothing(
    config: RunConfig, tmp_path: Path
) -> None:
    told = []

    def cancel(share: float, phase: str = "") -> None:
        told.append(phase)
        raise Cancelled

    with pytest.raises(Cancelled):
        estimates.estimate(config, Workspace(tmp_path), tell=cancel)
    assert told == ["training a few batches"]
    assert not [child for child in psutil.Process().children() if str(tmp_path) in child.cmdline()]
    assert estimates.find(config, Workspace(tmp_path)) is None


def test_an_estimate_that_waits_for_another_can_be_cancelled(
    config: RunConfig, tmp_path: Path
) -> None:
    def cancel(share: float, phase: str = "") -> None:
        assert phase == "waiting for another estimate"
        raise Cancelled

    workspace = Workspace(tmp_path)
    workspace.estimates.mkdir(parents=True)
    with FileLock(workspace.estimates / "dry-run.lock"), pytest.raises(Cancelled):
        estimates.estimate(config, workspace, tell=cancel)


def test_a_dry_run_that_is_killed_is_told_with_advice(
    config: RunConfig, tmp_path: Path, eventually: Eventually
) -> None:
    def dry_runs() -> list[psutil.Process]:
        children = psutil.Process().children()
        return [child for child in children if str(tmp_path) in child.cmdline()]

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(estimates.estimate, config, Workspace(tmp_path))
        eventually(dry_runs)[0].kill()
        sentence = str(answer.exception())
    assert isinstance(answer.exception(), WorkFailed)
    assert "took more memory than there is" in sentence
    assert "try a batch_size of 43 or a network.side of 20" in sentence


def test_what_training_could_only_fail_with_is_told(config: RunConfig, tmp_path: Path) -> None:
    lost = change(config, {"data.path": str(tmp_path / "lost.npz")})
    with pytest.raises(InvalidConfig, match=r"data\.path must name .*lost\.npz, which is no file"):
        estimates.estimate(lost, Workspace(tmp_path))


def test_a_run_keeps_what_it_was_expected_to_take(make_run: MakeRun) -> None:
    run = make_run()
    assert estimates.kept(run) is None
    estimates.keep(estimate_of(), run)
    assert json.loads(run.folder.estimate.read_bytes())["preparation"] == 5
    kept = estimates.kept(run)
    assert kept is not None
    assert kept.seconds == 25
    run.folder.estimate.write_text("?")
    assert estimates.kept(run) is None
