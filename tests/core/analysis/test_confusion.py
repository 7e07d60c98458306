import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as sklearn_matrix
from sklearn.metrics import precision_recall_fscore_support

from core.analysis.comparison import compare
from core.analysis.confusion import (
    Confusions,
    Pair,
    class_scores,
    confusion_matrix,
    ranked_classes,
)
from tests.conftest import MakeRun

CLASSES = 7
NEVER_THERE, NEVER_SAID, NEITHER = 4, 5, 6


@pytest.fixture
def labels() -> np.ndarray:
    return np.random.default_rng(0).choice([0, 1, 2, 3, NEVER_SAID], 200)


@pytest.fixture
def said(labels: np.ndarray) -> np.ndarray:
    guesses = np.random.default_rng(1).choice([0, 1, 2, 3, NEVER_THERE], 200)
    kept = (np.arange(200) % 3 > 0) & (labels != NEVER_SAID)
    return np.where(kept, labels, guesses)


def test_the_matrix_is_that_of_scikit_learn(labels: np.ndarray, said: np.ndarray) -> None:
    expected = sklearn_matrix(labels, said, labels=range(CLASSES))
    np.testing.assert_array_equal(confusion_matrix(labels, said, CLASSES), expected)


def test_scores_are_those_of_scikit_learn(labels: np.ndarray, said: np.ndarray) -> None:
    scores = class_scores(confusion_matrix(labels, said, CLASSES))
    expected = precision_recall_fscore_support(
        labels, said, labels=range(CLASSES), zero_division=np.nan
    )
    computed = (scores.precision, scores.recall, scores.f1, scores.support)
    np.testing.assert_allclose(computed, expected)


def test_what_cannot_be_computed_is_not_a_number(labels: np.ndarray, said: np.ndarray) -> None:
    scores = class_scores(confusion_matrix(labels, said, CLASSES))
    undefined = [np.flatnonzero(np.isnan(s)).tolist() for s in (scores.precision, scores.recall)]
    assert undefined == [[NEVER_SAID, NEITHER], [NEVER_THERE, NEITHER]]
    assert np.flatnonzero(np.isnan(scores.f1)).tolist() == [NEITHER]


def test_one_class_without_a_mistake_has_full_marks_and_no_pairs() -> None:
    alone = confusion_matrix(np.zeros(3, int), np.zeros(3, int), 1)
    assert class_scores(alone).f1.tolist() == [1]
    assert Confusions(alone, alone).pairs("total", 5) == []
    assert Confusions(alone, alone).confused_classes(5).tolist() == [0]


@pytest.fixture
def confusions() -> Confusions:
    """Of four classes 2 is confused most; A takes 3 for 2 most often, B never."""
    a = [[90, 0, 3, 0], [2, 90, 4, 0], [0, 5, 90, 0], [0, 0, 9, 90]]
    b = [[85, 0, 8, 0], [2, 94, 0, 0], [0, 7, 88, 0], [0, 0, 0, 99]]
    return Confusions(np.array(a), np.array(b))


def test_pairs_come_by_how_often_both_confuse_them(confusions: Confusions) -> None:
    assert confusions.pairs("total", 3) == [Pair(2, 1, 5, 7), Pair(0, 2, 3, 8), Pair(3, 2, 9, 0)]


def test_pairs_come_by_how_differently_the_two_confuse_them(confusions: Confusions) -> None:
    pairs = confusions.pairs("difference", 9)
    assert [pair.a - pair.b for pair in pairs] == [9, -5, 4, -2, 0]


def test_pairs_alike_in_their_difference_come_by_how_often() -> None:
    a, b = np.array([[5, 1, 2], [4, 5, 0], [0, 9, 5]]), np.array([[6, 0, 3], [3, 5, 1], [0, 9, 5]])
    pairs = Confusions(a, b).pairs("difference", 5)
    assert [pair[:2] for pair in pairs] == [(1, 0), (0, 2), (0, 1), (1, 2), (2, 1)]


def test_the_classes_confused_most_are_those_of_the_first_pairs_in_their_order(
    confusions: Confusions,
) -> None:
    assert confusions.confused_classes(3).tolist() == [0, 1, 2]
    assert confusions.confused_classes(99).tolist() == [0, 1, 2, 3]


def test_classes_without_mistakes_fill_up_those_with_mistakes() -> None:
    matrix = np.eye(5, dtype=int)
    matrix[3, 4] = 1
    assert Confusions(matrix, matrix).confused_classes(3).tolist() == [0, 3, 4]


def test_matrices_of_a_comparison_hold_all_its_images(make_run: MakeRun) -> None:
    labels = [7, 2, 1, 0]
    confusions = Confusions.of(
        compare(make_run([7, 2, 1, 0], labels), make_run([7, 2, 1, 6], labels))
    )
    assert confusions.support.tolist() == [1, 1, 1, 0, 0, 0, 0, 1, 0, 0]
    assert (confusions.difference[0, 0], confusions.difference[0, 6]) == (1, -1)
    assert np.abs(confusions.difference).sum() == 2


@pytest.mark.parametrize(
    ("order", "expected"), [("difference", [3, 1, 0, 2]), ("worst", [1, 3, 2, 0]), ("class", None)]
)
def test_classes_without_a_score_come_last(order: str, expected: list[int] | None) -> None:
    a, b = np.array([0.9, 0.2, np.nan, 0.8]), np.array([0.9, 0.5, 0.7, 0.3])
    ranked = ranked_classes(a, b, order)  # type: ignore[arg-type]
    assert ranked.tolist() == (expected or [0, 1, 2, 3])


def test_the_commonest_mistake_of_each_network_comes_with_the_count_of_the_other() -> None:
    a = np.array([[5, 1, 0], [0, 6, 0], [0, 3, 2]])
    b = np.array([[5, 0, 1], [0, 6, 0], [0, 0, 5]])
    confusions = Confusions(a, b)
    assert confusions.commonest == (Pair(2, 1, 3, 0), Pair(0, 2, 0, 1))
    assert confusions.mistakes == (4, 1)


def test_a_network_without_mistakes_has_no_commonest_one() -> None:
    right = np.diag([3, 4])
    assert Confusions(right, np.array([[2, 1], [0, 4]])).commonest == (None, Pair(0, 1, 0, 1))
