import io
import stat
import struct
import zipfile
import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data import archives
from core.data.archives import Archive, Limits
from core.errors import UnreadableUpload


def zip_of(*entries: tuple[str | zipfile.ZipInfo, bytes], how: int = zipfile.ZIP_STORED) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", how) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return file.getvalue()


def opened(content: bytes) -> Archive:
    return Archive(io.BytesIO(content))


def refusal_of(content: bytes) -> str:
    (entry,) = opened(content).entries
    with pytest.raises(UnreadableUpload) as raised:
        opened(content).read(entry)
    assert str(raised.value) == entry.refusal
    return str(raised.value)


def test_entries_are_read_in_the_order_of_the_zip_and_folders_are_none() -> None:
    archive = opened(zip_of(("b/", b""), ("b/2.png", b"two"), ("a\\1.png", b"one")))
    assert [entry.name for entry in archive.entries] == ["b/2.png", "a/1.png"]
    assert [archive.read(entry) for entry in archive.entries] == [b"two", b"one"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.png", "a/../../up.png", "C:\\up.png"])
def test_a_name_that_leads_out_of_the_zip_is_refused(name: str) -> None:
    assert "leads out of the ZIP" in refusal_of(zip_of((name, b"x")))


def test_an_entry_without_a_name_is_refused() -> None:
    content = zip_of(("a", b"x"))
    header, end = content.index(b"PK\x01\x02"), content.index(b"PK\x05\x06")
    nameless = bytearray(content[: end - 1] + content[end:])
    struct.pack_into("<H", nameless, header + 28, 0)
    struct.pack_into("<I", nameless, end - 1 + 12, 46)
    assert "it has no name" in refusal_of(bytes(nameless))


def test_a_link_is_refused() -> None:
    info = zipfile.ZipInfo("link.png")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    assert "it is a link" in refusal_of(zip_of((info, b"/etc/passwd")))


def test_an_entry_with_a_password_is_refused() -> None:
    content = bytearray(zip_of(("1.png", b"x")))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    assert "protected by a password" in refusal_of(bytes(content))


def test_an_uncommon_way_of_packing_is_refused() -> None:
    assert "uncommon way" in refusal_of(zip_of(("1.png", b"x"), how=zipfile.ZIP_LZMA))


def test_an_entry_packed_as_tightly_as_a_bomb_is_refused_and_the_others_are_read() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("bomb.png", b"\0" * 2**24, zipfile.ZIP_DEFLATED)
        archive.writestr("fine.png", bytes(range(256)) * 1000)
    read = Archive(file)
    bomb, fine = read.entries
    assert "200 times its size" in str(bomb.refusal)
    assert len(read.read(fine)) == 256_000


def test_a_zip_packed_as_tightly_as_a_bomb_is_refused_as_a_whole() -> None:
    bomb = zip_of(("1.png", b"\0" * 2**24), how=zipfile.ZIP_DEFLATED)
    with pytest.raises(UnreadableUpload, match="200 times its size"):
        opened(bomb)


def test_a_zip_of_too_much_is_refused_by_what_it_says_of_itself() -> None:
    content = bytearray(zip_of(("1.png", b"x"), ("2.png", b"x")))
    at = -1
    for _ in range(2):
        at = content.index(b"PK\x01\x02", at + 1)
        struct.pack_into("<I", content, at + 24, 2**31)
    with pytest.raises(UnreadableUpload, match="more than 2 GiB"):
        opened(bytes(content))


def test_an_entry_that_holds_more_than_it_says_is_refused() -> None:
    content = bytearray(zip_of(("1.png", b"x" * 100)))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        struct.pack_into("<I", content, content.index(signature) + offset, 10)
    archive = opened(bytes(content))
    with pytest.raises(UnreadableUpload, match="damaged inside the ZIP"):
        archive.read(archive.entries[0])


def test_a_list_of_too_many_entries_is_refused_before_it_is_read() -> None:
    content = zip_of(*((f"{n}.png", b"") for n in range(100)))
    with pytest.raises(UnreadableUpload, match="at most 5,000 bytes"):
        Archive(io.BytesIO(content), Limits(most_of_directory=5_000))


def test_an_entry_is_read_piece_by_piece_without_the_list_of_entries() -> None:
    content = zip_of(("1.txt", b"one\n" * 1000), ("2.txt", b"two\n"), how=zipfile.ZIP_DEFLATED)
    first, second = opened(content).entries
    with archives.stream(io.BytesIO(content), first) as file:
        assert file.readline() == b"one\n"
        file.seek(0)
        assert file.read() == b"one\n" * 1000
    assert archives.read(io.BytesIO(content), second) == b"two\n"


def test_an_entry_that_does_not_lie_where_the_zip_says_is_refused() -> None:
    (entry,) = opened(content := zip_of(("1.png", b"x"))).entries
    with pytest.raises(UnreadableUpload, match="damaged inside the ZIP"):
        archives.read(io.BytesIO(b"\0" * len(content)), entry)


def test_more_than_is_asked_for_is_not_read() -> None:
    archive = opened(zip_of(("1.png", b"x" * 2**21)))
    with pytest.raises(UnreadableUpload, match="more than 1 MiB"):
        archive.read(archive.entries[0], 2**20)


WHOLE = zip_of(
    ("a/1.png", zlib.compress(bytes(range(256)))), ("2.png", b"x" * 300), how=zipfile.ZIP_DEFLATED
)


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 255), st.integers(0, len(WHOLE)))
def test_a_damaged_zip_ends_in_a_sentence(place: int, flip: int, cut: int) -> None:
    damaged = bytearray(WHOLE)
    damaged[place] ^= flip
    for content in (bytes(damaged), WHOLE[:cut], bytes(damaged)[:cut]):
        with suppress(UnreadableUpload):
            archive = opened(content)
            for entry in archive.entries:
                with suppress(UnreadableUpload):
                    archive.read(entry)
