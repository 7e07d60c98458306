import io
import stat
import struct
import zipfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from core.errors import UnreadableUpload
from core.importing.items import PictureFile
from core.importing.sources import open_source
from tests.core.importing.made import picture, reasons, zip_of

GOOD = {"cat/1.png": picture(1), "dog/1.png": picture(2)}


def test_contents_are_read_by_other_processes(tmp_path: Path) -> None:
    source = open_source(zip_of(tmp_path / "some.zip", GOOD))
    with ProcessPoolExecutor(1, get_context("fork")) as pool:
        assert list(pool.map(content_of, source.files)) == list(GOOD.values())


def content_of(file: PictureFile) -> bytes:
    return file.content.read()


@pytest.mark.parametrize("name", ["/etc/cat/1.png", "../cat/1.png", "cat/../../1.png", "C:/1.png"])
def test_a_name_that_leads_out_is_skipped_and_the_others_are_read(
    tmp_path: Path, name: str
) -> None:
    source = open_source(zip_of(tmp_path / "some.zip", GOOD | {name: picture()}))
    assert source.count == 2
    assert "leads out of the ZIP" in reasons(source)[name]


def test_links_bombs_and_files_that_are_there_twice_are_skipped(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "some.zip", GOOD | {"cat/bomb.png": b"\0" * 2**25})
    link = zipfile.ZipInfo("cat/link.png")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("cat/1.png", picture(9))
        archive.writestr("cat/noise.png", bytes(range(256)) * 2**10)
    source = open_source(path)
    assert [file.name for file in source.files] == ["cat/1.png", "cat/noise.png", "dog/1.png"]
    assert source.files[0].content.read() == GOOD["cat/1.png"]
    found = reasons(source)
    assert "200 times its size" in found["cat/bomb.png"]
    assert "it is a link" in found["cat/link.png"]
    assert "another file of that name" in found["cat/1.png"]


def test_a_bomb_is_refused_as_a_whole(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "bomb.zip", {f"cat/{n}.png": b"\0" * 2**23 for n in range(3)})
    with pytest.raises(UnreadableUpload, match=r"bomb.zip cannot be imported: .*200 times its"):
        open_source(path)


def test_a_zip_that_says_it_holds_too_much_is_refused(tmp_path: Path) -> None:
    content = bytearray(zip_of(tmp_path / "big.zip", GOOD | {"x.png": b"x"}).read_bytes())
    at, many = -1, 0xFFFFFFF0
    for _ in range(3):
        at = content.index(b"PK\x01\x02", at + 1)
        struct.pack_into("<I", content, at + 24, many)
    # Three entries of 4 GiB are no more than allowed, but packed as tightly as no picture is.
    (tmp_path / "big.zip").write_bytes(content)
    with pytest.raises(UnreadableUpload, match="200 times its size"):
        open_source(tmp_path / "big.zip")


def test_an_archive_within_is_not_opened(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("cat/2.png", picture())
    source = open_source(zip_of(tmp_path / "some.zip", GOOD | {"cat/more.zip": inner.getvalue()}))
    assert source.count == 2
    assert "an archive within is not opened" in reasons(source)["cat/more.zip"]


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_zip_that_is_cut_short_is_refused(tmp_path: Path, kept: float) -> None:
    path = zip_of(tmp_path / "cut.zip", GOOD)
    path.write_bytes(path.read_bytes()[: int(kept * path.stat().st_size)])
    with pytest.raises(UnreadableUpload, match=r"cut\.zip cannot be imported: the ZIP is damaged"):
        open_source(path)


def test_an_empty_zip_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableUpload, match="holds no files that can be read"):
        open_source(zip_of(tmp_path / "empty.zip", {}))


def test_a_zip_that_is_gone_when_it_is_read_is_told(tmp_path: Path) -> None:
    path = zip_of(tmp_path / "some.zip", GOOD)
    source = open_source(path)
    path.write_bytes(b"something else")
    with pytest.raises(UnreadableUpload, match="damaged inside the ZIP"):
        source.files[0].content.read()
    path.unlink()
    with pytest.raises(UnreadableUpload, match="cannot be read: No such file"):
        source.files[0].content.read()
