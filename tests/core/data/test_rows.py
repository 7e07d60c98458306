import mmap
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from core.data.rows import FORGET_BYTES, Rows, all_rows
from core.training.inputs import CachedInputs

VALUES = np.arange(7 * 2 * 3).reshape(7, 2, 3)
POSITIONS = np.array([5, 0, 3, 3])
KNOWS_HELD = pytest.mark.skipif(
    not hasattr(mmap, "MADV_DONTNEED"), reason="this system gives nothing back"
)


@pytest.fixture
def mapped(tmp_path: Path) -> Any:
    np.save(tmp_path / "values.npy", VALUES)
    return np.load(tmp_path / "values.npy", mmap_mode="r")


@pytest.mark.parametrize(
    "rows", [2, slice(1, 3), slice(None), np.array([3, 0]), slice(None, None, 2)]
)
def test_rows_answer_as_the_array_would(mapped: Any, rows: Any) -> None:
    np.testing.assert_array_equal(Rows(mapped, POSITIONS)[rows], VALUES[POSITIONS][rows])


def test_rows_have_the_shape_of_what_they_stand_for(mapped: Any) -> None:
    rows = Rows(mapped, POSITIONS)
    assert (rows.shape, rows.ndim, len(rows)) == ((4, 2, 3), 3, 4)
    assert rows.dtype == VALUES.dtype
    np.testing.assert_array_equal(list(rows), VALUES[POSITIONS])
    np.testing.assert_array_equal(rows.take(np.array([3, 1])), VALUES[[3, 0]])
    np.testing.assert_array_equal(all_rows(mapped), VALUES)


@pytest.fixture
def large(tmp_path: Path) -> Any:
    """Rows of 64 KiB, half as much again as may be held; sparse, so that they take no disk."""
    shape = (FORGET_BYTES * 3 // 2 // 2**16, 2**16)
    np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.uint8, shape)
    return np.load(tmp_path / "large.npy", mmap_mode="r")


def held() -> int:
    return int(psutil.Process().memory_info().rss)


@KNOWS_HELD
def test_what_was_read_of_a_file_is_given_back(large: Any) -> None:
    rows, before = all_rows(large), held()
    most = 0
    for start in range(0, len(rows), 64):
        rows[start : start + 64]
        most = max(most, held() - before)
    assert most < 0.75 * FORGET_BYTES
    assert not rows[np.arange(10)].any()


@KNOWS_HELD
def test_small_rows_in_any_order_are_given_back_as_well(large: Any) -> None:
    lines = large.reshape(-1, 2**10)
    rows, before = all_rows(lines), held()
    chosen, most = np.random.default_rng(0).permutation(len(rows))[:12_000], 0
    for start in range(0, len(chosen), 100):
        rows[chosen[start : start + 100]]
        most = max(most, held() - before)
    assert most < 0.9 * FORGET_BYTES


@KNOWS_HELD
def test_features_that_are_kept_on_disk_are_given_back(large: Any) -> None:
    inputs, before = CachedInputs([(large,)]), held()
    most = 0
    for start in range(0, len(inputs), 64):
        inputs.rows(np.arange(start, min(start + 64, len(inputs))))
        most = max(most, held() - before)
    assert most < 0.75 * FORGET_BYTES
