import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from core.data.preprocessing import Pixels
from core.errors import DamagedFile, InvalidRequest
from core.imported.batches import Batch
from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.imported.report import ImportReport, Span
from core.imported.writing import DatasetWriter, NotAlike, remove_unfinished
from core.workspace import Workspace

SPAN = Span(smallest=4, usual=4, largest=4)
REPORT = ImportReport(found=1, imported=1, images={}, widths=SPAN, heights=SPAN, grey=0)
TOLD = {"class_names": ("a", "b"), "kind": "class folders", "source": "/x"}


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(Workspace(tmp_path))


def batch(pictures: Sequence[Pixels] | Pixels, files: Sequence[bytes] | None = None) -> Batch:
    count = len(pictures)
    return Batch(
        names=[f"{number}.png" for number in range(count)],
        labels=np.zeros(count, np.int64),
        parts=np.zeros(count, np.uint8),
        digests=np.zeros((count, 32), np.uint8),
        pictures=pictures,
        files=files,
        thumbnails=files,
    )


def written(library: Library, *batches: Batch, name: str = "some") -> ImportedDataset:
    with DatasetWriter(library, name) as writer:
        for each in batches:
            writer.add(each)
        return writer.finish(REPORT, **TOLD)  # type: ignore[arg-type]


@pytest.mark.parametrize("shape", [(7, 5), (7, 5, 3)])
def test_pixels_are_an_npy_file_that_any_program_reads(
    library: Library, shape: tuple[int, ...]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (11, *shape), np.uint8)
    dataset = written(library, batch(pixels[:4]), batch(list(pixels[4:])))
    np.testing.assert_array_equal(np.load(dataset.folder / "pictures.npy"), pixels)


def test_grey_pixels_get_three_channels_once_others_come(library: Library) -> None:
    grey = np.random.default_rng(0).integers(0, 256, (3, 4, 4), np.uint8)
    coloured = np.random.default_rng(1).integers(0, 256, (2, 4, 4, 3), np.uint8)
    dataset = written(library, batch(grey), batch(coloured), batch(grey))
    assert dataset.about.shape == (4, 4, 3)
    expected = np.concatenate([np.stack([grey] * 3, -1), coloured, np.stack([grey] * 3, -1)])
    np.testing.assert_array_equal(dataset.pictures, expected)
    assert dataset.sizes[:, 2].tolist() == [1, 1, 1, 3, 3, 1, 1, 1]


def test_files_are_kept_once_sizes_differ(library: Library) -> None:
    small, large = np.zeros((4, 4), np.uint8), np.zeros((5, 4), np.uint8)
    dataset = written(library, batch([small], [b"one"]), batch([large], [b"three"]))
    assert [dataset.file(position) for position in range(2)] == [b"one", b"three"]
    assert not (dataset.folder / "pictures.npy").exists()


def test_sizes_that_differ_without_files_are_not_alike(library: Library) -> None:
    with pytest.raises(NotAlike):
        written(library, batch(np.zeros((2, 4, 4), np.uint8)), batch(np.zeros((1, 5, 4), np.uint8)))
    assert not list(library.folder.iterdir())


def test_whatever_ends_the_writing_nothing_is_left(library: Library) -> None:
    with contextlib.suppress(KeyboardInterrupt), DatasetWriter(library, "some") as writer:
        writer.add(batch(np.zeros((2, 4, 4), np.uint8)))
        raise KeyboardInterrupt
    assert not list(library.folder.iterdir())


def test_of_two_that_write_the_same_name_the_first_to_finish_has_it(library: Library) -> None:
    with DatasetWriter(library, "some") as slow:
        slow.add(batch(np.zeros((2, 4, 4), np.uint8)))
        written(library, batch(np.ones((1, 4, 4), np.uint8)))
        with pytest.raises(InvalidRequest, match="already"):
            slow.finish(REPORT, **TOLD)  # type: ignore[arg-type]
    assert len(library.find("some")) == 1
    assert library.names() == ["some"]
    assert not list(library.folder.glob(".*"))


def test_the_fingerprint_is_of_images_labels_and_parts_not_of_names(library: Library) -> None:
    pixels = np.zeros((2, 4, 4), np.uint8)
    one = batch(pixels)
    renamed = Batch(["x", "y"], one.labels, one.parts, one.digests, pixels)
    moved = Batch(one.names, one.labels, one.parts + 2, one.digests, pixels)
    found = [
        written(library, each, name=name).about.fingerprint
        for name, each in (("a", one), ("b", renamed), ("c", moved))
    ]
    assert found[0] == found[1] != found[2]


def test_what_dead_processes_left_is_removed(library: Library) -> None:
    (library.folder / ".unfinished-999999999-x").mkdir(parents=True)
    (library.folder / ".unfinished-strange").mkdir()
    remove_unfinished(library)
    assert not list(library.folder.iterdir())


@pytest.mark.parametrize("name", ["labels.npy", "pictures.npy", "names.json", "report.json"])
def test_a_file_cut_short_is_told_of(library: Library, name: str) -> None:
    dataset = written(library, batch(np.zeros((2, 4, 4), np.uint8)))
    path = dataset.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(DamagedFile, match=f"{name}.*delete it on Data and import it again"):
        getattr(dataset, path.stem)
