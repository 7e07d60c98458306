"""Pictures collected class by class become a dataset."""

import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from core.errors import InvalidRequest
from core.imported.library import Library
from core.importing.collected import FEWEST, MOST, MOST_CLASSES, Collected, packed, unpacked
from core.importing.importing import import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.workspace import Workspace


def taken(name: str, count: int = FEWEST) -> Collected:
    return Collected(name, [bytes([number % 256]) for number in range(count)])


def photographs(count: int, seed: int) -> list[bytes]:
    random = np.random.default_rng(seed).integers(0, 256, (count, 24, 24, 3), np.uint8)
    return [cv2.imencode(".jpg", each)[1].tobytes() for each in random]


def test_the_last_fifth_of_each_class_is_for_testing() -> None:
    with zipfile.ZipFile(packed([taken("cup", 10), taken("no cup", 6)])) as archive:
        cups = {name: archive.read(name) for name in archive.namelist() if "/cup/" in name}
    assert [name.split("/")[0] for name in cups] == 8 * ["train"] + 2 * ["test"]
    assert list(cups.values()) == [bytes([number]) for number in range(10)]


def test_they_are_imported_with_their_names(tmp_path: Path) -> None:
    classes = [Collected(" Größe *?.", photographs(10, 0)), Collected("train", photographs(5, 1))]
    path = tmp_path / "taken.zip"
    path.write_bytes(packed(classes).getvalue())
    library = Library(Workspace(tmp_path))
    about = import_dataset(open_source(path), ImportRequest(name="mine"), library).dataset.about
    assert about.class_names == ("Größe *?.", "train")
    assert (about.images["train"], about.images["test"]) == (12, 3)


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "..", "../up", "a\\b", ".hidden", "x" * 41, "\n"]
)
def test_a_name_that_is_no_folder_is_refused(name: str) -> None:
    with pytest.raises(InvalidRequest, match="a class must have a name"):
        packed([taken(name), taken("other")])


def test_two_classes_of_one_name_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="a name of its own, got 'CUP' twice"):
        packed([taken("cup"), taken("CUP ")])


@pytest.mark.parametrize("count", [0, 1, MOST_CLASSES + 1])
def test_one_class_and_too_many_are_refused(count: int) -> None:
    with pytest.raises(InvalidRequest, match=f"2 to {MOST_CLASSES} classes"):
        packed([taken(f"class {number}") for number in range(count)])


def test_too_few_and_too_many_pictures_are_refused() -> None:
    with pytest.raises(InvalidRequest, match=f"got {FEWEST - 1} of 'cup'"):
        packed([taken("cup", FEWEST - 1), taken("other")])
    with pytest.raises(InvalidRequest, match=f"at most {MOST} pictures"):
        packed([taken("cup", MOST), taken("other")])


def test_a_browser_sends_pictures_as_text() -> None:
    sent = [{"name": "cup", "pictures": ["AAE=", ""]}, {"name": "other", "pictures": []}]
    assert unpacked(sent) == [Collected("cup", [b"\0\1", b""]), Collected("other", [])]


@pytest.mark.parametrize(
    "sent", [None, "text", [{}], [{"name": "cup", "pictures": ["no base64!"]}], [{"name": "cup"}]]
)
def test_anything_else_from_a_browser_is_refused(sent: Any) -> None:
    with pytest.raises(InvalidRequest, match="something else than pictures"):
        unpacked(sent)
