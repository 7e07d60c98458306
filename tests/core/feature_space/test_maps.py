import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness

from core.feature_space import maps
from core.feature_space.space import Array

LABELS = np.repeat(np.arange(3), 15)


@pytest.fixture(scope="module")
def clusters() -> Array:
    """Three classes of 15 images, far apart in 12 dimensions."""
    random = np.random.default_rng(5)
    centres = 20 * np.eye(3, 12)[LABELS]
    return (centres + random.normal(size=(45, 12))).astype(np.float32)


def nothing(done: int, total: int) -> None:
    """Nobody watches."""


def test_pca_is_that_of_scikit_learn(clusters: Array) -> None:
    oracle = PCA(2).fit(clusters)
    made = maps.principal_map(clusters)
    assert_allclose(np.abs(made.points), np.abs(oracle.transform(clusters)), atol=1e-3)
    assert made.shares is not None
    assert_allclose(made.shares, oracle.explained_variance_ratio_, atol=1e-6)


def test_pca_turns_out_the_same_for_images_in_another_order(clusters: Array) -> None:
    made, turned = maps.principal_map(clusters), maps.principal_map(clusters[::-1])
    assert_allclose(made.points, turned.points[::-1], atol=1e-3)


@pytest.mark.parametrize(("count", "width"), [(1, 8), (5, 1), (4, 3)])
def test_few_images_and_narrow_layers_have_a_pca_map(count: int, width: int) -> None:
    alike = maps.principal_map(np.ones((count, width), np.float32))
    assert_allclose(alike.points, np.zeros((count, 2)))
    assert alike.shares == (0.0, 0.0)


def test_tsne_keeps_neighbours_together_and_comes_out_the_same_again(clusters: Array) -> None:
    told: list[tuple[int, int]] = []
    made = maps.tsne_map(clusters, LABELS, lambda *steps: told.append(steps))
    assert trustworthiness(clusters, made.points) > 0.9
    assert told[0] == (50, 1000)
    assert np.array_equal(made.points, maps.tsne_map(clusters, LABELS, nothing).points)


@pytest.mark.parametrize("features", [np.zeros((3, 4)), np.ones((30, 4))])
def test_too_few_images_or_all_alike_stand_in_one_place_of_tsne(features: Array) -> None:
    made = maps.tsne_map(features.astype(np.float32), np.zeros(len(features), int), nothing)
    assert_allclose(made.points, 0.0)


def test_a_sample_holds_all_classes_in_their_shares() -> None:
    labels = np.random.default_rng(1).permutation(np.repeat([0, 1, 2], [600, 300, 100]))
    chosen = maps.sample(labels, 100)
    assert len(set(chosen.tolist())) == 100
    assert np.bincount(labels[chosen]).tolist() == [60, 30, 10]
    assert np.array_equal(chosen, maps.sample(labels, 100))


def test_projected_features_keep_the_distances_of_what_they_were_learned_from() -> None:
    wide = np.random.default_rng(2).normal(size=(30, 400)).astype(np.float32)
    onto = maps.projection(wide, 256)
    reduced = onto(wide)
    assert reduced.shape == (30, 30)
    apart = np.linalg.norm(wide[:, None] - wide[None], axis=2)
    assert_allclose(np.linalg.norm(reduced[:, None] - reduced[None], axis=2), apart, atol=1e-2)
