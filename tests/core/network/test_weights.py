import hashlib
import shutil
import socket
import threading
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.backend import config as keras_config
from keras.src.utils import file_utils

from core.assets import ASSETS
from core.errors import InvalidConfig, WeightsUnavailable
from core.network.network_config import HeadConfig, NetworkConfig
from core.network.networks import Network, build
from core.network.weight_files import ENDINGS
from core.network.weights import BUNDLED, arrays_of, assign, fingerprint

SIDES = {"cnn": 8, "vgg16": 32, "inceptionv3": 75, "mobilenet": 32, "resnet50": 32}
DOWNLOADED = ("vgg16", "inceptionv3", "mobilenet", "resnet50")
HEAD = HeadConfig(pooling="average", dense=(), dropout=0.0)


def config_of(architecture: str, weights: str = "random") -> NetworkConfig:
    """A small network; of MobileNet the narrowest."""
    return NetworkConfig(
        architecture=architecture,  # type: ignore[arg-type]
        mode="transfer",
        weights=weights,
        side=SIDES[architecture],
        alpha=0.25 if architecture == "mobilenet" else 1.0,
        head=HEAD,
    )


def new_network(architecture: str, weights: str = "random") -> Network:
    return build(config_of(architecture, weights), classes=2)


@cache
def source_of(architecture: str) -> Network:
    """A network of random numbers, those that Keras begins with at 0 or 1 too."""
    network = build(config_of(architecture), classes=2)
    random = np.random.default_rng(0)
    for variable in network.backbone.weights:
        variable.assign(random.random(variable.shape, np.float32))
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("weights")


def file_of(architecture: str, ending: str, folder: Path) -> Path:
    """The weights of the source in the format that the ending stands for."""
    path = folder / f"{architecture}{ending}"
    if not path.exists():
        network = source_of(architecture)
        if ending == ".npz":
            np.savez(path, allow_pickle=False, **arrays_of(network.backbone_layers))
        elif ending == ".weights.h5":
            network.backbone.save_weights(path)
        else:
            write_legacy(network.backbone, path)
    return path


def write_legacy(model: keras.Model, path: Path) -> None:
    """Write the layout of the files that Keras downloads, made by Keras 2."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name] = array


def assert_same_backbone(network: Network, expected: Network) -> None:
    got, wanted = network.backbone.get_weights(), expected.backbone.get_weights()
    for one, two in zip(got, wanted, strict=True):
        np.testing.assert_array_equal(one, two)


# --- bundled ----------------------------------------------------------------------------------


def test_bundled_weights_are_put_where_their_names_say() -> None:
    network = new_network("vgg16", "bundled")
    with np.load(ASSETS / BUNDLED["vgg16"], allow_pickle=False) as stored:
        loaded = arrays_of(network.backbone_layers)
        assert set(loaded) == set(stored.files)
        for key, array in loaded.items():
            np.testing.assert_array_equal(array, stored[key])


# --- files ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("architecture", "ending"),
    [
        *(("cnn", ending) for ending in ENDINGS),
        *(("mobilenet", ending) for ending in ENDINGS),
        *(("inceptionv3", ending) for ending in (".npz", ".weights.h5")),
        ("vgg16", ".weights.h5"),
        ("resnet50", ".npz"),
    ],
)
def test_a_weights_file_is_read_whatever_its_format(
    architecture: str, ending: str, folder: Path
) -> None:
    path = file_of(architecture, ending, folder)
    assert_same_backbone(new_network(architecture, str(path)), source_of(architecture))


def test_a_path_may_begin_at_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = file_of("cnn", ".npz", folder)
    monkeypatch.setenv("HOME", str(folder))
    assert_same_backbone(new_network("cnn", f"~/{path.name}"), source_of("cnn"))


def refused(path: Path, architecture: str = "cnn") -> str:
    """The reason that a file is refused for, without the beginning that all share."""
    with pytest.raises(InvalidConfig) as caught:
        new_network(architecture, str(path))
    sentence, beginning = str(caught.value), f"network.weights must be a file of {architecture}"
    assert sentence.startswith(beginning)
    assert "\n" not in sentence
    return sentence.partition(f" without top, got {path}: ")[2]


@pytest.mark.parametrize("ending", ENDINGS)
def test_weights_of_another_architecture_are_refused(ending: str, folder: Path) -> None:
    assert refused(file_of("mobilenet", ending, folder)) == (
        "it holds 218,544 numbers, those of mobilenet with alpha 0.25 without top; "
        "choose another file or architecture mobilenet with alpha 0.25"
    )


def test_a_text_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.h5").write_text("layer,weights\n")
    assert refused(tmp_path / "text.h5").startswith("it is no HDF5 file, whatever its name says")


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.999])
def test_a_weights_file_cut_short_is_refused(
    ending: str, share: float, folder: Path, tmp_path: Path
) -> None:
    whole = file_of("cnn", ending, folder).read_bytes()
    path = tmp_path / f"cut{ending}"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert "only the beginning of" in refused(path)


def test_a_file_that_is_not_there_is_refused_with_the_other_choices() -> None:
    choices = "network.weights must be one of bundled, keras, a weights file, run:NAME, random, got"
    with pytest.raises(InvalidConfig, match=choices):
        new_network("vgg16", "/no/such/folder/vgg16.h5")


def turn_first_kernel(path: Path) -> None:
    """Store a kernel (5, 5, 3, 32) as (5, 5, 32, 3): as many numbers, elsewhere."""
    if path.suffix == ".npz":
        with np.load(path) as stored:
            arrays = dict(stored)
        arrays["block1_conv1/kernel"] = arrays["block1_conv1/kernel"].swapaxes(2, 3)
        np.savez(path, allow_pickle=False, **arrays)
        return
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visit(names.append)
        name = next(name for name in names if getattr(file[name], "shape", ()) == (5, 5, 3, 32))
        kernel = file[name][:]
        del file[name]
        file[name] = kernel.swapaxes(2, 3)


@pytest.mark.filterwarnings("ignore:Skipping")  # Keras, before it refuses
@pytest.mark.parametrize("ending", ENDINGS)
def test_kernels_of_another_shape_are_refused_though_they_hold_as_many_numbers(
    ending: str, folder: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(file_of("cnn", ending, folder), tmp_path / f"turned{ending}"))
    turn_first_kernel(path)
    assert refused(path)


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    hostile = {"block1_conv1/kernel": np.array([print], dtype=object)}
    np.savez(tmp_path / "hostile.npz", allow_pickle=True, **hostile)
    assert "allow_pickle=False" in refused(tmp_path / "hostile.npz")


def test_changed_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    zeros = {
        key: np.zeros_like(array)
        for key, array in arrays_of(new_network("cnn").backbone_layers).items()
    }
    np.savez_compressed(tmp_path / "whole.npz", allow_pickle=False, **zeros)
    whole = (tmp_path / "whole.npz").read_bytes()
    random = np.random.default_rng(0)
    for _ in range(20):
        changed = bytearray(whole)
        for position in random.integers(len(whole), size=4):
            changed[position] ^= 0xFF
        path = tmp_path / "changed.npz"
        path.write_bytes(changed)
        try:
            network = new_network("cnn", str(path))
        except InvalidConfig:
            continue
        assert not any(array.any() for array in network.backbone.get_weights())


# --- fingerprints -----------------------------------------------------------------------------


def test_the_fingerprint_is_of_the_numbers_not_of_where_they_came_from(folder: Path) -> None:
    files = [file_of("cnn", ending, folder) for ending in ENDINGS]
    networks = [source_of("cnn"), *(new_network("cnn", str(file)) for file in files)]
    assert len({fingerprint(network.backbone_layers.values()) for network in networks}) == 1


def test_one_changed_number_changes_the_fingerprint() -> None:
    layers = new_network("cnn").backbone_layers
    before = fingerprint(layers.values())
    bias = layers["block2_conv2"].bias
    bias.assign(bias + np.eye(1, 64, dtype=np.float32)[0])
    assert fingerprint(layers.values()) != before


@pytest.mark.parametrize("architecture", ["cnn", "mobilenet"])
def test_arrays_of_one_network_can_be_put_into_another(architecture: str) -> None:
    source, network = source_of(architecture), new_network(architecture)
    assign(network.backbone_layers, arrays_of(source.backbone_layers))
    assert_same_backbone(network, source)


# --- Keras's download -------------------------------------------------------------------------


class Server(ThreadingHTTPServer):
    """Serves one file under every address, or 404 without one, and notes what it was asked."""

    def __init__(self, file: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.file = file
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Answer(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        if self.server.file is None:
            self.send_error(404)
            return
        content = self.server.file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    """Stands in for the host that Keras downloads from."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for Keras's downloads."""
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(home))
    return home


def download_from(url: str, monkeypatch: pytest.MonkeyPatch, expected: Path | None = None) -> None:
    """Make Keras download from `url`, and expect what a file holds instead of ImageNet weights."""
    get_file = file_utils.get_file
    md5 = {} if expected is None else {"file_hash": hashlib.md5(expected.read_bytes()).hexdigest()}

    def get_from_url(name: str, origin: str, **options: Any) -> Any:
        return get_file(name, f"{url}/{name}", **options | md5)

    monkeypatch.setattr(file_utils, "get_file", get_from_url)


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")  # MobileNet, of sides but 224
@pytest.mark.parametrize("architecture", DOWNLOADED)
def test_keras_downloads_the_weights_of_each_backbone(
    architecture: str,
    folder: Path,
    server: Server,
    keras_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server.file = file_of(architecture, ".h5", folder)
    download_from(server.url, monkeypatch, server.file)
    assert_same_backbone(new_network(architecture, "keras"), source_of(architecture))
    (kept,) = (keras_home / "models").iterdir()
    assert server.asked == [f"/{kept.name}"]
    named = kept.name.replace("_", "")
    assert named.startswith(architecture)
    assert "notop" in named


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.usefixtures("keras_home")
def test_weights_are_downloaded_once(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.file = file_of("mobilenet", ".h5", folder)
    download_from(server.url, monkeypatch, server.file)
    for _ in range(2):
        assert_same_backbone(new_network("mobilenet", "keras"), source_of("mobilenet"))
    assert len(server.asked) == 1


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
def test_the_width_of_a_mobilenet_decides_which_file_is_downloaded(
    folder: Path, server: Server, keras_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.file = file_of("mobilenet", ".h5", folder)
    download_from(server.url, monkeypatch)
    new_network("mobilenet", "keras")
    assert server.asked == ["/mobilenet_2_5_224_tf_no_top.h5"]


def assert_unavailable(reason: str, architecture: str = "vgg16") -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        new_network(architecture, "keras")
    sentence = str(caught.value)
    assert sentence.startswith(f"Keras could not download the ImageNet weights of {architecture}: ")
    assert reason in sentence
    way_out = "Connect to the internet and try again, or set network.weights to a weights file"
    assert sentence.endswith(way_out + " or to bundled" * (architecture == "vgg16"))


@pytest.mark.filterwarnings("ignore:`input_shape` is undefined")
@pytest.mark.usefixtures("keras_home")
@pytest.mark.parametrize("architecture", ["vgg16", "mobilenet"])
def test_a_host_that_has_no_weights_is_told_with_the_way_out(
    architecture: str, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    download_from(server.url, monkeypatch)
    assert_unavailable("404", architecture)


@pytest.mark.usefixtures("keras_home")
def test_a_host_that_does_not_answer_is_told_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    download_from(f"http://127.0.0.1:{port}", monkeypatch)
    assert_unavailable("refused")


@pytest.mark.usefixtures("keras_home")
def test_a_download_of_other_content_than_keras_expects_is_not_used(
    folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.file = file_of("vgg16", ".h5", folder)
    download_from(server.url, monkeypatch)
    assert_unavailable("Incomplete or corrupted file")
