"""Lists of images that a view of Compare makes, and that the gallery can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.analysis.images import Images
from core.analysis.selection import Positions


@dataclass(frozen=True)
class ImageList:
    """Images in an order of their own, such as suspects by how suspect they are."""

    title: str
    positions: Callable[[Images], Positions]


LISTS: dict[str, ImageList] = {}
"""By the name that a selection and a link know each by."""
