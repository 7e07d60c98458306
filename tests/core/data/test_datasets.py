import gzip
import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.data_config import DataConfig
from core.data.dataset_files import Part
from core.data.datasets import (
    Split,
    held_out_positions,
    load_part,
    load_splits,
    load_test,
    load_tested,
    settle,
)
from core.errors import DamagedFile, DatasetUnavailable, InvalidConfig, NotComparable
from core.workspace import Workspace

Arrays = dict[str, NDArray[np.uint8]]
LABELS = np.repeat(np.arange(3), [10, 20, 30])


@pytest.fixture
def split() -> Split:
    images = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    return Split(images, np.array([1, 0, 1, 2]), np.arange(4))


@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("test", 10_000)])
def test_mnist_comes_whole_and_in_its_own_order(mnist: Arrays, part: Part, count: int) -> None:
    loaded = load_part(DataConfig(), part)
    assert loaded.images.shape == (count, 28, 28)
    np.testing.assert_array_equal(loaded.images, mnist[f"x_{part}"])
    np.testing.assert_array_equal(loaded.labels, mnist[f"y_{part}"])
    np.testing.assert_array_equal(loaded.indices, np.arange(count))
    assert loaded.labels.dtype == np.int64


def test_a_number_of_images_takes_the_first_ones(mnist: Arrays) -> None:
    splits = load_splits(DataConfig(train_images=12, test_images=10), seed=0)
    np.testing.assert_array_equal(splits.train.images, mnist["x_train"][:12])
    np.testing.assert_array_equal(splits.test.images, mnist["x_test"][:10])


def test_more_images_than_there_are_takes_all() -> None:
    assert len(load_test(DataConfig(test_images=10_001))) == 10_000


def test_validation_on_the_test_split_is_the_test_split() -> None:
    splits = load_splits(DataConfig(train_images=10, test_images=10), seed=0)
    assert splits.validation is splits.test


def test_a_validation_fraction_splits_the_training_images_in_two() -> None:
    splits = load_splits(DataConfig(train_images=1000, test_images=10, validation=0.2), seed=3)
    parts = [splits.train.indices, splits.validation.indices]
    assert len(splits.validation) == pytest.approx(200, abs=10)
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), np.arange(1000))


def test_the_test_split_is_the_one_a_run_with_that_configuration_was_tested_on() -> None:
    data = DataConfig(train_images=10, test_images=25)
    assert load_test(data).fingerprint() == load_splits(data, seed=9).test.fingerprint()


def test_the_same_share_of_every_class_is_held_out() -> None:
    held_out = held_out_positions(LABELS, 0.1, seed=0)
    np.testing.assert_array_equal(np.bincount(LABELS[held_out]), [1, 2, 3])


def test_of_a_class_with_few_images_one_is_held_out() -> None:
    held_out = held_out_positions(LABELS, 0.01, seed=0)
    np.testing.assert_array_equal(np.bincount(LABELS[held_out]), [1, 1, 1])


def test_no_image_is_held_out_twice() -> None:
    held_out = held_out_positions(LABELS, 0.5, seed=0)
    assert len(np.unique(held_out)) == len(held_out) == 30


def test_the_seed_decides_what_is_held_out() -> None:
    first, again, other = (held_out_positions(LABELS, 0.5, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_taking_keeps_order_labels_and_indices_together(split: Split) -> None:
    taken = split.take(np.array([3, 1]))
    np.testing.assert_array_equal(taken.images, split.images[[3, 1]])
    np.testing.assert_array_equal(taken.labels, [2, 0])
    np.testing.assert_array_equal(taken.indices, [3, 1])


def test_the_fingerprint_is_the_hash_of_shape_pixels_and_labels(split: Split) -> None:
    content = b"((4, 2, 3), '|u1')" + split.images.tobytes() + split.labels.tobytes()
    assert split.fingerprint() == hashlib.sha256(content).hexdigest()


def test_equal_content_has_an_equal_fingerprint_whatever_its_layout(split: Split) -> None:
    in_columns = replace(split, images=np.asfortranarray(split.images))
    narrow = replace(split, labels=split.labels.astype(np.int32))
    assert {in_columns.fingerprint(), narrow.fingerprint()} == {split.fingerprint()}


def test_the_fingerprint_does_not_depend_on_where_the_images_stood(split: Split) -> None:
    assert replace(split, indices=split.indices + 7).fingerprint() == split.fingerprint()


def test_one_pixel_one_label_the_order_or_the_shape_changes_the_fingerprint(split: Split) -> None:
    pixel = split.images.copy()
    pixel[2, 1, 1] += 1
    others = [
        replace(split, images=pixel),
        replace(split, labels=np.array([1, 0, 1, 1])),
        split.take(np.array([1, 0, 2, 3])),
        replace(split, images=split.images.reshape(4, 3, 2)),
    ]
    assert len({split.fingerprint(), *(other.fingerprint() for other in others)}) == 5


# The fingerprint that runs of the first release hold; it may never change.
MNIST_TEST = "90d6e7af8954bd5b31c204a80824d61dfab90bc97e52f390a46b35480ea2d9e7"


def test_the_fingerprint_of_mnist_stays_what_it_was() -> None:
    assert load_test(DataConfig()).fingerprint() == MNIST_TEST


def arrays_for(shape: tuple[int, ...], classes: int, train: int = 20, test: int = 10) -> Arrays:
    random = np.random.default_rng(0)
    return {
        "x_train": random.integers(0, 256, (train, *shape), np.uint8),
        "y_train": random.integers(0, classes, train, np.uint8),
        "x_test": random.integers(0, 256, (test, *shape), np.uint8),
        "y_test": random.integers(0, classes, test, np.uint8),
    }


def save(path: Path, **arrays: NDArray[np.uint8]) -> Path:
    np.savez(path, allow_pickle=False, **arrays)
    return path


COLOUR = arrays_for((32, 32, 3), 10)


@pytest.mark.parametrize(
    ("name", "shape"),
    [("mnist", (28, 28)), ("fashion_mnist", (28, 28)), ("cifar10", (32, 32, 3))],
)
@pytest.mark.parametrize("part", ["train", "test"])
def test_an_npz_that_a_person_names_is_read(
    tmp_path: Path, name: str, shape: tuple[int, ...], part: Part
) -> None:
    arrays = arrays_for(shape, 10)
    loaded = load_part(DataConfig(name=name, path=str(save(tmp_path / "my.npz", **arrays))), part)
    np.testing.assert_array_equal(loaded.images, arrays[f"x_{part}"])
    np.testing.assert_array_equal(loaded.labels, arrays[f"y_{part}"])


def test_labels_in_a_column_and_a_channel_of_its_own_are_taken_too(tmp_path: Path) -> None:
    arrays = arrays_for((28, 28), 10)
    changed = {
        key: array[..., None] if key.startswith("x") else array[:, None]
        for key, array in arrays.items()
    }
    loaded = load_test(DataConfig(path=str(save(tmp_path / "my.npz", **changed))))
    np.testing.assert_array_equal(loaded.images, arrays["x_test"])
    np.testing.assert_array_equal(loaded.labels, arrays["y_test"])


ARCHIVES = {
    "cifar10": {
        "train": [f"data_batch_{number}.bin" for number in range(1, 6)],
        "test": ["test_batch.bin"],
    },
    "cifar100": {"train": ["train.bin"], "test": ["test.bin"]},
}


def archive(path: Path, name: str, arrays: Arrays, mode: str = "w:gz") -> Path:
    """A binary archive of CIFAR as its authors describe it, with fewer images."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for part, files in ARCHIVES[name].items():
            images = np.array_split(arrays[f"x_{part}"], len(files))
            labels = np.array_split(arrays[f"y_{part}"], len(files))
            for file, pixels, numbers in zip(files, images, labels, strict=True):
                rows = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
                coarse = [np.full((len(rows), 1), 7, np.uint8)] if name == "cifar100" else []
                content = np.hstack([*coarse, numbers[:, None], rows]).tobytes()
                member = tarfile.TarInfo(f"{name}-batches-bin/{file}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return path


@pytest.mark.parametrize(("name", "classes"), [("cifar10", 10), ("cifar100", 100)])
@pytest.mark.parametrize("part", ["train", "test"])
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_a_binary_archive_of_cifar_is_read(
    tmp_path: Path, name: str, classes: int, part: Part, mode: str
) -> None:
    arrays = arrays_for((32, 32, 3), classes)
    data = DataConfig(name=name, path=str(archive(tmp_path / "cifar.tar.gz", name, arrays, mode)))
    loaded = load_part(data, part)
    np.testing.assert_array_equal(loaded.images, arrays[f"x_{part}"])
    np.testing.assert_array_equal(loaded.labels, arrays[f"y_{part}"])


def test_cifar_has_one_fingerprint_whatever_file_it_comes_from(tmp_path: Path) -> None:
    files = save(tmp_path / "c.npz", **COLOUR), archive(tmp_path / "c.tar", "cifar10", COLOUR)
    prints = {load_test(DataConfig(name="cifar10", path=str(f))).fingerprint() for f in files}
    assert len(prints) == 1


class Malicious:
    def __reduce__(self) -> tuple[type, tuple[str]]:
        return Path, ("run",)


def refused(name: str, file: Path) -> str:
    with pytest.raises(InvalidConfig) as caught:
        load_test(DataConfig(name=name, path=str(file)))
    assert str(file) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"x_test": COLOUR["x_test"].astype(np.float32)}, "must be 32x32x3 uint8, got 32x32x3 fl"),
        ({"x_test": COLOUR["x_test"][:, :30]}, "must be 32x32x3 uint8, got 30x32x3 uint8"),
        ({"y_test": COLOUR["y_test"][:4]}, "one whole number for each of its 10 images"),
        ({"y_test": np.eye(10)}, "one whole number for each of its 10 images"),
        ({"x_test": COLOUR["x_test"][:0], "y_test": COLOUR["y_test"][:0]}, "holds no images"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, changes: Arrays, sentence: str) -> None:
    assert sentence in refused("cifar10", save(tmp_path / "my.npz", **COLOUR | changes))


def test_labels_outside_the_classes_are_refused(tmp_path: Path) -> None:
    labels = np.array([0, 1, 2, 3, 4, 5, 6, 7, 8, 10], np.uint8)
    file = save(tmp_path / "my.npz", **COLOUR | {"y_test": labels})
    assert "must be from 0 to 9, one for each class, got 0 to 10" in refused("cifar10", file)


def test_a_missing_array_or_member_is_named(tmp_path: Path) -> None:
    lacking = {key: array for key, array in COLOUR.items() if key != "y_test"}
    assert "holds no y_test" in refused("cifar10", save(tmp_path / "my.npz", **lacking))
    other = archive(tmp_path / "cifar-10.tar.gz", "cifar10", COLOUR)
    assert "holds no test.bin" in refused("cifar100", other)


def test_a_pickle_is_never_read(tmp_path: Path) -> None:
    file = tmp_path / "my.npz"
    np.savez(file, x_test=np.array([Malicious()]), y_test=np.array([Malicious()]))
    assert "cannot be read" in refused("cifar10", file)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
@pytest.mark.parametrize("content", [b"", b"nothing of the kind", b"PK\x03\x04"])
def test_a_file_of_another_kind_is_refused_with_what_is_needed(
    tmp_path: Path, name: str, content: bytes
) -> None:
    file = tmp_path / "my.npz"
    file.write_bytes(content)
    assert "must name an npz file that holds x_train, y_train" in refused(name, file)


@pytest.mark.parametrize("kept", [0.5, 0.99])
def test_a_file_that_was_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    for name in ("c.npz", "c.tar.gz"):
        file = tmp_path / name
        archive(file, "cifar10", COLOUR) if "tar" in name else save(file, **COLOUR)
        file.write_bytes(file.read_bytes()[: int(file.stat().st_size * kept)])
        assert refused("cifar10", file)


def test_records_that_do_not_come_out_even_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "c.tar"
    with tarfile.open(file, "w") as tar:
        member = tarfile.TarInfo("test.bin")
        member.size = 3073
        tar.addfile(member, io.BytesIO(bytes(3073)))
    assert "test.bin in it is no row of records of 3074 bytes" in refused("cifar100", file)


def test_settling_makes_a_path_absolute(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(tmp_path / "my.npz", **COLOUR)
    monkeypatch.chdir(tmp_path)
    settled = settle(DataConfig(name="cifar10", path="my.npz"), workspace)
    assert settled.path == str(tmp_path / "my.npz")
    assert settle(settled, workspace) == settled


def test_settling_refuses_a_file_that_is_not_there(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(InvalidConfig, match=r"must name an npz file .*, or cifar-100-binary"):
        settle(DataConfig(name="cifar100", path=str(tmp_path / "gone.npz")), workspace)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10"])
def test_without_a_path_there_is_nothing_to_settle(name: str, workspace: Workspace) -> None:
    data = DataConfig(name=name)
    assert settle(data, workspace) is data


def test_what_a_run_was_tested_on_is_refused_once_it_changed(
    tmp_path: Path, workspace: Workspace
) -> None:
    file = save(tmp_path / "my.npz", **COLOUR)
    data = DataConfig(name="cifar10", path=str(file))
    tested = load_test(data).fingerprint()
    assert len(load_tested(data, tested, side=32, workspace=workspace)) == 10
    save(file, **COLOUR | {"x_test": COLOUR["x_test"][::-1]})
    with pytest.raises(NotComparable, match="have changed since"):
        load_tested(data, tested, side=32, workspace=workspace)


def idx(array: NDArray[np.uint8]) -> bytes:
    """The format of MNIST's and Fashion-MNIST's files (http://yann.lecun.com/exdb/mnist/)."""
    sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())


def test_fashion_mnist_comes_through_the_cache_of_keras_and_is_kept(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrays = arrays_for((28, 28), 10)
    cache = tmp_path / "keras" / "datasets" / "fashion-mnist"
    cache.mkdir(parents=True)
    for name, part in (("train", "train"), ("t10k", "test")):
        (cache / f"{name}-images-idx3-ubyte.gz").write_bytes(idx(arrays[f"x_{part}"]))
        (cache / f"{name}-labels-idx1-ubyte.gz").write_bytes(idx(arrays[f"y_{part}"]))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    splits = load_splits(DataConfig(name="fashion_mnist"), 0, workspace=workspace)
    np.testing.assert_array_equal(splits.train.images, arrays["x_train"])
    np.testing.assert_array_equal(splits.test.labels, arrays["y_test"])
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "nowhere"))
    again = load_test(DataConfig(name="fashion_mnist"), workspace=workspace)
    assert again.fingerprint() == splits.test.fingerprint()
    assert not (tmp_path / "nowhere").exists()


def test_a_failed_download_says_what_to_fetch_and_where_to_put_it(
    tmp_path: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for variable in ("http_proxy", "https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")  # where nobody answers
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(DatasetUnavailable, match=r"could not be downloaded \(.*refused") as caught:
        load_test(DataConfig(name="cifar10"), workspace=workspace)
    advice = "/cifar-10-binary.tar.gz on another machine and set data.path to that file"
    assert advice in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not list(workspace.datasets.glob("*.npz"))


def test_a_damaged_download_is_named(workspace: Workspace) -> None:
    workspace.datasets.mkdir(parents=True)
    (workspace.datasets / "cifar10.npz").write_bytes(b"PK")
    with pytest.raises(DamagedFile, match=r"cifar10\.npz is damaged: .*; remove it"):
        load_test(DataConfig(name="cifar10"), workspace=workspace)


@pytest.mark.parametrize("name", ["folder", "cifar10"])
def test_what_needs_a_workspace_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="needs a"):
        load_test(DataConfig(name=name))
