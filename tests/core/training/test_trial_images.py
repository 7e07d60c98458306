from pathlib import Path

import cv2
import numpy as np
import pytest

from core.data.datasets import load_splits
from core.registry import preflight
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import trial_images
from core.workspace import Workspace


@pytest.fixture
def pets(tmp_path: Path) -> RunConfig:
    """A CNN on a folder of 14 pictures to learn from and 6 to be tested on."""
    random = np.random.default_rng(0)
    for number in range(20):
        part = "train" if number < 14 else "test"
        folder = tmp_path / "pets" / part / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture = random.integers(0, 256, (40, 30, 3)).astype(np.uint8)
        assert cv2.imwrite(str(folder / f"{number}.png"), picture)
    settings = {"data.name": "folder", "data.path": str(tmp_path / "pets"), "channels": 3}
    config = change(RECIPES["cnn-digits"].config, settings)
    return preflight.settle(config, Runs(Workspace(tmp_path / "workspace")))


def test_pictures_are_counted_and_not_decoded(pets: RunConfig, workspace: Workspace) -> None:
    material = trial_images.material(pets, workspace)
    assert (len(material.splits.train), len(material.splits.test)) == (14, 6)
    assert material.splits.train.images[np.arange(3)].shape == (3, 28, 28, 3)
    assert material.decoding > 0
    assert material.mapped == 20 * 28 * 28 * 3
    assert material.waits_for == (workspace.pictures,)
    assert not workspace.root.exists()


def test_pictures_that_were_decoded_are_taken(pets: RunConfig, workspace: Workspace) -> None:
    real = load_splits(pets.data, pets.seed, side=28, workspace=workspace)
    material = trial_images.material(pets, workspace)
    assert material.splits.train.fingerprint() == real.train.fingerprint()
    assert (material.decoding, material.waits_for) == (0, ())


def test_made_up_pictures_come_as_many_as_are_wanted(pets: RunConfig, workspace: Workspace) -> None:
    few = change(pets, {"train_images": 10, "data.validation": 0.2})
    splits = trial_images.material(few, workspace).splits
    assert [len(split) for split in (splits.train, splits.validation, splits.test)] == [8, 2, 6]
