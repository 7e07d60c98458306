"""Runs on an imported dataset, from launch to comparison."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from core import worker
from core.data.datasets import load_splits
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.registry import preflight
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training import trial_images
from core.workspace import Workspace

ImportPictures = Callable[..., ImportedDataset]
TINY: dict[str, Any] = {
    "data.name": "shades",
    "data.validation": 0.2,
    "side": 8,
    "channels": 3,
    "network.blocks": [{"filters": 4, "convolutions": 1}],
    "network.head.dense": [8],
    "batch_size": 8,
    "epochs": 1,
    "precision": "float32",
}


def trained_here(config: RunConfig, runs: Runs, name: str) -> Run:
    run = runs.create(preflight.settle(config, runs), name)
    worker.work(run, runs.workspace)
    return runs.again(run)


def test_a_dataset_of_files_is_trained_on_tested_on_compared_and_missed(
    import_pictures: ImportPictures, workspace: Workspace, runs: Runs, command: Callable[..., Any]
) -> None:
    dataset = import_pictures()
    one = trained_here(change(RECIPES["cnn-digits"].config, TINY), runs, "one")
    assert (one.status, one.failure) == ("finished", None)
    told = command("show", "one", "--json").document
    assert told["config"]["data"]["classes"] == ["dark", "light"]
    measured = command("evaluate", "one", "--json").document
    assert measured["metrics"]["accuracy"] == told["metrics"]["test_accuracy"]
    assert measured["images"] == 12

    dataset.rename_classes(("night", "day"))
    other = trained_here(change(RECIPES["cnn-digits"].config, TINY | {"seed": 1}), runs, "other")
    assert (other.status, other.config.class_names) == ("finished", ("night", "day"))
    compared = command("compare", "one", "other", "--export", workspace.root / "out", "--json")
    assert sum(compared.document["counts"].values()) == 12

    queued = runs.create(preflight.settle(change(other.config, {"seed": 2}), runs))
    Library(workspace).delete("shades")
    refused = command("compare", "one", "other", "--export", workspace.root / "out")
    assert (refused.status, "no longer in this workspace" in refused.err) == (2, True)
    worker.work(queued, workspace)
    failed = runs.again(queued)
    assert failed.state.error is not None
    assert failed.state.error.kind == "data"
    assert "is no longer in this workspace; import it again" in failed.state.error.sentence


def settled(runs: Runs, **settings: Any) -> RunConfig:
    chosen = {key.replace("__", "."): value for key, value in settings.items()}
    return preflight.settle(change(RECIPES["cnn-digits"].config, TINY | chosen), runs)


def test_files_that_were_not_decoded_yet_are_counted_and_made_up_in_a_dry_run(
    import_pictures: ImportPictures, workspace: Workspace, runs: Runs
) -> None:
    import_pictures(counts={"train": 10, "validation": 2, "test": 6})
    config = settled(runs, data__train_images=14, data__validation="own")
    found = trial_images.material(config, workspace)
    counts = [len(part) for part in (found.splits.train, found.splits.validation)]
    assert (counts, len(found.splits.test)) == ([14, 4], 12)
    assert found.decoding > 0
    assert found.mapped == (14 + 4 + 12) * 8 * 8 * 3
    assert not workspace.pictures.exists()


@pytest.mark.parametrize("alike", [False, True])
def test_images_that_are_at_hand_are_taken_for_a_dry_run(
    import_pictures: ImportPictures, workspace: Workspace, runs: Runs, alike: bool
) -> None:
    import_pictures(alike=alike)
    config = settled(runs)
    real = load_splits(config.data, config.seed, side=8, workspace=workspace)
    found = trial_images.material(config, workspace)
    assert found.splits.train.fingerprint() == real.train.fingerprint()
    assert (found.decoding, found.waits_for) == (0, ())
    assert found.mapped == 32 * np.prod(real.train.images.shape[1:])


def test_imported_datasets_are_listed(
    import_pictures: ImportPictures, workspace: Workspace, command: Callable[..., Any]
) -> None:
    import_pictures()
    broken = import_pictures("broken")
    (broken.folder / "about.json").write_text("{")
    told = command("datasets", "--json").document
    assert told["datasets"][-1] == {
        "dataset": "shades",
        "classes": 2,
        "train_images": 20,
        "validation_images": 0,
        "test_images": 12,
        "source": "imported from class folders, /pictures",
    }
    (damaged,) = told["damaged"]
    assert damaged["damaged"] == "broken"
