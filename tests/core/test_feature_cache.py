import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from core.feature_cache import FeatureCache, Features
from core.workspace import PROJECT

KEY = {"dataset": "abc", "side": 48}
FEATURES = np.arange(12, dtype=np.float16).reshape(6, 2)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features")


def batches(features: NDArray[np.float16] = FEATURES, size: int = 4) -> Iterator[Features]:
    for start in range(0, len(features), size):
        yield features[start : start + size]


def store(cache: FeatureCache, **key: object) -> Features:
    return cache.store(KEY | key, FEATURES.shape, np.float16, batches())


def test_an_empty_cache_finds_nothing_and_makes_no_folder(cache: FeatureCache) -> None:
    assert cache.find(KEY) is None
    assert cache.size() == 0
    assert not cache.folder.exists()


def test_what_was_stored_is_found(cache: FeatureCache) -> None:
    np.testing.assert_array_equal(store(cache), FEATURES)
    found = cache.find(KEY)
    np.testing.assert_array_equal(found, FEATURES)
    assert found is not None
    assert found.dtype == np.float16


def test_features_are_mapped_into_memory_and_read_only(cache: FeatureCache) -> None:
    for features in (store(cache), cache.find(KEY)):
        assert isinstance(features, np.memmap)
        assert not features.flags.writeable


def test_it_is_found_by_another_cache_of_the_same_folder(cache: FeatureCache) -> None:
    store(cache)
    np.testing.assert_array_equal(FeatureCache(cache.folder).find(KEY), FEATURES)


def test_the_order_of_a_key_does_not_matter(cache: FeatureCache) -> None:
    store(cache)
    assert cache.find(dict(reversed(KEY.items()))) is not None


@pytest.mark.parametrize("other", [{"side": 49}, {"dataset": "abd"}, {"cut": "end"}])
def test_every_part_of_a_key_matters(cache: FeatureCache, other: dict[str, object]) -> None:
    store(cache)
    assert cache.find(KEY | other) is None


def test_its_size_is_the_bytes_on_disk(cache: FeatureCache) -> None:
    store(cache)
    store(cache, side=49)
    files = [path for path in cache.folder.rglob("*") if path.is_file()]
    assert cache.size() == sum(path.stat().st_size for path in files) > 2 * FEATURES.nbytes


@pytest.mark.parametrize("rows", [5, 7])
def test_batches_that_do_not_fill_the_shape_are_refused(cache: FeatureCache, rows: int) -> None:
    with pytest.raises(ValueError, match=r"rows, got 6|broadcast"):
        cache.store(KEY, (rows, 2), np.float16, batches())
    assert list(cache.folder.iterdir()) == []


@pytest.mark.parametrize("error", [RuntimeError("broke"), KeyboardInterrupt()])
def test_a_writer_that_fails_leaves_nothing(cache: FeatureCache, error: BaseException) -> None:
    def failing() -> Iterator[Features]:
        yield FEATURES[:4]
        raise error

    with pytest.raises(type(error)):
        cache.store(KEY, FEATURES.shape, np.float16, failing())
    assert cache.find(KEY) is None
    assert list(cache.folder.iterdir()) == []


def test_nothing_can_be_found_before_all_is_written(cache: FeatureCache) -> None:
    seen = []

    def watched() -> Iterator[Features]:
        for batch in batches():
            seen.append(cache.find(KEY))
            yield batch

    cache.store(KEY, FEATURES.shape, np.float16, watched())
    assert seen == [None, None]


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from core.feature_cache import FeatureCache

def batches():
    yield np.zeros((4, 2), np.float16)
    print("half", flush=True)
    sys.stdin.read()

cache = FeatureCache(Path(sys.argv[1]))
cache.store({"dataset": "abc", "side": 48}, (6, 2), np.float16, batches())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
def test_a_writer_that_is_killed_leaves_nothing_to_be_found_and_is_cleared_away(
    cache: FeatureCache,
) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(cache.folder)],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "half\n"
        store(cache, side=49)  # leaves a living writer alone
        (left,) = (path for path in cache.folder.iterdir() if path.name.startswith("."))
        writer.send_signal(signal.SIGKILL)
    assert left.exists()
    assert cache.find(KEY) is None
    np.testing.assert_array_equal(store(cache), FEATURES)
    assert not left.exists()
    assert len(list(cache.folder.iterdir())) == 2


def test_beyond_the_limit_the_least_recently_used_is_dropped(cache: FeatureCache) -> None:
    for side in (1, 2, 3):
        store(cache, side=side)
    entries = {entry.stat().st_mtime_ns: entry for entry in cache.folder.iterdir()}
    for age, moment in enumerate(sorted(entries)):
        os.utime(entries[moment], (age, age))
    cache.find(KEY | {"side": 1})  # which makes 2 the one not used for longest
    small = FeatureCache(cache.folder, limit=cache.size())
    store(small, side=4)
    assert [side for side in (1, 2, 3, 4) if small.find(KEY | {"side": side}) is not None] == [
        1,
        3,
        4,
    ]
    assert small.size() <= small.limit


def test_what_was_just_stored_is_kept_even_beyond_the_limit(cache: FeatureCache) -> None:
    tiny = FeatureCache(cache.folder, limit=1)
    store(tiny, side=1)
    np.testing.assert_array_equal(store(tiny, side=2), FEATURES)
    assert tiny.find(KEY | {"side": 1}) is None


def test_features_in_use_outlive_their_being_dropped(cache: FeatureCache) -> None:
    in_use = store(cache, side=1)
    store(FeatureCache(cache.folder, limit=1), side=2)
    assert cache.find(KEY | {"side": 1}) is None
    np.testing.assert_array_equal(in_use, FEATURES)


def test_two_writers_of_the_same_key_both_get_it(cache: FeatureCache) -> None:
    both_started = threading.Barrier(2, timeout=10)
    results: list[Features] = []

    def together() -> Iterator[Features]:
        both_started.wait()
        yield from batches()

    def write() -> None:
        results.append(cache.store(KEY, FEATURES.shape, np.float16, together()))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(results) == 2
    for features in results:
        np.testing.assert_array_equal(features, FEATURES)
    assert len(list(cache.folder.iterdir())) == 1


@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", None])
def test_an_entry_that_cannot_be_read_is_not_found_and_written_anew(
    cache: FeatureCache, content: bytes | None
) -> None:
    store(cache)
    (array,) = cache.folder.rglob("*.npy")
    array.unlink()  # None: all that is left of one whose dropping was interrupted
    if content is not None:
        array.write_bytes(content)
    assert cache.find(KEY) is None
    np.testing.assert_array_equal(store(cache), FEATURES)
    np.testing.assert_array_equal(cache.find(KEY), FEATURES)


def test_an_entry_cut_short_is_not_found(cache: FeatureCache) -> None:
    store(cache)
    (array,) = cache.folder.rglob("*.npy")
    array.write_bytes(array.read_bytes()[:-1])
    assert cache.find(KEY) is None
