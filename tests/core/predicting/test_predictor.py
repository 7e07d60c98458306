import os
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest
from scipy.special import softmax

from core.data.datasets import load_test
from core.errors import DamagedFile, NotComparable, UnknownRun
from core.network import models
from core.network.models import load_run
from core.network.networks import build
from core.predicting.predictor import MOST_AT_ONCE, LoadedNetwork, Predictor
from core.registry.predictions import read_predictions
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
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


def size_of(run: Run) -> int:
    """Bytes that a run's network takes once it is loaded."""
    return LoadedNetwork(load_run(run), run.config.network).size


def test_the_least_recently_used_run_makes_room(runs: Runs, make_tiny: MakeTiny) -> None:
    first, second, third = (make_tiny(name) for name in ("first", "second", "third"))
    predictor = Predictor(runs, limit=2 * size_of(first))
    for run in (first, second, first, third):
        predictor.predict(run.id, IMAGES)
    for run in (first, second, third):
        spoil_weights(run)
    for kept in (first, third):
        assert predictor.predict(kept.id, IMAGES).shape == (2, 10)
    with pytest.raises(DamagedFile, match=r"epoch-1.npz of the run 'second'"):
        predictor.predict(second.id, IMAGES)


def test_a_network_larger_than_the_limit_answers_all_the_same(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs, limit=0)
    predictor.load(run.id)
    spoil_weights(run)
    assert predictor.predict(run.id, IMAGES).shape == (2, 10)


def test_the_memory_of_a_network_that_made_room_is_freed(runs: Runs, make_tiny: MakeTiny) -> None:
    first, second = make_tiny("first"), make_tiny("second")
    predictor = Predictor(runs, limit=0)
    predictor.grad_cam(first.id, IMAGES[0], 3)
    predictor.features(first.id, IMAGES)
    loaded = weakref.ref(next(iter(predictor._loaded.values())))
    predictor.load(second.id)
    assert loaded() is None


def test_no_images_get_no_answers(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    for none in (IMAGES[:0], np.zeros((0, 40, 30, 3), np.uint8)):
        assert predictor.predict(run.id, none).shape == (0, 10)
        assert predictor.features(run.id, none).shape == (0, 4)


def test_features_are_what_the_last_layer_makes_its_answer_of(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    last = load_run(run).classifier.layers[-1]
    scores = predictor.features(run.id, IMAGES) @ last.kernel.numpy() + last.bias.numpy()
    np.testing.assert_allclose(
        softmax(scores, axis=1), predictor.predict(run.id, IMAGES), rtol=1e-4, atol=1e-6
    )


def test_many_images_are_answered_as_each_is_alone(runs: Runs, make_tiny: MakeTiny) -> None:
    run, predictor = make_tiny("tiny"), Predictor(runs)
    many = np.random.default_rng(1).integers(0, 256, (MOST_AT_ONCE + 3, 28, 28)).astype(np.uint8)
    found = predictor.predict(run.id, many)
    for position in (0, MOST_AT_ONCE - 1, MOST_AT_ONCE, MOST_AT_ONCE + 2):
        (alone,) = predictor.predict(run.id, many[position : position + 1])
        np.testing.assert_allclose(found[position], alone, rtol=1e-4, atol=1e-6)


def test_threads_that_want_a_run_at_once_have_it_loaded_once(
    runs: Runs, make_tiny: MakeTiny
) -> None:
    run, predictor, begin = make_tiny("tiny"), Predictor(runs), threading.Barrier(4)

    def ask(_: int) -> LoadedNetwork:
        begin.wait()
        return predictor._network(run.id, None)

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(ask, range(4)))) == 1


def test_a_drawing_overtakes_many_images(runs: Runs, make_tiny: MakeTiny) -> None:
    run, done, parts = make_tiny("tiny"), threading.Event(), []
    network = LoadedNetwork(load_run(run), run.config.network)

    def progress(count: int) -> None:
        parts.append(count)
        if len(parts) == 1:
            drawing.start()
        if len(parts) == 2:
            assert done.wait(timeout=200), "the drawing waits for more than one part"

    drawing = threading.Thread(
        target=lambda: (network.probabilities(IMAGES), network.grad_cam(IMAGES[0], 3), done.set())
    )
    many = np.zeros((3 * MOST_AT_ONCE, 28, 28), np.uint8)
    assert network.probabilities(many, progress).shape == (len(many), 10)
    assert parts == [MOST_AT_ONCE, 2 * MOST_AT_ONCE, 3 * MOST_AT_ONCE]
    drawing.join()


def test_a_run_answers_while_another_is_loaded(runs: Runs, make_tiny: MakeTiny) -> None:
    ready, waiting, predictor = make_tiny("ready"), make_tiny("waiting"), Predictor(runs)
    predictor.load(ready.id)
    with ThreadPoolExecutor(1) as pool:
        with predictor._loading:  # as while a large network is loaded
            other = pool.submit(predictor.predict, waiting.id, IMAGES)
            assert predictor.predict(ready.id, IMAGES).shape == (2, 10)
            assert not other.done()
        assert other.result(timeout=200).shape == (2, 10)


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
