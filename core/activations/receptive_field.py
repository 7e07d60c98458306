"""Which pixels of an image a single field of a layer can see."""

from collections.abc import Iterable
from typing import NamedTuple


class Window(NamedTuple):
    """How a layer looks at what it is fed, along one axis.

    size: fields that it looks at together. stride: fields from one look to the next. before:
    fields of padding before the first.
    """

    size: int = 1
    stride: int = 1
    before: int = 0


class Field(NamedTuple):
    """The pixels that fields of a layer see, along one axis.

    The field of number i sees `size` pixels from `start + i * stride` on; some of them may lie
    outside of the image, where there is padding.
    """

    start: int = 0
    size: int = 1
    stride: int = 1

    def through(self, window: Window) -> "Field":
        """What the next layer's fields see, which looks at this one's through a window.

        Two convolutions of 3 pixels see 5:

        >>> Field().through(Window(3, before=1)).through(Window(3, before=1))
        Field(start=-2, size=5, stride=1)
        """
        return Field(
            self.start - window.before * self.stride,
            self.size + (window.size - 1) * self.stride,
            self.stride * window.stride,
        )

    def pixels(self, number: int, side: int) -> tuple[int, int]:
        """The first pixel that a field sees of an image of `side`, and the one after its last."""
        first = self.start + number * self.stride
        return max(first, 0), min(first + self.size, side)


def joined(fields: Iterable[Field]) -> Field:
    """What a layer sees that is fed by several of the same stride: all that they see."""
    every = list(fields)
    start = min(field.start for field in every)
    end = max(field.start + field.size for field in every)
    return every[0]._replace(start=start, size=end - start)


def padding_before(side: int, size: int, stride: int) -> int:
    """Fields of padding before the first of `side`, where a layer pads to keep what it is fed.

    >>> padding_before(28, 3, 1), padding_before(28, 2, 2), padding_before(28, 3, 2)
    (1, 0, 0)
    """
    looks = -(-side // stride)
    return max((looks - 1) * stride + size - side, 0) // 2
