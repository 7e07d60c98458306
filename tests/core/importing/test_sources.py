import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from core.errors import InvalidRequest, UnreadableUpload
from core.importing.listing import check_count
from core.importing.sources import open_source
from tests.core.importing.made import folder_of, idx, picture, zip_of


def test_nothing_at_a_path_is_told(tmp_path: Path) -> None:
    for path in (tmp_path / "gone", tmp_path / "x\0y"):
        with pytest.raises(InvalidRequest, match="there is nothing at"):
            open_source(path)
    with pytest.raises(InvalidRequest, match="cannot be read: File name too long"):
        open_source(tmp_path / ("x" * 300))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("1.png", picture(), "is a single picture; choose the folder that holds"),
        ("notes.txt", b"text", "is no file that can be imported; choose a ZIP or folder of"),
        ("nothing", b"", "is no file that can be imported"),
        ("some.zip", b"no zip", "is damaged: it does not begin as a ZIP does"),
        ("a.npz", b"no npz", "is damaged: it does not begin as a ZIP does"),
    ],
)
def test_a_file_of_another_kind_is_refused(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    with pytest.raises(UnreadableUpload, match=sentence):
        open_source(folder_of(tmp_path, {name: content}) / name)


def test_an_archive_of_another_kind_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.add(folder_of(tmp_path / "a", ["cat/1.png"]))
    with pytest.raises(UnreadableUpload, match="is an archive of another kind than ZIP; unpack it"):
        open_source(tmp_path / "a.tar.gz")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidRequest, match="neither a folder nor a file"):
        open_source(tmp_path / "pipe")


def test_lists_come_before_idx_files_and_these_before_class_folders(tmp_path: Path) -> None:
    folder_of(tmp_path, ["cat/1.png"])
    assert open_source(tmp_path).kind == "class folders"
    pair = {
        "train-images-idx3-ubyte": idx(np.zeros((2, 9, 9), np.uint8)),
        "train-labels-idx1-ubyte": idx(np.arange(2, dtype=np.uint8)),
    }
    assert open_source(folder_of(tmp_path, pair)).kind == "idx files"
    lists = {"classes.txt": b"cat", "train.txt": b"0;cat/1.png"}
    assert open_source(folder_of(tmp_path, lists)).kind == "file lists"


def test_a_zip_is_known_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "pictures", ["cat/1.png", "dog/1.png"])
    assert open_source(path).class_names == ("cat", "dog")


def test_where_no_picture_is_left_the_first_reason_is_told(tmp_path: Path) -> None:
    lists = {"classes.txt": b"cat", "train.txt": b"0;gone.png\n0;lost.png"}
    with pytest.raises(UnreadableUpload, match=r"holds no picture .*; gone\.png: train\.txt names"):
        open_source(folder_of(tmp_path, lists))


def test_more_files_than_may_be_are_refused() -> None:
    check_count(1_000_000, "pictures")
    with pytest.raises(UnreadableUpload, match="pictures must hold at most 1,000,000 files"):
        check_count(1_000_001, "pictures")
