import hashlib
import json
import os
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.assets import ASSETS, MANIFEST, verified
from core.errors import DamagedFile

Arrays = dict[str, NDArray[np.uint8]]
MANIFEST_CONTENT = json.loads((ASSETS / MANIFEST).read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    content = b"some weights"
    (tmp_path / "weights.npz").write_bytes(content)
    manifest = {"weights.npz": {"sha256": hashlib.sha256(content).hexdigest()}}
    (tmp_path / MANIFEST).write_text(json.dumps(manifest))
    return tmp_path


@pytest.mark.parametrize("name", MANIFEST_CONTENT)
def test_a_bundled_file_is_what_the_manifest_says(name: str) -> None:
    assert verified(name) == ASSETS / name


@pytest.mark.parametrize("name", MANIFEST_CONTENT)
def test_a_bundled_file_has_a_source_and_a_licence(name: str) -> None:
    assert MANIFEST_CONTENT[name]["source"]
    assert MANIFEST_CONTENT[name]["licence"].startswith("CC BY")


def test_every_bundled_file_is_in_the_manifest() -> None:
    files = (path for path in ASSETS.rglob("*") if path.is_file())
    found = {path.relative_to(ASSETS).as_posix() for path in files}
    assert found == {*MANIFEST_CONTENT, MANIFEST}


@pytest.mark.parametrize(
    ("part", "key", "magic"),
    [
        ("train images", "x_train", 0x0803),
        ("train labels", "y_train", 0x0801),
        ("test images", "x_test", 0x0803),
        ("test labels", "y_test", 0x0801),
    ],
)
def test_mnist_holds_the_bytes_of_the_idx_files_of_its_authors(
    mnist: Arrays, part: str, key: str, magic: int
) -> None:
    array = mnist[key]
    header = np.array([magic, *array.shape], ">u4").tobytes()
    md5 = hashlib.md5(header + array.tobytes()).hexdigest()
    assert md5 == MANIFEST_CONTENT["mnist.npz"]["idx_md5"][part]


def test_the_bundled_vgg16_has_the_published_number_of_parameters() -> None:
    with np.load(verified("vgg16_imagenet_notop.npz"), allow_pickle=False) as arrays:
        assert len(arrays.files) == 2 * 13
        assert sum(arrays[key].size for key in arrays.files) == 14_714_688


def test_a_missing_file_is_named_with_the_way_to_get_it_back(folder: Path) -> None:
    (folder / "weights.npz").unlink()
    with pytest.raises(DamagedFile, match=r"weights\.npz is missing; get it back with"):
        verified("weights.npz", folder)


def test_a_changed_byte_is_noticed(folder: Path) -> None:
    (folder / "weights.npz").write_bytes(b"some weighty")
    with pytest.raises(DamagedFile, match=r"weights\.npz is damaged: its SHA-256"):
        verified("weights.npz", folder)


def test_a_change_after_the_first_check_is_noticed(folder: Path) -> None:
    path = verified("weights.npz", folder)
    before = path.stat()
    path.write_bytes(b"some weighty")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    with pytest.raises(DamagedFile):
        verified("weights.npz", folder)
