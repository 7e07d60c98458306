import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from core.analysis.calibration import (
    BINS,
    Bins,
    Calibration,
    bin_by_confidence,
    calibrate,
    cover,
)
from core.analysis.images import Judgement
from core.analysis.selection import Selection, from_address, to_address
from core.analysis.statistics import wilson_interval
from core.registry.predictions import Predictions

COUNT = 2_000


@pytest.fixture(scope="module")
def confidence() -> NDArray[np.float32]:
    """Many confidences as stored, most of them high, many alike."""
    drawn = np.random.default_rng(0).beta(4, 1, COUNT)
    return drawn.astype(np.float16).astype(np.float32)


@pytest.fixture(scope="module")
def right(confidence: NDArray[np.float32]) -> NDArray[np.bool_]:
    """A network that is right a little less often than it is sure."""
    return np.random.default_rng(1).random(COUNT) < confidence**1.5


@pytest.fixture(scope="module")
def bins(confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> Bins:
    return bin_by_confidence(confidence, right)


def values(*numbers: float) -> NDArray[np.float32]:
    return np.array(numbers, np.float32)


def judged(probabilities: object, labels: object) -> Calibration:
    truth = np.asarray(labels, np.int64)
    made = np.asarray(probabilities, np.float16).astype(np.float32)
    return calibrate(Judgement(Predictions(made, truth, np.arange(len(truth)), "")))


# --- Bins ---------------------------------------------------------------------------------------


def test_the_bins_are_those_of_scikit_learn(
    bins: Bins, confidence: NDArray[np.float32], right: NDArray[np.bool_]
) -> None:
    accuracy, mean = calibration_curve(right, confidence, n_bins=BINS, strategy="uniform")
    filled = bins.counts > 0
    np.testing.assert_allclose(bins.accuracy[filled], accuracy)
    np.testing.assert_allclose(bins.confidence[filled], mean)


def test_every_image_is_in_one_bin(bins: Bins, right: NDArray[np.bool_]) -> None:
    assert bins.counts.sum() == COUNT
    assert bins.right.sum() == right.sum()
    assert (bins.wrong == bins.counts - bins.right).all()


def test_intervals_are_those_of_wilson(bins: Bins) -> None:
    fullest = int(bins.counts.argmax())
    expected = wilson_interval(int(bins.right[fullest]), int(bins.counts[fullest]))
    assert bins.intervals[fullest].tolist() == list(expected)


def test_the_expected_error_of_a_hand_computed_example() -> None:
    # Two images at 0.9, one of them right: 0.4 off. Two at 0.5, both right: 0.5 off.
    bins = bin_by_confidence(values(0.9, 0.9, 0.5, 0.5), np.array([True, False, True, True]))
    assert bins.expected_error == pytest.approx(0.45)


def test_an_upper_edge_belongs_to_its_bin() -> None:
    bins = bin_by_confidence(values(0.5, 0.50048828), np.array([True, True]), bins=2)
    assert bins.counts.tolist() == [1, 1]


def test_total_certainty_is_in_the_last_bin() -> None:
    bins = bin_by_confidence(np.ones(3, np.float32), np.array([True, True, False]))
    assert (bins.counts[-1], bins.right[-1]) == (3, 2)
    assert bins.expected_error == pytest.approx(1 / 3)


def test_a_confidence_that_is_no_number_is_in_no_bin() -> None:
    bins = bin_by_confidence(values(np.nan, 0.5), np.array([True, True]))
    assert bins.counts.sum() == 1
    assert bins.expected_error == pytest.approx(0.5)


def test_without_any_number_there_is_no_error_to_tell() -> None:
    assert np.isnan(bin_by_confidence(values(np.nan), np.array([True])).expected_error)


def test_a_bin_holds_the_same_images_in_a_link() -> None:
    """All confidences that can be stored, and all bins, whose edges are rounded in a link."""
    every = np.arange(1, 0x3C01, dtype=np.uint16).view(np.float16).astype(np.float32)
    bins = bin_by_confidence(every, np.ones(len(every), bool))
    for place, count in enumerate(bins.counts):
        address = to_address(Selection(confidence_a=bins.span(place)))
        span = from_address(address, 10)[0].confidence_a
        assert span is not None
        assert np.count_nonzero((every >= span[0]) & (every <= span[1])) == count


# --- Coverage -----------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.8999, 0.9, 0.999, 1.0])
def test_what_is_answered_is_what_counting_finds(
    confidence: NDArray[np.float32], right: NDArray[np.bool_], threshold: float
) -> None:
    sure = confidence > threshold
    found = cover(confidence, right).at(threshold)
    assert (found.answered, found.right) == (sure.sum(), right[sure].sum())
    assert found.turned_away == (~sure).sum()
    assert found.right_turned_away == right[~sure].sum()


def test_each_point_of_the_curve_is_what_counting_finds(
    confidence: NDArray[np.float32], right: NDArray[np.bool_]
) -> None:
    for share, accuracy, least in cover(confidence, right).curve(points=10_000).T:
        sure = confidence >= np.float32(least)
        assert share == pytest.approx(sure.mean())
        assert accuracy == pytest.approx(right[sure].mean())


def test_a_thinned_curve_keeps_its_ends(
    confidence: NDArray[np.float32], right: NDArray[np.bool_]
) -> None:
    covered = cover(confidence, right)
    thin, whole = covered.curve(points=20), covered.curve(points=10_000)
    assert 10 < thin.shape[1] <= 20
    np.testing.assert_array_equal(thin[:, [0, -1]], whole[:, [0, -1]])


def test_equally_sure_images_are_answered_together() -> None:
    curve = cover(np.ones(4, np.float32), np.array([True, True, True, False])).curve()
    assert curve.tolist() == [[1.0], [0.75], [1.0]]


def test_one_image_is_answered_or_not() -> None:
    covered = cover(values(0.5), np.array([True]))
    assert (covered.at(0.4).accuracy, covered.at(0.4).coverage) == (1.0, 1.0)
    assert covered.at(0.5).turned_away == 1
    assert np.isnan(covered.at(0.5).accuracy)


def test_a_confidence_that_is_no_number_is_never_answered() -> None:
    covered = cover(values(np.nan, 0.9), np.array([True, True]))
    assert covered.at(0.0).turned_away == 1
    assert covered.curve()[0].tolist() == [0.5]
    assert cover(values(np.nan), np.array([True])).curve().shape == (3, 0)


# --- All of one network -------------------------------------------------------------------------


def test_the_brier_score_is_that_of_scikit_learn() -> None:
    made = np.random.default_rng(0).dirichlet([0.5] * 4, 200).astype(np.float16)
    truth = np.random.default_rng(1).integers(0, 4, 200)
    # Rounded to float16 they no longer sum to 1, as scikit-learn asks; the score hardly changes.
    exact = made.astype(np.float64) / made.astype(np.float64).sum(axis=1, keepdims=True)
    expected = brier_score_loss(truth, exact, labels=range(4), scale_by_half=False)
    assert judged(made, truth).brier == pytest.approx(expected, abs=1e-3)


def test_excess_tells_how_much_surer_than_right_a_network_is() -> None:
    assert judged([[0.75, 0.25], [0.75, 0.25]], [0, 1]).excess == pytest.approx(0.25)


def test_networks_that_diverged_are_told_by_images_without_confidence() -> None:
    broken = judged([[np.nan, np.nan], [0.5, 0.5]], [0, 0])
    assert broken.unsure == 1
    assert np.isnan(judged([[np.nan, np.nan]], [0]).excess)
