import numpy as np
from numpy.testing import assert_allclose
from scipy.spatial.distance import cdist

from core.feature_space.strangeness import (
    AT_ONCE,
    SAMPLED,
    distances_to_nearest,
    share_nearer,
    usual_distances,
)


def features(count: int, seed: int, width: int = 24) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(count, width)).astype(np.float32)


def test_distances_to_the_nearest_are_those_of_scipy() -> None:
    train, queries = features(500, 1), features(AT_ONCE + 9, 2)
    expected = cdist(queries, train).min(axis=1)
    assert_allclose(distances_to_nearest(queries, train), expected, rtol=1e-5)


def test_an_image_that_was_learned_from_lies_at_no_distance() -> None:
    train = features(50, 1) + 1000
    assert distances_to_nearest(train[7:8], train).tolist() == [0.0]


def test_what_is_usual_is_told_by_test_images_from_first_to_last() -> None:
    test, train = np.zeros((3 * SAMPLED, 2), np.float32), np.zeros((1, 2), np.float32)
    test[:, 0] = np.arange(3 * SAMPLED)
    usual = usual_distances(test, train)
    assert len(usual) == SAMPLED
    assert usual[0] == 0 and usual[-1] == 3 * SAMPLED - 1
    assert np.all(np.diff(usual) > 0)


def test_of_few_test_images_all_tell_what_is_usual() -> None:
    test, train = features(7, 1), features(20, 2)
    expected = np.sort(cdist(test, train).min(axis=1))
    assert_allclose(usual_distances(test, train), expected, rtol=1e-5)


def test_what_lies_as_near_as_the_nearest_is_farther_than_none() -> None:
    usual = np.array([1, 2, 3, 4], np.float32)
    assert [share_nearer(distance, usual) for distance in (0.5, 1, 4, 9)] == [0, 0, 0.75, 1]
