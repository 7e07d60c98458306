"""The views of a dataset, of which one is open at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ui.data.shown import Shown


@dataclass(frozen=True)
class View:
    """One way to look at a dataset: what it is called, its icon, and how it is shown."""

    title: str
    icon: str
    show: Callable[[Shown], None]


VIEWS: dict[str, View] = {}
"""By the name that a link knows each by (`view`), in the order of the page."""


def show(shown: Shown) -> None:
    """The views to choose from, and the one that is chosen."""
