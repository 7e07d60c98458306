import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from core.errors import InvalidConfig
from core.network.network_config import NetworkConfig
from core.network.weight_files import ENDINGS, check, named_by

Layers = Mapping[str, int]
"""How many numbers each layer of a file holds."""
SIDES = {"cnn": 28, "vgg16": 32, "inceptionv3": 75, "mobilenet": 32, "resnet50": 32}
TOPS: dict[str, Layers] = {
    "vgg16": {"fc1": 102_764_544, "fc2": 16_781_312, "predictions": 4_097_000},
    "inceptionv3": {"predictions": 2_049_000},
    "mobilenet": {"conv_preds": 1_025_000},
    "resnet50": {"predictions": 2_049_000},
}
WITH_TOP = {
    "vgg16": "138,357,544",
    "inceptionv3": "23,851,784",
    "mobilenet": "4,253,864",
    "resnet50": "25,636,712",
}
"""Parameters that Keras's documentation gives (https://keras.io/api/applications/)."""


def network(architecture: str = "cnn", **settings: Any) -> NetworkConfig:
    given = {"weights": "weights.npz", "side": SIDES[architecture], "mode": "finetune"}
    return NetworkConfig(architecture=architecture, **given | settings)  # type: ignore[arg-type]


def layers_of(config: NetworkConfig) -> Layers:
    return {layer.name: layer.parameters for layer in config.graph.layers if layer.parameters}


def write(path: Path, layers: Layers) -> Path:
    """Write a weights file in the format that its name ends in; all numbers are 0."""
    if path.suffix == ".npz":
        arrays = {f"{name}/kernel": np.zeros(count, np.bool_) for name, count in layers.items()}
        np.savez_compressed(path, allow_pickle=False, **arrays)
        return path
    with h5py.File(path, "w") as file:
        keras_3 = path.name.endswith(".weights.h5")
        for name, count in layers.items():
            # Arrays that nothing was written to take no room on disk.
            inside = f"layers/{name}/vars/0" if keras_3 else f"{name}/{name}/kernel:0"
            file.create_dataset(inside, (count,), "float32")
        if keras_3:
            file["layers/dropout/seed_generator/vars/0"] = [0, 1]
            file["optimizer/vars/0"] = np.zeros(1000)
        else:
            file.attrs["layer_names"] = [name.encode() for name in layers]
    return path


def reason(path: Path, config: NetworkConfig) -> str:
    """Why a file is refused, without the beginning that all refusals share."""
    with pytest.raises(InvalidConfig) as caught:
        check(path, config)
    beginning, _, end = str(caught.value).partition(f" without top, got {path}: ")
    assert beginning.startswith(f"network.weights must be a file of {config.architecture}")
    assert end
    assert "\n" not in end
    return end


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("architecture", SIDES)
def test_a_file_of_the_architecture_is_taken(
    architecture: str, ending: str, tmp_path: Path
) -> None:
    config = network(architecture)
    check(write(tmp_path / f"mine{ending}", layers_of(config)), config)


@pytest.mark.parametrize("side", [32, 224])
def test_the_side_of_the_images_does_not_matter(side: int, tmp_path: Path) -> None:
    path = write(tmp_path / "mine.h5", layers_of(network("resnet50", side=64)))
    check(path, network("resnet50", side=side))


def test_a_whole_model_as_keras_2_saved_it_is_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        for name, count in layers_of(network()).items():
            file.create_dataset(f"model_weights/{name}/kernel:0", (count,), "float32")
        file["model_weights"].create_group("dropout")
        file["optimizer_weights/adam/m"] = np.zeros(7)
    check(path, network())


@pytest.mark.parametrize("name", ["nowhere.npz", "bundeld", "", "~nobody/x.h5", "x" * 5000, "a\0b"])
def test_what_is_no_file_is_answered_with_the_choices(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    sentence = (
        "network.weights must be one of bundled, keras, a weights file, run:NAME, random, "
        f"got {path}, which is no file"
    )
    with pytest.raises(InvalidConfig) as caught:
        check(path, network("vgg16"))
    assert str(caught.value) == sentence


def test_the_choices_are_those_of_the_architecture(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfig, match="must be one of a weights file, run:NAME, random, got"):
        check(tmp_path / "nowhere.npz", network("cnn"))


@pytest.mark.parametrize("name", ["weights.txt", "weights", "weights.keras", "weights.hdf5"])
def test_a_name_of_another_ending_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    assert reason(tmp_path / name, network()) == "its name must end in .npz, .weights.h5 or .h5"


@pytest.mark.parametrize("name", ["text.h5", "text.weights.h5"])
def test_a_text_file_named_h5_is_told_apart(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("<html>404 Not Found</html>")
    expected = "it is no HDF5 file, whatever its name says; get it again"
    assert reason(tmp_path / name, network()) == expected


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"layer,weights\n", b"\x93NUMPY\1\0"])
def test_what_is_no_npz_is_told_apart(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_bytes(content)
    expected = "it is no npz archive, or only the beginning of one; get it again"
    assert reason(tmp_path / "text.npz", network()) == expected


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kept", [600, 0.5, 0.99])
def test_a_file_cut_short_is_told_apart(ending: str, kept: float, tmp_path: Path) -> None:
    path = write(tmp_path / f"cut{ending}", layers_of(network()))
    whole = path.read_bytes()
    path.write_bytes(whole[: int(kept if kept > 1 else kept * len(whole))])
    assert "only the beginning of" in reason(path, network())


@pytest.mark.parametrize("ending", ENDINGS)
def test_changed_bytes_are_refused_or_harmless(ending: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"changed{ending}", layers_of(network()))
    whole, random = path.read_bytes(), np.random.default_rng(0)
    for _ in range(200):
        changed = bytearray(whole)
        for position in random.integers(len(whole), size=4):
            changed[position] ^= 0xFF
        path.write_bytes(changed)
        with contextlib.suppress(InvalidConfig):
            check(path, network())


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    hostile = {"block1_conv1/kernel": np.array([print], dtype=object)}
    np.savez(tmp_path / "hostile.npz", allow_pickle=True, **hostile)
    assert "allow_pickle=False" in reason(tmp_path / "hostile.npz", network())


@pytest.mark.parametrize("architecture", ["vgg16", "inceptionv3", "resnet50"])
@pytest.mark.parametrize("ending", [".h5", ".weights.h5"])
def test_a_file_of_another_architecture_is_named(
    architecture: str, ending: str, tmp_path: Path
) -> None:
    layers = layers_of(network(architecture))
    path = write(tmp_path / f"other{ending}", layers)
    assert reason(path, network("mobilenet")) == (
        f"it holds {sum(layers.values()):,} numbers, those of {architecture} without top; "
        f"choose another file or architecture {architecture}"
    )


@pytest.mark.parametrize(
    ("held", "name"),
    [
        (network("mobilenet", alpha=0.25), "mobilenet with alpha 0.25"),
        (network("mobilenet"), "mobilenet"),
        (network("cnn", channels=1), "cnn with channels 1"),
        (network("cnn", channels=3), "cnn with channels 3"),
    ],
)
def test_the_width_and_the_channels_are_named_too(
    held: NetworkConfig, name: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "other.h5", layers_of(held))
    assert f"those of {name} without top" in reason(path, network("mobilenet", alpha=0.5))


def test_channels_of_another_cnn_with_the_same_blocks_are_named(tmp_path: Path) -> None:
    blocks = ({"filters": 8},)
    path = write(tmp_path / "grey.npz", layers_of(network(channels=1, blocks=blocks)))
    assert "those of cnn with channels 1" in reason(path, network(channels=3, blocks=blocks))


@pytest.mark.parametrize("architecture", TOPS)
def test_a_file_with_the_top_is_told_what_to_take_instead(
    architecture: str, tmp_path: Path
) -> None:
    config = network(architecture)
    path = write(tmp_path / "whole.h5", {**layers_of(config), **TOPS[architecture]})
    assert reason(path, config) == (
        f"it holds {WITH_TOP[architecture]} numbers, those of {architecture} with its top; choose "
        f"a file of {architecture} without it, which Keras calls notop"
    )


def test_the_top_of_another_architecture_is_told_too(tmp_path: Path) -> None:
    layers = {**layers_of(network("resnet50")), **TOPS["resnet50"]}
    path = write(tmp_path / "whole.weights.h5", layers)
    assert reason(path, network("mobilenet", alpha=0.25)).endswith(
        "those of resnet50 with its top; choose a file of mobilenet with alpha 0.25 without it, "
        "which Keras calls notop"
    )


def test_a_file_of_no_network_we_know_is_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "strange.weights.h5", {"dense": 8_000, "dense_1": 12})
    assert reason(path, network("vgg16")) == (
        "it holds 8,012 numbers in 2 layers, and 14,714,688 in 13 are needed; choose another file"
    )


def test_a_network_inside_a_network_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "nested.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/functional/layers/conv2d/vars/0"] = np.zeros((3, 3, 2))
        file["layers/dense/vars/0"] = np.zeros(5)
    assert reason(path, network("vgg16")).startswith("it holds 23 numbers in 2 layers, and ")


@pytest.mark.parametrize("name", ["strange.h5", "strange.weights.h5"])
def test_an_h5_that_holds_anything_else_is_refused(name: str, tmp_path: Path) -> None:
    with h5py.File(tmp_path / name, "w") as file:
        file["layers" if "weights" in name else "model_weights"] = 1.0
    assert reason(tmp_path / name, network("vgg16"))


def test_vgg19_is_not_taken_for_vgg16(tmp_path: Path) -> None:
    more = {f"block{block}_conv4": 9 * 512**2 + 512 for block in (4, 5)}
    vgg19 = {**layers_of(network("vgg16")), **more, "block3_conv4": 590_080}
    path = write(tmp_path / "vgg19.h5", vgg19)
    assert reason(path, network("vgg16")).startswith("it holds 20,024,384 numbers in 16 layers")


@pytest.mark.parametrize(
    ("written", "called", "ending"),
    [
        ("mine.h5", "mine.weights.h5", ".h5 without .weights before it"),
        ("mine.weights.h5", "mine.h5", ".weights.h5"),
    ],
)
def test_a_layout_that_the_name_belies_is_told(
    written: str, called: str, ending: str, tmp_path: Path
) -> None:
    path = write(tmp_path / written, layers_of(network())).rename(tmp_path / called)
    expected = f"it is laid out as a file that ends in {ending}; rename it"
    assert reason(path, network()) == expected


def test_an_npz_must_name_its_layers_as_the_network_does(tmp_path: Path) -> None:
    renamed = {f"my_{name}": count for name, count in layers_of(network()).items()}
    assert reason(write(tmp_path / "renamed.npz", renamed), network()) == (
        "it has no layer block1_conv1; name its arrays LAYER/VARIABLE"
    )


def test_an_h5_may_name_its_layers_otherwise(tmp_path: Path) -> None:
    renamed = {f"my_{name}": count for name, count in layers_of(network()).items()}
    check(write(tmp_path / "renamed.h5", renamed), network())


@pytest.mark.parametrize("weights", ["bundled", "keras", "random", "run:mine", "run:a/b.npz"])
def test_what_is_no_path_names_no_file(weights: str) -> None:
    assert named_by(network("vgg16", weights=weights)) is None


def test_a_path_is_made_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/me")
    assert named_by(network(weights="../x.npz")) == tmp_path.parent / "x.npz"
    assert named_by(network(weights="~/x.npz")) == Path("/home/me/x.npz")
    assert named_by(network(weights="/a/x.npz")) == Path("/a/x.npz")
