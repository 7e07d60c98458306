from collections.abc import Callable

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from core.analysis.comparison import Comparison, compare
from core.analysis.leaving_out import only, without
from core.registry.run import Run

MakeRun = Callable[..., Run]


@pytest.fixture
def compared(make_run: MakeRun) -> Comparison:
    """A is right on images 0 to 3, B on images 0, 1 and 4."""
    labels = (7, 2, 1, 0, 4, 1)
    return compare(make_run((7, 2, 1, 0, 9, 0), labels), make_run((7, 2, 0, 1, 4, 0), labels))


def test_a_part_of_the_images_is_counted_as_if_there_were_no_others(compared: Comparison) -> None:
    part = only(compared, np.array([0, 2, 4]))
    assert part is not None
    assert (part.total, part.right, part.only) == (3, (2, 2), (1, 1))
    assert part.accuracies == (2 / 3, 2 / 3)
    assert part.intervals[0] == pytest.approx(proportion_confint(2, 3, method="wilson"))
    assert (part.difference, part.better) == (0, None)


def test_all_images_are_the_whole_comparison(compared: Comparison) -> None:
    whole = only(compared, np.arange(6))
    assert whole is not None
    assert whole.difference == pytest.approx(compared.difference)
    assert whole.difference_interval == compared.difference_interval
    assert whole.mcnemar_p == compared.mcnemar_p


def test_leaving_images_out_keeps_the_others(compared: Comparison) -> None:
    assert without(compared, np.array([1, 3, 5, 5])) == only(compared, np.array([0, 2, 4]))


def test_of_no_images_nothing_can_be_said(compared: Comparison) -> None:
    assert only(compared, np.array([], np.int64)) is None
    assert without(compared, np.arange(6)) is None
