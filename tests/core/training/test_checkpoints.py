from pathlib import Path

import numpy as np
import pytest

from core.training.checkpoints import Checkpoint, Checkpoints, Position


def at(step: int) -> Checkpoint:
    """A checkpoint whose one array says which step it is of."""
    position = Position(epoch=1, step=step, patience={"best": 0.5, "waited": 2})
    return Checkpoint(position, {"weights/a": np.full(1000, step, np.float32)}, {"seconds": 1.5})


@pytest.fixture
def checkpoints(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoint")


def assert_newest(checkpoints: Checkpoints, step: int) -> None:
    found = checkpoints.newest()
    assert found is not None
    assert found.position == at(step).position
    assert found.record == {"seconds": 1.5}
    np.testing.assert_array_equal(found.arrays["weights/a"], at(step).arrays["weights/a"])


def test_before_the_first_there_is_none(checkpoints: Checkpoints) -> None:
    assert checkpoints.newest() is None
    assert not checkpoints.folder.exists()


def test_the_newest_comes_back_as_it_was_and_the_one_before_is_kept(
    checkpoints: Checkpoints,
) -> None:
    for step in (9, 10, 100):
        checkpoints.write(at(step))
    assert_newest(checkpoints, 100)
    assert len(list(checkpoints.folder.iterdir())) == 2


def test_one_that_was_being_written_is_never_taken_for_a_good_one(
    checkpoints: Checkpoints,
) -> None:
    checkpoints.write(at(1))
    whole = next(checkpoints.folder.iterdir()).read_bytes()
    half = checkpoints.folder / ".step-000000002.npz.1-aa.unfinished"
    half.write_bytes(whole)
    assert_newest(checkpoints, 1)
    assert not half.exists()


@pytest.mark.parametrize("damage", ["cut", "empty", "zeros", "flipped", "other"])
def test_of_a_damaged_one_training_goes_back_to_the_one_before(
    checkpoints: Checkpoints, damage: str
) -> None:
    for step in (1, 2):
        checkpoints.write(at(step))
    path = checkpoints.folder / "step-000000002.npz"
    whole = path.read_bytes()
    middle = whole.index(np.float32(2).tobytes() * 8)
    content = {
        "cut": whole[: len(whole) // 2],
        "empty": b"",
        "zeros": bytes(len(whole)),
        "flipped": whole[:middle] + b"\xff" + whole[middle + 1 :],
        "other": b"no checkpoint",
    }
    path.write_bytes(content[damage])
    assert_newest(checkpoints, 1)
    assert not path.exists()


def test_a_checkpoint_costs_at_most_a_fiftieth_of_the_time(checkpoints: Checkpoints) -> None:
    assert checkpoints.due(within_epoch=False)
    assert not checkpoints.due(within_epoch=True)
    checkpoints.write(at(1))
    checkpoints._cost = 10.0
    assert not checkpoints.due(within_epoch=False)
    checkpoints._written -= 501
    assert checkpoints.due(within_epoch=False)
    assert checkpoints.due(within_epoch=True)
