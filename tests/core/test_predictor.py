import os
from collections.abc import Callable

import cv2
import numpy as np
import pytest

from core import models
from core.datasets import load_test
from core.errors import DamagedFile, NotComparable, UnknownRun
from core.networks import build
from core.predictions import read_predictions
from core.predictor import Predictor
from core.recipes import RECIPES
from core.runs import Run, Runs
from core.settings import change
from core.workspace import Workspace

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 28, 28)).astype(np.uint8)
MakeTiny = Callable[[str], Run]


@pytest.fixture
def make_tiny(runs: Runs) -> MakeTiny:
    """A function that makes a run with a very small network."""

    def make(name: str) -> Run:
        config = change(RECIPES["cnn-digits"].config, {"side": 8, "dense": [4]})
        run = runs.create(config, name).write_state(
            status="finished", best_epoch=1, precision="float32"
        )
        models.save_reference(run.folder, network := build(config.network, 10))
        models.save_trained(run.folder, network, config, 1, 1)
        return run

    return make


@pytest.mark.parametrize("name", ["cnn", "vgg16"])
def test_it_answers_as_the_run_did_when_it_was_tested(
    trained_workspace: Workspace, name: str
) -> None:
    runs = Runs(trained_workspace)
    run = runs.find(name)
    found = Predictor(runs).predict(run.id, load_test(run.config.data).images)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, read_predictions(run).probabilities, atol=1e-3)


def test_a_picture_of_any_size_and_colour_is_brought_to_the_networks(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    grey = np.stack([cv2.resize(image, (40, 24)) for image in IMAGES])
    coloured = np.stack([cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) for image in grey])
    np.testing.assert_array_equal(
        predictor.predict(run.id, coloured), predictor.predict(run.id, grey)
    )


def test_it_explains_a_picture_of_any_size_by_the_epoch_that_is_asked(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    write_weights(run, 2, seed=5)
    large = cv2.resize(IMAGES[0], (40, 24))
    first, second = (predictor.grad_cam(run.id, large, 3, epoch).fields for epoch in (1, 2))
    assert first.shape == second.shape == (4, 4)
    assert not np.allclose(first, second)
    assert predictor.grad_cam(run.id, large, 3, finer=1).fields.shape == (8, 8)


def spoil_weights(run: Run) -> None:
    """From now on the run can only be answered for by who has it loaded; no date tells it."""
    path = run.folder.weights(1)
    written = path.stat()
    path.write_bytes(b"no weights")
    os.utime(path, ns=(written.st_atime_ns, written.st_mtime_ns))


def test_a_run_is_loaded_once(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    first = predictor.predict(run.id, IMAGES)
    spoil_weights(run)
    np.testing.assert_array_equal(predictor.predict(run.id, IMAGES), first)


def test_a_run_that_was_loaded_before_is_answered_for_at_once(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    predictor.load(run.id)
    spoil_weights(run)
    assert predictor.predict(run.id, IMAGES).shape == (2, 10)


def test_the_least_recently_used_run_is_dropped(runs: Runs, make_tiny: MakeTiny) -> None:
    first, second, third = (make_tiny(name) for name in ("first", "second", "third"))
    predictor = Predictor(runs, most=2)
    for run in (first, second, first, third):
        predictor.predict(run.id, IMAGES)
    for run in (first, second, third):
        spoil_weights(run)
    for kept in (first, third):
        assert predictor.predict(kept.id, IMAGES).shape == (2, 10)
    with pytest.raises(DamagedFile, match=r"epoch-1.npz of the run 'second'"):
        predictor.predict(second.id, IMAGES)


def write_weights(run: Run, epoch: int, seed: int) -> None:
    """What training leaves after an epoch, other weights for every seed."""
    network = build(run.config.network, 10, seed=seed)
    models.save_trained(run.folder, network, run.config, 1, epoch)


def test_any_epoch_whose_weights_were_kept_answers(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    write_weights(run, 2, seed=5)
    best = predictor.predict(run.id, IMAGES)
    other = predictor.predict(run.id, IMAGES, 2)
    assert not np.allclose(best, other)
    np.testing.assert_array_equal(predictor.predict(run.id, IMAGES, 1), best)
    run.write_state(best_epoch=2)
    np.testing.assert_array_equal(predictor.predict(run.id, IMAGES), other)


def test_an_epoch_whose_weights_were_not_kept_is_refused_with_those_that_were(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    with pytest.raises(NotComparable, match=r"kept \(1\), got 7"):
        Predictor(runs).predict(make_tiny("tiny").id, IMAGES, 7)


def test_weights_that_were_written_anew_are_loaded_anew(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    before = predictor.predict(run.id, IMAGES)
    write_weights(run, 1, seed=5)
    assert not np.allclose(predictor.predict(run.id, IMAGES), before)


@pytest.mark.parametrize("reference", ["", "none", "../runs"])
def test_an_unknown_run_is_refused(runs: Runs, reference: str) -> None:
    with pytest.raises(UnknownRun):
        Predictor(runs).predict(reference, IMAGES)


def test_a_deleted_run_is_unknown_even_while_it_is_loaded(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    predictor.predict(run.id, IMAGES)
    runs.delete(run)
    with pytest.raises(UnknownRun):
        predictor.predict(run.id, IMAGES)
