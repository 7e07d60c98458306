import numpy as np
import pytest

from core.registry.history import Line
from ui.runs.findings import ACCURACY, LOSS, by_heart, of_rates, of_run, of_runs


def line(*values: float) -> Line:
    return 1.0 + np.arange(len(values)), np.array(values)


@pytest.mark.parametrize(
    ("accuracies", "title"),
    [
        ((), "Accuracy, as the network learns"),
        ((0.9895,), "Accuracy is 98.95 % after epoch 1"),
        ((0.97, 0.991), "Accuracy rose to 99.10 % in 2 epochs"),
        ((0.97, 0.991, 0.98), "Accuracy was highest after epoch 2: 99.10 %"),
    ],
)
def test_a_title_says_what_became_of_the_accuracy(
    accuracies: tuple[float, ...], title: str
) -> None:
    assert of_run(ACCURACY, line(*accuracies)) == title


@pytest.mark.parametrize(
    ("losses", "title"),
    [
        ((0.5, 0.0359), "Loss fell to 0.0359 in 2 epochs"),
        ((0.5, 0.25, 0.3), "Loss was lowest after epoch 2: 0.25"),
        ((0.5, np.nan), "Loss is no number after epoch 2: the training diverged"),
    ],
)
def test_a_title_says_what_became_of_the_loss(losses: tuple[float, ...], title: str) -> None:
    assert of_run(LOSS, line(*losses)) == title


def test_a_network_learns_by_heart_where_only_its_own_images_get_better() -> None:
    assert by_heart(line(0.5, 0.3, 0.1), line(0.4, 0.3, 0.5))
    assert not by_heart(line(0.5, 0.3, 0.4), line(0.4, 0.3, 0.5))
    assert not by_heart(line(0.5, 0.3, 0.1), line(0.4, 0.3, 0.301))
    assert not by_heart(line(0.5), line(0.4))


def test_the_run_that_ends_best_is_named() -> None:
    lines = [line(0.5, 0.2), line(0.1, 0.3), line()]
    names = ["one", "two", "none"]
    assert of_runs(LOSS, names, lines) == "Lowest loss in the end: one, 0.2"
    assert of_runs(ACCURACY, names, lines) == "Highest accuracy in the end: two, 30.00 %"
    assert of_runs(LOSS, names[:1], lines[:1]) == "Loss, as the network learns"


@pytest.mark.parametrize(
    ("rates", "title"),
    [
        ([0.003, 0.003], "Learning rate stays at 0.003"),
        ([0.003, 0.003, 0.00075], "Learning rate falls from 0.003 to 0.00075"),
        ([0.001, 0.01, 0.0001], "Learning rate rises to 0.01, then falls to 0.0001"),
        ([0.0001, 0.003, 8e-9], "Learning rate rises to 0.003, then falls to almost 0"),
        ([], "Learning rate"),
    ],
)
def test_a_title_says_how_the_learning_rate_goes(rates: list[float], title: str) -> None:
    assert of_rates(rates) == title
