import io
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image

from core.data.preprocessing import Pixels, decode
from core.errors import DiskFull, InvalidRequest
from core.imported.dataset import PARTS, ImportedDataset
from core.imported.library import Library
from core.imported.writing import DatasetWriter
from core.importing.decoding import Cancelled
from core.importing.importing import Imported, import_dataset
from core.importing.items import PixelRows, Source
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.workspace import Workspace
from tests.core.importing.made import folder_of

RANDOM = np.random.default_rng(0)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(Workspace(tmp_path / "workspace"))


def noise(height: int = 12, width: int = 12, grey: bool = True) -> Pixels:
    shape = (height, width) if grey else (height, width, 3)
    return RANDOM.integers(0, 256, shape, np.uint8)


def png(pixels: Pixels) -> bytes:
    in_order = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    content: bytes = cv2.imencode(".png", in_order)[1].tobytes()
    return content


def jpeg(pixels: Pixels, quality: int = 75) -> bytes:
    in_order = pixels if pixels.ndim == 2 else pixels[..., ::-1]
    content: bytes = cv2.imencode(".jpg", in_order, [cv2.IMWRITE_JPEG_QUALITY, quality])[
        1
    ].tobytes()
    return content


def photograph(side: int = 96) -> Pixels:
    """Soft patches of colour."""
    patches = RANDOM.integers(0, 256, (6, 6, 3), np.uint8)
    return np.asarray(cv2.resize(patches, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def pictures(count: int, **options: Any) -> dict[str, bytes]:
    """So many of each of two classes."""
    return {
        f"{name}/{number}.png": png(noise(**options))
        for name in ("cat", "dog")
        for number in range(count)
    }


def imported(
    folder: Path, library: Library, files: Mapping[str, bytes], name: str = "pets", **wanted: Any
) -> ImportedDataset:
    return importing(folder, library, files, name, **wanted).dataset


def importing(
    folder: Path, library: Library, files: Mapping[str, bytes], name: str = "pets", **wanted: Any
) -> Imported:
    source = open_source(folder_of(folder / f"from-{name}", files))
    return import_dataset(source, ImportRequest(name=name, **wanted), library)


def nothing_is_left(library: Library) -> bool:
    return not library.folder.is_dir() or not list(library.folder.iterdir())


@pytest.fixture
def no_process_is_left() -> Callable[[], bool]:
    """Tells whether all processes that were started since have ended.

    But for the one by which Python counts semaphores, which is there for all processes.
    """
    before = set(psutil.Process().children(recursive=True))

    def none_is_left() -> bool:
        started = set(psutil.Process().children(recursive=True)) - before
        return all("resource_tracker" in " ".join(child.cmdline()) for child in started)

    return none_is_left


# --- what is kept -----------------------------------------------------------------------------


def test_alike_images_are_kept_as_pixels_with_name_label_and_part(
    tmp_path: Path, library: Library
) -> None:
    files = {f"{part}/{name}": content for part in ("train", "test") for name, content in
             pictures(3).items()}  # fmt: skip
    dataset = imported(tmp_path, library, files)
    assert dataset.about.alike
    assert dataset.about.shape == (12, 12)
    assert dataset.about.images == {"train": 6, "validation": 0, "test": 6, "unlabelled": 0}
    assert sorted(dataset.names) == sorted(files)
    for position, name in enumerate(dataset.names):
        part, class_name, _ = name.split("/")
        assert PARTS[dataset.parts[position]] == part
        assert dataset.about.class_names[dataset.labels[position]] == class_name
        np.testing.assert_array_equal(dataset.picture(position), decode(files[name]))


def test_images_of_several_sizes_are_kept_as_files_with_thumbnails(
    tmp_path: Path, library: Library
) -> None:
    files = pictures(2) | {"cat/large.png": png(noise(300, 200, grey=False))}
    dataset = imported(tmp_path, library, files)
    assert not dataset.about.alike
    for position, name in enumerate(dataset.names):
        assert dataset.file(position) == files[name]
    large = dataset.names.index("cat/large.png")
    assert dataset.sizes[large].tolist() == [300, 200, 3]
    assert decode(dataset.thumbnail(large)).shape == (128, 85, 3)


def test_grey_images_among_coloured_ones_of_their_size_are_kept_as_pixels(
    tmp_path: Path, library: Library
) -> None:
    files = pictures(2) | {"dog/x.png": png(noise(grey=False)), "dog/y.png": png(noise())}
    dataset = imported(tmp_path, library, files)
    assert dataset.about.shape == (12, 12, 3)
    assert dataset.report.grey == 5
    for position, name in enumerate(dataset.names):
        expected = decode(files[name])
        for channel in range(3):
            found = dataset.picture(position)[..., channel]
            wanted = expected if expected.ndim == 2 else expected[..., channel]
            np.testing.assert_array_equal(found, wanted)


def test_many_files_come_in_order_from_several_processes(
    tmp_path: Path, library: Library, no_process_is_left: Callable[[], bool]
) -> None:
    files = pictures(60)
    files["cat/30.png"] = files["cat/30.png"][:50]
    dataset = imported(tmp_path, library, files)
    assert len(dataset) == 119
    assert [item.name for item in dataset.report.skipped] == ["cat/30.png"]
    for position in range(0, 119, 7):
        wanted = decode(files[dataset.names[position]])
        np.testing.assert_array_equal(dataset.picture(position), wanted)
    assert no_process_is_left()


def test_many_files_of_several_sizes_come_in_order_too(tmp_path: Path, library: Library) -> None:
    files = pictures(50) | {"dog/99.png": png(noise(13, 13))}
    dataset = imported(tmp_path, library, files)
    assert [dataset.file(position) for position in range(101)] == [
        files[name] for name in dataset.names
    ]


def test_rows_of_pixels_are_kept_as_they_are(library: Library) -> None:
    images, labels = RANDOM.integers(0, 256, (30, 28, 28), np.uint8), np.arange(30) % 3

    def rows() -> Iterator[PixelRows]:
        yield PixelRows([f"row {row}" for row in range(30)], images, labels, "train")
        yield PixelRows(["x"], images[:1] // 2, np.array([-1]), "unlabelled")

    source = Source("an array", ("a", "b", "c"), rows=rows, digits=True)
    dataset = import_dataset(source, ImportRequest(name="rows"), library).dataset
    np.testing.assert_array_equal(dataset.pictures[:30], images)
    assert dataset.labels.tolist() == [*labels, -1]
    assert dataset.about.digits
    assert dataset.report.unlabelled == 1


# --- what is not ------------------------------------------------------------------------------


def test_what_cannot_be_read_is_told_of_and_the_rest_goes_on(
    tmp_path: Path, library: Library
) -> None:
    header = png(noise())
    animated = io.BytesIO()
    frames = [Image.fromarray(noise(grey=False)) for _ in range(3)]
    frames[0].save(animated, "GIF", save_all=True, append_images=frames[1:])
    files = pictures(3) | {
        "cat/cut.png": header[:60],
        "cat/empty.png": b"",
        "cat/huge.png": header[:16] + (60_000).to_bytes(4, "big") * 2 + header[24:],
        "cat/moving.gif": animated.getvalue(),
        "cat/text.jpg": b"no picture",
        "cat/tiny.png": png(noise(2, 2)),
        "cat/wrong.jpg": png(noise()),
    }
    dataset = imported(tmp_path, library, files)
    reasons = {item.name: item.reason for item in dataset.report.skipped}
    wrong = ("cut.png", "empty.png", "huge.png", "text.jpg", "tiny.png")
    assert set(reasons) == {f"cat/{name}" for name in wrong}
    assert "empty" in reasons["cat/empty.png"]
    assert "at least 4 pixels" in reasons["cat/tiny.png"]
    assert dataset.report.found == len(files) == dataset.report.imported + len(reasons)
    moving = dataset.picture(dataset.names.index("cat/moving.gif"))
    np.testing.assert_array_equal(moving, np.asarray(frames[0]))


def test_a_class_of_which_nothing_can_be_read_is_named(tmp_path: Path, library: Library) -> None:
    files = {"cat/1.png": png(noise()), "dog/1.png": b"no picture"}
    with pytest.raises(InvalidRequest, match=r'got none of "dog"; dog/1\.png was left out'):
        imported(tmp_path, library, files)
    assert nothing_is_left(library)


def test_a_single_class_is_refused(tmp_path: Path, library: Library) -> None:
    with pytest.raises(InvalidRequest, match="at least two classes"):
        imported(tmp_path, library, {"cat/1.png": png(noise())})
    assert nothing_is_left(library)


def test_nothing_that_can_be_read_is_refused(tmp_path: Path, library: Library) -> None:
    files = {"cat/1.png": b"x", "dog/1.png": b"y"}
    with pytest.raises(InvalidRequest, match=r"got none; cat/1\.png was left out"):
        imported(tmp_path, library, files)
    assert nothing_is_left(library)


def test_images_without_labels_alone_are_a_dataset(library: Library) -> None:
    def rows() -> Iterator[PixelRows]:
        yield PixelRows(["1"], noise()[np.newaxis], np.array([-1]), "unlabelled")

    source = Source("a table", tuple("0123456789"), rows=rows)
    dataset = import_dataset(source, ImportRequest(name="rows"), library).dataset
    assert dataset.about.images["unlabelled"] == 1
    assert dataset.report.held_out == 0


@pytest.mark.parametrize(("count", "checks"), [(5, 0), (5, 1), (100, 2)])
def test_a_cancelled_import_leaves_neither_dataset_nor_process(
    tmp_path: Path,
    library: Library,
    no_process_is_left: Callable[[], bool],
    count: int,
    checks: int,
) -> None:
    left = iter([False] * checks)
    source = open_source(folder_of(tmp_path / "from", pictures(count)))
    with pytest.raises(Cancelled):
        import_dataset(source, ImportRequest(name="pets"), library,
                       should_stop=lambda: next(left, True))  # fmt: skip
    assert nothing_is_left(library)
    assert no_process_is_left()


def test_a_source_that_fails_leaves_no_half_dataset(library: Library) -> None:
    def rows() -> Iterator[PixelRows]:
        yield PixelRows(["1"], noise()[np.newaxis], np.array([0]), "train")
        raise InvalidRequest("line 2 is nonsense")

    with pytest.raises(InvalidRequest, match="line 2"):
        import_dataset(Source("a table", ("a", "b"), rows=rows), ImportRequest(name="x"), library)
    assert nothing_is_left(library)


def test_what_a_killed_import_left_is_removed_by_the_next(tmp_path: Path, library: Library) -> None:
    abandoned = library.folder / ".unfinished-999999999-abc"
    abandoned.mkdir(parents=True)
    own = library.folder / f".unfinished-{psutil.Process().pid}-abc"
    own.mkdir()
    imported(tmp_path, library, pictures(2))
    assert not abandoned.exists()
    assert own.exists()  # its process lives


def test_a_disk_without_room_for_what_is_to_come_is_told_of(library: Library) -> None:
    with DatasetWriter(library, "large") as writer:
        writer.size = 10**15
        with pytest.raises(DiskFull, match="GiB more"):
            writer.check_room(done=1, total=2)


# --- parts, and being there already -----------------------------------------------------------


def test_a_share_of_each_class_is_held_out_by_a_seed(tmp_path: Path, library: Library) -> None:
    files = pictures(20)
    parts = [
        imported(tmp_path, library, files, name, seed=seed).parts.tolist()
        for name, seed in (("one", 1), ("two", 2))
    ]
    test = PARTS.index("test")
    assert parts[0] != parts[1]
    for chosen in parts:
        assert chosen[:20].count(test) == chosen[20:].count(test) == 4
    assert library.find("one").report.held_out == 0.2


def test_nothing_is_held_out_where_there_is_a_test_part_or_none_is_wanted(
    tmp_path: Path, library: Library
) -> None:
    split = {f"{part}/{name}": content for part in ("train", "test") for name, content in
             pictures(4).items()}  # fmt: skip
    assert imported(tmp_path, library, split, "split").about.images["test"] == 8
    whole = imported(tmp_path, library, pictures(4), "whole", held_out=0.0)
    assert whole.about.images["train"] == 8


def test_images_that_show_the_same_are_never_torn_apart(tmp_path: Path, library: Library) -> None:
    files = {}
    for number in range(10):
        seen = photograph()
        for copy, content in enumerate((png(seen), png(seen), jpeg(seen))):
            files[f"{'cat' if number % 2 else 'dog'}/{number:02}-{copy}.png"] = content
    dataset = imported(tmp_path, library, files, held_out=0.4)
    by_picture: dict[str, set[int]] = {}
    for name, part in zip(dataset.names, dataset.parts.tolist(), strict=True):
        by_picture.setdefault(name[4:6], set()).add(part)
    assert all(len(parts) == 1 for parts in by_picture.values())
    assert dataset.about.images["test"] > 0
    assert dataset.report.leaked == 0


def test_a_class_of_one_picture_many_times_stays_to_learn_from(
    tmp_path: Path, library: Library
) -> None:
    cat, dog = png(noise()), pictures(10)
    files = {f"cat/{number}.png": cat for number in range(10)}
    files |= {name: content for name, content in dog.items() if name.startswith("dog")}
    for seed in range(5):
        dataset = imported(tmp_path, library, files, f"pets{seed}", seed=seed, held_out=0.5)
        learned = dataset.labels[dataset.parts == 0]
        assert set(learned.tolist()) == {0, 1}
        library.delete(dataset.name)


def test_the_same_import_twice_is_recognised(tmp_path: Path, library: Library) -> None:
    files = pictures(5)
    first, second = (importing(tmp_path, library, files, name) for name in ("first", "second"))
    assert (first.known, second.known) == (False, True)
    assert second.dataset.name == "first"
    assert library.names() == ["first"]
    assert not list(library.folder.glob(".*"))


def test_another_picture_another_label_or_another_part_is_another_dataset(
    tmp_path: Path, library: Library
) -> None:
    files = pictures(5)
    others = [
        files | {"cat/0.png": png(noise())},
        {name.replace("cat/0", "dog/9"): content for name, content in files.items()},
        {f"train/{name}": content for name, content in files.items()}
        | {f"test/{name}": content for name, content in files.items()},
    ]
    for number, each in enumerate([files, *others]):
        assert not importing(tmp_path, library, each, f"pets{number}").known


def test_a_taken_name_is_refused_at_once(tmp_path: Path, library: Library) -> None:
    imported(tmp_path, library, pictures(2))
    with pytest.raises(InvalidRequest, match="there is a dataset 'pets' already"):
        imported(tmp_path, library, pictures(2))


# --- what is told -----------------------------------------------------------------------------


def test_the_report_counts_classes_sizes_imbalance_and_leakage(
    tmp_path: Path, library: Library
) -> None:
    shared = photograph()
    files = {f"train/cat/{number}.png": png(photograph()) for number in range(6)}
    files |= {"train/cat/s.png": png(shared), "train/cat/t.png": png(shared)}
    files |= {f"train/dog/{number}.png": png(photograph(80)) for number in range(2)}
    files |= {"test/dog/s.jpg": jpeg(shared), "test/cat/1.png": png(noise(90, 70))}
    report = imported(tmp_path, library, files).report
    assert report.images["train"] == (8, 2)
    assert report.images["test"] == (1, 1)
    assert report.imbalance == 4
    assert (report.widths.smallest, report.widths.usual, report.widths.largest) == (70, 96, 96)
    assert report.grey == 1
    assert report.leaked == 1
    (exact,), (near,) = report.exact, report.near
    assert (len(exact.positions), exact.across, exact.disagree) == (2, False, False)
    assert (len(near.positions), near.across, near.disagree) == (2, True, True)
    assert report.near_doubles.model_dump() == {
        "groups": 1, "images": 1, "across": 1, "disagree": 1
    }  # fmt: skip


def test_progress_comes_to_its_end(tmp_path: Path, library: Library) -> None:
    source = open_source(folder_of(tmp_path / "from", pictures(20)))
    told: list[Any] = []
    import_dataset(source, ImportRequest(name="pets"), library, told.append)
    reading = [event for event in told if event.phase == "reading pictures"]
    assert (reading[0].done, reading[-1].done, reading[-1].total) == (0, 40, 40)
    assert [event.done for event in reading] == sorted(event.done for event in reading)


def test_names_of_many_images_are_plain_json(tmp_path: Path, library: Library) -> None:
    dataset = imported(tmp_path, library, pictures(2))
    assert json.loads((dataset.folder / "names.json").read_text()) == dataset.names
