import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.neighbors import NearestNeighbors

from core.feature_space.neighbours import AT_ONCE, nearest


@pytest.mark.parametrize("count", [1, 8, 50])
def test_the_nearest_are_those_of_scikit_learn(count: int) -> None:
    random = np.random.default_rng(3)
    features = random.normal(size=(2 * AT_ONCE + 7, 24)).astype(np.float32)
    query = random.normal(size=24).astype(np.float32)
    distances, positions = NearestNeighbors(n_neighbors=count).fit(features).kneighbors([query])
    found = nearest(query, features, count)
    assert np.array_equal(found.positions, positions[0])
    assert_allclose(found.distances, distances[0], rtol=1e-5)
    every = np.linalg.norm(features - query, axis=1)
    assert found.typical == pytest.approx(np.median(every), rel=1e-5)


def test_of_equally_near_images_the_first_come_first() -> None:
    features = np.float32([[3, 0], [1, 0], [0, 1], [-1, 0], [9, 9]])
    found = nearest(np.zeros(2, np.float32), features, 3)
    assert found.positions.tolist() == [1, 2, 3]
    assert found.distances.tolist() == [1, 1, 1]


def test_no_more_are_found_than_there_are() -> None:
    found = nearest(np.zeros(2, np.float32), np.float32([[0, 1], [0, 2]]), 8)
    assert found.positions.tolist() == [0, 1]
