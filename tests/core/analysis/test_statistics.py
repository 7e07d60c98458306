import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from core.analysis.statistics import mcnemar_p, paired_difference_interval, wilson_interval

counts = st.integers(0, 500)


@pytest.mark.parametrize(
    ("correct", "total"), [(0, 1), (1, 1), (0, 10), (10, 10), (9895, 10_000), (5, 7), (1, 10**6)]
)
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_wilson_agrees_with_statsmodels(correct: int, total: int, confidence: float) -> None:
    expected = proportion_confint(correct, total, alpha=1 - confidence, method="wilson")
    assert wilson_interval(correct, total, confidence) == pytest.approx(expected, abs=1e-12)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_stays_within_0_and_1_around_the_proportion(case: tuple[int, int]) -> None:
    low, high = wilson_interval(*case)
    assert 0 <= low <= case[0] / case[1] + 1e-12
    assert case[0] / case[1] - 1e-12 <= high <= 1


@pytest.mark.parametrize(("correct", "total"), [(0, 0), (-1, 5), (6, 5)])
def test_wilson_refuses_what_is_no_proportion(correct: int, total: int) -> None:
    with pytest.raises(ValueError, match=f"got {correct}, {total}"):
        wilson_interval(correct, total)


@given(counts, counts)
def test_mcnemar_agrees_with_statsmodels(only_a: int, only_b: int) -> None:
    expected = mcnemar([[0, only_a], [only_b, 0]], exact=True).pvalue
    assert mcnemar_p(only_a, only_b) == pytest.approx(expected, rel=1e-9, abs=1e-300)


@given(counts, counts)
def test_mcnemar_does_not_care_which_is_a(only_a: int, only_b: int) -> None:
    assert mcnemar_p(only_a, only_b) == mcnemar_p(only_b, only_a)


def test_mcnemar_of_classifiers_that_never_disagree_is_1() -> None:
    assert mcnemar_p(0, 0) == 1


def test_mcnemar_by_hand() -> None:
    # Of three coins all fall to one given side in 1 of 8 cases, to either in 2 of 8.
    assert mcnemar_p(3, 0) == pytest.approx(2 / 8)


@pytest.mark.parametrize(("only_a", "only_b", "total"), [(30, 10, 200), (5, 5, 50), (0, 12, 100)])
def test_the_paired_interval_agrees_with_resampling_the_images(
    only_a: int, only_b: int, total: int
) -> None:
    per_image = np.repeat([1, -1, 0], [only_a, only_b, total - only_a - only_b])
    drawn = np.random.default_rng(1).integers(0, total, (10_000, total))
    expected = np.quantile(per_image[drawn].mean(axis=1), [0.025, 0.975])
    found = paired_difference_interval(only_a, only_b, total)
    # Both draw 10,000 times; one image more or less is as near as two such draws come.
    assert found == pytest.approx(expected, abs=1.01 / total)


def test_the_paired_interval_is_the_same_every_time() -> None:
    first, second = (paired_difference_interval(30, 10, 200) for _ in range(2))
    assert first == second


def test_the_paired_interval_turns_over_with_a_and_b() -> None:
    low, high = paired_difference_interval(300, 100, 2000, seed=1)
    turned = paired_difference_interval(100, 300, 2000, seed=2)
    assert (-high, -low) == pytest.approx(turned, abs=0.002)


def test_a_higher_confidence_gives_a_wider_interval() -> None:
    narrow = paired_difference_interval(30, 10, 200, confidence=0.8)
    wide = paired_difference_interval(30, 10, 200, confidence=0.99)
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_classifiers_that_never_disagree_differ_by_exactly_nothing() -> None:
    assert paired_difference_interval(0, 0, 100) == (0, 0)
