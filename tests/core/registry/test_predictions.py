from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score

from core.errors import DamagedFile, NotComparable
from core.registry.predictions import as_stored, read_predictions, stored_epochs, write_epoch
from core.registry.run import Run
from core.registry.runs import Runs

MakeRun = Callable[..., Run]

LABELS = [7, 2, 1, 0, 4]
GUESSED = [7, 2, 1, 0, 9]


def test_what_was_written_is_read(make_run: MakeRun) -> None:
    found = read_predictions(make_run(GUESSED, LABELS, fingerprint="abc"))
    assert found.classes.tolist() == GUESSED
    assert found.labels.tolist() == LABELS
    assert found.indices.tolist() == [0, 1, 2, 3, 4]
    assert found.fingerprint == "abc"
    assert found.probabilities.shape == (5, 10)
    assert found.probabilities.dtype == np.float32


def test_correct_tells_which_images_were_taken_for_what_they_are(make_run: MakeRun) -> None:
    found = read_predictions(make_run(GUESSED, LABELS))
    assert found.correct.tolist() == [True, True, True, True, False]
    assert found.correct.mean() == accuracy_score(LABELS, GUESSED)


def test_probabilities_are_kept_in_half_precision() -> None:
    kept = as_stored(np.array([[0.1234567, 0.8765433]], np.float32))
    assert kept.dtype == np.float16
    np.testing.assert_allclose(kept, [[0.1234567, 0.8765433]], rtol=2**-11)


def test_the_best_epoch_is_read_unless_another_is_asked_for(make_run: MakeRun) -> None:
    run = make_run([1, 2], [1, 2], [3, 4])
    assert read_predictions(run).classes.tolist() == [1, 2]
    assert read_predictions(run, epoch=2).classes.tolist() == [3, 4]


def test_stored_epochs_are_in_the_order_of_numbers(make_run: MakeRun) -> None:
    run = make_run([1], [1], *[[2]] * 10)
    assert stored_epochs(run) == list(range(1, 12))


def test_other_files_are_no_epochs(make_run: MakeRun) -> None:
    run = make_run()
    for name in ("epoch-x.npz", ".epoch-3.npz.beside", "epoch-4.npz.bak"):
        (run.folder.predictions / name).write_bytes(b"")
    assert stored_epochs(run) == [1]


def test_a_run_without_predictions_has_no_epochs(runs: Runs, make_run: MakeRun) -> None:
    assert stored_epochs(runs.create(make_run().config)) == []


def test_a_run_that_finished_no_epoch_cannot_be_read(runs: Runs, make_run: MakeRun) -> None:
    run = runs.create(make_run().config, "waiting")
    with pytest.raises(NotComparable, match=r"'waiting' \(queued\) has no predictions"):
        read_predictions(run)


def test_an_epoch_that_there_never_was_cannot_be_read(make_run: MakeRun) -> None:
    with pytest.raises(NotComparable, match="has no predictions"):
        read_predictions(make_run(), epoch=2)


def test_predictions_of_other_images_than_the_truth_are_damaged(make_run: MakeRun) -> None:
    run = make_run()
    write_epoch(run.folder.predictions, 1, np.zeros((3, 10), np.float16))
    with pytest.raises(DamagedFile, match=r"epoch-1\.npz .* does not fit its test\.npz"):
        read_predictions(run)


@pytest.mark.parametrize("name", ["test.npz", "epoch-1.npz"])
@pytest.mark.parametrize("content", [b"", b"no npz", b"PK\x03\x04", None])
def test_a_file_that_cannot_be_read_is_named(
    make_run: MakeRun, name: str, content: bytes | None
) -> None:
    run = make_run()
    path = run.folder.predictions / name
    if content is None:
        path.write_bytes(path.read_bytes()[:-30])
    else:
        path.write_bytes(content)
    with pytest.raises(DamagedFile, match=f"{name} in {run.id} cannot be read"):
        read_predictions(run)


def test_a_missing_truth_is_named(make_run: MakeRun) -> None:
    run = make_run()
    (run.folder.predictions / "test.npz").unlink()
    with pytest.raises(DamagedFile, match=r"test\.npz .* cannot be read"):
        read_predictions(run)


@pytest.mark.parametrize("name", ["test.npz", "epoch-1.npz"])
def test_one_changed_byte_is_harmless_or_noticed(make_run: MakeRun, name: str) -> None:
    run = make_run()
    path = run.folder.predictions / name
    whole, content = read_predictions(run), path.read_bytes()
    for position in range(len(content)):
        path.write_bytes(
            content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :]
        )
        try:
            found = read_predictions(run)
        except DamagedFile:
            continue
        np.testing.assert_array_equal(found.classes, whole.classes)
        np.testing.assert_array_equal(found.labels, whole.labels)
        assert found.fingerprint == whole.fingerprint
