import shutil

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from core.errors import NotComparable
from core.feature_space.space import FeatureSpace, Map, Projection, weights_hash
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

ROWS = np.arange(12, dtype=np.float32).reshape(4, 3)


def keep(space: FeatureSpace, projection: Projection | None = None) -> None:
    space.keep_test(iter([ROWS[:3], ROWS[3:]]), 4, 3, projection)


def test_nothing_is_kept_at_first(space: FeatureSpace) -> None:
    assert (space.test(), space.train(), space.map("pca"), space.projection()) == (None,) * 4


def test_features_are_read_as_they_were_kept(space: FeatureSpace) -> None:
    keep(space)
    space.keep_train(iter([ROWS]), 4, 3)
    kept, train = space.test(), space.train()
    assert kept is not None
    assert train is not None
    assert_array_equal(kept.rows, ROWS)
    assert_array_equal(train, ROWS)
    assert not kept.reduced
    assert space.projection() is None


def test_reduced_features_know_how_wide_they_were(space: FeatureSpace) -> None:
    onto = Projection(np.ones((1, 7), np.float32), np.eye(7, 3, dtype=np.float32))
    keep(space, onto)
    kept, projection = space.test(), space.projection()
    assert kept is not None
    assert kept.reduced
    assert (kept.rows.shape, kept.layer_width) == ((4, 3), 7)
    assert projection is not None
    assert_array_equal(projection.directions, onto.directions)
    assert_array_equal(projection(np.full((1, 7), 3, np.float32)), [[2, 2, 2]])


@pytest.mark.parametrize("shares", [None, (0.5, 0.25)])
def test_a_map_is_read_as_it_was_kept(
    space: FeatureSpace, shares: tuple[float, float] | None
) -> None:
    space.keep_map("tsne", Map(ROWS[:, :2], shares))
    made = space.map("tsne")
    assert made is not None
    assert_array_equal(made.points, ROWS[:, :2])
    assert made.shares == shares
    assert space.map("pca") is None


def test_other_weights_make_what_was_kept_stale(space: FeatureSpace, run: Run) -> None:
    keep(space)
    np.savez(run.folder.weights(1), nothing=np.ones(4))
    assert space.test() is None


def test_a_damaged_file_is_as_good_as_none(space: FeatureSpace) -> None:
    keep(space)
    (file,) = space.of_run.glob("kept/*/features-0.npy")
    file.write_bytes(file.read_bytes()[:50])
    assert space.test() is None
    keep(space)
    assert space.test() is not None


def test_an_interrupted_writing_leaves_nothing(space: FeatureSpace) -> None:
    def broken():  # type: ignore[no-untyped-def]
        yield ROWS[:3]
        raise MemoryError

    with pytest.raises(MemoryError):
        space.keep_test(broken(), 4, 3, None)
    assert space.test() is None


def test_an_epoch_whose_weights_were_not_kept_has_no_features(
    workspace: Workspace, run: Run
) -> None:
    second = FeatureSpace(workspace, run, 2)
    assert not second.possible
    assert second.test() is None
    with pytest.raises(NotComparable, match=r"weights of epoch 2 .* were not kept.*\(1\)"):
        weights_hash(run, 2)


def test_features_go_with_their_run(space: FeatureSpace, run: Run, runs: Runs) -> None:
    keep(space)
    runs.delete(run)
    assert not space.of_run.exists()


def test_two_epochs_do_not_share_features(space: FeatureSpace, workspace: Workspace) -> None:
    keep(space)
    run = space.run
    np.savez(run.folder.weights(2), nothing=np.ones(5))
    assert FeatureSpace(workspace, run, 2).test() is None
    shutil.copy(run.folder.weights(1), run.folder.weights(2))
    assert FeatureSpace(workspace, run, 2).test() is not None  # equal weights, equal features
