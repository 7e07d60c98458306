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
    def features(self) -> Path:
        """One folder per cached output of frozen layers."""
        return self.root / "cache" / "features"

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
