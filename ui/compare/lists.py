"""Lists of images that a view of Compare makes, and that the gallery can show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from core.analysis import suspects
from core.analysis.images import Images
from core.analysis.selection import Positions
from ui.compare.journeys import listed
from ui.compare.suspected import in_doubt


@dataclass(frozen=True)
class ImageList:
    """Images in an order of their own, such as suspects by how suspect they are."""

    title: str
    positions: Callable[[Images], Positions]


LISTS: dict[str, ImageList] = {
    "suspects": ImageList("Both say otherwise", suspects.agreed),
    "confident_both": ImageList("In doubt, by both", partial(in_doubt, "confident_both")),
    "confident_a": ImageList("In doubt, by A", partial(in_doubt, "confident_a")),
    "confident_b": ImageList("In doubt, by B", partial(in_doubt, "confident_b")),
    "learned_a": ImageList("Learned by A", partial(listed, "learned", "a")),
    "learned_b": ImageList("Learned by B", partial(listed, "learned", "b")),
    "forgotten_a": ImageList("Forgotten by A", partial(listed, "forgotten", "a")),
    "forgotten_b": ImageList("Forgotten by B", partial(listed, "forgotten", "b")),
    "flipping_a": ImageList("Flipping in A", partial(listed, "flipping", "a")),
    "flipping_b": ImageList("Flipping in B", partial(listed, "flipping", "b")),
    "never_a": ImageList("Never right in A", partial(listed, "never", "a")),
    "never_b": ImageList("Never right in B", partial(listed, "never", "b")),
}
"""By the name that a selection and a link know each by."""
