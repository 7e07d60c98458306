"""What a dry run finds. Its process is tested with those who ask it, in `test_estimates.py`."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from core.errors import InvalidConfig
from core.preferences import change_preferences
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training import dry_run
from core.training.costs import DryRun
from core.workspace import Workspace

FEW = {"train_images": 30, "test_images": 20, "batch_size": 10, "precision": "float32"}
SMALL = {
    "architecture": "cnn",
    "weights": "random",
    "channels": 1,
    "side": 8,
    "blocks": [{"filters": 4, "dropout": 0}] * 2,
    "network.head.dense": [8],
}
NUMBERS = 2 * 2 * 4  # that its frozen layers put out for an image
VARIED = {"augmentation.rotation": 10.0}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each kind of work is timed for a moment only, by a few pieces of it."""
    monkeypatch.setattr(dry_run, "SECONDS", 0.05)


@pytest.fixture
def frozen() -> RunConfig:
    """A network of few layers, all of them frozen, on few small images."""
    return change(RECIPES["vgg16-digits"].config, FEW | SMALL)


def measured(config: RunConfig, workspace: Workspace, **settings: Any) -> DryRun:
    chosen = {key.replace("__", "."): value for key, value in settings.items()}
    return dry_run.measure(change(config, chosen), workspace)


def test_a_dry_run_leaves_nothing_behind(frozen: RunConfig, workspace: Workspace) -> None:
    measured(frozen, workspace)
    assert not workspace.root.exists()


def test_the_output_of_frozen_layers_is_timed_for_each_split(
    frozen: RunConfig, workspace: Workspace
) -> None:
    found = measured(frozen, workspace, data__validation=0.2)
    counts = (found.train_images, found.validation_images, found.test_images)
    assert sum(counts) == 50
    assert found.test_images == 20
    (phase,) = found.phases
    assert len(phase.features) == 3
    assert all(part.seconds > 0 for part in phase.features)
    assert phase.cache_bytes == 50 * NUMBERS * 4
    assert phase.not_kept is None


def test_each_pass_of_variations_is_kept(frozen: RunConfig, workspace: Workspace) -> None:
    (phase,) = measured(change(frozen, VARIED), workspace, augmentation__passes=3).phases
    assert len(phase.features) == 3 + 1
    assert phase.cache_bytes == (3 * 30 + 20) * NUMBERS * 4


def test_of_endless_variations_nothing_is_kept_but_of_the_other_images(
    frozen: RunConfig, workspace: Workspace
) -> None:
    (phase,) = measured(change(frozen, VARIED), workspace).phases
    assert phase.not_kept == "endless variations"
    assert len(phase.features) == 1
    assert phase.cache_bytes == 20 * NUMBERS * 4


def test_a_cache_that_is_switched_off_keeps_nothing(
    frozen: RunConfig, workspace: Workspace
) -> None:
    (phase,) = measured(frozen, workspace, cache_features=False).phases
    assert (phase.not_kept, phase.features) == ("switched off", ())
    assert phase.cache_bytes == 50 * NUMBERS * 4


def test_a_cache_that_is_too_small_keeps_nothing(frozen: RunConfig, workspace: Workspace) -> None:
    change_preferences(workspace, cache_limit=50 * NUMBERS * 4 - 1)
    (phase,) = measured(frozen, workspace).phases
    assert (phase.not_kept, phase.features) == ("limit", ())
    change_preferences(workspace, cache_limit=50 * NUMBERS * 4)
    (phase,) = measured(frozen, workspace).phases
    assert phase.not_kept is None


def test_each_phase_is_tried(frozen: RunConfig, workspace: Workspace) -> None:
    second = {"second_phase__epochs": 1, "second_phase__still_frozen": "block1"}
    first, later = measured(frozen, workspace, **second).phases
    assert len(first.features) == len(later.features) == 2
    assert first.cache_bytes == 50 * NUMBERS * 4
    assert later.cache_bytes == 50 * 4 * 4 * 4 * 4
    assert 0 < first.memory <= later.memory


def test_a_network_without_frozen_layers_is_fed_images(
    config: RunConfig, workspace: Workspace
) -> None:
    (phase,) = measured(change(config, FEW), workspace).phases
    assert (phase.features, phase.cache_bytes, phase.not_kept) == ((), 0, None)
    assert phase.step > 0
    assert phase.evaluation > 0


def test_weights_that_are_no_file_are_told(frozen: RunConfig, workspace: Workspace) -> None:
    with pytest.raises(InvalidConfig, match=r"got /nowhere/weights\.npz, which is no file"):
        measured(frozen, workspace, weights="/nowhere/weights.npz")


# --- The clock ----------------------------------------------------------------------------------


def pieces(count: int, done: Callable[[int], None] = lambda number: None) -> Iterator[int]:
    for number in range(count):
        done(number)
        yield 5


def test_work_is_timed_by_what_it_does() -> None:
    seen: list[int] = []
    beginning, usual = dry_run.timed(pieces(4, seen.append))
    assert seen == [0, 1, 2, 3]
    assert beginning >= 0
    assert usual > 0


def test_a_single_piece_has_no_beginning() -> None:
    beginning, usual = dry_run.timed(pieces(1))
    assert beginning == 0
    assert usual > 0
