import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import vgg16 as keras_vgg16
from keras.src.backend import config as keras_config
from numpy.typing import NDArray

from core.assets import ASSETS, MANIFEST, verified
from core.errors import InvalidConfig, WeightsUnavailable
from core.weights import BUNDLED, fingerprint, load_weights
from core.workspace import PROJECT

Arrays = dict[str, NDArray[np.float32]]
FORMATS = ("npz", "weights.h5", "h5")
NOWHERE = "/no/such/folder/vgg16.h5"


def new_backbone() -> keras.Model:
    return keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))


@pytest.fixture
def backbone() -> keras.Model:
    return new_backbone()


def arrays_of(model: keras.Model) -> Arrays:
    """Weights keyed LAYER/kernel and LAYER/bias."""
    return {
        f"{layer.name}/{kind}": array
        for layer in model.layers
        for kind, array in zip(("kernel", "bias"), layer.get_weights(), strict=False)
    }


def write(model: keras.Model, path: Path) -> Path:
    """Write weights in the format that the file's name ends in."""
    if path.suffix == ".npz":
        np.savez(path, allow_pickle=False, **arrays_of(model))
    elif path.name.endswith(".weights.h5"):
        model.save_weights(path)
    else:
        write_legacy(model, path)
    return path


def write_legacy(model: keras.Model, path: Path) -> None:
    """Write the layout of the files that Keras downloads, made by Keras 2."""
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_{part}_1:0" for part in "Wb"][: len(layer.weights)]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name] = array


@pytest.fixture(scope="module")
def source() -> keras.Model:
    """A backbone whose random numbers are written into files."""
    return new_backbone()


@pytest.fixture(scope="module")
def files(source: keras.Model, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("weights")
    return {kind: write(source, folder / f"vgg16.{kind}") for kind in FORMATS}


def assert_same_weights(model: keras.Model, expected: keras.Model) -> None:
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_array_equal(got, wanted)


def test_bundled_weights_are_put_where_their_names_say(backbone: keras.Model) -> None:
    load_weights(backbone, "vgg16", "bundled")
    with np.load(ASSETS / BUNDLED["vgg16"], allow_pickle=False) as stored:
        loaded = arrays_of(backbone)
        assert set(loaded) == set(stored.files)
        for key, array in loaded.items():
            np.testing.assert_array_equal(array, stored[key])


def test_a_damaged_bundled_file_is_named(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PROJECT / "core", tmp_path / "core", ignore=ignored)
    assets = tmp_path / "assets"
    assets.mkdir()
    shutil.copy(ASSETS / MANIFEST, assets)
    (assets / BUNDLED["vgg16"]).write_bytes(verified(BUNDLED["vgg16"]).read_bytes()[:-1])
    script = (
        "import keras; from core.weights import load_weights;"
        "load_weights(keras.Sequential(), 'vgg16', 'bundled')"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"DamagedFile: the bundled file {assets / BUNDLED['vgg16']} is damaged" in done.stderr


@pytest.mark.parametrize("kind", FORMATS)
def test_a_weights_file_is_read_whatever_its_format(
    backbone: keras.Model, source: keras.Model, files: dict[str, Path], kind: str
) -> None:
    load_weights(backbone, "vgg16", str(files[kind]))
    assert_same_weights(backbone, source)


def refused(path: Path, backbone: keras.Model) -> str:
    """The sentence that refuses a file, without the beginning that all share."""
    with pytest.raises(InvalidConfig) as caught:
        load_weights(backbone, "vgg16", str(path))
    beginning = f"network.weights must be a file of vgg16 without top, got {path}: "
    assert str(caught.value).startswith(beginning)
    reason = str(caught.value).removeprefix(beginning)
    assert reason
    assert "\n" not in reason
    return reason


@pytest.mark.filterwarnings("ignore:Skipping nested container")  # Keras, before it refuses
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("npz", "block1_conv1/kernel is not a file in the archive"),
        ("weights.h5", "13 objects could not be loaded"),
        ("h5", "Layer count mismatch"),
    ],
)
def test_weights_of_another_architecture_are_refused(
    backbone: keras.Model, tmp_path: Path, kind: str, reason: str
) -> None:
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    assert reason in refused(write(other, tmp_path / f"other.{kind}"), backbone)


def test_kernels_of_other_sizes_are_refused(
    backbone: keras.Model, source: keras.Model, tmp_path: Path
) -> None:
    arrays = arrays_of(source) | {"block5_conv3/kernel": np.zeros((3, 3, 512, 2), np.float32)}
    np.savez(tmp_path / "narrow.npz", allow_pickle=False, **arrays)
    assert "(3, 3, 512, 2)" in refused(tmp_path / "narrow.npz", backbone)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("kept", [0, 1000, 1_000_000])
def test_a_weights_file_cut_short_is_refused(
    backbone: keras.Model, files: dict[str, Path], tmp_path: Path, kind: str, kept: int
) -> None:
    path = tmp_path / f"cut.{kind}"
    with files[kind].open("rb") as whole:
        path.write_bytes(whole.read(kept))
    refused(path, backbone)


@pytest.mark.parametrize("name", ["text.h5", "text.weights.h5", "text.npz", "text.txt"])
def test_a_text_file_is_refused(backbone: keras.Model, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("layer,weights\n")
    refused(tmp_path / name, backbone)


def test_a_single_array_is_no_weights_file(backbone: keras.Model, tmp_path: Path) -> None:
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    assert "no npz archive" in refused(tmp_path / "array.npz", backbone)


def test_a_pickle_is_never_opened(backbone: keras.Model, tmp_path: Path) -> None:
    hostile = {"block1_conv1/kernel": np.array([print], dtype=object)}
    np.savez(tmp_path / "hostile.npz", allow_pickle=True, **hostile)
    assert "allow_pickle=False" in refused(tmp_path / "hostile.npz", backbone)


def test_changed_bytes_are_refused_or_harmless(backbone: keras.Model, tmp_path: Path) -> None:
    zeros = {key: np.zeros_like(array) for key, array in arrays_of(backbone).items()}
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
            load_weights(backbone, "vgg16", str(path))
        except InvalidConfig:
            continue
        assert not any(array.any() for array in backbone.get_weights())


@pytest.mark.parametrize("source", [NOWHERE, "bundeld"])
def test_a_file_that_is_not_there_is_refused_with_the_other_choices(
    backbone: keras.Model, source: str
) -> None:
    sentence = f"network.weights must be bundled, keras or a weights file, got {source}"
    with pytest.raises(InvalidConfig, match=sentence):
        load_weights(backbone, "vgg16", source)


def test_the_fingerprint_is_of_the_numbers_not_of_where_they_came_from(
    source: keras.Model, files: dict[str, Path]
) -> None:
    prints = {fingerprint(source)}
    for path in files.values():
        model = new_backbone()
        load_weights(model, "vgg16", str(path))
        prints.add(fingerprint(model))
    assert len(prints) == 1


def test_one_changed_number_changes_the_fingerprint(backbone: keras.Model) -> None:
    before = fingerprint(backbone)
    bias = backbone.get_layer("block5_conv3").weights[1]
    bias.assign(bias.numpy() + np.eye(1, 512, dtype=np.float32)[0])
    assert fingerprint(backbone) != before


class Server(ThreadingHTTPServer):
    """Serves one file under every address, or 404 without one, and notes what it was asked."""

    def __init__(self, file: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.file = file
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}/weights.h5"


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


def serving(file: Path | None) -> Iterator[Server]:
    with Server(file) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def server(files: dict[str, Path]) -> Iterator[Server]:
    """Stands in for the host that Keras downloads from."""
    yield from serving(files["h5"])


@pytest.fixture
def empty_server() -> Iterator[Server]:
    yield from serving(None)


@pytest.fixture
def keras_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache for Keras's downloads."""
    home = tmp_path / "keras"
    home.mkdir()
    monkeypatch.setattr(keras_config, "_KERAS_DIR", str(home))
    return home


def download_from(url: str, monkeypatch: pytest.MonkeyPatch, file: Path | None = None) -> None:
    """Make Keras download VGG16 from `url` and expect what `file` holds."""
    monkeypatch.setattr(keras_vgg16, "WEIGHTS_PATH_NO_TOP", url)
    if file is not None:
        md5 = hashlib.md5(file.read_bytes()).hexdigest()
        get_file = keras_vgg16.file_utils.get_file

        def expecting_file(*arguments: Any, **options: Any) -> Any:
            return get_file(*arguments, **options | {"file_hash": md5})

        monkeypatch.setattr(keras_vgg16.file_utils, "get_file", expecting_file)


def test_keras_downloads_its_weights_once(
    source: keras.Model,
    files: dict[str, Path],
    server: Server,
    keras_home: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    download_from(server.url, monkeypatch, files["h5"])
    for _ in range(2):
        backbone = new_backbone()
        load_weights(backbone, "vgg16", "keras")
        assert_same_weights(backbone, source)
    assert server.asked == ["/weights.h5"]
    assert [path.suffix for path in (keras_home / "models").iterdir()] == [".h5"]


def assert_unavailable(backbone: keras.Model, reason: str) -> None:
    with pytest.raises(WeightsUnavailable) as caught:
        load_weights(backbone, "vgg16", "keras")
    sentence = str(caught.value)
    assert sentence.startswith("Keras could not download the ImageNet weights of vgg16: ")
    assert reason in sentence
    assert "Connect to the internet and try again" in sentence
    assert sentence.endswith("set network.weights to bundled or to a weights file")


@pytest.mark.usefixtures("keras_home")
def test_a_host_that_has_no_weights_is_told_with_the_way_out(
    backbone: keras.Model, empty_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    download_from(empty_server.url, monkeypatch)
    assert_unavailable(backbone, "404")


@pytest.mark.usefixtures("keras_home")
def test_a_host_that_does_not_answer_is_told_with_the_way_out(
    backbone: keras.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    download_from(f"http://127.0.0.1:{port}/weights.h5", monkeypatch)
    assert_unavailable(backbone, "refused")


@pytest.mark.usefixtures("keras_home")
def test_a_download_of_other_content_than_keras_expects_is_not_used(
    backbone: keras.Model, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint(backbone)
    download_from(server.url, monkeypatch)
    assert_unavailable(backbone, "Incomplete or corrupted file")
    assert fingerprint(backbone) == before
