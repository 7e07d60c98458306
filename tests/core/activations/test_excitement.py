import numpy as np
import pytest
from numpy.typing import NDArray

from core.activations.excitement import (
    BEST,
    Excitement,
    Kept,
    Search,
    by_layer,
    channels_of,
    sample,
    search,
)
from core.activations.seen_layers import seen_layers
from core.network.architectures import ConvolutionBlock
from core.network.graphs import backbone
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

BLOCK = ConvolutionBlock(filters=3, convolutions=1, batch_normalization=False, dropout=0)
GRAPH = backbone("cnn", 8, 1, blocks=(BLOCK,))
CHANNELS = 6
ANSWERS = np.random.default_rng(5).normal(size=(60, CHANNELS, 2)).astype(np.float32)
ANSWERS[..., 0] = ANSWERS[..., 0].clip(0)
ANSWERS[..., 1] = np.arange(60 * CHANNELS).reshape(60, CHANNELS) % 64
ANSWERS[:, 4, 0] = 0


def whole() -> Excitement:
    """What is found among images that are their own numbers, in three parts."""
    told: list[float] = []
    found = search(
        lambda positions: positions.astype(np.uint8),
        np.arange(60),
        lambda images: ANSWERS[images],
        GRAPH,
        told.append,
    )
    assert told == [50 / 60, 1.0]
    return found


def test_the_images_that_excite_a_channel_most_are_those_of_a_sort_over_all() -> None:
    found, strengths = whole(), ANSWERS[..., 0]
    for channel in (0, 1, 2, 3, 5):
        expected = np.argsort(-strengths[:, channel], kind="stable")[:BEST]
        np.testing.assert_array_equal(found.images[channel], expected)
        np.testing.assert_array_equal(found.strengths[channel], strengths[expected, channel])
        np.testing.assert_array_equal(found.places[channel], ANSWERS[expected, channel, 1])


def test_channels_that_answer_to_no_image_are_dead() -> None:
    found = whole()
    np.testing.assert_allclose(found.active, (ANSWERS[..., 0] > 0).mean(axis=0), rtol=1e-6)
    assert found.dead.tolist() == [False, False, False, False, True, False]


def test_fewer_images_than_are_kept_leave_the_rest_open() -> None:
    found = Search(1)
    found.add(np.array([[[0.5, 7]], [[2.0, 3]]], np.float32), np.array([10, 20]))
    (strengths,), (images,) = found.found().strengths, found.found().images
    assert strengths[:3].tolist() == [2.0, 0.5, -1.0]
    assert images[:3].tolist() == [20, 10, -1]


def test_what_was_found_is_told_by_layer() -> None:
    parts = by_layer(GRAPH, whole())
    assert list(parts) == seen_layers(GRAPH)
    assert [len(part.active) for part in parts.values()] == channels_of(GRAPH) == [3, 3]
    np.testing.assert_array_equal(
        np.concatenate([part.images for part in parts.values()]), whole().images
    )


def test_the_sample_lies_evenly_among_all_test_images() -> None:
    assert sample(8, GRAPH).tolist() == list(range(8))
    assert sample(4_000, GRAPH)[:3].tolist() == [0, 4, 8]
    assert len(sample(0, GRAPH)) == 0


@pytest.fixture
def run(runs: Runs) -> Run:
    """A run that kept the weights of its first epoch, of which only the bytes matter here."""
    made = runs.create(RECIPES["cnn-digits"].config, "cnn")
    made.folder.model.mkdir()
    made.folder.weights(1).write_bytes(b"weights")
    return made.write_state(status="finished", best_epoch=1, test_fingerprint="some images")


def arrays(found: Excitement) -> list[NDArray[np.generic]]:
    return [found.strengths, found.images, found.places, found.active]


def test_what_was_found_is_found_again_until_the_weights_change(
    workspace: Workspace, run: Run
) -> None:
    kept, found = Kept(workspace, run, 1), whole()
    assert kept.find() is None
    kept.keep(found)
    again = Kept(workspace, run, 1).find()
    assert again is not None
    assert again.count == 60
    for before, after in zip(arrays(found), arrays(again), strict=True):
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)
    with run.folder.weights(1).open("ab") as weights:
        weights.write(b"trained on")
    assert kept.find() is None


def test_of_an_epoch_without_weights_nothing_is_kept(workspace: Workspace, run: Run) -> None:
    kept = Kept(workspace, run, 9)
    kept.keep(whole())
    assert kept.find() is None
