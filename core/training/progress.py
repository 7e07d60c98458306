"""What training tells while it goes on: one value per event."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.jobs import Tell
from core.training.checkpoints import Arrays, Position


@dataclass(frozen=True)
class Progress:
    """How far a phase is: `done` of `total` in `unit`s."""

    phase: str
    done: int
    total: int
    unit: str


@dataclass(frozen=True)
class BatchEnd:
    """One training step: `batch` of `batches` in its epoch, `step` over the whole run, from 1."""

    epoch: int
    batch: int
    batches: int
    step: int
    images: int
    loss: float
    accuracy: float
    learning_rate: float


@dataclass(frozen=True)
class EpochEnd:
    """An epoch and how the network did after it.

    phase: which of the run's phases it belongs to, from 1. probabilities: (test images, classes)
    float16, None where the test images were not looked at; `test_seconds` is what that took.
    `complete` is False where a stop cut it short.
    """

    epoch: int
    phase: int
    complete: bool
    seconds: float
    metrics: dict[str, float]
    probabilities: NDArray[np.float16] | None
    test_seconds: float = 0.0


@dataclass(frozen=True)
class Note:
    """Something a person who watches wants to know, at the end of epoch `epoch`."""

    epoch: int
    text: str


@dataclass(frozen=True)
class ResumePoint:
    """Training could go on from here as if it had never ended.

    arrays: reads what a checkpoint must hold besides the position. needed: whether training goes
    no further for now, so that a checkpoint elsewhere would lose something.
    """

    position: Position
    arrays: Callable[[], Arrays]
    needed: bool


Event = Progress | BatchEnd | EpochEnd | Note | ResumePoint
Report = Callable[[Event], None]
ShouldStop = Callable[[], bool]


def tell_of(tell: Tell, event: Event) -> None:
    """Tell whoever waits for a job what its work reports."""
    if isinstance(event, Progress):
        tell(event.done / event.total if event.total else 0.0, event.phase)
