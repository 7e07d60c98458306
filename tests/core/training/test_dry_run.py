import json
import subprocess
import sys
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
from core.workspace import PROJECT, Workspace

FEW = {"train_images": 30, "test_images": 20, "batch_size": 10, "precision": "float32"}
UNLEARNED = {"weights": "random", "side": 32, "network.head.dense": [8]}
NUMBERS = 512  # that VGG16 puts out for an image of 32 pixels
VARIED = {"augmentation.rotation": 10.0}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, hasty_dry_runs: None) -> None:
    """Each kind of work is timed for a moment only, by a few pieces of it."""
    monkeypatch.setattr(dry_run, "SECONDS", 0.05)


@pytest.fixture
def vgg16() -> RunConfig:
    """VGG16, frozen and of random weights, on few small images."""
    return change(RECIPES["vgg16-digits"].config, FEW | UNLEARNED)


def measured(config: RunConfig, workspace: Workspace, **settings: Any) -> DryRun:
    chosen = {key.replace("__", "."): value for key, value in settings.items()}
    return dry_run.measure(change(config, chosen), workspace)


def test_a_dry_run_leaves_nothing_behind(vgg16: RunConfig, workspace: Workspace) -> None:
    measured(vgg16, workspace)
    assert not workspace.root.exists()


def test_the_output_of_frozen_layers_is_timed_for_each_split(
    vgg16: RunConfig, workspace: Workspace
) -> None:
    found = measured(vgg16, workspace, data__validation=0.2)
    counts = (found.train_images, found.validation_images, found.test_images)
    assert sum(counts) == 50
    assert found.test_images == 20
    (phase,) = found.phases
    assert len(phase.features) == 3
    assert all(part.seconds > 0 for part in phase.features)
    assert phase.cache_bytes == 50 * NUMBERS * 4
    assert phase.not_kept is None


def test_each_pass_of_variations_is_kept(vgg16: RunConfig, workspace: Workspace) -> None:
    (phase,) = measured(change(vgg16, VARIED), workspace, augmentation__passes=3).phases
    assert len(phase.features) == 3 + 1
    assert phase.cache_bytes == (3 * 30 + 20) * NUMBERS * 4


def test_of_endless_variations_nothing_is_kept_but_of_the_other_images(
    vgg16: RunConfig, workspace: Workspace
) -> None:
    (phase,) = measured(change(vgg16, VARIED), workspace).phases
    assert phase.not_kept == "endless variations"
    assert len(phase.features) == 1
    assert phase.cache_bytes == 20 * NUMBERS * 4


def test_a_cache_that_is_switched_off_keeps_nothing(vgg16: RunConfig, workspace: Workspace) -> None:
    (phase,) = measured(vgg16, workspace, cache_features=False).phases
    assert (phase.not_kept, phase.features) == ("switched off", ())
    assert phase.cache_bytes == 50 * NUMBERS * 4


def test_a_cache_that_is_too_small_keeps_nothing(vgg16: RunConfig, workspace: Workspace) -> None:
    change_preferences(workspace, cache_limit=50 * NUMBERS * 4 - 1)
    (phase,) = measured(vgg16, workspace).phases
    assert (phase.not_kept, phase.features) == ("limit", ())
    change_preferences(workspace, cache_limit=50 * NUMBERS * 4)
    (phase,) = measured(vgg16, workspace).phases
    assert phase.not_kept is None


def test_each_phase_is_tried(vgg16: RunConfig, workspace: Workspace) -> None:
    second = {"second_phase__epochs": 1, "second_phase__still_frozen": "block4"}
    first, later = measured(vgg16, workspace, **second).phases
    assert len(first.features) == len(later.features) == 2
    assert first.cache_bytes == 50 * NUMBERS * 4
    assert later.cache_bytes == 50 * 2 * 2 * 512 * 4
    assert 0 < first.memory <= later.memory


def test_a_network_without_frozen_layers_is_fed_images(
    config: RunConfig, workspace: Workspace
) -> None:
    (phase,) = measured(change(config, FEW), workspace).phases
    assert (phase.features, phase.cache_bytes, phase.not_kept) == ((), 0, None)
    assert phase.step > 0
    assert phase.evaluation > 0


# --- The process --------------------------------------------------------------------------------


def answer_to(text: str, workspace: Workspace) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "core.training.dry_run", str(workspace.root)],
        cwd=PROJECT,
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.count("\n") == 1
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_process_answers_with_one_line_of_json(vgg16: RunConfig, workspace: Workspace) -> None:
    answer = answer_to(vgg16.model_dump_json(), workspace)
    found = DryRun.model_validate_json(json.dumps(answer))
    assert (found.train_images, found.test_images, found.precision) == (30, 20, "float32")


def test_the_process_tells_what_is_wrong(workspace: Workspace) -> None:
    answer = answer_to("{", workspace)
    assert answer["error"] == "InvalidConfig"
    assert "the configuration must be JSON" in answer["sentence"]


def test_weights_that_are_no_file_are_told(vgg16: RunConfig, workspace: Workspace) -> None:
    with pytest.raises(InvalidConfig, match=r"got /nowhere/weights\.npz, which is no file"):
        measured(vgg16, workspace, weights="/nowhere/weights.npz")


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
