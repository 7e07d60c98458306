"""Places in the queue: who is trained next."""

import time
from collections.abc import Iterable

from core.registry.run import Run

GAP = 1e-3
"""Least distance of two places in the queue."""


def in_queue_order(runs: Iterable[Run]) -> list[Run]:
    """Those that wait to be trained, the next one first."""
    waiting = [run for run in runs if run.status == "queued"]
    return sorted(waiting, key=lambda run: (place_of(run), run.id))


def place_of(run: Run) -> float:
    """Where a waiting run stands in the queue; the lowest is the next."""
    return run.state.queued if run.about.place is None else run.about.place


def end_of_queue(known: Iterable[Run]) -> float:
    """The place after all runs that wait."""
    # Not by the clock alone, which may be set back while runs wait.
    waiting = [place_of(run) for run in known if run.status == "queued"]
    return max([time.time(), *(place + GAP for place in waiting)])


def apart(places: Iterable[float]) -> list[float]:
    """Places in order, none of them twice.

    >>> apart([3.0, 1.0, 3.0])
    [1.0, 3.0, 3.001]
    """
    found: list[float] = []
    for place in sorted(places):
        found.append(max(place, found[-1] + GAP) if found else place)
    return found
