"""How a training went, from its metrics: lines to draw, thinned where they have many points."""

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.registry.config import Phase, RunConfig
from core.training.metrics import Event, read_events
from core.training.patience import Patience, Plateau

Axis = Literal["epoch", "step", "seconds"]
"""What a line is drawn over: epochs with their fractions, training steps, or seconds."""

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Places on the axis and values, both (points,)."""

MOST_POINTS = 1500
HEAD = 200
"""Bytes at the beginning of a file of metrics that tell it from another."""


class Columns:
    """Numbers of events of one kind: an array for each value, NaN where an event lacks it."""

    def __init__(self, *names: str) -> None:
        self._values = {name: array("d") for name in names}

    def __len__(self) -> int:
        return min(map(len, self._values.values()), default=0)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return np.array(self._values[name], np.float64)

    def add(self, event: Event) -> None:
        """Take in the numbers of one event."""
        for name, values in self._values.items():
            values.append(event.get(name, math.nan))

    def keep(self, chosen: NDArray[np.bool_]) -> None:
        """Forget the events that were not chosen, (events,)."""
        for name in self._values:
            self._values[name] = array("d", self[name][chosen].tobytes())


def _batch_columns() -> Columns:
    place = ("epoch", "batch", "batches", "step", "seconds_since_start")
    return Columns(*place, "loss", "accuracy", "learning_rate")


@dataclass(frozen=True)
class Standing:
    """Where a training stands in its phases.

    start: epochs that were done when the phase at work began. patience: how long early stopping
    has waited in it; plateau: the same of a learning rate that falls on a plateau.
    """

    phase: Phase
    start: int
    patience: Patience
    plateau: Plateau | None


@dataclass
class History:
    """The events of one run that still hold, read as they come."""

    offset: int = 0
    batches: Columns = field(default_factory=_batch_columns)
    epochs: list[Event] = field(default_factory=list)
    notes: list[Event] = field(default_factory=list)
    usage: list[Event] = field(default_factory=list)
    resumed: list[Event] = field(default_factory=list)
    _head: bytes = b""

    def read_on(self, path: Path) -> bool:
        """Take in what was written since the last call; whether that was anything."""
        events, self.offset = read_events(path, self.offset)
        for event in events:
            self._add(event)
        if events and len(self._head) < HEAD:
            self._head = _beginning(path, min(self.offset, HEAD))
        return bool(events)

    def is_of(self, path: Path) -> bool:
        """Whether a file is the one that was read so far, and none that came in its place."""
        if not self.offset:
            return True
        try:
            grown = path.stat().st_size >= self.offset
            return grown and _beginning(path, len(self._head)) == self._head
        except FileNotFoundError:
            return False

    def _add(self, event: Event) -> None:
        kind = event["event"]
        if kind == "batch":
            self.batches.add(event)
        elif kind == "resumed":
            self._undo_after(event)
        elif kind == "test" and (epoch := self.epoch(event["epoch"])) is not None:
            epoch |= {key: value for key, value in event.items() if key.startswith("test_")}
        known = {
            "epoch": self.epochs,
            "note": self.notes,
            "usage": self.usage,
            "resumed": self.resumed,
        }
        if kind in known:
            known[kind].append(event)

    def _undo_after(self, resumed: Event) -> None:
        """Forget what an interruption lost: it comes again."""
        epoch, step = resumed["epoch"], resumed["step"]
        self.batches.keep(~(self.batches["step"] > step))
        self.epochs = [event for event in self.epochs if event["epoch"] <= epoch]
        self.notes = [event for event in self.notes if event.get("epoch", 0) <= epoch]
        self.resumed = [event for event in self.resumed if event["step"] <= step]
        now = resumed.get("seconds_since_start", math.inf)
        self.usage = [event for event in self.usage if event["seconds_since_start"] <= now]

    def epoch(self, number: int) -> Event | None:
        """What is known of an epoch, counted from 1."""
        return next((event for event in self.epochs if event["epoch"] == number), None)

    def standing(self, config: RunConfig) -> Standing:
        """Where the training stands in its phases, as its epochs so far tell.

        One that a stop cut short does not count: it is trained to its end when the run is resumed.
        """
        at = _beginning_of(config, 1, 0)
        whole = [epoch for epoch in self.epochs if epoch.get("complete", True)]
        longer = {event["epoch"] for event in self.resumed if event.get("longer")}
        for epoch in whole:
            if epoch.get("phase", 1) > at.phase.number:
                at = _beginning_of(config, epoch["phase"], epoch["epoch"] - 1)
            seen = {name: epoch.get(name, math.nan) for name in ("val_loss", "val_accuracy")}
            at.patience.improved(seen)
            if at.plateau is not None:
                at.plateau.after(seen)
            if epoch["epoch"] in longer:
                at.patience.waited = 0  # more epochs were asked for: it is waited anew
        done = whole[-1]["epoch"] if whole else 0
        over = at.patience.exhausted or done - at.start >= at.phase.epochs
        if over and at.phase.number < len(config.phases):
            return _beginning_of(config, at.phase.number + 1, done)
        return at

    def batch_line(self, value: str, axis: Axis = "epoch", most: int = MOST_POINTS) -> Line:
        """A value of the training batches; of many points those that keep the line's shape."""
        places, values = self._batch_places(axis), self.batches[value]
        known = ~(np.isnan(places) | np.isnan(values))
        return thinned((places[known], values[known]), most)

    def epoch_line(
        self, value: str, axis: Axis = "epoch", most: int = MOST_POINTS, best: int = 0
    ) -> Line:
        """A value after each epoch, that of epoch `best` always among the points."""
        places, values = _line(self.epochs, value, _EPOCH_PLACES[axis])
        kept, of_kept = thinned((places, values), most)
        found = self.epoch(best)
        if len(kept) == len(places) or found is None or value not in found:
            return kept, of_kept
        always = _EPOCH_PLACES[axis](found)
        if always in kept:
            return kept, of_kept
        where = int(np.searchsorted(kept, always))
        return np.insert(kept, where, always), np.insert(of_kept, where, found[value])

    def usage_line(self, value: str, most: int = MOST_POINTS) -> Line:
        """A value of what the training took of the machine, over seconds."""
        return thinned(_line(self.usage, value, _EPOCH_PLACES["seconds"]), most)

    def resumptions(self, axis: Axis = "epoch") -> list[float]:
        """Where training went on after it had ended or was interrupted."""
        if axis == "epoch":
            return [self.place_of(event["step"]) for event in self.resumed]
        places = map(_EPOCH_PLACES[axis], self.resumed)
        return [place for place in places if not math.isnan(place)]

    def end_of(self, epoch: int, axis: Axis) -> float | None:
        """Where an epoch ended on an axis, None where that is not known."""
        found = self.epoch(epoch)
        place = math.nan if found is None else _EPOCH_PLACES[axis](found)
        return None if math.isnan(place) else place

    def place_of(self, step: int) -> float:
        """How many epochs were done after so many steps, with the fraction of the last."""
        before = int(np.searchsorted(self.batches["step"], step, "right"))
        return float(self._batch_places("epoch")[before - 1]) if before else 0.0

    @property
    def now(self) -> float:
        """How many epochs are done, with the fraction of the one at work."""
        return float(self._batch_places("epoch")[-1]) if len(self.batches) else 0.0

    @property
    def steps_per_epoch(self) -> int:
        """Training steps of the epoch at work; 0 before the first one."""
        return int(self.batches["batches"][-1]) if len(self.batches) else 0

    def _batch_places(self, axis: Axis) -> NDArray[np.float64]:
        batches = self.batches
        if axis == "epoch":
            return batches["epoch"] - 1 + batches["batch"] / batches["batches"]
        return batches["step" if axis == "step" else "seconds_since_start"]


_EPOCH_PLACES: dict[Axis, Callable[[Event], float]] = {
    "epoch": lambda event: float(event["epoch"]),
    "step": lambda event: float(event.get("step", math.nan)),
    "seconds": lambda event: float(event.get("seconds_since_start", math.nan)),
}
"""Where the event of an epoch stands on each axis."""


def _beginning(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        return file.read(length)


def _beginning_of(config: RunConfig, phase: int, start: int) -> Standing:
    """A phase, from 1, that begins after `start` epochs."""
    at_work, stopping = config.phases[phase - 1], config.early_stopping
    falls = config.schedule == "plateau"
    return Standing(
        phase=at_work,
        start=start,
        patience=Patience(stopping.monitor, stopping.patience),
        plateau=Plateau(config.decay, at_work.learning_rate) if falls else None,
    )


def _line(events: list[Event], value: str, place: Callable[[Event], float]) -> Line:
    chosen = [event for event in events if value in event and not math.isnan(place(event))]
    return (
        np.array([place(event) for event in chosen], np.float64),
        np.array([event[value] for event in chosen], np.float64),
    )


def thinned(line: Line, most: int = MOST_POINTS) -> Line:
    """At most so many points of a line that still show its peaks and dips.

    Of each stretch the lowest and the highest point stay, and so do the line's ends.

    >>> thinned((np.arange(6.0), np.array([0.0, 9.0, 1.0, 1.0, 2.0, 3.0])), 4)[1].tolist()
    [0.0, 9.0, 1.0, 3.0]
    """
    places, values = line
    if len(places) <= most:
        return line
    between = len(places) - 2
    width = -(-between // max(1, (most - 2) // 2))
    stretches = np.pad(values[1:-1], (0, -between % width), mode="edge").reshape(-1, width)
    starts = 1 + width * np.arange(len(stretches))
    kept = [[0, len(places) - 1], starts + stretches.argmin(axis=1),
            starts + stretches.argmax(axis=1)]  # fmt: skip
    chosen = np.unique(np.concatenate(kept))
    return places[chosen], values[chosen]


def smoothed(values: ArrayLike, weight: float) -> NDArray[np.float64]:
    """An exponential moving average without the pull to 0 at its beginning, as TensorBoard's.

    weight: from 0, which leaves values as they are, to just under 1.

    >>> smoothed([1.0, 1.0, 4.0], 0.5).round(2).tolist()
    [1.0, 1.0, 2.71]
    """
    average, seen = 0.0, 0.0
    result = []
    for value in np.asarray(values, np.float64):
        average = weight * average + (1 - weight) * value
        seen = weight * seen + (1 - weight)
        result.append(average / seen)
    return np.array(result)
