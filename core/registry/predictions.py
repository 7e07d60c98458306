"""The stored predictions of a run: probabilities of the test split after each epoch."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import DamagedFile, NotComparable
from core.files import UNREADABLE, write_arrays
from core.registry.run import Run


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one network said of its test split.

    probabilities: (count, classes) float32, as stored in float16.
    labels: (count,) int64, the true classes. indices: (count,) int64, positions in the test part.
    """

    probabilities: NDArray[np.float32]
    labels: NDArray[np.int64]
    indices: NDArray[np.int64]
    fingerprint: str

    @cached_property
    def classes(self) -> NDArray[np.int64]:
        """The class each image was taken for, (count,) int64."""
        classes: NDArray[np.int64] = np.argmax(self.probabilities, axis=1)
        return classes

    @cached_property
    def correct(self) -> NDArray[np.bool_]:
        """Which images were taken for what they are, (count,)."""
        return np.equal(self.classes, self.labels)


def as_stored(probabilities: NDArray[Any]) -> NDArray[np.float16]:
    """Probabilities in the precision they are kept in, from which every metric is computed.

    A network's own accuracy and the one computed from its stored predictions are thus the same.
    """
    return probabilities.astype(np.float16)


def write_truth(
    folder: Path, labels: NDArray[np.int64], indices: NDArray[np.int64], fingerprint: str
) -> None:
    """Write `test.npz`: what all epochs of a run are compared with."""
    folder.mkdir(exist_ok=True)
    write_arrays(
        folder / "test.npz", labels=labels, indices=indices, fingerprint=np.array(fingerprint)
    )


def write_epoch(folder: Path, epoch: int, probabilities: NDArray[np.float16]) -> None:
    """Write `epoch-N.npz`, the probabilities after one epoch."""
    write_arrays(epoch_path(folder, epoch), probabilities=probabilities)


def epoch_path(folder: Path, epoch: int) -> Path:
    """Where the predictions of an epoch are kept."""
    return folder / f"epoch-{epoch}.npz"


def stored_epochs(run: Run) -> list[int]:
    """Epochs whose predictions are kept, in order."""
    names = (path.name for path in run.folder.predictions.glob("epoch-*.npz"))
    return sorted(int(match[1]) for name in names if (match := re.fullmatch(_EPOCH, name)))


def stored_size(run: Run) -> int:
    """Bytes that the predictions of all epochs take on disk."""
    return sum(map(_size, run.folder.predictions.glob("epoch-*.npz")))


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0  # deleted meanwhile


_EPOCH = r"epoch-(\d+)\.npz"


def read_predictions(run: Run, epoch: int | None = None) -> Predictions:
    """Read the predictions of an epoch, by default the best one.

    Raises NotComparable where there are none yet, DamagedFile where a file cannot be read.
    """
    chosen = epoch or run.state.best_epoch
    stored = stored_epochs(run)
    if chosen not in stored:
        raise _no_predictions(run, chosen, stored)
    truth = _read_arrays(run.folder.predictions / "test.npz", "labels", "indices", "fingerprint")
    path = epoch_path(run.folder.predictions, chosen)
    probabilities = _read_arrays(path, "probabilities")["probabilities"]
    if probabilities.ndim != 2 or len(probabilities) != len(truth["labels"]):
        raise DamagedFile(f"{path.name} of the run {run.name!r} does not fit its test.npz")
    return Predictions(
        probabilities.astype(np.float32),
        truth["labels"],
        truth["indices"],
        str(truth["fingerprint"]),
    )


def _no_predictions(run: Run, epoch: int, stored: list[int]) -> NotComparable:
    if not stored:
        return NotComparable(
            f"the run {run.name!r} ({run.status}) has no predictions to compare; "
            "choose a run that finished at least one epoch"
        )
    return NotComparable(
        f"the run {run.name!r} has no predictions of epoch {epoch}; choose one of those that "
        f"were kept: {', '.join(map(str, stored))}"
    )


def _read_arrays(path: Path, *keys: str) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            return {key: arrays[key] for key in keys}
    except UNREADABLE:
        raise DamagedFile(
            f"{path.name} in {path.parent.parent.name} cannot be read; "
            "train the run again to get it back"
        ) from None
