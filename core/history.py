"""How a training went, from its metrics: lines to draw, thinned where they have many points."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.metrics import Event, read_events

Axis = Literal["epoch", "step", "seconds"]
"""What a line is drawn over: epochs with their fractions, training steps, or seconds."""

Line = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Places on the axis and values, both (points,)."""

MOST_POINTS = 1500


@dataclass
class History:
    """The events of one run that still hold, read as they come."""

    offset: int = 0
    batches: list[Event] = field(default_factory=list)
    epochs: list[Event] = field(default_factory=list)
    notes: list[Event] = field(default_factory=list)
    usage: list[Event] = field(default_factory=list)
    resumed: list[Event] = field(default_factory=list)

    def read_on(self, path: Path) -> bool:
        """Take in what was written since the last call; whether that was anything."""
        events, self.offset = read_events(path, self.offset)
        for event in events:
            self._add(event)
        return bool(events)

    def _add(self, event: Event) -> None:
        kind = event["event"]
        if kind == "resumed":
            self._undo_after(event)
        elif kind == "test" and (epoch := self.epoch(event["epoch"])) is not None:
            epoch |= {key: value for key, value in event.items() if key.startswith("test_")}
        known = {
            "batch": self.batches,
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
        self.batches = [event for event in self.batches if event["step"] <= step]
        self.epochs = [event for event in self.epochs if event["epoch"] <= epoch]
        self.notes = [event for event in self.notes if event.get("epoch", 0) <= epoch]

    def epoch(self, number: int) -> Event | None:
        """What is known of an epoch, counted from 1."""
        return next((event for event in self.epochs if event["epoch"] == number), None)

    def batch_line(self, value: str, axis: Axis = "epoch", most: int = MOST_POINTS) -> Line:
        """A value of the training batches; of many points those that keep the line's shape."""
        return thinned(_line(self.batches, value, lambda event: self._place(event, axis)), most)

    def epoch_line(
        self, value: str, axis: Axis = "epoch", most: int = MOST_POINTS, best: int = 0
    ) -> Line:
        """A value after each epoch, that of epoch `best` always among the points."""
        places, values = _line(self.epochs, value, lambda event: self._place(event, axis))
        if len(places) <= most:
            return places, values
        found = self.epoch(best)
        always = None if found is None else self._place(found, axis)
        kept, of_kept = thinned((places, values), most)
        if always is None or always in kept:
            return kept, of_kept
        where = int(np.searchsorted(kept, always))
        return np.insert(kept, where, always), np.insert(of_kept, where, found[value])

    def usage_line(self, value: str, most: int = MOST_POINTS) -> Line:
        """A value of what the training took of the machine, over seconds."""
        line = _line(self.usage, value, lambda event: event["seconds_since_start"])
        return thinned(line, most)

    def _place(self, event: Event, axis: Axis) -> float:
        if axis == "seconds":
            return float(event["seconds_since_start"])
        if axis == "step":
            return float(event["step"])
        if event["event"] == "batch":
            return float(event["epoch"] - 1 + event["batch"] / event["batches"])
        return float(event["epoch"])


def _line(events: list[Event], value: str, place: Any) -> Line:
    chosen = [event for event in events if value in event]
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
    stretches = np.array_split(np.arange(1, len(places) - 1), max(1, (most - 2) // 2))
    kept = {0, len(places) - 1}
    for stretch in filter(len, stretches):
        kept |= {int(stretch[np.argmin(values[stretch])]), int(stretch[np.argmax(values[stretch])])}
    chosen = sorted(kept)
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
