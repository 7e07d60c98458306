"""The workspace: the folder that holds runs and caches. The only module that knows its layout."""

import os
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
ENVIRONMENT_VARIABLE = "TRANSFER_LAB_WORKSPACE"


@dataclass(frozen=True)
class Workspace:
    """Paths below one root folder. Nothing is created until something is written."""

    root: Path

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.root / "runs"

    @property
    def locks(self) -> Path:
        """One file per run, held by the process that is at work on it."""
        return self.root / "locks"

    @property
    def features(self) -> Path:
        """One folder per cached output of frozen layers."""
        return self.root / "cache" / "features"

    @property
    def feature_spaces(self) -> Path:
        """One folder per run whose features were looked at."""
        return self.root / "cache" / "feature_spaces"

    @property
    def estimates(self) -> Path:
        """One file per configuration that was tried out before launch."""
        return self.root / "cache" / "estimates"

    @property
    def preferences(self) -> Path:
        """What was set for the whole workspace."""
        return self.root / "preferences.json"

    @property
    def subsets(self) -> Path:
        """Test images that are looked at again and again, by names."""
        return self.root / "subsets.json"

    @property
    def tags(self) -> Path:
        """One file per dataset: what people say of its images."""
        return self.root / "tags"

    @property
    def pictures(self) -> Path:
        """One folder per part of an image folder, decoded and resized."""
        return self.root / "cache" / "pictures"

    @property
    def datasets(self) -> Path:
        """One file per dataset that was downloaded."""
        return self.root / "cache" / "datasets"

    @property
    def imported(self) -> Path:
        """One folder per dataset that was imported."""
        return self.root / "datasets"

    @property
    def imports(self) -> Path:
        """One folder per import that goes on or failed, with what was uploaded for it."""
        return self.root / "imports"

    @property
    def handwriting(self) -> Path:
        """Drawings that people kept, one folder each."""
        return self.root / "handwriting"

    @property
    def frozen_handwriting(self) -> Path:
        """One file per state of the handwriting that a training was asked for with."""
        return self.handwriting / "frozen"

    @property
    def runner_lock(self) -> Path:
        """Held by the one runner that works through the queue."""
        return self.root / "runner.lock"

    @property
    def runner_log(self) -> Path:
        """What runners printed; empty unless one broke."""
        return self.root / "runner.log"


def find_workspace(folder: str | Path | None = None) -> Workspace:
    """The folder asked for, else the environment's, else `./workspace`."""
    chosen = folder or os.environ.get(ENVIRONMENT_VARIABLE) or "workspace"
    return Workspace(Path(chosen).expanduser().resolve())
