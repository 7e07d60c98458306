"""Checkpoints: all that a training needs to go on as if nothing had interrupted it.

Each is one file, there whole or not at all. The two newest are kept: should the newest not be
readable, as a crash of the machine may leave it, training goes on from the one before.
"""

import json
import re
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.files import UNREADABLE, clear_unfinished, write_atomically
from core.training.patience import PatienceState, PlateauState

Arrays = dict[str, NDArray[Any]]

WEIGHTS = "weights/"
"""What the names of weights begin with among a checkpoint's arrays."""

KEPT = 2
WORTH = 50
"""Writing a checkpoint may take one part in so many of the time that training takes."""
WITHIN_EPOCH_SECONDS = 30.0
"""Epochs that take longer are worth a checkpoint before they end."""
_ABOUT = "about"
_NAME = re.compile(r"step-(\d+)\.npz")


@dataclass(frozen=True)
class Position:
    """How far training has come.

    `phase`, from 1, began after `phase_start` epochs. Now `epoch` epochs and `step` steps are
    done, and `batch` batches of the epoch after them: `images` images, over which `loss` and
    `correct` are sums, in `seconds`. patience, plateau: what has been seen of the phase's metrics,
    for a training of `all_epochs` epochs.
    """

    phase: int = 1
    phase_start: int = 0
    epoch: int = 0
    step: int = 0
    batch: int = 0
    images: int = 0
    loss: float = 0.0
    correct: float = 0.0
    seconds: float = 0.0
    patience: PatienceState | None = None
    plateau: PlateauState | None = None
    all_epochs: int = 0


@dataclass(frozen=True)
class Checkpoint:
    """Where training goes on from.

    arrays: weights, the optimizer's variables and the states of random generators, by name.
    record: what had been written down of the run by then.
    """

    position: Position
    arrays: Arrays
    record: dict[str, Any]


@dataclass
class Checkpoints:
    """The checkpoints of one run, in a folder of their own."""

    folder: Path
    _written: float = field(default_factory=time.monotonic)
    _cost: float = 0.0

    def due(self, within_epoch: bool) -> bool:
        """Whether writing one now is worth the time that it takes, going by the last one."""
        since = time.monotonic() - self._written
        return since >= max(WORTH * self._cost, WITHIN_EPOCH_SECONDS if within_epoch else 0.0)

    def write(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint and drop those that it makes superfluous."""
        began = time.monotonic()
        self.folder.mkdir(exist_ok=True)
        about = {"position": asdict(checkpoint.position), "record": checkpoint.record}
        text = np.frombuffer(json.dumps(about).encode(), np.uint8)
        # Not compressed: the digits of weights are noise, which no compression shortens.
        arrays = checkpoint.arrays | {_ABOUT: text}
        write_atomically(
            self.folder / f"step-{checkpoint.position.step:09d}.npz",
            lambda file: np.savez(file, allow_pickle=False, **arrays),
        )
        for old in self._paths()[KEPT:]:
            old.unlink(missing_ok=True)
        self._written = time.monotonic()
        self._cost = self._written - began

    def newest(self) -> Checkpoint | None:
        """The newest that can be read, None where there is none.

        Removes those that cannot be read, and what a process that died left unfinished.
        """
        clear_unfinished(self.folder)
        for path in self._paths():
            try:
                return _read(path)
            except UNREADABLE:
                path.unlink()
        return None

    @property
    def step(self) -> int:
        """The step that the newest was written at, without looking into it; 0 where none was."""
        names = [_NAME.fullmatch(path.name) for path in self._paths()[:1]]
        return next((int(name[1]) for name in names if name), 0)

    def _paths(self) -> list[Path]:
        """The newest first."""
        named = [path for path in self.folder.glob("step-*.npz") if _NAME.fullmatch(path.name)]
        return sorted(named, reverse=True)


def _read(path: Path) -> Checkpoint:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    about = json.loads(arrays.pop(_ABOUT).tobytes())
    return Checkpoint(Position(**about["position"]), arrays, about["record"])
