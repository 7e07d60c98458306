import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import DiskFull
from core.training.feature_cache import FeatureCache, Features, Use
from core.workspace import PROJECT

KEY = {"dataset": "abc", "side": 48}
ROWS = np.arange(12, dtype=np.float16).reshape(6, 2)
MAPS = np.arange(108, dtype=np.float16).reshape(6, 3, 3, 2)
FEATURES = (ROWS, MAPS)
SHAPES = [array.shape for array in FEATURES]
PLENTY = 2**40


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", PLENTY)


def batches(size: int = 4) -> Iterator[Features]:
    for start in range(0, len(ROWS), size):
        yield tuple(array[start : start + size] for array in FEATURES)


def store(cache: FeatureCache, **key: object) -> Features:
    return cache.store(KEY | key, SHAPES, np.float16, batches())


def assert_same(found: Features | None, expected: Sequence[NDArray[Any]] = FEATURES) -> None:
    assert found is not None
    for got, wanted in zip(found, expected, strict=True):
        assert got.dtype == wanted.dtype
        np.testing.assert_array_equal(got, wanted)


def names(cache: FeatureCache) -> list[str]:
    return [path.name for path in cache.folder.iterdir()]


def only(cache: FeatureCache) -> Path:
    """The folder of the one entry there is."""
    (entry,) = cache.folder.iterdir()
    return entry


# --- storing and finding ----------------------------------------------------------------------


def test_an_empty_cache_finds_nothing_and_makes_no_folder(cache: FeatureCache) -> None:
    assert cache.find(KEY) is None
    assert cache.use() == Use(entries=0, size=0, limit=PLENTY)
    assert cache.clear() == cache.use()
    assert not cache.folder.exists()


def test_what_was_stored_is_found(cache: FeatureCache) -> None:
    assert_same(store(cache))
    assert_same(cache.find(KEY))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint8])
def test_numbers_are_kept_in_the_format_that_is_asked_for(
    cache: FeatureCache, dtype: type[np.generic]
) -> None:
    stored = cache.store(KEY, SHAPES, dtype, batches())
    assert_same(stored, [array.astype(dtype) for array in FEATURES])


def test_the_layout_of_a_batch_in_memory_does_not_matter(cache: FeatureCache) -> None:
    batch = tuple(np.asfortranarray(array) for array in FEATURES)
    assert_same(cache.store(KEY, SHAPES, np.float16, [batch]))


def test_features_are_mapped_into_memory_and_read_only(cache: FeatureCache) -> None:
    for features in (store(cache), cache.find(KEY)):
        assert features is not None
        for array in features:
            assert isinstance(array, np.memmap)
            assert not array.flags.writeable


def test_it_is_found_by_another_cache_of_the_same_folder(cache: FeatureCache) -> None:
    store(cache)
    assert_same(FeatureCache(cache.folder, limit=0).find(KEY))


def test_the_order_of_a_key_does_not_matter(cache: FeatureCache) -> None:
    store(cache)
    assert cache.find(dict(reversed(KEY.items()))) is not None


@pytest.mark.parametrize("other", [{"side": 49}, {"dataset": "abd"}, {"cut": "end"}])
def test_every_part_of_a_key_matters(cache: FeatureCache, other: dict[str, object]) -> None:
    store(cache)
    assert cache.find(KEY | other) is None


# --- writers that fail ------------------------------------------------------------------------


@pytest.mark.parametrize("count", [5, 7])
def test_batches_that_do_not_fill_the_shapes_are_refused(cache: FeatureCache, count: int) -> None:
    shapes = [(count, *shape[1:]) for shape in SHAPES]
    with pytest.raises(ValueError, match=rf"fill \[{count}, {count}\] rows, got \[6, 6\]"):
        cache.store(KEY, shapes, np.float16, batches())
    assert names(cache) == []


def test_as_many_arrays_must_come_as_there_are_shapes(cache: FeatureCache) -> None:
    with pytest.raises(ValueError, match="shorter"):
        cache.store(KEY, SHAPES, np.float16, [(ROWS,)])
    assert names(cache) == []


@pytest.mark.parametrize(
    "error", [RuntimeError("broke"), KeyboardInterrupt(), FileNotFoundError("a picture is gone")]
)
def test_a_writer_that_fails_leaves_nothing(cache: FeatureCache, error: BaseException) -> None:
    def failing() -> Iterator[Features]:
        yield from (batch for batch in batches() if len(batch[0]) == 4)
        raise error

    with pytest.raises(type(error)) as caught:
        cache.store(KEY, SHAPES, np.float16, failing())
    assert caught.value is error
    assert cache.find(KEY) is None
    assert names(cache) == []


def test_nothing_can_be_found_before_all_is_written(cache: FeatureCache) -> None:
    seen = []

    def watched() -> Iterator[Features]:
        for batch in batches():
            seen.append((cache.find(KEY), cache.use().entries))
            yield batch

    cache.store(KEY, SHAPES, np.float16, watched())
    assert seen == [(None, 0), (None, 0)]


WRITER = """
import sys
from pathlib import Path
import numpy as np
from core.training.feature_cache import FeatureCache

def batches():
    yield (np.zeros((4, 2), np.float16),)
    print("half", flush=True)
    sys.stdin.read()

cache = FeatureCache(Path(sys.argv[1]), 2**40)
cache.store({"dataset": "abc", "side": 48}, [(6, 2)], np.float16, batches())
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
    assert_same(store(cache))
    assert not left.exists()
    assert len(names(cache)) == 2


def test_two_writers_of_the_same_key_both_get_it(cache: FeatureCache) -> None:
    both_started = threading.Barrier(2, timeout=200)
    results: list[Features] = []

    def together() -> Iterator[Features]:
        both_started.wait()
        yield from batches()

    def write() -> None:
        results.append(cache.store(KEY, SHAPES, np.float16, together()))

    writers = [threading.Thread(target=write) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(results) == 2
    for features in results:
        assert_same(features)
    assert len(names(cache)) == 1


# --- a disk without room ----------------------------------------------------------------------

FILL_A_DISK = """
import errno, sys
from pathlib import Path
import numpy as np
from core.errors import DiskFull
from core.training.feature_cache import FeatureCache

disk, rows = Path(sys.argv[1]), int(sys.argv[2])
cache = FeatureCache(disk / "features", 2**40)
key, shapes = {"dataset": "abc"}, [(rows, 64), (rows, 64)]
batch = np.ones((4, 64), np.float16)
asked = []

def batches(filler):
    for start in range(0, rows, 4):
        asked.append(start)
        yield batch, batch
        if start == 40 and filler:
            fill(disk / "filler")

def fill(path):
    with path.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1000)):
                pass
        except OSError as error:
            assert error.errno == errno.ENOSPC

try:
    cache.store(key, shapes, np.float16, batches(filler=True))
except DiskFull as error:
    print(error)
print(len(asked), [path.name for path in cache.folder.iterdir()], cache.find(key))
if asked:
    (disk / "filler").unlink()
    again = cache.store(key, shapes, np.float16, batches(filler=False))
    print(again[1].sum() == rows * 64, cache.use().entries)
"""

SMALL_DISK = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3" "$1" "$4"'
"""Mounted where only this one process and its children see it."""


def on_a_small_disk(folder: Path, rows: int) -> list[str]:
    """What the script above prints on a disk of one MiB, line by line."""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", SMALL_DISK, "sh"]
    arguments = [str(folder), sys.executable, FILL_A_DISK, str(rows)]
    try:
        done = subprocess.run(
            [*command, *arguments], cwd=PROJECT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare to mount a small disk with")
    if "mount" in done.stderr or "unshare" in done.stderr:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr}")
    assert done.stderr == ""
    return done.stdout.splitlines()


def test_a_disk_that_fills_up_is_told_of_and_nothing_is_left_on_it(tmp_path: Path) -> None:
    told, left, again = on_a_small_disk(tmp_path, rows=400)
    assert told == (
        f"the features of the frozen layers could not be written to {tmp_path}/features: No space "
        "left on device. Free 0 MiB there, clear the cache (`cache --clear`), or set "
        "cache_features=false"
    )
    asked, rest = left.split(maxsplit=1)
    assert 11 < int(asked) < 100
    assert rest == "[] None"
    assert again == "True 1"


def test_what_the_disk_has_no_room_for_is_not_begun(tmp_path: Path) -> None:
    told, left = on_a_small_disk(tmp_path, rows=40_000)
    assert "No space left on device. Free 10 MiB there" in told
    assert left == "0 [] None"


WRITE_WITH_A_LIMIT = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from core.errors import DiskFull
from core.training.feature_cache import FeatureCache

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
cache = FeatureCache(Path(sys.argv[1]), 2**40)
try:
    cache.store({}, [(100, 64)], np.float32, [(np.ones((100, 64)),)])
except DiskFull as error:
    print(error)
print(list(cache.folder.iterdir()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="resource limits are POSIX")
@pytest.mark.parametrize("most", [10, 1000, 25_600 + 127])
def test_a_file_that_cannot_grow_is_told_of_wherever_it_ends(
    cache: FeatureCache, most: int
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRITE_WITH_A_LIMIT, str(cache.folder), str(most)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    told, left = done.stdout.splitlines()
    assert "could not be written to" in told
    assert "File too large" in told
    assert left == "[]"


def test_a_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "features").write_text("a file stands where the folder should")
    with pytest.raises(DiskFull, match="could not be written"):
        store(FeatureCache(tmp_path / "features", PLENTY))


# --- how much it may hold ---------------------------------------------------------------------


def test_its_use_is_the_bytes_on_disk(cache: FeatureCache) -> None:
    store(cache)
    store(cache, side=49)
    size = sum(path.stat().st_size for path in cache.folder.rglob("*") if path.is_file())
    assert cache.use() == Use(entries=2, size=size, limit=PLENTY)
    assert size > 2 * (ROWS.nbytes + MAPS.nbytes)


def test_clearing_drops_every_entry_and_tells_what_that_freed(cache: FeatureCache) -> None:
    store(cache)
    store(cache, side=49)
    before = cache.use()
    assert cache.clear() == before
    assert cache.find(KEY) is None
    assert cache.use() == Use(entries=0, size=0, limit=PLENTY)
    assert names(cache) == []


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps open files where they are")
def test_features_in_use_outlive_their_being_dropped(cache: FeatureCache) -> None:
    dropped, cleared = store(cache, side=1), store(cache, side=2)
    store(FeatureCache(cache.folder, limit=cache.use().size), side=3)
    assert cache.find(KEY | {"side": 1}) is None
    cache.clear()
    assert cache.find(KEY | {"side": 2}) is None
    assert_same(dropped)
    assert_same(cleared)


def test_beyond_the_limit_the_least_recently_used_is_dropped(cache: FeatureCache) -> None:
    for side in (1, 2, 3):
        store(cache, side=side)
    entries = {entry.stat().st_mtime_ns: entry for entry in cache.folder.iterdir()}
    for age, moment in enumerate(sorted(entries)):
        os.utime(entries[moment], (age, age))
    cache.find(KEY | {"side": 1})  # which makes 2 the one not used for longest
    small = FeatureCache(cache.folder, limit=cache.use().size)
    store(small, side=4)
    found = [side for side in (1, 2, 3, 4) if small.find(KEY | {"side": side}) is not None]
    assert found == [1, 3, 4]
    assert small.use().size <= small.limit


def test_what_was_just_stored_is_kept_even_beyond_the_limit(cache: FeatureCache) -> None:
    tiny = FeatureCache(cache.folder, limit=1)
    store(tiny, side=1)
    assert_same(store(tiny, side=2))
    assert tiny.find(KEY | {"side": 1}) is None


def test_what_fits_is_a_matter_of_the_limit_alone(cache: FeatureCache) -> None:
    store(cache)
    small = FeatureCache(cache.folder, limit=100)
    assert [small.fits(size) for size in (0, 100, 101)] == [True, True, False]


# --- entries that something happened to -------------------------------------------------------


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("content", [b"", b"no array", b"\x93NUMPY\x01\x00", None])
def test_an_array_that_cannot_be_read_is_not_found_and_written_anew(
    cache: FeatureCache, number: int, content: bytes | None
) -> None:
    store(cache)
    array = only(cache) / f"features-{number}.npy"
    array.unlink()  # None: all that is left of one whose dropping was interrupted
    if content is not None:
        array.write_bytes(content)
    assert cache.find(KEY) is None
    assert_same(store(cache))
    assert_same(cache.find(KEY))
    assert len(names(cache)) == 1


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"arrays": "two"}', b"\xff", None])
def test_an_entry_without_a_readable_key_is_not_found_and_written_anew(
    cache: FeatureCache, content: bytes | None
) -> None:
    store(cache)
    key = only(cache) / "key.json"
    key.unlink()
    if content is not None:
        key.write_bytes(content)
    assert cache.find(KEY) is None
    assert_same(store(cache))


@pytest.mark.parametrize("number", [0, 1])
def test_an_array_cut_short_is_not_found(cache: FeatureCache, number: int) -> None:
    store(cache)
    array = only(cache) / f"features-{number}.npy"
    array.write_bytes(array.read_bytes()[:-1])
    assert cache.find(KEY) is None
    assert_same(store(cache))
