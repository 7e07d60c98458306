"""Which dataset is looked at, and the way to bring another one in."""

from __future__ import annotations

from ui.data.shown import Shown


def choose() -> Shown | None:
    """Ask which dataset to show, remembered in the address; None where none is to be shown."""
    return None
