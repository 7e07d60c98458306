"""Which of the test images are looked at, and in what order, as a link keeps it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from core.analysis.images import Images, Values
from core.validation import Frozen

Positions = NDArray[np.int64]
"""Places of images in the test split, (n,)."""
Group = Literal["all", "disagreements", "both_right", "only_a_right", "only_b_right", "both_wrong"]
Order = Literal["confidence", "loss", "divergence", "margin", "index"]
Span = tuple[float, float]
"""From, to; both belong to it."""

ORDERS: dict[Order, Callable[[Images], Values]] = {
    "confidence": lambda images: -images.confidence,
    "loss": lambda images: -images.loss,
    "divergence": lambda images: -images.divergence,
    "margin": lambda images: images.margin,
    "index": lambda images: np.arange(len(images), dtype=np.float32),
}
"""What comes first has the smallest value: surest, worst, least alike, least decided, first."""


class Selection(Frozen):
    """What narrows the test images down; what is empty or None narrows nothing.

    truths, said_a, said_b: classes by number. said_either: what A or B, or both, took it for.
    confidence_a, confidence_b: 0 to 1. loss: of the network that is further off, in nats.
    tags: images that carry one of them. special: the name of a list that another view made, such as
    "learned_a", its images in its own order. outline: corners of a polygon on the map that
    `outlined` names.
    """

    group: Group = "disagreements"
    truths: tuple[int, ...] = ()
    said_a: tuple[int, ...] = ()
    said_b: tuple[int, ...] = ()
    said_either: tuple[int, ...] = ()
    confidence_a: Span | None = None
    confidence_b: Span | None = None
    loss: Span | None = None
    tags: tuple[str, ...] = ()
    special: str = ""
    outlined: str = ""
    outline: tuple[tuple[float, float], ...] = ()
    order: Order = "confidence"
    turned: bool = False

    @property
    def narrows(self) -> bool:
        """Whether anything but the group narrows the images down."""
        free = Selection(group=self.group, order=self.order, turned=self.turned)
        return self != free

    @property
    def by_answers(self) -> bool:
        """Whether what the networks made of the images decides which are left."""
        free = Selection(group="all", truths=self.truths, tags=self.tags)
        return self != free.model_copy(update={"order": self.order, "turned": self.turned})


def select(
    selection: Selection,
    images: Images,
    tagged: Mapping[str, Sequence[int]] = {},
    special: Positions | None = None,
    outlined: NDArray[np.bool_] | None = None,
) -> Positions:
    """The positions of the images that a selection leaves, in its order.

    tagged: positions of the images that carry each tag. special: the images of the list that
    `selection.special` names, in its order, which is kept unless another than "confidence" is
    asked for. outlined: whether each image lies within the outline, (count,).
    """
    kept = _mask(selection, images, tagged)
    if outlined is not None:
        kept &= outlined
    if special is not None:
        listed = special[kept[special]]
        if selection.order == "confidence":
            return listed[::-1] if selection.turned else listed
        kept = np.zeros(len(images), bool)
        kept[listed] = True
    return in_order(np.flatnonzero(kept), selection.order, images, turned=selection.turned)


def in_order(
    positions: Positions, order: Order, images: Images, *, turned: bool = False
) -> Positions:
    """The same positions sorted; what is alike stays in the order of the test split."""
    values = ORDERS[order](images)[positions]
    chosen: Positions = positions[np.argsort(-values if turned else values, kind="stable")]
    return chosen


def _mask(
    selection: Selection, images: Images, tagged: Mapping[str, Sequence[int]]
) -> NDArray[np.bool_]:
    kept = _of_group(selection.group, images)
    for classes, of_images in (
        (selection.truths, images.truth),
        (selection.said_a, images.a.said),
        (selection.said_b, images.b.said),
    ):
        if classes:
            kept &= np.isin(of_images, classes)
    if selection.said_either:
        wanted = selection.said_either
        kept &= np.isin(images.a.said, wanted) | np.isin(images.b.said, wanted)
    if selection.confidence_a is not None:
        kept &= _within(selection.confidence_a, images.a.confidence)
    if selection.confidence_b is not None:
        kept &= _within(selection.confidence_b, images.b.confidence)
    if selection.loss is not None:
        kept &= _within(selection.loss, images.loss)
    if selection.tags:
        carry = np.zeros(len(images), bool)
        for tag in selection.tags:
            carry[list(tagged.get(tag, ()))] = True
        kept &= carry
    return kept


def _within(span: Span, values: Values) -> NDArray[np.bool_]:
    low, high = span
    within: NDArray[np.bool_] = (values >= low) & (values <= high)
    return within


def _of_group(group: Group, images: Images) -> NDArray[np.bool_]:
    if group == "all":
        return np.ones(len(images), bool)
    if group == "disagreements":
        differ: NDArray[np.bool_] = images.a.said != images.b.said
        return differ
    return images.comparison.mask(group)


def to_address(selection: Selection) -> dict[str, str]:
    """What a link holds of a selection: what differs from an empty one, by short names.

    >>> to_address(Selection(truths=(4, 9), confidence_a=(0.5, 1.0)))
    {'true': '4 9', 'ca': '0.5 1'}
    """
    changed = selection.model_dump(exclude_defaults=True)
    return {_SHORT[name]: _written(value) for name, value in changed.items()}


def from_address(parameters: Mapping[str, str], classes: int) -> tuple[Selection, list[str]]:
    """The selection of a link, and the parameters that cannot be understood, which are left out.

    classes: how many there are; others are not understood.
    """
    selection, unknown = Selection(), []
    for name, short in _SHORT.items():
        if short not in parameters:
            continue
        try:
            value = _READ[name](parameters[short])
            if name in _OF_CLASSES and not all(0 <= number < classes for number in value):
                raise ValueError(short)
            selection = Selection.model_validate(selection.model_dump() | {name: value})
        except (ValueError, ValidationError):
            unknown.append(f"{short}={parameters[short]}")
    return selection, unknown


_SHORT = {
    "group": "show",
    "truths": "true",
    "said_a": "pa",
    "said_b": "pb",
    "said_either": "pe",
    "confidence_a": "ca",
    "confidence_b": "cb",
    "loss": "loss",
    "tags": "tags",
    "special": "list",
    "outlined": "map",
    "outline": "outline",
    "order": "sort",
    "turned": "turned",
}
"""What each part of a selection is called in an address."""
PARAMETERS = tuple(_SHORT.values())
"""Those names."""
_OF_CLASSES = {"truths", "said_a", "said_b", "said_either"}


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, str):
        return value
    if all(isinstance(part, str) for part in value):
        return ",".join(value)
    if all(isinstance(part, tuple) for part in value):
        return "_".join(_written(part) for part in value)
    return " ".join(f"{part:.6g}" if isinstance(part, float) else str(part) for part in value)


def _whole_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split())


def _pair(text: str) -> Span:
    low, high = map(float, text.split())
    return low, high


_READ: dict[str, Callable[[str], Any]] = {
    "group": str,
    "truths": _whole_numbers,
    "said_a": _whole_numbers,
    "said_b": _whole_numbers,
    "said_either": _whole_numbers,
    "confidence_a": _pair,
    "confidence_b": _pair,
    "loss": _pair,
    "tags": lambda text: tuple(filter(None, text.split(","))),
    "special": str,
    "outlined": str,
    "outline": lambda text: tuple(_pair(corner) for corner in text.split("_")),
    "order": str,
    "turned": lambda text: text == "1",
}
