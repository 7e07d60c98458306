import hashlib
import io
import zipfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, decode
from core.errors import InvalidRequest, WorkFailed
from core.imported.batches import Batch
from core.imported.dataset import PARTS, ImportedDataset, Part
from core.imported.library import Library
from core.imported.report import ImportReport, Span
from core.imported.writing import DatasetWriter
from core.importing.exporting import export_pictures, write_lists, zipped_lists
from core.importing.importing import import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.training.progress import Progress
from core.workspace import Workspace
from tests.core.importing.made import digits, folder_of, listed, picture, table

CLASSES = ("<b>cat</b>/../..", "dog", "猫")
LABELS = [1, 0, 2, 1, -1]
PLACES = ("train/cat", "train/dog", "test/cat", "test/dog")
IN_PARTS: list[Part] = ["train", "test", "train", "train", "unlabelled"]


def written(
    workspace: Workspace,
    pictures: Sequence[Pixels],
    files: Sequence[bytes] | None = None,
    *,
    names: Sequence[str] = tuple("abcde"),
    kind: str = "pixel tables",
) -> ImportedDataset:
    """A dataset of five images, as an import leaves it."""
    digests = [hashlib.sha256(image.tobytes()).digest() for image in pictures]
    batch = Batch(
        names,
        np.array(LABELS),
        np.array([PARTS.index(part) for part in IN_PARTS], np.uint8),
        np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32),
        pictures,
        files,
        files and [b"thumbnail"] * 5,
    )
    span = Span(smallest=8, usual=8, largest=8)
    report = ImportReport(found=5, imported=5, images={}, widths=span, heights=span, grey=5)
    with DatasetWriter(Library(workspace), "pets") as writer:
        writer.add(batch)
        return writer.finish(report, class_names=CLASSES, kind=kind, source="somewhere")


def shades(*shape: int) -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def noise(seed: int, side: int) -> bytes:
    """A picture file like no other."""
    pixels = np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)
    encoded: bytes = cv2.imencode(".png", pixels)[1].tobytes()
    return encoded


def ignore(progress: Progress) -> None:
    del progress


@pytest.mark.parametrize("shape", [(8, 8), (8, 9, 3)], ids=["grey", "colours"])
def test_exported_pictures_are_imported_again_as_they_were(
    workspace: Workspace, tmp_path: Path, shape: tuple[int, ...]
) -> None:
    pictures = shades(5, *shape)
    dataset = written(workspace, pictures)
    reports: list[Progress] = []
    written_lists = export_pictures(dataset, tmp_path / "out", reports.append)
    assert [path.name for path in written_lists] == [
        "classes.txt",
        "train.txt",
        "test.txt",
        "unlabelled.txt",
    ]
    assert (reports[-1].done, reports[-1].total) == (5, 5)
    source = open_source(tmp_path / "out")
    assert source.class_names == CLASSES
    assert source.skipped == ()
    for part in PARTS:
        found = [file for file in source.files if file.part == part]
        positions = dataset.positions(part)
        assert [file.label for file in found] == [LABELS[position] for position in positions]
        for file, position in zip(found, positions, strict=True):
            np.testing.assert_array_equal(decode(file.content.read()), pictures[position])


@pytest.mark.parametrize(
    "source",
    [
        {"train.csv": table(*digits(60)), "test.csv": table(*digits(4, seed=1))},
        {f"{place}/{n}.png": noise(n, 9) for n in range(4) for place in PLACES},
        {f"{place}/{n}.png": noise(n, 9 + n) for n in range(4) for place in PLACES},
    ],
    ids=["tables", "small pictures", "pictures of many sizes"],
)
def test_a_dataset_that_was_exported_is_recognised_when_it_is_imported(
    workspace: Workspace, tmp_path: Path, source: dict[str, bytes]
) -> None:
    library = Library(workspace)
    found = open_source(folder_of(tmp_path / "in", source))
    dataset, known = import_dataset(found, ImportRequest(name="first"), library)
    assert not known
    export_pictures(dataset, tmp_path / "out", ignore)
    again = import_dataset(open_source(tmp_path / "out"), ImportRequest(name="second"), library)
    assert again.known
    assert again.dataset.name == "first"


def test_class_names_never_become_paths(workspace: Workspace, tmp_path: Path) -> None:
    export_pictures(written(workspace, shades(5, 8, 8)), tmp_path / "out", ignore)
    found = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert found == [
        "out/test/class-000-b-cat-b/000001.png",
        "out/train/class-001-dog/000000.png",
        "out/train/class-001-dog/000003.png",
        "out/train/class-002/000002.png",
        "out/unlabelled/000004.png",
    ]


def test_what_came_as_files_is_written_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    files = [picture(shade, ".jpg", side=300) for shade in range(5)]
    names = ["1.jpg", "2.JPG", "3", "4.txt", "5.jpeg"]
    dataset = written(workspace, [decode(file) for file in files], files, names=names)
    export_pictures(dataset, tmp_path / "out", ignore)
    source = open_source(tmp_path / "out")
    in_order = [position for part in PARTS for position in dataset.positions(part)]
    assert [file.content.read() for file in source.files] == [files[i] for i in in_order]
    assert [Path(file.name).suffix for file in source.files] == [".jpg", "", "", ".jpg", ".jpeg"]


def test_lists_lead_to_the_files_that_were_imported(workspace: Workspace, tmp_path: Path) -> None:
    names = ["a dog/1.png", "cats/1; old.png", "x/1.png", "a dog/2.png", "1.png"]
    folder = folder_of(tmp_path / "pets", names)
    dataset = written(workspace, shades(5, 8, 8), names=names, kind="class folders")
    lists = write_lists(dataset, folder)
    assert (folder / "train.txt").read_text() == "1;a dog/1.png\n2;x/1.png\n1;a dog/2.png\n"
    assert listed(open_source(folder)) == [
        ("train", "dog", "a dog/1.png"),
        ("train", "猫", "x/1.png"),
        ("train", "dog", "a dog/2.png"),
        ("test", CLASSES[0], "cats/1; old.png"),
        ("unlabelled", "", "1.png"),
    ]
    with zipfile.ZipFile(io.BytesIO(zipped_lists(dataset))) as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == {
            path.name: path.read_bytes() for path in lists
        }


def test_lists_that_are_there_are_not_written_over(workspace: Workspace, tmp_path: Path) -> None:
    dataset = written(workspace, shades(5, 8, 8), kind="class folders")
    folder_of(tmp_path, {"train.txt": b"mine"})
    with pytest.raises(InvalidRequest, match=r"there is a train\.txt in .* choose another folder"):
        write_lists(dataset, tmp_path)
    assert (tmp_path / "train.txt").read_bytes() == b"mine"


def test_rows_of_a_table_have_no_paths_to_list(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="came as pixel tables and have no paths to list"):
        write_lists(written(workspace, shades(5, 8, 8)), tmp_path)


def test_a_folder_that_holds_something_is_left_alone(workspace: Workspace, tmp_path: Path) -> None:
    dataset = written(workspace, shades(5, 8, 8))
    (tmp_path / "out").mkdir()
    export_pictures(dataset, tmp_path / "out", ignore)
    with pytest.raises(InvalidRequest, match="holds something already"):
        export_pictures(dataset, tmp_path / "out", ignore)
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRequest, match="holds something already"):
        export_pictures(dataset, tmp_path / "file", ignore)


def test_an_export_that_breaks_off_leaves_nothing(workspace: Workspace, tmp_path: Path) -> None:
    dataset = written(workspace, shades(5, 8, 8))

    def full(progress: Progress) -> None:
        if progress.done == 3:
            raise OSError(28, "No space left on device")

    place = tmp_path / "there"
    with pytest.raises(WorkFailed, match=r"could not be written: No space left .* free some room"):
        export_pictures(dataset, place / "out", full)
    assert list(place.iterdir()) == []
