import io
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.assets import verified
from core.errors import UnreadableUpload
from core.importing.sources import open_source
from tests.core.importing.made import all_rows, digits, reasons

X, Y = digits(30)
COLOUR = np.random.default_rng(1).integers(0, 256, (12, 6, 9, 3), np.uint8)


def npz_of(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


def test_the_four_arrays_of_keras_are_read(tmp_path: Path) -> None:
    source = open_source(
        npz_of(tmp_path / "a.npz", x_train=X[:20], y_train=Y[:20], x_test=X[20:], y_test=Y[20:])
    )
    images, labels, parts, names = all_rows(source)
    np.testing.assert_array_equal(images, X)
    assert [source.class_names[label] for label in labels] == [str(label) for label in Y]
    assert parts == ["train"] * 20 + ["test"] * 10
    assert names[20] == "x_test[0]"
    assert source.kind == "an npz file"
    assert source.count == 30


def test_colours_labels_in_a_column_and_wide_whole_numbers_are_read(tmp_path: Path) -> None:
    labels = np.arange(12)[:, np.newaxis] // 4
    path = npz_of(tmp_path / "a.npz", x_train=COLOUR.astype(np.int64), y_train=labels)
    source = open_source(path)
    images, known, parts, _ = all_rows(source)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, COLOUR)
    assert known.tolist() == labels[:, 0].tolist()
    assert set(parts) == {"train"}
    assert source.by_class


def test_a_channel_of_its_own_and_a_validation_part_are_read(tmp_path: Path) -> None:
    images = X[..., np.newaxis]
    path = npz_of(tmp_path / "a.npz", x_train=images, y_train=Y, x_val=images, y_val=Y, more=Y)
    source = open_source(path)
    read, _, parts, _ = all_rows(source)
    assert read.shape == (60, 28, 28)
    assert parts == ["train"] * 30 + ["test"] * 30
    assert list(reasons(source)) == ["more"]


def test_the_bundled_mnist_is_read_and_known_for_digits(
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    source = open_source(verified("mnist.npz"))
    assert source.digits
    images, labels, _, _ = all_rows(source)
    np.testing.assert_array_equal(images[60_000:], mnist["x_test"])
    np.testing.assert_array_equal(labels[:60_000], mnist["y_train"])


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    images = np.random.default_rng(0).integers(0, 256, (500, 224, 224, 3), np.uint8)
    np.savez(path, x_train=images, y_train=np.zeros(500, np.int64))
    del images
    source = open_source(path)
    assert source.rows is not None
    tracemalloc.start()
    try:
        assert sum(len(piece.names) for piece in source.rows()) == 500
        assert tracemalloc.get_traced_memory()[1] < 45e6  # of 75
    finally:
        tracemalloc.stop()


class Trap:
    """Unpickling it would run something."""

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, ("raise SystemExit('it was unpickled')",)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"images": X, "labels": Y}, "must hold the arrays x_train and y_train.* got images, lab"),
        ({"x_train": X}, "must hold y_train, the labels of x_train, got none"),
        ({"x_train": X / 255, "y_train": Y}, "whole numbers from 0 to 255, got float64; save it"),
        ({"x_train": X, "y_train": np.eye(10)[Y]}, r"one whole number .* float64 of shape \(30, 1"),
        ({"x_train": X, "y_train": Y.astype(str)}, "one whole number for each .* got <U"),
        ({"x_train": X, "y_train": Y[:-1]}, "each of the 30 images of x_train"),
        ({"x_train": X, "y_train": Y.astype(int) - 5}, "y_train must hold labels from 0 on, got -"),
        ({"x_train": X[:0], "y_train": Y[:0]}, "x_train holds nothing"),
        ({"x_train": X[0], "y_train": Y}, "must have the shape"),
        ({"x_train": np.asfortranarray(X), "y_train": Y}, "row by row, got it column by column"),
        ({"x_train": X, "y_train": np.array([Trap()] * 30)}, "got Python objects, which are never"),
        (
            {"x_train": X, "y_train": Y, "x_test": COLOUR, "y_test": Y[:12]},
            "x_test must hold images of the same size as x_train",
        ),
        (
            {"x_train": np.zeros((10_001, 4, 4), np.uint8), "y_train": np.arange(10_001)},
            "at most 10,000 classes, got 10,001; the labels may be something else",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, arrays: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnreadableUpload, match=sentence):
        open_source(npz_of(tmp_path / "a.npz", **arrays))


def test_numbers_that_are_no_pixels_are_told_when_they_are_read(tmp_path: Path) -> None:
    source = open_source(npz_of(tmp_path / "a.npz", x_train=X.astype(int) * 2, y_train=Y))
    with pytest.raises(UnreadableUpload, match="pixels from 0 to 255, got 0 to 510"):
        all_rows(source)


def header_of(shape: tuple[int, ...]) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        file, {"descr": "|u1", "fortran_order": False, "shape": shape}
    )
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (header_of((10**12, 28, 28)), "at most 1,000,000 rows and 100 GiB"),
        (header_of((900_000, 10**5, 10**5)), "at most 1,000,000 rows and 100 GiB"),
        (header_of((60_000, 28, 28)) + b"x", "must have 47,040,128 bytes by its header, got 129"),
        (header_of((-2, -28, 28)), "holds nothing"),
        (b"no array", "x_train is damaged"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 70_000, "x_train is damaged"),
        (header_of((3, 28, 28)).replace(b"'", b"\xb6"), "x_train is damaged .its header is not"),
        (header_of((3, 28, 28)).replace(b", }", b"(, "), "x_train is damaged .its header is not"),
        (b"\x93NUMPY\x09\x00", "x_train is damaged .*format 9.0 is not known"),
    ],
)
def test_a_header_that_lies_is_found_out_before_memory_is_taken(
    tmp_path: Path, content: bytes, sentence: str
) -> None:
    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x_train.npy", content)
        archive.writestr("y_train.npy", header_of((3,)) + b"\0\1\2")
    tracemalloc.start()
    try:
        with pytest.raises(UnreadableUpload, match=sentence):
            open_source(path)
        assert tracemalloc.get_traced_memory()[1] < 5e6
    finally:
        tracemalloc.stop()


def test_a_bomb_and_a_file_that_is_cut_short_are_refused(tmp_path: Path) -> None:
    zeros = np.zeros((9000, 64, 64), np.uint8)
    bomb = npz_of(tmp_path / "bomb.npz", x_train=zeros, y_train=np.arange(9000))
    with pytest.raises(UnreadableUpload, match="200 times its size"):
        open_source(bomb)
    cut = npz_of(tmp_path / "cut.npz", x_train=X, y_train=Y)
    cut.write_bytes(cut.read_bytes()[:-30])
    with pytest.raises(UnreadableUpload, match=r"cut\.npz cannot be imported: the ZIP is damaged"):
        open_source(cut)
    cut.write_bytes(b"no npz at all")
    with pytest.raises(UnreadableUpload, match=r"cut\.npz"):
        open_source(cut)
