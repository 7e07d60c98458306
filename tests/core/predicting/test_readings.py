import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, confusion_matrix

from core.data.preprocessing import for_network
from core.predicting.readings import (
    COLUMNS,
    Named,
    Readings,
    Row,
    csv_of,
    frame_of,
    label_index,
    read_all,
)
from core.predicting.uploads import Framed, Refusal
from core.registry.recipes import RECIPES
from core.registry.settings import change

CLASSES = ("cat", "dog", "=evil")


def readings() -> Readings:
    items = [
        Named("a.png", "dog"),
        Refusal("b.png", "the file is empty; choose an image file"),
        Named("=c.png", "CAT"),
        Named("d.png", "mouse"),
        Named("e.png", None),
    ]
    probabilities = [[0.2, 0.7, 0.1], [0.1, 0.3, 0.6], [0.5, 0.25, 0.25], [0, 0, 1]]
    return Readings(CLASSES, items, np.array(probabilities, np.float32))


def test_there_is_a_row_for_each_picture_and_refusal_in_the_order_given() -> None:
    first, refused, second, *others = readings().rows()
    assert first == Row("a.png", "dog", "dog", pytest.approx(0.7), "cat", pytest.approx(0.2))
    assert first.right is True
    assert refused == Row("b.png", refusal="the file is empty; choose an image file")
    assert refused.right is None
    assert (second.name, second.true_class, second.predicted) == ("=c.png", "cat", "=evil")
    assert second.right is False
    assert [row.true_class for row in others] == [None, None]
    assert others[0].second == "dog"


def test_labels_that_are_no_class_are_told() -> None:
    assert readings().unknown_labels == ["mouse"]
    np.testing.assert_array_equal(readings().labels, [1, 0, -1, -1])


def test_the_table_is_the_rows_and_nothing_in_it_is_computed() -> None:
    rows = list(csv.DictReader(io.StringIO(readings().csv())))
    assert list(rows[0]) == list(COLUMNS)
    assert [row["file"] for row in rows] == ["a.png", "b.png", "'=c.png", "d.png", "e.png"]
    assert rows[0]["confidence"] == "0.7"
    assert rows[1]["not_read"].startswith("the file is empty")
    assert rows[2]["predicted"] == "'=evil"
    assert rows[3]["true_class"] == ""


@given(st.lists(st.text(max_size=20), min_size=1))
def test_text_comes_back_from_a_table_and_begins_no_formula(names: list[str]) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_of(names, []), newline="")))
    for written, name in zip(row, names, strict=True):
        assert written == name
    (_, row) = list(csv.reader(io.StringIO(csv_of(["x"] * len(names), [names]), newline="")))
    for written, name in zip(row, names, strict=True):
        assert written in (name, f"'{name}")
        assert not written.startswith(("=", "+", "-", "@"))


def test_accuracy_and_confusion_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 200)
    probabilities = random.dirichlet([1, 1, 1], 200).astype(np.float32)
    items = [Named(str(n), CLASSES[label]) for n, label in enumerate(labels)]
    items[::7] = [Named("?", None)] * len(items[::7])
    known = np.array([item.label is not None for item in items])
    found = Readings(CLASSES, items, probabilities)
    said = probabilities.argmax(axis=1)
    assert found.evaluation is not None
    assert found.evaluation.accuracy == accuracy_score(labels[known], said[known])
    expected = confusion_matrix(labels[known], said[known])
    np.testing.assert_array_equal(found.confusion, expected)
    predictions = found.predictions()
    np.testing.assert_array_equal(predictions.classes, said[known])
    np.testing.assert_array_equal(predictions.labels, labels[known])
    np.testing.assert_array_equal(predictions.indices, np.flatnonzero(known))


def test_what_is_close_is_counted_as_it_is_told() -> None:
    close = np.array([[0.50001, 0.49999, 0]], np.float32)[:, ::-1]
    found = Readings(CLASSES, [Named("a", "=evil")], close)
    (row,) = found.rows()
    assert row.right is True
    assert found.evaluation is not None
    assert found.evaluation.correct == found.confusion[2, 2] == 1


def test_without_labels_nothing_is_scored() -> None:
    found = Readings(CLASSES, [Named("a", None)], np.ones((1, 3), np.float32) / 3)
    assert found.evaluation is None
    assert found.confusion.sum() == 0
    assert found.unknown_labels == []


def test_an_upload_of_which_nothing_can_be_read_has_its_refusals() -> None:
    found = Readings(CLASSES, [Refusal("a", "no")], np.zeros((0, 3), np.float32))
    assert [row.refusal for row in found.rows()] == ["no"]


@pytest.mark.parametrize(
    ("label", "index"),
    [("b", 0), ("B", 1), ("ß", 2), ("SS", 2), ("c", None), (None, None), ("", None)],
)
def test_a_label_is_found_also_in_other_letters_where_that_is_clear(
    label: str | None, index: int | None
) -> None:
    assert label_index(label, ["b", "B", "ß"]) == index


def test_networks_are_asked_about_all_pictures_some_at_a_time() -> None:
    asked: list[int] = []
    done: list[int] = []

    def mean(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        asked.append(len(images))
        return images.reshape(len(images), -1).mean(axis=1, keepdims=True) == np.arange(3)

    def framed(number: int) -> Framed[NDArray[np.uint8]] | Refusal:
        if number == 5:
            return Refusal("5", "no")
        return Framed(str(number), "cat", np.full((2, 2), number % 3, np.uint8), b"small")

    both = {"a": (CLASSES, mean), "b": (CLASSES, mean)}
    found = read_all((framed(number) for number in range(300)), both, done.append)
    assert asked == [256, 256, 43, 43]
    assert done == list(range(1, 301))
    for key in both:
        assert len(found[key].refusals) == 1
        said = [int(name.name) % 3 for name in found[key].pictures]
        np.testing.assert_array_equal(found[key].probabilities.argmax(axis=1), said)
        assert found[key].pictures[0].thumbnail == b"small"


def test_nothing_to_read_asks_nobody() -> None:
    def never(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        raise AssertionError

    assert read_all([], {"a": (CLASSES, never)})["a"].probabilities.shape == (0, 3)


def test_a_picture_is_framed_for_a_network_as_in_training() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (60, 40, 3)).astype(np.uint8)
    base = RECIPES["vgg16-digits"].config
    photographs = change(base, {"data.name": "cifar10", "side": 32})
    fed = frame_of(photographs)(picture)
    np.testing.assert_array_equal(fed, for_network(picture[None], 32, 3)[0])
    np.testing.assert_array_equal(for_network(fed[None], 32, 3)[0], fed)
    grey = change(RECIPES["cnn-digits"].config, {"data.name": "fashion_mnist"})
    fed = frame_of(grey)(picture)
    np.testing.assert_array_equal(for_network(fed[None], 28, 1), for_network(picture[None], 28, 1))
