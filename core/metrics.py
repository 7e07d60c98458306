"""The metrics of a run: one JSON object a line, appended while it trains, read as it grows."""

import json
import math
from pathlib import Path
from typing import Any

Event = dict[str, Any]
"""`event` is `batch`, `epoch`, `phase` or `note`; the other keys are that event's values."""


def append_event(path: Path, event: Event) -> None:
    """Add one line in a single write, so that no reader sees two events mixed.

    A number that JSON cannot say, such as the loss of a run that diverged, is left out.
    """
    finite = {key: value for key, value in event.items() if _can_be_said(value)}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(finite, allow_nan=False) + "\n")


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
