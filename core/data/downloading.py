"""Downloading one of Keras's datasets in a process of its own, seen from outside."""

from pathlib import Path

from core.background import Work, WorkFolder
from core.data.catalogue import DATASETS
from core.errors import WorkFailed
from core.workspace import Workspace

KILLED = "The process that downloaded it ended without a word: something killed it. Start it again."
DOWNLOADED = tuple(name for name, facts in DATASETS.items() if facts.download_bytes)
"""The datasets that are downloaded; the others are bundled or a person's own."""


class Downloading(WorkFolder[Work]):
    """The download of a dataset to an npz file. `done` and `total` count bytes of a file."""

    def __init__(self, name: str, file: Path) -> None:
        super().__init__(file.with_suffix(""), Work, KILLED)
        self.name, self.file = name, file

    @property
    def there(self) -> bool:
        """Whether the dataset is there already."""
        return self.file.is_file()

    def begin(self) -> None:
        """Start it, unless it goes on or is done. Raises WorkFailed where that cannot be."""
        if self.there or self.at_work():
            return
        try:
            self.start("core.data.downloads", self.name, str(self.file))
        except OSError as error:
            raise WorkFailed(
                f"nothing can be downloaded to {self.file.parent}: {error.strerror}; make room or "
                "permit writing there, then start it again"
            ) from None

    def cancel(self) -> None:
        """End it; what has come so far is thrown away."""
        self.end()

    def failure(self, reason: str) -> str:
        """The sentence for a download that failed, with the way to get it by hand."""
        facts = DATASETS[self.name]
        brief = " ".join(reason.split())[:300]
        return (
            f"{facts.label} could not be downloaded ({brief}). Start it again, or {facts.by_hand}; "
            f"that folder is {self.file.parent} here."
        )


def download_of(name: str, workspace: Workspace) -> Downloading:
    """The download of one of DOWNLOADED into the cache of a workspace."""
    return Downloading(name, workspace.datasets / f"{name}.npz")
