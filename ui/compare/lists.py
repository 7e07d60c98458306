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
    """Images in an order of their own, such as suspects by how suspect they are.

    by_epoch: whether it is made of what each epoch made of the images.
    """

    title: str
    positions: Callable[[Images], Positions]
    by_epoch: bool = False


LISTS: dict[str, ImageList] = {
    "suspects": ImageList("Both say otherwise", suspects.agreed),
    "confident_both": ImageList("In doubt, by both", partial(in_doubt, "confident_both")),
    "confident_a": ImageList("In doubt, by A", partial(in_doubt, "confident_a")),
    "confident_b": ImageList("In doubt, by B", partial(in_doubt, "confident_b")),
    "learned_a": ImageList("Learned by A", partial(listed, "learned", "a"), by_epoch=True),
    "learned_b": ImageList("Learned by B", partial(listed, "learned", "b"), by_epoch=True),
    "forgotten_a": ImageList("Forgotten by A", partial(listed, "forgotten", "a"), by_epoch=True),
    "forgotten_b": ImageList("Forgotten by B", partial(listed, "forgotten", "b"), by_epoch=True),
    "flipping_a": ImageList("Flipping in A", partial(listed, "flipping", "a"), by_epoch=True),
    "flipping_b": ImageList("Flipping in B", partial(listed, "flipping", "b"), by_epoch=True),
    "never_a": ImageList("Never right in A", partial(listed, "never", "a"), by_epoch=True),
    "never_b": ImageList("Never right in B", partial(listed, "never", "b"), by_epoch=True),
}
"""By the name that a selection and a link know each by."""
