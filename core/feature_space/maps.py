"""Features in fewer dimensions: PCA, t-SNE, and the projection of those that are too wide."""

import contextlib
import io
import re
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from core.feature_space.space import Array, Map, Projection

MOST_EMBEDDED = 10_000
"""Images that t-SNE places; of more, a sample."""
BEFORE_TSNE = 50
"""Dimensions that t-SNE is given, the first of PCA (van der Maaten and Hinton, 2008)."""
ITERATIONS = 1000
SEED = 0
AT_ONCE = 10_000

Done = Callable[[int, int], None]
"""Told how many of how many steps are done."""


def principal_map(features: Array) -> Map:
    """The two directions in which features (count, width) vary most, as scikit-learn turns them."""
    mean, directions, variances = _principal(features, 2)
    points = _blockwise(features, mean, directions)
    if directions.shape[1] < 2:  # a layer of one number
        points = np.pad(points, ((0, 0), (0, 1)))
    whole = float(np.sum(variances)) or 1.0
    first, second = [*variances[:2], 0.0][:2]
    return Map(points, (float(first / whole), float(second / whole)))


def tsne_map(features: Array, labels: NDArray[np.int64], done: Done) -> Map:
    """The t-SNE map of features (count, width), of at most MOST_EMBEDDED images.

    Of more images it places a sample that holds all classes in their shares. Begun from PCA, with a
    fixed seed. `done` hears of every fiftieth of ITERATIONS.
    """
    from sklearn.manifold import TSNE

    chosen = sample(labels, MOST_EMBEDDED)
    points = np.full((len(features), 2), np.nan, np.float32)
    if len(chosen) < 4 or not np.ptp(features, axis=0).any():
        points[chosen] = 0.0  # too few to have a neighbourhood, or all alike
        return Map(points, None)
    mean, directions, _ = _principal(features[chosen], BEFORE_TSNE)
    method = TSNE(
        n_components=2,
        perplexity=min(30.0, (len(chosen) - 1) / 3),
        init="pca" if directions.shape[1] > 1 else "random",
        max_iter=ITERATIONS,
        random_state=SEED,
        verbose=2,
    )
    # It tells of its progress by printing alone.
    with contextlib.redirect_stdout(_Iterations(done)):
        points[chosen] = method.fit_transform(_blockwise(features[chosen], mean, directions))
    return Map(points, None)


def sample(labels: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """Positions of at most so many images, of each class its share, always the same ones.

    >>> sample(np.array([0, 0, 0, 0, 1, 1]), 3)
    array([0, 3, 5])
    """
    if len(labels) <= most:
        return np.arange(len(labels))
    random = np.random.default_rng(SEED)
    mixed = random.permutation(len(labels))
    by_class = mixed[np.argsort(labels[mixed], kind="stable")]
    places = (np.arange(most) * len(labels)) // most
    return np.sort(by_class[places])


def projection(features: Array, width: int) -> Projection:
    """Onto the `width` directions in which a sample of wide features, (count, n), varies most."""
    from sklearn.decomposition import PCA

    most = min(width, *features.shape)
    found = PCA(most, svd_solver="randomized", random_state=SEED).fit(features)
    directions = np.ascontiguousarray(found.components_.T, np.float32)
    return Projection(np.asarray(found.mean_[None], np.float32), directions)


def _principal(features: Array, most: int) -> tuple[Array, Array, NDArray[np.float64]]:
    """Mean (1, width), directions (width, at most `most`), and all variances, largest first."""
    width = features.shape[1]
    mean = features.mean(axis=0, dtype=np.float64)
    products = np.zeros((width, width))
    for start in range(0, len(features), AT_ONCE):
        centred = features[start : start + AT_ONCE] - mean
        products += centred.T @ centred
    variances, vectors = np.linalg.eigh(products)
    largest = vectors[:, ::-1][:, :most]
    # A direction and its opposite are the same: the one whose largest entry is positive.
    signs = np.sign(largest[np.abs(largest).argmax(axis=0), np.arange(largest.shape[1])])
    return (
        np.asarray(mean[None], np.float32),
        np.asarray(largest * signs, np.float32),
        np.maximum(variances[::-1], 0),
    )


def _blockwise(features: Array, mean: Array, directions: Array) -> Array:
    placed = [(block - mean) @ directions for block in _blocks(features)]
    return np.concatenate(placed).astype(np.float32, copy=False)


def _blocks(features: Array) -> Iterator[Array]:
    return (features[start : start + AT_ONCE] for start in range(0, len(features), AT_ONCE))


class _Iterations(io.TextIOBase):
    """Takes what scikit-learn prints, and tells how many iterations that says are done."""

    def __init__(self, done: Done) -> None:
        self._done = done

    def write(self, text: str) -> int:
        """Every fiftieth iteration is named in a line of its own."""
        if (named := re.search(r"Iteration (\d+)", text)) is not None:
            self._done(int(named[1]), ITERATIONS)
        return len(text)
