import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DamagedFile, NotComparable, UnknownRun
from core.network import models
from core.network.networks import Network, build
from core.network.weights import arrays_of, assign
from core.predicting.predictor import LoadedNetwork
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change

SMALL = {"side": 8, "network.head.dense": [16]}
CNN = change(RECIPES["cnn-digits"].config, SMALL)
MOBILENET = change(RECIPES["mobilenet-folder"].config, {"side": 32, "weights": "random"})
VGG16 = change(RECIPES["vgg16-digits"].config, {"side": 32})
CNN_LAYERS = ["block1_conv1", "block1_conv2", "block2_conv1", "block2_conv2"]
HEAD = ["dense_1", "probabilities"]


@pytest.fixture(scope="module")
def backbone_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small CNN, as somebody else may have trained them."""
    path = tmp_path_factory.mktemp("backbone") / "cnn.npz"
    return write_backbone(path, seed=3)


def write_backbone(path: Path, seed: int) -> Path:
    layers = build(CNN.network, 10, seed=seed).backbone_layers
    np.savez(path, allow_pickle=False, **arrays_of(layers))
    return path


@pytest.fixture
def from_file(backbone_file: Path) -> RunConfig:
    """A CNN whose backbone comes from a file and stays frozen."""
    return change(CNN, {"mode": "transfer", "weights": str(backbone_file)})


def save(
    runs: Runs, config: RunConfig, precision: str = "float32", phase: int = 1
) -> tuple[Run, Network]:
    """A run whose network learned, in that phase, to be a little different, and that network."""
    network = models.start(config, precision, runs)
    run = runs.create(config).write_state(status="finished", best_epoch=1, precision=precision)
    models.save_reference(run.folder, network)
    trained = network.layers(config.phases[phase - 1].frozen_count)
    learned = {key: array + np.float32(0.01) for key, array in arrays_of(trained).items()}
    assign(trained, learned)
    models.save_trained(run.folder, network, config, phase, 1)
    return run, network


def answers(network: Network, config: RunConfig) -> NDArray[np.float32]:
    images = np.random.default_rng(0).integers(0, 256, (3, 28, 28)).astype(np.uint8)
    return LoadedNetwork(network, config.network).probabilities(images)


def stored_layers(run: Run, epoch: int = 1) -> list[str]:
    with np.load(run.folder.weights(epoch)) as arrays:
        return list(dict.fromkeys(key.rpartition("/")[0] for key in arrays.files))


# --- what is kept -----------------------------------------------------------------------------


def test_of_a_frozen_backbone_only_the_head_is_kept(runs: Runs, from_file: RunConfig) -> None:
    run, _ = save(runs, from_file)
    assert stored_layers(run) == HEAD
    assert run.folder.backbone.exists()


@pytest.mark.parametrize(
    ("frozen_layers", "kept"),
    [("block2_conv1", ["block2_conv2"]), ("block1", CNN_LAYERS[2:]), (2, CNN_LAYERS[1:])],
)
def test_of_a_finetuned_backbone_what_was_frozen_is_not_kept(
    runs: Runs, from_file: RunConfig, frozen_layers: int | str, kept: list[str]
) -> None:
    finetuned = {"mode": "finetune", "frozen_layers": frozen_layers}
    run, _ = save(runs, change(from_file, finetuned))
    assert stored_layers(run) == kept + HEAD


@pytest.mark.parametrize(
    ("phase", "kept"), [(1, HEAD), (2, ["block2_conv1", "block2_conv2", *HEAD])]
)
def test_of_two_phases_each_keeps_what_it_trained(
    runs: Runs, from_file: RunConfig, phase: int, kept: list[str]
) -> None:
    unfrozen = {"second_phase.epochs": 1, "second_phase.still_frozen": "block1"}
    config = change(from_file, unfrozen)
    run, network = save(runs, config, phase=phase)
    assert stored_layers(run) == kept
    np.testing.assert_array_equal(answers(models.load_run(run), config), answers(network, config))


@pytest.mark.parametrize("mode", ["scratch", "transfer", "finetune"])
def test_where_it_began_at_random_everything_is_kept(runs: Runs, mode: str) -> None:
    run, _ = save(runs, change(CNN, {"mode": mode}))
    assert stored_layers(run) == CNN_LAYERS + HEAD
    assert not run.folder.backbone.exists()


def test_the_model_of_a_vgg16_takes_less_than_two_megabytes(vgg16_run: Run) -> None:
    assert vgg16_run.config.network.head == RECIPES["vgg16-digits"].config.network.head
    sizes = {path.name: path.stat().st_size for path in vgg16_run.folder.model.iterdir()}
    assert set(sizes) == {"epoch-1.npz", "backbone.json"}
    assert sum(sizes.values()) < 2_000_000


def test_best_and_last_are_kept_apart(runs: Runs) -> None:
    run, network = save(runs, CNN)
    best = answers(network, CNN)
    bias = network.classifier.layers[-1].bias
    bias.assign(bias + np.eye(1, 10)[0])
    models.save_trained(run.folder, network, CNN, 1, 2)
    np.testing.assert_array_equal(answers(models.load_run(run), CNN), best)
    assert not np.array_equal(answers(models.load_run(run, 2), CNN), best)


# --- loading ----------------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "config",
    [
        CNN,
        VGG16,
        change(VGG16, {"mode": "finetune", "frozen_layers": "block4"}),
        change(MOBILENET, {"data.name": "mnist"}),
    ],
    ids=["cnn", "vgg16", "vgg16 finetuned", "mobilenet"],
)
def test_a_loaded_network_answers_to_the_bit_as_the_saved_one(
    runs: Runs, config: RunConfig, precision: str
) -> None:
    run, network = save(runs, config, precision)
    loaded = models.load_run(run)
    np.testing.assert_array_equal(answers(loaded, config), answers(network, config))


def test_a_run_without_weights_has_nothing_to_load(runs: Runs) -> None:
    run = runs.create(CNN, "waiting")
    with pytest.raises(NotComparable, match=r"'waiting' \(queued\) has no trained weights"):
        models.load_run(run)


# --- starting from another run ----------------------------------------------------------------


def assert_same_backbone(network: Network, expected: Network) -> None:
    got, wanted = arrays_of(network.backbone_layers), arrays_of(expected.backbone_layers)
    assert list(got) == list(wanted)
    for key, array in got.items():
        np.testing.assert_array_equal(array, wanted[key])


@pytest.mark.parametrize("frozen_layers", [0, "block1"])
def test_a_run_starts_from_the_backbone_that_another_trained(
    runs: Runs, from_file: RunConfig, frozen_layers: int | str
) -> None:
    finetuned = {"mode": "finetune", "frozen_layers": frozen_layers}
    source, trained = save(runs, change(from_file, finetuned))
    config = change(CNN, {"mode": "transfer", "weights": f"run:{source.id}", "dense": [5]})
    assert_same_backbone(models.start(config, "float32", runs), trained)


def test_the_side_may_be_another_than_that_of_the_source(runs: Runs) -> None:
    source, trained = save(runs, CNN)
    config = change(CNN, {"mode": "transfer", "weights": f"run:{source.id}", "side": 20})
    assert_same_backbone(models.start(config, "float32", runs), trained)


def test_a_run_whose_source_was_deleted_still_loads(runs: Runs) -> None:
    source, _ = save(runs, CNN)
    config = change(CNN, {"mode": "transfer", "weights": f"run:{source.id}"})
    run, network = save(runs, config)
    assert stored_layers(run) == CNN_LAYERS + HEAD
    runs.delete(source)
    np.testing.assert_array_equal(answers(models.load_run(run), config), answers(network, config))
    with pytest.raises(UnknownRun):
        models.start(config, "float32", runs)


# --- damage -----------------------------------------------------------------------------------


def test_a_backbone_file_that_changed_since_training_is_refused(
    runs: Runs, from_file: RunConfig, tmp_path: Path
) -> None:
    path = write_backbone(tmp_path / "mine.npz", seed=1)
    run, _ = save(runs, change(from_file, {"network.weights": str(path)}))
    write_backbone(path, seed=2)
    with pytest.raises(DamagedFile, match=r"was trained on other backbone weights than .*mine"):
        models.load_run(run)


def test_a_backbone_file_that_was_copied_back_is_taken(
    runs: Runs, from_file: RunConfig, tmp_path: Path
) -> None:
    path = write_backbone(tmp_path / "mine.npz", seed=1)
    config = change(from_file, {"network.weights": str(path)})
    run, network = save(runs, config)
    shutil.move(path, tmp_path / "elsewhere")
    with pytest.raises(DamagedFile, match=r"lacks the backbone it was trained on: .*mine\.npz"):
        models.load_run(run)
    shutil.copyfile(tmp_path / "elsewhere", path)
    np.testing.assert_array_equal(answers(models.load_run(run), config), answers(network, config))


@pytest.mark.parametrize("content", ["{}", '{"sha256": ', "[]"])
def test_a_damaged_reference_is_named(runs: Runs, from_file: RunConfig, content: str) -> None:
    run, _ = save(runs, from_file)
    run.folder.backbone.write_text(content)
    with pytest.raises(DamagedFile, match=r"backbone"):
        models.load_run(run)


def sentence_about(run: Run) -> str:
    """What a person is told who asks for a run whose weights are damaged."""
    with pytest.raises(DamagedFile) as caught:
        models.load_run(run)
    sentence = str(caught.value)
    assert sentence.startswith(f"epoch-1.npz of the run {run.name!r} cannot be read (")
    assert sentence.endswith("); train it again to get it back")
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize("kept", [0, 100, -1])
def test_weights_that_were_cut_short_are_named(runs: Runs, kept: int) -> None:
    run, _ = save(runs, CNN)
    path = run.folder.weights(1)
    path.write_bytes(path.read_bytes()[:kept])
    assert sentence_about(run)


@pytest.mark.parametrize(
    "settings", [{"dense": [8]}, {"dense": [16, 16]}, {"mode": "transfer"}], ids=str
)
def test_weights_of_another_network_are_named(
    runs: Runs, from_file: RunConfig, settings: dict[str, Any]
) -> None:
    base = from_file if "mode" in settings else CNN
    run, other = save(runs, CNN)[0], save(runs, change(base, settings))[0]
    shutil.copy(other.folder.weights(1), run.folder.weights(1))
    assert sentence_about(run)


def test_weights_with_changed_bytes_load_or_are_named(runs: Runs) -> None:
    run, _ = save(runs, change(CNN, {"blocks": [{"filters": 2}]}))
    path = run.folder.weights(1)
    whole = path.read_bytes()
    random = np.random.default_rng(0)
    named = sum(_is_named_when_changed(run, whole, random) for _ in range(30))
    assert named


def _is_named_when_changed(run: Run, whole: bytes, random: np.random.Generator) -> bool:
    changed = bytearray(whole)
    for position in random.integers(len(whole), size=4):
        changed[position] ^= 0xFF
    run.folder.weights(1).write_bytes(changed)
    try:
        models.load_run(run)
    except DamagedFile:
        return True
    return False
