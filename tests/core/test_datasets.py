import hashlib
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from core.config import DataConfig
from core.datasets import Split, held_out_positions, load_part, load_splits, load_test

Arrays = dict[str, NDArray[np.uint8]]
LABELS = np.repeat(np.arange(3), [10, 20, 30])


@pytest.fixture
def split() -> Split:
    images = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    return Split(images, np.array([1, 0, 1, 2]), np.arange(4))


@pytest.mark.parametrize(("part", "count"), [("train", 60_000), ("test", 10_000)])
def test_mnist_comes_whole_and_in_its_own_order(mnist: Arrays, part: str, count: int) -> None:
    loaded = load_part("mnist", part)  # type: ignore[arg-type]
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
