"""Several digits in one picture: found one by one, in the order in which they are read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels, to_grey
from core.predicting.digits import DigitSteps, as_it_is, extent, framed
from core.predicting.ink import Ink, Mask, Polarity, lift, pieces, stroke_width

MOST_DIGITS = 60
"""Digits of one picture that are returned; each is read by every network."""

FLATTEST_DIGIT = 0.4
"""Height of the lowest digit of a line, as a share of the line's; a dash or a comma is lower."""
LEAST_INK = 0.12
"""Ink of the thinnest digit of a line, as a share of that of the one with most."""
SAME_PLACE = 0.5
"""Share of the narrower of two pieces that stands above or below the other where they belong
together, as the flag of a 5 and its belly."""
NEAR = 0.35
"""Gap between such pieces, as a share of the height of a line, that is not too wide."""

WIDE_FOR_ONE = 1.15
"""Width of a piece, as a share of its height, from which it may be two digits that touch."""
LOWEST_HALF = 0.7
"""Height of each part of a piece that is split, as a share of the piece's."""
NARROWEST_HALF = 0.15
"""Width of each part, as a share of the height of the piece."""
NOTCH = 0.06
"""Depth of the notches above and below a touch, as a share of the piece's height."""
WIDEST_TOUCH = 1.6
"""Ink along a cut, in widths of a stroke: more is no touch but a stroke of the digit itself."""
LONGEST_TOUCH = 0.25
"""Length of the thin place, as a share of the piece's height: a longer one is the bar of a 4."""


@dataclass(frozen=True)
class FoundDigit:
    """One of the digits of a picture.

    x, y, width, height: its box in pixels of the picture. split: it touched its neighbour and was
    cut off, so that a person better looks.
    """

    x: int
    y: int
    width: int
    height: int
    steps: DigitSteps
    split: bool = False


@dataclass(frozen=True)
class FoundDigits:
    """The digits of a picture, line by line and from left to right. left_out: beyond the limit."""

    digits: tuple[FoundDigit, ...]
    left_out: int = 0

    @property
    def note(self) -> str | None:
        """What a person should know of how they were found, as sentences; None if nothing."""
        said = []
        if self.left_out:
            said.append(
                f"The picture shows {len(self.digits) + self.left_out} pieces that may be digits; "
                f"the first {len(self.digits)} are read. Cut the picture into smaller ones."
            )
        split = sum(digit.split for digit in self.digits)
        if split:
            said.append(f"{split} digits touched their neighbours and were cut apart; check where.")
        return " ".join(said) or None


@dataclass(frozen=True)
class _Piece:
    """Ink that belongs together: rows and columns of the strokes, and which pixels there."""

    rows: slice
    columns: slice
    mask: Mask
    split: bool = False

    @property
    def height(self) -> int:
        return int(self.rows.stop - self.rows.start)

    @property
    def width(self) -> int:
        return int(self.columns.stop - self.columns.start)

    @property
    def area(self) -> int:
        return int(self.mask.sum())


def find_digits(picture: Pixels, polarity: Polarity = "auto") -> FoundDigits:
    """Find every digit of a picture. Raises UnreadableImage where there is no ink.

    Pieces of one digit are joined, digits that touch are split where that can be told, and what
    is too low for its line, such as a dash, a comma or a speck, is no digit.
    """
    left_as_is = as_it_is(picture, polarity)
    if left_as_is is not None:
        rows, columns = extent(to_grey(left_as_is.digit) > 0)
        return FoundDigits((_found(rows, columns, 1.0, left_as_is),))
    ink = lift(picture, polarity)
    lines = _lines(_joined(_all_pieces(ink.strokes)))
    read = [part for line in lines for piece in line for part in _parts(piece)]
    digits = tuple(_digit(piece, ink) for piece in read[:MOST_DIGITS])
    return FoundDigits(digits, left_out=len(read) - len(digits))


def _digit(piece: _Piece, ink: Ink) -> FoundDigit:
    own = np.where(piece.mask, ink.strokes[piece.rows, piece.columns], 0).astype(np.uint8)
    steps = framed(replace(ink, strokes=np.pad(own, 1)))
    return _found(piece.rows, piece.columns, ink.scale, steps, piece.split)


def _found(
    rows: slice, columns: slice, scale: float, steps: DigitSteps, split: bool = False
) -> FoundDigit:
    left, top = round(columns.start * scale), round(rows.start * scale)
    right, bottom = round(columns.stop * scale), round(rows.stop * scale)
    return FoundDigit(left, top, right - left, bottom - top, steps, split)


# --- pieces of ink ----------------------------------------------------------------------------


def _all_pieces(strokes: Pixels) -> list[_Piece]:
    labels, stats = pieces(strokes > 0)
    found = []
    for label, (left, top, width, height, _) in enumerate(stats[1:].tolist(), start=1):
        rows, columns = slice(top, top + height), slice(left, left + width)
        found.append(_Piece(rows, columns, labels[rows, columns] == label))
    return found


def _joined(found: Sequence[_Piece]) -> list[_Piece]:
    """Pieces of one digit made one, smaller ones into the larger that they stand over or under."""
    line = _line_height(found)
    whole: list[_Piece] = []
    for piece in sorted(found, key=lambda piece: -piece.height):
        near = [other for other in whole if _belong_together(other, piece, line)]
        for other in near:
            whole.remove(other)
        whole.append(_union([*near, piece]))
    return whole


def _line_height(found: Sequence[_Piece]) -> float:
    """Height of a usual digit: the median of those that are not low beside the highest."""
    heights = np.array([piece.height for piece in found])
    return float(np.median(heights[heights >= FLATTEST_DIGIT * heights.max()]))


def _belong_together(one: _Piece, other: _Piece, line: float) -> bool:
    shared = _shared(one.columns, other.columns)
    if shared < SAME_PLACE * min(one.width, other.width):
        return False
    gap = -_shared(one.rows, other.rows)
    height = max(one.rows.stop, other.rows.stop) - min(one.rows.start, other.rows.start)
    return gap <= NEAR * line and height <= 1.5 * max(line, one.height, other.height)


def _shared(one: slice, other: slice) -> int:
    """Pixels that two ranges share; below 0 the gap between them."""
    return int(min(one.stop, other.stop) - max(one.start, other.start))


def _union(several: Sequence[_Piece]) -> _Piece:
    top = min(piece.rows.start for piece in several)
    left = min(piece.columns.start for piece in several)
    bottom = max(piece.rows.stop for piece in several)
    right = max(piece.columns.stop for piece in several)
    mask = np.zeros((bottom - top, right - left), bool)
    for piece in several:
        row, column = piece.rows.start - top, piece.columns.start - left
        mask[row : row + piece.height, column : column + piece.width] |= piece.mask
    return _Piece(slice(top, bottom), slice(left, right), mask)


# --- lines of digits --------------------------------------------------------------------------


def _lines(found: Sequence[_Piece]) -> list[list[_Piece]]:
    """Pieces by line, top to bottom, and in each from left to right, without what is too low."""
    lines: list[list[_Piece]] = []
    for piece in sorted(found, key=lambda piece: -piece.height):
        own = next((line for line in lines if _on_line(piece, line[0])), None)
        if own is None:
            lines.append([piece])
        else:
            own.append(piece)
    tallest = max(line[0].height for line in lines)
    tall = [line for line in lines if line[0].height >= FLATTEST_DIGIT * tallest]
    return [
        sorted(_high(line), key=lambda piece: piece.columns.start)
        for line in sorted(tall, key=lambda line: line[0].rows.start)
    ]


def _on_line(piece: _Piece, tallest: _Piece) -> bool:
    return _shared(piece.rows, tallest.rows) > 0.5 * piece.height


def _high(line: Sequence[_Piece]) -> list[_Piece]:
    most = max(piece.area for piece in line)
    return [
        piece
        for piece in line
        if piece.height >= FLATTEST_DIGIT * line[0].height and piece.area >= LEAST_INK * most
    ]


# --- digits that touch ------------------------------------------------------------------------


def _parts(piece: _Piece) -> Iterator[_Piece]:
    """The digits of a piece, more than one where several touch and a cut shows itself."""
    cut = _cut(piece.mask) if piece.width > WIDE_FOR_ONE * piece.height else None
    if cut is None:
        yield piece
        return
    for columns in (slice(0, cut), slice(cut, piece.width)):
        yield from _parts(_trimmed(piece, columns))


def _trimmed(piece: _Piece, columns: slice) -> _Piece:
    part = piece.mask[:, columns]
    rows, inner = extent(part)
    top, left = piece.rows.start, piece.columns.start + columns.start
    return _Piece(
        slice(top + rows.start, top + rows.stop),
        slice(left + inner.start, left + inner.stop),
        part[rows, inner],
        split=True,
    )


def _cut(mask: Mask) -> int | None:
    """The column at which two digits touch, or None where none can be told.

    Only one thin place of ink may lie along it, notched from above and from below: the arc of an
    open 0 is not. What is left and right of it must both be as tall as digits are: the tail of
    a 2 or the bar of a 7 is not.
    """
    height, width = mask.shape
    columns, margin = np.arange(width), max(1, round(NARROWEST_HALF * height))
    possible = (columns >= margin) & (columns <= width - margin)
    thickness = mask.sum(axis=0)
    runs = (np.diff(mask.astype(np.int8), axis=0, prepend=0) == 1).sum(axis=0)
    thin = (runs <= 1) & (thickness <= WIDEST_TOUCH * max(1.0, stroke_width(mask)))
    possible &= thin & (_lengths(thin) <= LONGEST_TOUCH * height)
    highest, lowest = mask.argmax(axis=0), height - mask[::-1].argmax(axis=0)
    notch = NOTCH * height
    for top, bottom in (_reach(mask), (side[::-1] for side in _reach(mask[:, ::-1]))):
        possible &= bottom - top >= LOWEST_HALF * height
        possible &= (highest - top >= notch) & (bottom - lowest >= notch)
    if not possible.any():
        return None
    # Of equally thin places, the one nearest to the middle.
    cost = thickness + np.abs(columns - width / 2) / width
    return int(np.flatnonzero(possible)[cost[possible].argmin()])


def _lengths(mask: Mask) -> NDArray[np.int64]:
    """How many neighbours with something in a row each place of a row belongs to."""
    ends = np.flatnonzero(np.diff(mask, prepend=not mask[0], append=not mask[-1]))
    lengths = np.diff(ends)
    return np.repeat(lengths, lengths)


def _reach(mask: Mask) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the columns up to each, the highest row with ink and the one below the lowest."""
    seen = np.maximum.accumulate(mask, axis=1)
    return seen.argmax(axis=0), len(mask) - seen[::-1].argmax(axis=0)
