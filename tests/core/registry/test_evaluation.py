import shutil
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import log_loss

from core.registry.evaluation import evaluate, stored_evaluation
from core.registry.run import Run
from core.training.metrics import append_event

MakeRun = Callable[..., Run]
LABELS = [7, 2, 1, 0]


def test_probabilities_are_measured_as_scikit_learn_measures_them() -> None:
    random = np.random.default_rng(0)
    scores = random.exponential(1.0, (200, 10)).astype(np.float32)
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    labels = random.integers(0, 10, 200)
    found = evaluate(probabilities, labels)
    assert found.loss == pytest.approx(log_loss(labels, probabilities, labels=range(10)), rel=1e-5)
    assert found.accuracy == np.mean(probabilities.argmax(axis=1) == labels)
    assert found.interval[0] < found.accuracy < found.interval[1]


def test_a_probability_of_0_costs_much_but_not_without_end() -> None:
    certain = np.eye(10, dtype=np.float32)[[3]]
    assert evaluate(certain, np.array([4])).loss == pytest.approx(16.1, abs=0.05)
    assert evaluate(certain, np.array([3])).loss == 0


def test_each_epoch_is_evaluated_from_its_own_predictions(make_run: MakeRun) -> None:
    run = make_run((7, 2, 1, 9), LABELS, LABELS)
    append_event(run.folder.metrics, {"event": "epoch", "epoch": 2, "test_loss": 0.25})
    first, second = stored_evaluation(run, 1), stored_evaluation(run, 2)
    assert first is not None
    assert second is not None
    assert (first.correct, first.images) == (3, 4)
    assert first.loss == pytest.approx(-(3 * np.log(0.91) + np.log(0.01)) / 4, rel=1e-3)
    assert (second.correct, second.loss) == (4, 0.25)


def test_an_epoch_without_predictions_has_none_stored(make_run: MakeRun) -> None:
    run = make_run()
    assert stored_evaluation(run, 2) is None
    shutil.rmtree(run.folder.predictions)
    assert stored_evaluation(run, 1) is None
