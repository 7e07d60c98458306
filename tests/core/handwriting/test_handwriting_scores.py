from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from core.analysis.comparison import Side, compare_sides
from core.errors import NotComparable
from core.handwriting.handwriting import Handwriting, Samples
from core.handwriting.handwriting_scores import evaluation, reads_handwriting, score, stored_scores
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.workspace import Workspace

MakeRun = Callable[..., Run]
Mnist = dict[str, NDArray[np.uint8]]


class Guess:
    """A network that takes every digit for one class, and counts how often it is asked."""

    def __init__(self, guess: int) -> None:
        self.guess = guess
        self.asked: list[tuple[str, int, int | None]] = []

    def __call__(
        self, run_id: str, images: NDArray[np.uint8], epoch: int | None
    ) -> NDArray[np.float32]:
        self.asked.append((run_id, len(images), epoch))
        probabilities = np.full((len(images), 10), 0.01, np.float32)
        probabilities[:, self.guess] = 0.91
        return probabilities


@pytest.fixture
def handwriting(workspace: Workspace, mnist: Mnist) -> Handwriting:
    """Three samples: 7, 2 and 1."""
    handwriting = Handwriting(workspace)
    for digit, label in zip(mnist["x_test"][:3], mnist["y_test"][:3].tolist(), strict=True):
        handwriting.save(digit, label, picture=digit)
    return handwriting


@pytest.fixture
def samples(handwriting: Handwriting) -> Samples:
    return handwriting.read()


def test_a_network_is_asked_once_for_all_samples(make_run: MakeRun, samples: Samples) -> None:
    run, network = make_run(), Guess(7)
    assert stored_scores(run, samples) is None
    made = score(run, samples, network)
    np.testing.assert_array_equal(made.classes, [7, 7, 7])
    np.testing.assert_array_equal(made.labels, [7, 2, 1])
    assert made.fingerprint == samples.fingerprint
    found = evaluation(made)
    assert (found.correct, found.images) == (1, 3)
    again = score(run, samples, network)
    np.testing.assert_array_equal(again.probabilities, made.probabilities)
    assert network.asked == [(run.id, 3, 1)]


def test_each_epoch_has_its_own_score(make_run: MakeRun, samples: Samples) -> None:
    run = make_run([7], [7], [2])
    score(run, samples, Guess(7))
    assert stored_scores(run, samples, 2) is None
    np.testing.assert_array_equal(score(run, samples, Guess(2), 2).classes, [2, 2, 2])
    np.testing.assert_array_equal(score(run, samples, Guess(0)).classes, [7, 7, 7])


def test_a_network_is_asked_anew_once_the_samples_changed(
    make_run: MakeRun, handwriting: Handwriting
) -> None:
    run, network = make_run(), Guess(1)
    sample = handwriting.read().samples[0]
    score(run, handwriting.read(), network)
    handwriting.annotate(sample.id, "a note changes no score")
    score(run, handwriting.read(), network)
    assert len(network.asked) == 1
    handwriting.relabel(sample.id, 1)
    made = score(run, handwriting.read(), network)
    assert evaluation(made).correct == 2
    handwriting.delete([sample.id])
    assert len(score(run, handwriting.read(), network).labels) == 2
    assert [count for _, count, _ in network.asked] == [3, 3, 2]


def test_a_network_is_asked_anew_once_its_weights_changed(
    make_run: MakeRun, samples: Samples
) -> None:
    run = make_run()
    score(run, samples, Guess(7))
    run.folder.model.mkdir()
    run.folder.weights(1).write_bytes(b"others")
    assert stored_scores(run, samples) is None


def test_a_damaged_score_is_made_anew(make_run: MakeRun, samples: Samples) -> None:
    run = make_run()
    score(run, samples, Guess(7))
    (file,) = run.folder.handwriting.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert stored_scores(run, samples) is None
    np.testing.assert_array_equal(score(run, samples, Guess(2)).classes, [2, 2, 2])


def test_two_runs_are_compared_on_handwriting(make_run: MakeRun, samples: Samples) -> None:
    a, b = (
        Side(run, 1, score(run, samples, Guess(guess)), run.name)
        for run, guess in ((make_run(name="a"), 7), (make_run(name="b"), 0))
    )
    compared = compare_sides(a, b)
    assert compared.counts == {
        "both_right": 0, "only_a_right": 1, "only_b_right": 0, "both_wrong": 2,
    }  # fmt: skip


def test_what_cannot_be_tested_on_handwriting_is_told(
    make_run: MakeRun, runs: Runs, config: RunConfig, samples: Samples
) -> None:
    clothes = runs.create(change(RECIPES["cnn-digits"].config, {"data.name": "fashion_mnist"}))
    waiting = runs.create(config)
    for run in (clothes, waiting):
        assert not reads_handwriting(run)
        with pytest.raises(NotComparable, match="cannot be tested on handwriting"):
            score(run, samples, Guess(1))
    nothing = Samples((), np.zeros((0, 28, 28), np.uint8))
    with pytest.raises(NotComparable, match="no handwriting to test on yet"):
        score(make_run(), nothing, Guess(1))


def test_a_score_that_cannot_be_kept_is_still_told(make_run: MakeRun, samples: Samples) -> None:
    run = make_run()
    run.folder.handwriting.write_text("in the way")
    assert evaluation(score(run, samples, Guess(7))).correct == 1
