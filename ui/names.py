"""Names of classes and runs, which may be long, where there is little room."""

from __future__ import annotations

ON_AXIS = 16
"""Characters that an axis has room for."""


def shortened(name: str, length: int = ON_AXIS) -> str:
    """A name that leaves out its middle where there is no room: its end may tell it from others.

    >>> shortened("American Staffordshire terrier")
    'American…terrier'
    """
    if len(name) <= length:
        return name
    end = (length - 1) // 2
    return f"{name[: length - 1 - end].rstrip()}…{name[-end:].strip()}"
