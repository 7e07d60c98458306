"""The files that come with the project: MNIST and VGG16's weights, checked before use."""

import hashlib
import json
from functools import lru_cache
from pathlib import Path

from core.errors import DamagedFile
from core.workspace import PROJECT

ASSETS = PROJECT / "assets"
MANIFEST = "manifest.json"


def verified(name: str, folder: Path = ASSETS) -> Path:
    """The path of a bundled file whose content is what the manifest says.

    Raises DamagedFile, naming the file, where it is missing or its SHA-256 differs.
    """
    path = folder / name
    if not path.is_file():
        raise DamagedFile(f"the bundled file {path} is missing; {_WAY_OUT}")
    status = path.stat()
    expected = json.loads((folder / MANIFEST).read_text())[name]["sha256"]
    if file_hash(path, status.st_size, status.st_mtime_ns) != expected:
        raise DamagedFile(
            f"the bundled file {path} is damaged: its SHA-256 is not the manifest's; {_WAY_OUT}"
        )
    return path


_WAY_OUT = "get it back with `git checkout -- assets`, or clone the project again"


@lru_cache(maxsize=32)
def file_hash(path: Path, size: int, modified_ns: int) -> str:
    """SHA-256 of a file; size and time of change are asked for so that a change is noticed."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
