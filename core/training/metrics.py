"""The metrics of a run: one JSON object a line, appended while it trains, read as it grows."""

import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from core.files import naming

Event = dict[str, Any]
"""`event` is one of KINDS; the other keys are that event's values."""

KINDS = {
    "batch": "some training steps since the last such line: their mean loss and accuracy",
    "epoch": "an epoch and its metrics",
    "phase": "how far something is that takes its time",
    "note": "something a person who watches wants to know",
    "usage": "what the training takes of the machine",
    "resumed": "training went on from `epoch` and `step`, what came after them was lost; `longer` "
    "where it is for more epochs than before",
    "test": "the test images, where they were looked at once only, with the best weights",
}


def append_event(path: Path, event: Event) -> None:
    """Add one line in a single write, so that no reader sees two events mixed.

    A number that JSON cannot say, such as the loss of a run that diverged, is left out.
    """
    finite = {key: value for key, value in event.items() if _can_be_said(value)}
    with naming(path), path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite, allow_nan=False) + "\n")


def mend(path: Path) -> None:
    """End a line that a process began and died over, so that the next one is whole."""
    try:
        with path.open("rb+") as file:
            if not file.seek(0, os.SEEK_END):
                return
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":
                file.write(b"\n")
    except FileNotFoundError:
        return


def lasting(events: Iterable[Event]) -> list[Event]:
    """The events without those that an interruption undid, which come again after it."""
    kept: list[Event] = []
    for event in events:
        if event["event"] == "resumed":
            kept = [earlier for earlier in kept if not _undone(earlier, event)]
        kept.append(event)
    return kept


def _undone(event: Event, resumed: Event) -> bool:
    if event["event"] == "batch":
        return bool(event["step"] > resumed["step"])
    return event["event"] in ("epoch", "note") and event.get("epoch", 0) > resumed["epoch"]


def _can_be_said(value: Any) -> bool:
    return not isinstance(value, float) or math.isfinite(value)


def read_events(path: Path, offset: int = 0) -> tuple[list[Event], int]:
    """Events from a byte offset on, and the offset to go on from next time.

    A line still being written is left for the next call. A line that cannot be read, as a crash
    of the machine may leave it, is passed over.
    """
    try:
        with path.open("rb") as file:
            file.seek(offset)
            content = file.read()
    except FileNotFoundError:
        return [], offset
    complete = content[: content.rfind(b"\n") + 1]
    events = [event for line in complete.splitlines() if (event := _parse(line)) is not None]
    return events, offset + len(complete)


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) and "event" in event else None
