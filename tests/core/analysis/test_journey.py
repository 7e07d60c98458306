from pathlib import Path

import numpy as np
import pytest

from core.analysis.comparison import OUTCOMES, compare
from core.analysis.journey import Journey, outcomes, read_journey, version
from core.errors import NotComparable
from core.registry.predictions import epoch_path, read_predictions, write_epoch
from core.registry.run import Run
from tests.conftest import MakeRun

TRUTH = (0, 1, 2, 3, 4, 5)
EPOCHS = (
    # always, learned late, learned early, forgotten, flipping, never
    (0, 9, 9, 3, 4, 9),
    (0, 9, 2, 3, 9, 9),
    (0, 9, 2, 3, 4, 8),
    (0, 1, 2, 9, 9, 9),
    (0, 1, 2, 9, 4, 9),
)


@pytest.fixture
def run(make_run: MakeRun) -> Run:
    return make_run(EPOCHS[0], TRUTH, *EPOCHS[1:])


@pytest.fixture
def journey(run: Run) -> Journey:
    return read_journey(run)


def file(run: Run, epoch: int) -> Path:
    return epoch_path(run.folder.predictions, epoch)


def test_each_epoch_says_what_its_predictions_say(run: Run, journey: Journey) -> None:
    assert journey.epochs == (1, 2, 3, 4, 5)
    assert journey.said.tolist() == [list(said) for said in EPOCHS]
    for row, epoch in enumerate(journey.epochs):
        made = read_predictions(run, epoch)
        np.testing.assert_array_equal(journey.right[row], made.correct)
        np.testing.assert_array_equal(journey.confidence[row], made.probabilities.max(axis=1))
        of_truth = made.probabilities[range(len(TRUTH)), TRUTH]
        np.testing.assert_array_equal(journey.of_truth[row], of_truth)
    assert journey.accuracy.tolist() == pytest.approx([3 / 6, 3 / 6, 4 / 6, 3 / 6, 4 / 6])


def test_learned_images_are_those_right_only_in_the_end_the_latest_first(journey: Journey) -> None:
    assert journey.learned.tolist() == [1, 2]


def test_forgotten_images_were_right_once_and_are_wrong_in_the_end(make_run: MakeRun) -> None:
    # 0: right twice; 1: right three times; 2: never.
    run = make_run((0, 1, 9), (0, 1, 2), (0, 1, 9), (9, 1, 9), (9, 9, 9))
    assert read_journey(run).forgotten.tolist() == [1, 0]


def test_flipping_images_changed_more_than_once_the_most_first(make_run: MakeRun) -> None:
    # 0: no change; 1: two changes; 2: three; 3: one, which is learning.
    run = make_run((0, 1, 9, 9), (0, 1, 2, 3), (0, 9, 2, 9), (0, 1, 9, 3), (0, 1, 2, 3))
    journey = read_journey(run)
    assert journey.changes.tolist() == [0, 2, 3, 1]
    assert journey.flipping.tolist() == [2, 1]


def test_images_that_were_never_or_always_right(journey: Journey) -> None:
    assert journey.never.tolist() == [5]
    assert journey.always == 1


def test_after_one_epoch_nothing_was_learned_or_forgotten(make_run: MakeRun) -> None:
    journey = read_journey(make_run((0, 9), (0, 1)))
    assert len(journey.learned) == len(journey.forgotten) == len(journey.flipping) == 0
    assert (journey.never.tolist(), journey.always) == ([1], 1)


def test_many_epochs_of_many_images_stay_small(journey: Journey) -> None:
    arrays = (journey.said, journey.confidence, journey.of_truth)
    assert sum(array.itemsize for array in arrays) == 5


# --- Epochs that cannot be read -----------------------------------------------------------------


def test_damaged_and_missing_epochs_are_left_out_and_named(run: Run) -> None:
    whole = file(run, 2).read_bytes()
    file(run, 2).write_bytes(whole[: len(whole) // 2])
    file(run, 4).unlink()
    journey = read_journey(run)
    assert (journey.epochs, journey.damaged, journey.missing) == ((1, 3, 5), (2,), (4,))


def test_an_epoch_of_other_classes_is_damaged(run: Run) -> None:
    write_epoch(run.folder.predictions, 3, np.ones((6, 2), np.float16))
    assert read_journey(run).damaged == (3,)


def test_without_an_epoch_that_can_be_read_there_is_no_journey(run: Run) -> None:
    for epoch in range(1, 6):
        file(run, epoch).write_bytes(b"")
    with pytest.raises(NotComparable, match="no epoch whose predictions can be read; train it"):
        read_journey(run)


def test_the_version_changes_with_the_files(run: Run) -> None:
    before = version(run)
    assert version(run) == before
    file(run, 5).unlink()
    assert version(run) != before


# --- Two networks -------------------------------------------------------------------------------


def test_outcomes_are_those_of_comparing_the_epochs(run: Run, make_run: MakeRun) -> None:
    other = make_run(EPOCHS[2], TRUTH, EPOCHS[4], EPOCHS[0], EPOCHS[1], EPOCHS[3])
    found = outcomes(read_journey(run), read_journey(other))
    assert found.epochs == (1, 2, 3, 4, 5)
    for row, epoch in enumerate(found.epochs):
        counts = compare(run, other, epoch_a=epoch, epoch_b=epoch).counts
        assert {name: found.counts[name][row] for name in OUTCOMES} == counts


def test_a_network_of_fewer_epochs_stays_as_it_was_in_the_end(run: Run, make_run: MakeRun) -> None:
    other = make_run(EPOCHS[0], TRUTH, EPOCHS[1])
    found = outcomes(read_journey(run), read_journey(other))
    assert found.epochs == (1, 2, 3, 4, 5)
    counts = compare(run, other, epoch_a=5, epoch_b=2).counts
    assert {name: found.counts[name][-1] for name in OUTCOMES} == counts


def test_epochs_before_the_first_of_either_are_left_out(run: Run, make_run: MakeRun) -> None:
    other = make_run(EPOCHS[0], TRUTH, EPOCHS[1], EPOCHS[2])
    file(other, 1).unlink()
    assert outcomes(read_journey(run), read_journey(other)).epochs == (2, 3, 4, 5)
