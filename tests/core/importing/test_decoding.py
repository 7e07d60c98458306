import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import pytest

from core.errors import UnreadableUpload
from core.imported.writing import NotAlike
from core.importing.decoding import MOST_BYTES, decode_files
from core.workspace import PROJECT
from tests.core.importing.made import folder_of, picture

IMPORT = """
import sys
from pathlib import Path
from core.imported.library import Library
from core.importing.importing import import_dataset
from core.importing.request import ImportRequest
from core.importing.sources import open_source
from core.workspace import Workspace

def told(event):
    if event.done:
        print(event.done, flush=True)
        sys.stdin.read(1)

source = open_source(Path(sys.argv[1]))
import_dataset(source, ImportRequest(name="x"), Library(Workspace(Path(sys.argv[2]))), told)
"""
"""Imports a folder and waits for a byte once some of it is read."""


@dataclass(frozen=True)
class Made:
    """A picture file in memory."""

    content: bytes

    def read(self) -> bytes:
        if not self.content:
            raise UnreadableUpload("it is gone")
        return self.content


def never() -> bool:
    return False


def test_a_process_hands_over_what_it_has_before_memory_fills_up() -> None:
    padded = Made(picture() + bytes(MOST_BYTES // 3))  # what follows the picture is not looked at
    pieces = list(decode_files([padded] * 10, "files", never))
    assert [piece.looked for piece in pieces] == [3, 3, 3, 1]
    assert sum(len(piece.files) for piece in pieces) == 10


def test_what_cannot_be_read_is_told_of_by_its_place() -> None:
    contents = [Made(b""), Made(picture()), Made(b"nonsense")]
    (piece,) = decode_files(contents, "files", never)
    assert piece.looked == 3
    assert piece.skipped[0] == "it is gone"
    assert "not an image" in piece.skipped[2]
    assert len(piece.sizes) == len(piece.digests) == len(piece.looks) == 1


@pytest.mark.parametrize("sides", [(8, 9), (257, 257)])
def test_images_of_other_or_large_sizes_are_not_alike(sides: tuple[int, int]) -> None:
    contents = [Made(picture(side=side)) for side in sides]
    with pytest.raises(NotAlike):
        list(decode_files(contents, "pixels", never))


def test_nothing_readable_gives_no_pixels() -> None:
    (piece,) = decode_files([Made(b"")] * 3, "pixels", never)
    assert piece.pixels is None
    assert piece.sizes.shape == (0, 3)


def test_an_import_that_is_killed_leaves_no_process(tmp_path: Path) -> None:
    names = [f"{name}/{number}.png" for name in ("cat", "dog") for number in range(300)]
    folder = folder_of(tmp_path / "from", names)
    importing = subprocess.Popen(
        [sys.executable, "-c", IMPORT, str(folder), str(tmp_path / "workspace")],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with importing:
        assert importing.stdout is not None
        assert importing.stdout.readline()
        family = psutil.Process(importing.pid).children()
        importing.kill()
    assert family
    gone, alive = psutil.wait_procs(family, timeout=200)
    assert len(gone) == len(family)
    assert not alive


def test_digests_are_of_whole_files_where_files_are_kept() -> None:
    contents = [Made(picture()), Made(picture() + b"a note behind the picture")]
    (piece,) = decode_files(contents, "files", never)
    assert not np.array_equal(*piece.digests)
