"""Confident learning on examples worked out by hand, and against the library of its authors."""

import json
from pathlib import Path

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from core.analysis.comparison import compare
from core.analysis.images import Images
from core.analysis.suspects import AT_ONCE, agreed, doubts, thresholds
from core.registry.predictions import write_epoch
from tests.conftest import MakeRun

LABELS = np.array([0, 0, 0, 1, 1, 1])
PROBABILITIES = np.array(
    [[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.3, 0.7], [0.6, 0.4], [0.1, 0.9]], np.float32
)


def some_predictions(
    classes: int, count: int, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Labels of which a tenth is wrong, and what a network might say that is mostly right."""
    random = np.random.default_rng(seed)
    truth = random.integers(classes, size=count)
    logits = random.normal(size=(count, classes))
    logits[np.arange(count), truth] += 4
    odds = np.exp(logits)
    wrong = random.random(count) < 0.1
    labels = np.where(wrong, random.integers(classes, size=count), truth)
    return labels, (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


def test_an_example_worked_out_by_hand() -> None:
    # Thresholds: (0.9 + 0.8 + 0.1) / 3 = 0.6 and (0.7 + 0.4 + 0.9) / 3 = 0.667. The third image
    # reaches that of class 1, the fifth that of class 0.
    assert thresholds(LABELS, PROBABILITIES) == pytest.approx([0.6, 2 / 3])
    found = doubts(LABELS, PROBABILITIES)
    assert found.confident.tolist() == [0, 0, 1, 1, 0, 1]
    assert found.margins == pytest.approx([0.8, 0.6, -0.8, 0.4, -0.2, 0.8])
    assert found.joint(2).tolist() == [[2, 1], [1, 2]]
    assert found.ranked.tolist() == [2, 4]


def test_an_image_below_every_threshold_belongs_nowhere_and_is_ranked_last() -> None:
    probabilities = np.array([[0.9, 0.1], [0.1, 0.9], [0.45, 0.55], [0.2, 0.8]], np.float32)
    found = doubts(np.array([0, 1, 0, 0]), probabilities)  # thresholds 0.517 and 0.9
    assert found.confident.tolist() == [0, 1, -1, -1]
    assert found.ranked.tolist() == [3, 2]
    assert found.joint(2).sum() == 2


def test_of_several_thresholds_reached_the_likeliest_class_counts() -> None:
    labels = np.array([0, 1, 0, 1, 2])
    low = [0.1, 0.1, 0.8]
    probabilities = np.array([low, low, [0.3, 0.35, 0.35], low, [0.9, 0.06, 0.04]], np.float32)
    # Thresholds 0.2, 0.1 and 0.04: the third image reaches all three, class 1 before class 2.
    assert doubts(labels, probabilities).confident[2] == 1


@pytest.mark.parametrize(("classes", "count"), [(2, 300), (10, 3000), (100, AT_ONCE // 100 + 500)])
def test_counts_and_scores_are_those_of_cleanlab(classes: int, count: int) -> None:
    labels, probabilities = some_predictions(classes, count)
    found = doubts(labels, probabilities)
    joint, counted = compute_confident_joint(
        labels, probabilities, calibrate=False, return_indices_of_off_diagonals=True
    )
    assert np.flatnonzero(found.counted).tolist() == sorted(counted)
    assert found.joint(classes).tolist() == joint.tolist()
    scores = get_label_quality_scores(labels, probabilities, method="normalized_margin")
    assert (found.margins + 1) / 2 == pytest.approx(scores, abs=1e-6)


def test_the_counted_come_in_the_order_of_cleanlab() -> None:
    labels, probabilities = some_predictions(10, 2000)
    found = doubts(labels, probabilities)
    ranked = find_label_issues(
        labels,
        probabilities,
        filter_by="confident_learning",
        return_indices_ranked_by="normalized_margin",
        n_jobs=1,
    )
    assert len(ranked) > 100
    assert found.ranked[: found.counted.sum()].tolist() == ranked.tolist()


def test_several_networks_count_as_their_average() -> None:
    labels, one = some_predictions(5, 400)
    _, other = some_predictions(5, 400, seed=1)
    both, average = doubts(labels, one, other), doubts(labels, (one + other) / 2)
    assert both.ranked.tolist() == average.ranked.tolist()
    assert both.margins == pytest.approx(average.margins)


def test_it_is_told_how_far_that_is() -> None:
    count, told = AT_ONCE // 2 * 3, list[float]()  # three parts, each looked at twice
    probabilities = np.full((count, 2), 0.5, np.float32)
    doubts(np.zeros(count, np.int64), probabilities, progress=told.append)
    assert told == sorted(told)
    assert len(told) == 6
    assert told[-1] == 1


def test_a_class_without_images_is_nobodys_confident_class() -> None:
    found = doubts(np.array([0, 0]), np.float32([[0.9, 0.1], [0.05, 0.95]]))
    assert found.confident.tolist() == [0, -1]
    assert found.ranked.tolist() == [1]


def test_a_single_class_leaves_nothing_to_doubt() -> None:
    found = doubts(np.zeros(3, int), np.ones((3, 1), np.float32))
    assert found.margins.tolist() == [1, 1, 1]
    assert len(found.ranked) == 0


def test_both_sure_of_another_class_is_sorted_by_the_less_sure(make_run: MakeRun) -> None:
    labels = (0, 1, 2, 3, 4, 5)
    a, b = make_run((0, 7, 8, 9, 4, 6), labels), make_run((7, 7, 8, 9, 9, 5), labels)
    surer = {1: (0.6, 0.9), 2: (0.8, 0.7), 3: (0.9, 0.5)}
    for side, run in enumerate((a, b)):
        said = np.full((6, 10), 0.01, np.float16)
        said[np.arange(6), [(0, 7, 8, 9, 4, 6), (7, 7, 8, 9, 9, 5)][side]] = 0.5
        for position, sure in surer.items():
            said[position, said[position].argmax()] = sure[side]
        write_epoch(run.folder.predictions, 1, said)
    # 0.7 at least, then 0.6, then 0.5; the others are right for one of them.
    assert agreed(Images(compare(a, b))).tolist() == [2, 1, 3]


def test_the_published_labels_are_those_of_the_bundled_test_images(
    mnist: dict[str, NDArray[np.uint8]],
) -> None:
    published = json.loads(PUBLISHED.read_text())["images"]
    assert len(published) == 15
    assert [mnist["y_test"][image["index"]] for image in published] == [
        image["label"] for image in published
    ]


PUBLISHED = Path(__file__).parents[3] / "benchmarks" / "mnist_wrong_labels.json"
