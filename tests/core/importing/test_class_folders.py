import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from core.data.preprocessing import decode
from core.errors import InvalidRequest, UnreadableUpload
from core.importing.class_folders import find_class_folders
from core.importing.listing import Listing, OnDisk
from core.importing.sources import open_source
from tests.core.importing.made import folder_of, listed, picture, reasons, zip_of


def test_folders_are_classes_in_natural_order_and_so_are_their_pictures(tmp_path: Path) -> None:
    folder_of(tmp_path, ["class 10/1.png", "class 2/img10.png", "class 2/img2.png"])
    source = open_source(tmp_path)
    assert source.kind == "class folders"
    assert source.by_class and not source.digits
    assert source.class_names == ("class 2", "class 10")
    assert listed(source) == [
        ("train", "class 2", "class 2/img2.png"),
        ("train", "class 2", "class 2/img10.png"),
        ("train", "class 10", "class 10/1.png"),
    ]
    assert source.count == 3
    assert source.skipped == ()


@pytest.mark.parametrize(
    ("folders", "parts"),
    [
        (["train", "test"], ["train", "test"]),
        (["Train", "TEST"], ["train", "test"]),
        (["train", "validation"], ["train", "test"]),
        (["train", "val"], ["train", "test"]),
        (["train", "valid"], ["train", "test"]),
        (["train", "val", "test"], ["train", "validation", "test"]),
        (["train"], ["train"]),
        (["archive/train", "archive/test"], ["train", "test"]),
        (["a/b/train", "a/b/test"], ["train", "test"]),
        (["training_set/training_set", "test_set/test_set"], ["train", "test"]),
    ],
)
def test_parts_are_told_by_their_folders(
    tmp_path: Path, folders: list[str], parts: list[str]
) -> None:
    folder_of(tmp_path, [f"{part}/{name}/1.png" for part in folders for name in ("cat", "dog")])
    source = open_source(tmp_path)
    assert source.class_names == ("cat", "dog")
    assert [file.part for file in source.files] == [part for part in parts for _ in range(2)]


@pytest.mark.parametrize(
    ("files", "classes"),
    [
        (["valid/1.png", "invalid/1.png"], ("invalid", "valid")),
        (["train/1.png", "ship/1.png"], ("ship", "train")),
        (["train/train/1.png", "train/ship/1.png"], ("ship", "train")),
        (["archive/cat/1.png", "archive/dog/1.png"], ("cat", "dog")),
        (["archive/cat/1.png", "archive/dog/1.png", "README.md"], ("cat", "dog")),
        (["cat/1.png"], ("cat",)),
        (["archive/cat/1.png"], ("cat",)),
        (["cat/far/1.png", "dog/1.png"], ("cat", "dog")),
    ],
)
def test_a_class_is_the_outermost_folder_that_wraps_nothing(
    tmp_path: Path, files: list[str], classes: tuple[str, ...]
) -> None:
    assert open_source(folder_of(tmp_path, files)).class_names == classes


def test_pictures_deeper_in_the_folder_of_a_class_count_to_it(tmp_path: Path) -> None:
    source = open_source(folder_of(tmp_path, ["cat/a/b/1.png", "cat/2.png", "dog/1.png"]))
    assert [(label, name) for _, label, name in listed(source)] == [
        ("cat", "cat/2.png"),
        ("cat", "cat/a/b/1.png"),
        ("dog", "dog/1.png"),
    ]


def test_every_file_that_is_not_imported_is_told_with_its_reason(tmp_path: Path) -> None:
    folder_of(tmp_path, ["train/cat/1.png", "train/dog/1.png", "test/cat/1.png"])
    others = {
        "test/bird/1.png": picture(),
        "train/loose.png": picture(),
        "readme.md": b"how this was made",
        "train/cat/notes.txt": b"BMW and other cats",
        "train/cat/nothing": b"",
        "train/cat/more.zip": b"PK\x03\x04 and more",
        "other/cat/1.png": picture(),
        ".DS_Store": b"x",
        "train/cat/.DS_Store": b"x",
        "__MACOSX/train/cat/._1.png": b"x",
    }
    source = open_source(folder_of(tmp_path, others))
    assert source.count == 3
    found = reasons(source)
    assert found.pop("hidden files").endswith("3 left out")
    assert "nothing in train is of its class 'bird'" in found.pop("test/bird/1.png")
    assert "in no class folder" in found.pop("train/loose.png")
    assert "in no class folder" in found.pop("other/cat/1.png")
    assert "no picture by its ending" in found.pop("readme.md")
    assert "neither by its ending nor by its first bytes" in found.pop("train/cat/notes.txt")
    assert found.pop("train/cat/nothing") == "the file is empty"
    assert "an archive within is not opened" in found.pop("train/cat/more.zip")
    assert found == {}


@pytest.mark.parametrize("ending", [".png", ".jpg", ".bmp", ".webp", ".gif", ".tiff"])
def test_a_picture_is_known_by_its_ending_in_any_case_or_else_by_its_first_bytes(
    tmp_path: Path, ending: str
) -> None:
    content = picture(ending=ending)
    names = [f"1{ending}", f"2{ending.upper()}", "3", "4.data", "5.txt"]
    folder_of(tmp_path, {f"cat/{name}": content for name in names})
    source = open_source(tmp_path)
    assert [file.name for file in source.files] == [f"cat/{name}" for name in names]
    assert all(decode(file.content.read()).shape == (8, 8, 3) for file in source.files)


def test_a_wrongly_named_picture_is_read_by_what_is_in_it(tmp_path: Path) -> None:
    shades = np.arange(64, dtype=np.uint8).reshape(8, 8)
    jpeg = cv2.imencode(".jpg", shades)[1].tobytes()
    source = open_source(folder_of(tmp_path, {"cat/1.png": jpeg}))
    assert decode(source.files[0].content.read()).shape == (8, 8)


@pytest.mark.parametrize(
    "name",
    ["<b onclick=alert(1)>", "'; DROP TABLE", "猫", "قط", "🐈 cat", "x" * 250, "$HOME", "-rf"],
)
def test_class_names_are_data(tmp_path: Path, name: str) -> None:
    folder_of(tmp_path, [f"train/{name}/1.png", "train/dog/1.png"])
    source = open_source(tmp_path)
    assert set(source.class_names) == {name, "dog"}
    assert all(file.content.read() == picture() for file in source.files)


def test_names_that_control_a_terminal_or_are_no_text_can_be_shown_and_written(
    tmp_path: Path,
) -> None:
    place = os.fsencode(tmp_path) + b"/two\nlines\xff"
    os.mkdir(place)
    with open(place + b"/\x1b[31m.png", "wb") as file:
        file.write(picture())
    source = open_source(tmp_path)
    assert source.class_names == ("two\\nlines\\udcff",)
    assert source.files[0].name == "two\\nlines\\udcff/\\x1b[31m.png"
    source.files[0].name.encode()
    assert source.files[0].content.read() == picture()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = folder_of(tmp_path / "outside", ["secret.png"])
    folder = folder_of(tmp_path / "pictures", ["cat/1.png", "dog/1.png"])
    (folder / "cat/2.png").symlink_to(outside / "secret.png")
    (folder / "bird").symlink_to(outside)
    (folder / "cat/again").symlink_to(folder)
    source = open_source(folder)
    assert source.count == 2
    assert list(reasons(source)) == ["bird", "cat/2.png", "cat/again"]
    assert all("it is a link" in reason for reason in reasons(source).values())


def test_what_is_no_file_or_empty_or_closed_is_told(tmp_path: Path) -> None:
    folder_of(tmp_path, ["cat/1.png", "dog/1.png"])
    (tmp_path / "bird").mkdir()
    os.mkfifo(tmp_path / "cat/2.png")
    found = reasons(open_source(tmp_path))
    assert found == {"bird/": "the folder is empty", "cat/2.png": "it is no ordinary file"}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "holds no files that can be read; choose a folder or ZIP"),
        (
            ["1.png", "2.png", "notes.txt"],
            "no dataset, only 2 pictures in no class folder and 1 other file;",
        ),
        (["train/cat.1.png", "test/1.png"], "folders of classes in train .* got test and train;"),
        (["test/cat/1.png"], "must hold a folder train to learn from, got test; put a folder"),
        (["test/cat/1.png", "validation/cat/1.png"], "got test and validation; put a folder"),
        (["train/notes.txt", "test/cat/1.png"], "folders of classes in train to learn from"),
        (["train/cat/notes.txt", "test/cat/1.png"], "in train/CLASS/, got none there"),
        (["mnist.npz"], "holds mnist.npz, which is to be chosen itself"),
    ],
)
def test_a_folder_of_nothing_to_learn_from_is_refused(
    tmp_path: Path, files: list[str], sentence: str
) -> None:
    contents = {name: picture() if name.endswith(".png") else b"text" for name in files}
    with pytest.raises(InvalidRequest, match=sentence):
        open_source(folder_of(tmp_path, contents))


def test_a_zip_gives_what_its_folder_gives(tmp_path: Path) -> None:
    names = ["archive/train/cat/1.png", "archive/train/dog/2.png", "archive/test/cat/3.png"]
    contents = {name: picture(shade) for shade, name in enumerate(names)}
    contents |= {"archive/readme.md": b"text", "__MACOSX/._readme.md": b"x"}
    in_folder = open_source(folder_of(tmp_path / "folder", contents))
    in_zip = open_source(zip_of(tmp_path / "some.zip", contents))
    assert listed(in_zip) == listed(in_folder)
    assert in_zip.skipped == in_folder.skipped
    assert in_zip.class_names == in_folder.class_names
    for a, b in zip(in_zip.files, in_folder.files, strict=True):
        assert a.content.read() == b.content.read()


def test_too_many_classes_are_refused() -> None:
    many = {f"{n}/1.png": OnDisk("/nowhere", f"{n}/1.png") for n in range(10_001)}
    with pytest.raises(UnreadableUpload, match="at most 10,000 class folders, got 10,001"):
        find_class_folders(Listing("pictures", many))


def test_a_file_that_is_too_large_or_gone_is_refused_when_it_is_read(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, ["cat/1.png", "cat/2.png"])
    first, second = open_source(folder).files
    os.truncate(folder / "cat/1.png", 300 * 2**20)  # takes no room on the disk
    (folder / "cat/2.png").unlink()
    with pytest.raises(UnreadableUpload, match="more than 256 MiB"):
        first.content.read()
    with pytest.raises(UnreadableUpload, match="No such file"):
        second.content.read()
