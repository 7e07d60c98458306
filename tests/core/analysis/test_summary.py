import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score, log_loss, precision_score, recall_score

from core.analysis.calibration import calibrate
from core.analysis.confusion import Confusions, confusion_matrix
from core.analysis.images import Judgement
from core.analysis.summary import Figure, Standing, summary
from core.registry.predictions import Predictions

CLASSES, COUNT = 5, 400
LABELS = np.random.default_rng(0).integers(0, CLASSES - 1, COUNT)
"""The last class has no image."""


def judged(seed: int) -> Judgement:
    drawn = np.random.default_rng(seed).dirichlet(np.ones(CLASSES), COUNT)
    drawn[np.arange(COUNT), LABELS] += 0.3
    made = (drawn / drawn.sum(axis=1, keepdims=True)).astype(np.float32)
    return Judgement(Predictions(made, LABELS, np.arange(COUNT), ""))


A, B = judged(1), judged(2)


def standings(a: Judgement = A, b: Judgement = B) -> dict[str, Standing]:
    matrices = (confusion_matrix(LABELS, each.said, CLASSES) for each in (a, b))
    return {each.figure: each for each in summary(a, b, Confusions(*matrices))}


def macro(score: object, said: NDArray[np.int64]) -> float:
    options = {"labels": range(CLASSES), "average": "macro", "zero_division": np.nan}
    return float(score(LABELS, said, **options))  # type: ignore[operator]


def test_means_over_the_classes_are_those_of_scikit_learn() -> None:
    found = standings()
    for figure, score in (
        ("precision", precision_score),
        ("recall", recall_score),
        ("f1", f1_score),
    ):
        assert found[figure].a == pytest.approx(macro(score, A.said))
        assert found[figure].b == pytest.approx(macro(score, B.said))


def test_loss_is_that_of_scikit_learn_and_ece_that_of_the_calibration() -> None:
    found = standings()
    expected = log_loss(LABELS, A.predictions.probabilities, labels=range(CLASSES))
    assert found["loss"].a == pytest.approx(expected, rel=1e-5)
    assert found["ece"].a == calibrate(A).bins.expected_error
    assert found["confidence"].b == pytest.approx(B.predictions.probabilities.max(axis=1).mean())


@pytest.mark.parametrize(
    ("figure", "a", "b", "better"),
    [
        ("recall", 0.9, 0.8, 0),
        ("recall", 0.8, 0.9, 1),
        ("loss", 0.2, 0.3, 0),
        ("ece", 0.2, 0.1, 1),
        ("confidence", 0.9, 0.8, None),
        ("f1", 0.8, 0.8, None),
        ("f1", math.nan, 0.8, None),
    ],
)
def test_more_is_better_of_scores_and_less_of_errors(
    figure: Figure, a: float, b: float, better: int | None
) -> None:
    assert Standing(figure, a, b).better == better
