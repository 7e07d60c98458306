import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from sklearn.metrics import log_loss

from core.analysis.comparison import compare
from core.analysis.images import Images, jensen_shannon
from core.registry.predictions import write_epoch, write_truth
from core.registry.runs import Runs
from tests.conftest import MakeRun

COUNT, CLASSES = 40, 7


@pytest.fixture
def probabilities() -> list[np.ndarray]:
    """What two networks make of forty images of seven classes, in the precision it is kept in."""
    made = np.random.default_rng(0).dirichlet(np.full(CLASSES, 0.4), (2, COUNT))
    return list(made.astype(np.float16))


@pytest.fixture
def images(make_run: MakeRun, probabilities: list[np.ndarray]) -> Images:
    labels = np.arange(COUNT) % CLASSES
    pair = [make_run(), make_run()]
    for run, made in zip(pair, probabilities, strict=True):
        write_truth(run.folder.predictions, labels, np.arange(COUNT), "the same")
        write_epoch(run.folder.predictions, 1, made)
    return Images(compare(*pair))


def test_confidence_is_the_highest_probability_and_margin_its_lead(
    images: Images, probabilities: list[np.ndarray]
) -> None:
    ranked = np.sort(probabilities[0].astype(np.float32))
    np.testing.assert_array_equal(images.a.confidence, ranked[:, -1])
    np.testing.assert_allclose(images.a.margin, ranked[:, -1] - ranked[:, -2])


def test_the_mean_loss_is_that_of_scikit_learn(
    images: Images, probabilities: list[np.ndarray]
) -> None:
    made = np.maximum(probabilities[1].astype(np.float64), 1e-7)
    # Rounded to float16 the probabilities of an image no longer sum to 1, as scikit-learn asks.
    sums = made.sum(axis=1, keepdims=True)
    expected = log_loss(images.truth, made / sums, labels=range(CLASSES), normalize=False)
    expected -= np.log(sums).sum()
    assert images.b.loss.sum() == pytest.approx(expected, rel=1e-4)


def test_the_divergence_is_that_of_scipy(images: Images, probabilities: list[np.ndarray]) -> None:
    a, b = (made.astype(np.float64) for made in probabilities)
    expected = jensenshannon(a, b, axis=1, base=2) ** 2
    np.testing.assert_allclose(images.divergence, expected, atol=2e-3)


def test_of_both_networks_the_telling_one_counts(images: Images) -> None:
    np.testing.assert_array_equal(images.loss, np.maximum(images.a.loss, images.b.loss))
    np.testing.assert_array_equal(images.margin, np.minimum(images.a.margin, images.b.margin))
    surer = np.maximum(images.a.confidence, images.b.confidence)
    np.testing.assert_array_equal(images.confidence, surer)


def test_networks_that_say_the_same_do_not_diverge_also_where_something_is_impossible() -> None:
    said = np.array([[1, 0, 0], [0.5, 0.5, 0]], np.float32)
    assert jensen_shannon(said, said).tolist() == [0, 0]


def test_one_class_alone_has_its_whole_confidence_as_margin(make_run: MakeRun, runs: Runs) -> None:
    pair = [make_run(), make_run()]
    for run in pair:
        write_truth(run.folder.predictions, np.zeros(3, np.int64), np.arange(3), "one class")
        write_epoch(run.folder.predictions, 1, np.ones((3, 1), np.float16))
    images = Images(compare(*pair))
    assert images.margin.tolist() == [1, 1, 1]
    assert images.divergence.tolist() == [0, 0, 0]
