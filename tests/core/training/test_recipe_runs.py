"""Every recipe trains from beginning to end, on few and small images and with random weights."""

from typing import Any

import cv2
import numpy as np
import pytest

from core import worker
from core.registry import preflight
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import Workspace

FEW = {"train_images": 12, "test_images": 10, "epochs": 1, "batch_size": 6, "precision": "float32"}
SMALL_HEAD = {"network.head.dense": [8, 8]}
UNLEARNED = {"weights": "random"}
SMALL: dict[str, dict[str, Any]] = {
    "cnn-digits": {},
    "cnn-digits-augmented": {},
    "vgg16-digits": {},
    "vgg16-digits-4096": SMALL_HEAD,
    "vgg16-digits-224": SMALL_HEAD | {"side": 64},
    "inceptionv3-cifar10-transfer": UNLEARNED | {"side": 75},
    "inceptionv3-cifar10-features": UNLEARNED | {"side": 75},
    "inceptionv3-cifar10-finetune": UNLEARNED | {"side": 75},
    "vgg16-scratch-folder": SMALL_HEAD | {"side": 32, "steps_per_epoch": 2},
    "vgg16-folder": {"side": 32, "second_phase.epochs": 1},
    "vgg16-few-pictures": {"side": 32},
    "mobilenet-folder": UNLEARNED | {"side": 32, "second_phase.epochs": 1},
    "resnet50-folder": UNLEARNED
    | {"side": 32, "second_phase.epochs": 1, "second_phase.still_frozen": "conv4"},
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Where each dataset that does not come along is read from."""
    root, random = tmp_path_factory.mktemp("datasets"), np.random.default_rng(0)
    images = random.integers(0, 256, (20, 32, 32, 3)).astype(np.uint8)
    labels = np.arange(20, dtype=np.uint8) % 10
    np.savez(root / "cifar10.npz", x_train=images, y_train=labels, x_test=images, y_test=labels)
    for number, image in enumerate(images):
        folder = root / "pets" / ("train" if number < 10 else "test") / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(folder / f"{number}.png"), image)
    return {"mnist": "", "cifar10": str(root / "cifar10.npz"), "folder": str(root / "pets")}


def test_every_recipe_is_tried() -> None:
    assert list(SMALL) == list(RECIPES)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One for all: what equal frozen layers of two recipes put out is computed once."""
    return Workspace(tmp_path_factory.mktemp("workspace"))


@pytest.mark.parametrize("name", SMALL)
def test_a_recipe_trains_and_is_tested(
    name: str, places: dict[str, str], workspace: Workspace
) -> None:
    recipe, runs = RECIPES[name].config, Runs(workspace)
    path = {"data.path": places[recipe.data.name]}
    config = preflight.settle(change(recipe, FEW | SMALL[name] | path), runs)
    run = runs.create(config)
    worker.work(run, workspace)
    done = runs.again(run)
    assert (done.status, done.state.error) == ("finished", None)
    assert done.state.epochs_done == config.all_epochs
    assert {done.state.best_epoch, done.state.epochs_done} == set(done.folder.kept_epochs())
    assert 0 <= done.state.metrics["test_accuracy"] <= 1
