"""Features of networks with random weights: what is computed of them does not hang on training."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.special import softmax

from core.data.datasets import load_splits
from core.feature_space.background import Background
from core.feature_space.extraction import Extractor
from core.feature_space.space import FeatureSpace
from core.feature_space.work import work
from core.network import models
from core.network.networks import Network
from core.registry.predictions import write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.feature_cache import FeatureCache
from core.workspace import Workspace

SMALL = {"train_images": 60, "test_images": 40, "precision": "float32"}


def make(workspace: Workspace, recipe: str, **settings: Any) -> tuple[Run, Network]:
    """A run with the weights that training would have begun with."""
    config = change(RECIPES[recipe].config, SMALL | settings)
    run = Runs(workspace).create(config)
    network = models.start(config, "float32", Runs(workspace))
    models.save_reference(run.folder, network)
    models.save_trained(run.folder, network, config, phase=1, epoch=1)
    test = load_splits(config.data, config.seed, side=config.network.side).test
    write_truth(run.folder.predictions, test.labels, test.indices, test.fingerprint())
    run = run.write_state(
        status="finished",
        best_epoch=1,
        epochs_done=1,
        precision="float32",
        test_fingerprint=test.fingerprint(),
    )
    return run, network


def answers(network: Network, features: np.ndarray) -> np.ndarray:
    """What the last layer makes of features."""
    kernel, bias = (w.numpy() for w in network.classifier.layers[-1].weights)
    return softmax(features @ kernel + bias, axis=1)


def expected(network: Network, images: np.ndarray) -> np.ndarray:
    side, channels = network.config.side, network.config.channels
    from core.data.preprocessing import for_network

    return network.whole()(for_network(images, side, channels)).numpy()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("features"))


@pytest.fixture(scope="module")
def cnn(workspace: Workspace) -> tuple[Run, Network]:
    return make(workspace, "cnn-digits")


@pytest.fixture
def background(workspace: Workspace, cnn: tuple[Run, Network]) -> Background:
    space = FeatureSpace(workspace, cnn[0], 1)
    space.folder.mkdir(parents=True, exist_ok=True)
    return Background(space)


def ask(background: Background, *tasks: Any) -> None:
    """Have something computed in this process, as its own process does it."""
    for task in tasks:
        (background.space.folder / f"asked-{task}").touch()
    work(background)


def test_features_are_what_the_last_layer_is_fed(
    background: Background, cnn: tuple[Run, Network]
) -> None:
    ask(background, "pca", "neighbours")
    ended, run, network = background.work(), *cnn
    assert ended is not None
    assert (ended.ended, ended.failure) == (True, "")
    splits = load_splits(run.config.data, run.config.seed)
    test, train = background.space.test(), background.space.train()
    assert test is not None
    assert train is not None
    assert_allclose(answers(network, test.rows), expected(network, splits.test.images), atol=1e-5)
    assert_allclose(answers(network, train), expected(network, splits.train.images), atol=1e-5)
    made = background.space.map("pca")
    assert made is not None
    assert made.points.shape == (40, 2)


def test_what_is_kept_is_not_computed_again(background: Background) -> None:
    ask(background, "pca")
    kept = {path: path.stat().st_mtime_ns for path in background.space.of_run.glob("kept/*/*.npy")}
    ask(background, "pca")
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_changed_images_are_told_in_a_sentence(
    workspace: Workspace, cnn: tuple[Run, Network]
) -> None:
    run = cnn[0].write_state(test_fingerprint="another one")
    space = FeatureSpace(workspace, run, 1)
    ask(Background(space), "pca")
    ended = Background(space).work()
    assert ended is not None
    assert "have changed since it was tested on them; bring the former ones back" in ended.failure


def test_a_run_that_was_deleted_meanwhile_leaves_nothing(workspace: Workspace) -> None:
    run, _ = make(workspace, "cnn-digits", train_images=61)
    space = FeatureSpace(workspace, run, 1)
    space.folder.mkdir(parents=True)
    Runs(workspace).delete(run)
    space.folder.mkdir(parents=True)
    ask(Background(space), "pca")
    assert not space.of_run.exists()


def test_wide_features_of_frozen_layers_are_taken_from_the_cache_and_reduced(
    workspace: Workspace, tmp_path: Path
) -> None:
    run, _ = make(workspace, "vgg16-digits", side=32)
    cache = FeatureCache(workspace.features, 2**30)
    extractor = Extractor(run, 1, cache)
    test = load_splits(run.config.data, run.config.seed).test
    read = extractor.reader(test, "test images", lambda event: None)
    wide = np.concatenate(list(read(np.arange(40))))
    assert (cache.use().entries, wide.shape) == (1, (40, 512))

    space = FeatureSpace(workspace, run, 1)
    space.folder.mkdir(parents=True)
    ask(Background(space), "pca")
    assert cache.use().entries == 1
    kept = space.test()
    assert kept is not None
    assert kept.reduced
    assert kept.layer_width == 512
    apart = np.linalg.norm(wide[:, None] - wide[None], axis=2)
    assert_allclose(
        np.linalg.norm(kept.rows[:, None] - kept.rows[None], axis=2), apart, atol=1e-3 * apart.max()
    )
