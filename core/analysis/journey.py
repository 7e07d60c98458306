"""How the judgement of a network on each test image changed from epoch to epoch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import OUTCOMES, Outcome
from core.analysis.selection import Positions
from core.errors import DamagedFile, NotComparable
from core.registry.predictions import Predictions, epoch_path, read_predictions, stored_epochs
from core.registry.run import Run


@dataclass(frozen=True, eq=False)
class Journey:
    """What a network said of each test image after each of its epochs.

    epochs: those that could be read, in order. said: (epochs, count) classes, as small integers.
    confidence, of_truth: (epochs, count) float16, the probability of that class and of the true
    one. labels: (count,). missing, damaged: epochs that were tried on the test images, but whose
    predictions are not there or cannot be read.
    """

    epochs: tuple[int, ...]
    said: NDArray[np.unsignedinteger[Any]]
    confidence: NDArray[np.float16]
    of_truth: NDArray[np.float16]
    labels: NDArray[np.int64]
    missing: tuple[int, ...] = ()
    damaged: tuple[int, ...] = ()

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Which images each epoch took for what they are, (epochs, count)."""
        right: NDArray[np.bool_] = self.said == self.labels
        return right

    @cached_property
    def accuracy(self) -> NDArray[np.float64]:
        """Share of the images that each epoch got right, (epochs,)."""
        shares: NDArray[np.float64] = self.right.mean(axis=1)
        return shares

    @cached_property
    def changes(self) -> NDArray[np.int64]:
        """How often each image went from right to wrong or back, (count,)."""
        changes: NDArray[np.int64] = np.count_nonzero(self.right[1:] != self.right[:-1], axis=0)
        return changes

    @cached_property
    def learned(self) -> Positions:
        """Wrong after the first epoch and right after the last; those that took longest first."""
        first, last = self.right[0], self.right[-1]
        lasting = np.argmin(self.right[::-1], axis=0)  # epochs at the end without a mistake
        return _sorted(~first & last, lasting)

    @cached_property
    def forgotten(self) -> Positions:
        """Wrong after the last epoch though right before; those that were right longest first."""
        times = np.count_nonzero(self.right, axis=0)
        return _sorted(~self.right[-1] & (times > 0), -times)

    @cached_property
    def flipping(self) -> Positions:
        """Changed between right and wrong more than once; the most changes first.

        A change from right to wrong is a forgetting event of Toneva et al. (2019).
        """
        return _sorted(self.changes > 1, -self.changes)

    @cached_property
    def never(self) -> Positions:
        """Right after no epoch; the least probability of the true class at the end first."""
        return _sorted(~np.any(self.right, axis=0), self.of_truth[-1])

    @cached_property
    def always(self) -> int:
        """Images that were right after every epoch."""
        return int(np.count_nonzero(self.right.all(axis=0)))


def read_journey(run: Run, progress: Callable[[float], object] = lambda share: None) -> Journey:
    """Read what each epoch of a run said, one after the other, so that memory stays small.

    progress is told the share that is read. Raises NotComparable where no epoch can be read.
    """
    read: list[int] = []
    damaged: list[int] = []
    said, confidence, of_truth = [], [], []
    made: Predictions | None = None
    for number, epoch in enumerate(stored := stored_epochs(run)):
        progress(number / len(stored))
        try:
            made = _read_like(made, run, epoch)
        except DamagedFile:
            damaged.append(epoch)
            continue
        read.append(epoch)
        images = np.arange(len(made.labels))
        said.append(made.classes.astype(np.min_scalar_type(made.probabilities.shape[1] - 1)))
        confidence.append(made.probabilities[images, made.classes].astype(np.float16))
        of_truth.append(made.probabilities[images, made.labels].astype(np.float16))
    if made is None:
        raise NotComparable(
            f"the run {run.name!r} has no epoch whose predictions can be read; train it again"
        )
    return Journey(
        epochs=tuple(read),
        said=np.stack(said),
        confidence=np.stack(confidence),
        of_truth=np.stack(of_truth),
        labels=made.labels,
        missing=tuple(sorted(set(tested_epochs(run)) - set(stored))),
        damaged=tuple(damaged),
    )


def _read_like(before: Predictions | None, run: Run, epoch: int) -> Predictions:
    """The predictions of an epoch. Raises DamagedFile where they are not shaped as those before."""
    made = read_predictions(run, epoch)
    if before is not None and made.probabilities.shape != before.probabilities.shape:
        raise DamagedFile(f"epoch-{epoch}.npz of the run {run.name!r} is not like those before")
    return made


def tested_epochs(run: Run) -> Sequence[int]:
    """The epochs after which a run was tried on the test images, as far as its settings tell."""
    config = run.config
    every = 1 if config.data.validation == "test" else config.test_every
    return range(every, run.state.epochs_done + 1, every) if every else [run.state.best_epoch]


Version = tuple[tuple[str, int, int], ...]
"""Tells the stored predictions of a run from what they were before: name, time and size of each."""


def version(run: Run) -> Version:
    """The version of a run's stored predictions; another once a file came, went or changed."""
    folder = run.folder.predictions
    files = [folder / "test.npz", *(epoch_path(folder, epoch) for epoch in stored_epochs(run))]
    found = [(file.name, file.stat()) for file in files if file.exists()]
    return (
        (str(folder), 0, 0),
        *((name, stat.st_mtime_ns, stat.st_size) for name, stat in found),
    )


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How many images had each of the four outcomes after each epoch, (epochs,) each."""

    epochs: tuple[int, ...]
    counts: dict[Outcome, NDArray[np.int64]]


def outcomes(a: Journey, b: Journey) -> Outcomes:
    """The outcomes of two networks on one test split, side by side through their epochs.

    A network counts as it was after its last epoch up to then: one that had fewer epochs stays as
    it was in the end. Epochs before the first of either are left out.
    """
    begin = max(a.epochs[0], b.epochs[0])
    epochs = [epoch for epoch in sorted({*a.epochs, *b.epochs}) if epoch >= begin]
    rows_a, rows_b = (
        np.searchsorted(journey.epochs, epochs, side="right") - 1 for journey in (a, b)
    )
    right_a, right_b = a.right.sum(axis=1)[rows_a], b.right.sum(axis=1)[rows_b]
    both = np.array(
        [
            np.count_nonzero(a.right[row_a] & b.right[row_b])
            for row_a, row_b in zip(rows_a, rows_b, strict=True)
        ]
    )
    counts = both, right_a - both, right_b - both, len(a.labels) - right_a - right_b + both
    return Outcomes(tuple(epochs), dict(zip(OUTCOMES, counts, strict=True)))


def _sorted(mask: NDArray[np.bool_], values: NDArray[Any]) -> Positions:
    """The positions of the images in a mask, those with the smallest value first."""
    positions = np.flatnonzero(mask)
    ordered: Positions = positions[np.argsort(values[positions], kind="stable")]
    return ordered
