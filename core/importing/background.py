"""Importing in a process of its own, seen from outside.

Whoever imports leaves what is asked for in a folder that is named as the dataset shall be, together
with what was uploaded, and starts the process. The folder goes once somebody was told how it ended.
"""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from pydantic import ValidationError

from core import background
from core.errors import InvalidRequest, WorkFailed
from core.files import write_text
from core.imported.library import Library
from core.imported.writing import remove_unfinished
from core.importing.request import ImportRequest
from core.workspace import Workspace

KILLED = (
    "The process that imported it ended without a word: something killed it, most often for want "
    "of memory. Nothing of it is left; import it again."
)
LONGEST_NAME = 100
"""Characters of the name under which an uploaded file is kept."""


class Work(background.Work):
    """How far an import is. dataset: where it ended well, what the dataset is called.

    known: whether these images were imported before, under that name.
    """

    dataset: str = ""
    known: bool = False


class Importing(background.WorkFolder[Work]):
    """The import of a dataset of that name."""

    def __init__(self, workspace: Workspace, name: str) -> None:
        super().__init__(workspace.imports / name, Work, KILLED)
        self.workspace, self.name = workspace, name

    @property
    def uploads(self) -> Path:
        """What was uploaded for it, until it ends."""
        return self.folder / "uploads"

    def asked(self) -> ImportRequest | None:
        """What was asked for, None where nothing was."""
        try:
            return ImportRequest.model_validate_json((self.folder / "asked.json").read_bytes())
        except (OSError, ValidationError, ValueError):
            return None

    def source(self, asked: ImportRequest) -> tuple[Path, ImportRequest]:
        """The file or folder to import from, and what was asked for with the names of uploads."""
        if asked.path:
            return Path(asked.path), asked
        uploaded = sorted(self.uploads.iterdir())
        names = ", ".join(path.name for path in uploaded)
        place = uploaded[0] if len(uploaded) == 1 else self.uploads
        return place, asked.model_copy(update={"path": names})

    def begin(self, asked: ImportRequest, uploaded: Sequence[tuple[str, BinaryIO]] = ()) -> None:
        """Import what lies at a path, or what was uploaded: the name and content of each file.

        Raises InvalidRequest where that name is taken or a file cannot be kept, and WorkFailed
        where no process can be started.
        """
        Library(self.workspace).check_free(self.name)
        if self.at_work():
            raise InvalidRequest(
                f"a dataset {self.name!r} is being imported already; choose another name, or wait"
            )
        if asked.path and not Path(asked.path).exists():
            raise InvalidRequest(
                f"there must be a file or folder to import, got {asked.path}, where nothing is on "
                "the machine of this server"
            )
        names = checked_names([name for name, _ in uploaded])
        try:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.uploads.mkdir(parents=True)
            for name, (_, file) in zip(names, uploaded, strict=True):
                file.seek(0)
                with (self.uploads / name).open("xb") as kept:
                    shutil.copyfileobj(file, kept, 2**20)
            write_text(self.folder / "asked.json", asked.model_dump_json() + "\n")
            self.start("core.importing.work", str(self.workspace.root), self.name)
        except OSError as error:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise WorkFailed(
                f"nothing can be imported into {self.workspace.root}: {error.strerror}; make room "
                "or permit writing there, then import it again"
            ) from None

    def cancel(self) -> None:
        """End it and forget it; nothing of it stays."""
        self.end()
        self.forget()

    def forget(self) -> None:
        """Remove all that an import that has ended left, besides the dataset."""
        self.clean_up()
        shutil.rmtree(self.folder, ignore_errors=True)

    def clean_up(self) -> None:
        """Free the room of what was uploaded, and of what a killed process has half written."""
        shutil.rmtree(self.uploads, ignore_errors=True)
        remove_unfinished(Library(self.workspace))


def imports(workspace: Workspace) -> list[Importing]:
    """The imports that go on or have ended without anybody being told, in alphabetical order."""
    if not workspace.imports.is_dir():
        return []
    found = [Importing(workspace, path.name) for path in sorted(workspace.imports.iterdir())]
    return [importing for importing in found if importing.asked() is not None]


def checked_names(names: list[str]) -> list[str]:
    """What uploaded files are called on the disk: their own names, without what could do harm.

    Raises InvalidRequest where two come to the same.

    >>> checked_names(["../train.csv", "T10K images*.gz"])
    ['train.csv', 'T10K images_.gz']
    """
    kept = [_checked_name(name) for name in names]
    for place, name in enumerate(kept):
        if name.lower() in [other.lower() for other in kept[:place]]:
            raise InvalidRequest(f"each file must have a name of its own, got {name!r} twice")
    return kept


def _checked_name(name: str) -> str:
    plain = re.sub(r"[^\w.() -]", "_", re.split(r"[/\\]", name)[-1]).strip(". ")
    return plain[-LONGEST_NAME:].lstrip(". ") or "file"
