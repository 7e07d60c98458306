import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import UnreadableUpload
from core.importing.sources import open_source
from tests.core.importing.made import all_rows, digits, folder_of, idx, reasons, zip_of

Mnist = dict[str, NDArray[np.uint8]]
TRAIN, TEST = digits(50), digits(20, seed=1)
FILES = {
    "train-images-idx3-ubyte": idx(TRAIN[0]),
    "train-labels-idx1-ubyte": idx(TRAIN[1]),
    "t10k-images-idx3-ubyte": idx(TEST[0]),
    "t10k-labels-idx1-ubyte": idx(TEST[1]),
}
PACKED = {f"{name}.gz": gzip.compress(content) for name, content in FILES.items()}
DOTTED = {name.replace("-idx", ".idx"): content for name, content in FILES.items()}


@pytest.mark.parametrize("files", [FILES, PACKED, DOTTED], ids=["plain", "gzipped", "dotted"])
@pytest.mark.parametrize("wrapped", ["", "MNIST/raw/"])
@pytest.mark.parametrize("zipped", [False, True])
def test_pairs_are_read_gzipped_or_not(
    tmp_path: Path, files: dict[str, bytes], wrapped: str, zipped: bool
) -> None:
    inside = {wrapped + name: content for name, content in files.items()}
    path = zip_of(tmp_path / "a.zip", inside) if zipped else folder_of(tmp_path / "a", inside)
    source = open_source(path)
    images, labels, parts, names = all_rows(source)
    np.testing.assert_array_equal(images, np.concatenate([TRAIN[0], TEST[0]]))
    np.testing.assert_array_equal(labels, np.concatenate([TRAIN[1], TEST[1]]))
    assert parts == ["train"] * 50 + ["test"] * 20
    assert names[49].endswith("ubyte[49]") or names[49].endswith("ubyte.gz[49]")
    assert source.kind == "idx files"
    assert source.class_names == tuple("0123456789")
    assert source.count == 70
    assert source.skipped == ()
    assert not source.by_class


@pytest.mark.parametrize("name", ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_one_file_brings_the_partner_beside_it_and_is_what_is_learned_from(
    tmp_path: Path, name: str
) -> None:
    source = open_source(folder_of(tmp_path, FILES) / name)
    images, labels, parts, _ = all_rows(source)
    np.testing.assert_array_equal(images, TEST[0])
    assert [source.class_names[label] for label in labels] == [str(label) for label in TEST[1]]
    assert set(parts) == {"train"}


def test_a_file_that_lies_there_gzipped_too_is_read_once(tmp_path: Path) -> None:
    source = open_source(folder_of(tmp_path, FILES | PACKED | {"notes.txt": b"text"}))
    assert source.count == 70
    found = reasons(source)
    assert "no idx file" in found.pop("notes.txt")
    assert set(found) == set(PACKED)


def test_colours_are_read_and_labels_may_skip_numbers(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (6, 5, 7, 3), np.uint8)
    labels = np.array([3, 3, 9, 1, 1, 9], np.uint8)
    files = {"images-idx4-ubyte": idx(images), "labels-idx1-ubyte": idx(labels)}
    source = open_source(folder_of(tmp_path, files))
    assert source.class_names == ("1", "3", "9")
    found, known, _, _ = all_rows(source)
    np.testing.assert_array_equal(found, images)
    assert known.tolist() == [1, 1, 2, 0, 0, 2]


def test_only_mnist_itself_is_known_for_handwritten_digits(tmp_path: Path, mnist: Mnist) -> None:
    files = {
        "train-images-idx3-ubyte": idx(mnist["x_test"]),
        "train-labels-idx1-ubyte": idx(mnist["y_test"]),
        "t10k-images-idx3-ubyte": idx(mnist["x_test"]),
        "t10k-labels-idx1-ubyte": idx(mnist["y_test"]),
    }
    assert open_source(folder_of(tmp_path / "mnist", files)).digits
    assert not open_source(folder_of(tmp_path / "same shape", FILES)).digits


def changed(name: str, content: bytes | None) -> dict[str, bytes]:
    rest = {key: value for key, value in FILES.items() if key != name}
    return rest if content is None else rest | {name: content}


IMAGES = FILES["train-images-idx3-ubyte"]
HUGE = struct.pack(">BBBB3I", 0, 0, 8, 3, 2**31, 2**16, 2**16)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("train-labels-idx1-ubyte", None, r"must have a file of labels \(idx1-ubyte\) beside it"),
        ("train-images-idx3-ubyte", None, r"must have a file of images \(idx3-ubyte\) beside it"),
        ("train-images-idx3-ubyte", b"", "must begin as an idx file .* got nothing"),
        ("train-images-idx3-ubyte", b"GIF89a", "must begin as an idx file .* got 47 49 46 38"),
        ("train-images-idx3-ubyte", IMAGES[:9], "ends within its header"),
        ("train-images-idx3-ubyte", IMAGES[:-1], "must have 39,216 bytes .* got 39,215; it is cut"),
        ("train-images-idx3-ubyte", IMAGES + b"x", "must have 39,216 bytes .* got 39,217"),
        ("train-images-idx3-ubyte", HUGE, "at most 1,000,000 rows and 100 GiB, its header says"),
        ("train-images-idx3-ubyte", idx(TRAIN[0][:0]), "holds nothing"),
        ("train-images-idx3-ubyte", idx(TRAIN[1]), r"must have the shape \(images, height, width"),
        ("train-images-idx3-ubyte", idx(TRAIN[0][:, :3]), "at least 4 pixels .* got 28x3"),
        ("train-images-idx3-ubyte", idx(TRAIN[0][:, :20]), "images of the same size"),
        ("train-labels-idx1-ubyte", idx(TRAIN[1][:40]), "one whole number for each of the 50"),
        ("train-labels-idx1-ubyte", IMAGES, r"each of the 50 images .* got uint8 of shape \(50,"),
        ("letters-train-images-idx3-ubyte", IMAGES, "file of labels"),
    ],
)
def test_what_is_wrong_is_told_before_memory_is_taken(
    tmp_path: Path, name: str, content: bytes | None, sentence: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableUpload, match=sentence):
            open_source(folder_of(tmp_path, changed(name, content)))
        assert tracemalloc.get_traced_memory()[1] < 2e6
    finally:
        tracemalloc.stop()


def test_two_datasets_in_one_folder_are_refused(tmp_path: Path) -> None:
    letters = {f"letters-{name}": content for name, content in FILES.items()}
    with pytest.raises(UnreadableUpload, match="got several pairs of idx files"):
        open_source(folder_of(tmp_path, FILES | letters))
    one = open_source(tmp_path / "letters-train-images-idx3-ubyte")
    assert one.count == 50


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(IMAGES[:-1]), "ends before the last image"),
        (gzip.compress(IMAGES + b"\0" * 10**7), "holds more than its header says"),
        (gzip.compress(IMAGES)[:-20], "is damaged"),
        (gzip.compress(IMAGES)[:2000] + b"nonsense" * 2000, "is damaged"),
    ],
)
def test_a_gzip_that_is_not_what_its_header_says_ends_in_a_sentence(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    files = changed("train-images-idx3-ubyte", None) | {"train-images-idx3-ubyte.gz": content}
    source = open_source(folder_of(tmp_path, files))
    with pytest.raises(UnreadableUpload, match=sentence):
        all_rows(source)


def test_a_gzip_bomb_is_refused_by_what_it_says(tmp_path: Path) -> None:
    bomb = gzip.compress(struct.pack(">BBBB3I", 0, 0, 8, 3, 50, 2000, 2000) + b"\0" * 10**6)
    files = changed("train-images-idx3-ubyte", None) | {"train-images-idx3-ubyte.gz": bomb}
    with pytest.raises(UnreadableUpload, match="unpack to more than 200 times its size"):
        open_source(folder_of(tmp_path, files))
