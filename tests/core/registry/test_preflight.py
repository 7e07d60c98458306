from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.errors import InvalidConfig
from core.network.network_config import NetworkConfig
from core.registry.config import RunConfig
from core.registry.preflight import settle
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change

CNN = change(RECIPES["cnn-digits"].config, {"side": 8})
START = {"mode": "transfer", "weights": "run:source"}
GREY = np.zeros((4, 4), np.uint8)


def write_weights(path: Path, network: NetworkConfig) -> Path:
    arrays = {
        f"{layer.name}/kernel": np.zeros(layer.parameters, np.float16)
        for layer in network.graph.layers
        if layer.parameters
    }
    np.savez_compressed(path, allow_pickle=False, **arrays)
    return path


def make_source(runs: Runs, settings: Mapping[str, Any] = {}, name: str = "source") -> Run:
    """A run with a file of trained weights; what is in it does not matter here."""
    run = runs.create(change(CNN, settings), name).write_state(status="finished", best_epoch=1)
    run.folder.model.mkdir()
    run.folder.weights(1).touch()
    return run


def refusal(config: RunConfig, runs: Runs) -> str:
    with pytest.raises(InvalidConfig) as caught:
        settle(config, runs)
    return str(caught.value)


@pytest.mark.parametrize(
    "name", [name for name in RECIPES if RECIPES[name].config.data.name != "folder"]
)
def test_a_recipe_needs_no_settling(name: str, runs: Runs) -> None:
    assert settle(RECIPES[name].config, runs) == RECIPES[name].config


# --- weights files ----------------------------------------------------------------------------


def test_a_weights_file_is_named_by_its_whole_path(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_weights(tmp_path / "mine.npz", CNN.network)
    monkeypatch.chdir(tmp_path)
    config = change(CNN, {"mode": "transfer", "weights": "mine.npz"})
    settled = settle(config, runs)
    assert settled.network.weights == str(tmp_path / "mine.npz")
    assert settle(settled, runs) == settled


def test_a_weights_file_of_another_network_is_refused(runs: Runs, tmp_path: Path) -> None:
    other = change(CNN, {"blocks": [{"filters": 4}]})
    path = write_weights(tmp_path / "mine.npz", other.network)
    config = change(CNN, {"mode": "transfer", "weights": str(path)})
    assert refusal(config, runs).startswith(
        f"network.weights must be a file of cnn without top, got {path}: it holds 188 numbers"
    )


# --- weights of a run -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["transfer", "features", "finetune"])
def test_a_run_is_named_by_its_id(runs: Runs, mode: str) -> None:
    source = make_source(runs)
    for reference in ("source", source.id, source.id[:-1]):
        config = change(CNN, {"mode": mode, "weights": f"run:{reference}"})
        assert settle(config, runs).network.weights == f"run:{source.id}"


@pytest.mark.parametrize("settings", [{"side": 20}, {"dense": [7]}, {"epochs": 3}], ids=str)
def test_what_comes_after_the_backbone_may_differ_from_the_source(
    runs: Runs, settings: dict[str, Any]
) -> None:
    source = make_source(runs)
    settled = settle(change(CNN, START | settings), runs)
    assert settled.network.source_run == source.id


def test_a_run_that_is_not_there_is_refused(runs: Runs) -> None:
    assert refusal(change(CNN, START), runs) == (
        "network.weights must name a run after run:, got \"source\": there is no run 'source'; "
        "`runs` lists those there are"
    )


def test_a_run_that_is_damaged_is_refused(runs: Runs) -> None:
    source = make_source(runs)
    source.folder.state.unlink()
    sentence = refusal(change(CNN, {**START, "weights": f"run:{source.id}"}), runs)
    assert sentence.endswith(f"the run {source.id} is damaged: state.json is missing")


def test_a_run_without_trained_weights_is_refused(runs: Runs) -> None:
    runs.create(CNN, "source")
    assert refusal(change(CNN, START), runs) == (
        "network.weights must name a run with trained weights, got 'source' (queued); choose one "
        "that finished at least one epoch"
    )


MOBILENET = {"architecture": "mobilenet", "channels": 3, "side": 32, "weights": "random"}


@pytest.mark.parametrize(
    ("theirs", "ours", "expected"),
    [
        ({}, MOBILENET, 'network.architecture must be "cnn", as in the run '),
        ({"channels": 3}, {}, "network.channels must be 3, as in the run "),
        ({"blocks": [{"filters": 3}]}, {}, 'network.blocks must be [{"filters": 3, "kernel": 3,'),
        (MOBILENET | {"alpha": 0.5}, MOBILENET, "network.alpha must be 0.5, as in the run "),
        (
            MOBILENET | {"depth_multiplier": 2},
            MOBILENET,
            "network.depth_multiplier must be 2, as in the run ",
        ),
    ],
    ids=["architecture", "channels", "blocks", "alpha", "depth_multiplier"],
)
def test_a_run_of_another_backbone_is_refused(
    runs: Runs, theirs: dict[str, Any], ours: dict[str, Any], expected: str
) -> None:
    make_source(runs, theirs)
    sentence = refusal(change(CNN, ours | START), runs)
    assert sentence.startswith(expected)
    assert sentence.endswith("; change it or choose another run")


# --- data -------------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """An image folder of three classes."""
    for part in ("train", "test"):
        for name in ("cat", "dog", "emu"):
            folder = tmp_path / "pictures" / part / name
            folder.mkdir(parents=True)
            assert cv2.imwrite(str(folder / "1.png"), GREY)
    return tmp_path / "pictures"


def folder_config(path: Path | str, **settings: Any) -> RunConfig:
    return change(CNN, {"data.name": "folder", "data.path": str(path), **settings})


def test_the_classes_of_a_folder_and_its_whole_path_are_filled_in(
    runs: Runs, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pictures.parent)
    config = folder_config("pictures")
    settled = settle(config, runs)
    assert settled.class_names == ("cat", "dog", "emu")
    assert settled.data.path == str(pictures)
    assert settled.parameters.total > config.parameters.total
    assert settle(settled, runs) == settled


@pytest.mark.parametrize("path", ["", "/no/such/folder"])
def test_a_folder_that_is_not_there_is_refused(runs: Runs, path: str) -> None:
    assert refusal(folder_config(path), runs)


def test_class_weights_are_counted_once_the_classes_are_known(runs: Runs, pictures: Path) -> None:
    assert settle(folder_config(pictures, class_weights=[1.0, 2.0, 3.0]), runs)
    assert refusal(folder_config(pictures, class_weights=[1.0, 2.0]), runs) == (
        "class_weights must be none, balanced or 3 numbers, one for each class, got 2"
    )


# --- memory -----------------------------------------------------------------------------------


BLOCK = {"filters": 2048, "pooling": "none"}
VAST = {"side": 512, "dense": [16384, 16384], "blocks": [BLOCK]}


@pytest.mark.parametrize(
    ("settings", "copies"),
    [
        ({"optimizer": "sgd"}, 2),
        ({"optimizer": "sgd", "momentum": 0.9}, 3),
        ({"optimizer": "rmsprop"}, 3),
        ({"optimizer": "adagrad"}, 3),
        ({"optimizer": "adam"}, 4),
        ({"optimizer": "adamw"}, 4),
    ],
    ids=str,
)
def test_weights_that_no_machine_could_hold_are_refused(
    runs: Runs, settings: dict[str, Any], copies: int
) -> None:
    config = change(CNN, VAST | settings)
    sentence = refusal(config, runs)
    name = settings["optimizer"]
    assert sentence.startswith(f"the weights, their gradients and what {name} remembers must fit")
    gib = config.parameters.total * 4 * copies / 2**30
    assert f"got {gib:,.1f} GiB with network.side 512 and network.head.dense [16384," in sentence
    assert sentence.endswith("choose smaller dense layers, a smaller side or pooling average")


def test_what_the_refusal_advises_is_taken(runs: Runs) -> None:
    assert settle(change(CNN, VAST | {"pooling": "average", "dense": [64]}), runs)
