import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from core import models
from core.config import RunConfig, change
from core.errors import DamagedFile, NotComparable
from core.networks import Network, build
from core.predictor import LoadedNetwork
from core.recipes import RECIPES
from core.runs import Run, Runs

CNN = change(RECIPES["cnn-digits"].config, {"side": 8, "dense": [16]})
VGG16 = change(RECIPES["vgg16-digits"].config, {"side": 32})


def save(runs: Runs, config: RunConfig, precision: str = "float32") -> tuple[Run, Network]:
    """A run with a network that was never trained, and that network."""
    network = build(config.network, 10, precision, seed=7)
    run = runs.create(config).write_state(status="finished", best_epoch=1, precision=precision)
    models.save_reference(run.folder, network, config.network.weights)
    models.save_trained(run.folder, network, "best")
    return run, network


def answers(network: Network, config: RunConfig) -> NDArray[np.float32]:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    return LoadedNetwork(network, config.network).probabilities(images)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("config", [CNN, VGG16], ids=["cnn", "vgg16"])
def test_a_loaded_network_answers_to_the_bit_as_the_saved_one(
    runs: Runs, config: RunConfig, precision: str
) -> None:
    run, network = save(runs, config, precision)
    loaded = models.load_run(run)
    np.testing.assert_array_equal(answers(loaded, config), answers(network, config))


def test_best_and_last_are_kept_apart(runs: Runs) -> None:
    run, network = save(runs, CNN)
    best = answers(network, CNN)
    bias = network.trained.layers[-1].bias
    bias.assign(bias + np.eye(1, 10)[0])
    models.save_trained(run.folder, network, "last")
    np.testing.assert_array_equal(answers(models.load_run(run, "best"), CNN), best)
    assert not np.array_equal(answers(models.load_run(run, "last"), CNN), best)


def test_the_backbone_is_referred_to_and_not_copied(vgg16_run: Run) -> None:
    files = {path.name: path.stat().st_size for path in vgg16_run.folder.model.iterdir()}
    assert set(files) == {"best.weights.h5", "last.weights.h5", "backbone.json"}
    assert all(size < 2_000_000 for size in files.values())


def test_a_network_that_stands_on_nothing_refers_to_nothing(cnn_run: Run) -> None:
    assert not cnn_run.folder.backbone.exists()


@pytest.fixture
def backbone_file(tmp_path: Path) -> Path:
    """Weights of VGG16 that are not the bundled ones."""
    path = tmp_path / "vgg16.weights.h5"
    keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(
        path
    )
    return path


def test_a_backbone_file_that_changed_since_training_is_refused(
    runs: Runs, backbone_file: Path
) -> None:
    run, _ = save(runs, change(VGG16, {"network.weights": str(backbone_file)}))
    changed = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    changed.save_weights(backbone_file)
    with pytest.raises(DamagedFile, match=r"was trained on other backbone weights than .*vgg16"):
        models.load_run(run)


def test_a_backbone_file_that_was_copied_back_is_taken(
    runs: Runs, backbone_file: Path, tmp_path: Path
) -> None:
    config = change(VGG16, {"network.weights": str(backbone_file)})
    run, network = save(runs, config)
    shutil.move(backbone_file, tmp_path / "elsewhere")
    shutil.copyfile(tmp_path / "elsewhere", backbone_file)
    np.testing.assert_array_equal(answers(models.load_run(run), config), answers(network, config))


@pytest.mark.parametrize("content", ["{}", '{"sha256": ', "[]"])
def test_a_damaged_reference_is_named(runs: Runs, content: str) -> None:
    run, _ = save(runs, VGG16)
    run.folder.backbone.write_text(content)
    with pytest.raises(DamagedFile, match=r"backbone"):
        models.load_run(run)


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_weights_that_were_cut_short_are_named(runs: Runs, kept: int) -> None:
    run, _ = save(runs, CNN)
    path = run.folder.weights("best")
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(DamagedFile, match=r"best\.weights\.h5 of the run .* cannot be read"):
        models.load_run(run)


def test_weights_of_another_network_are_named(runs: Runs) -> None:
    run, _ = save(runs, CNN)
    other, _ = save(runs, change(CNN, {"dense": [8]}))
    shutil.copy(other.folder.weights("best"), run.folder.weights("best"))
    with pytest.raises(DamagedFile, match=r"best\.weights\.h5"):
        models.load_run(run)


def test_weights_with_changed_bytes_load_or_are_named(runs: Runs) -> None:
    run, network = save(runs, CNN)
    path = run.folder.weights("best")
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    named = 0
    for _ in range(60):
        changed = bytearray(whole)
        for position in random.integers(20_000, size=4):  # where h5 keeps its structure
            changed[position] ^= 0xFF
        path.write_bytes(changed)
        named += _is_named_as_damaged(network.trained, path)
    assert named


def _is_named_as_damaged(model: Any, path: Path) -> bool:
    try:
        models._restore(model, path, "the run")
    except DamagedFile:
        return True
    return False


def test_a_run_without_weights_has_nothing_to_load(runs: Runs) -> None:
    run = runs.create(CNN, "waiting")
    with pytest.raises(NotComparable, match=r"'waiting' \(queued\) has no trained weights"):
        models.load_run(run)
