"""Kaggle's Digit Recognizer: tables of pixels in, a submission out.

A table has the header pixel0 to pixel783, in the training file with label before it, and a row
for each digit (https://www.kaggle.com/c/digit-recognizer). It is read some rows at a time.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import UnreadableUpload
from core.predicting.digits import DIGIT_SIDE

PIXELS = DIGIT_SIDE**2
AT_ONCE = 1_000
"""Rows that are read at a time: 2 MB of text."""
LONGEST_LINE = 16_384
"""Bytes of a line; a row of pixels takes 3,136 of them, a header of quoted names 10,000."""
MOST_ROWS = 1_000_000

_HEADER = [f"pixel{number}" for number in range(PIXELS)]
_CELL = re.compile(rb'\s*"?\s*(\d{1,9})(?:\.0{0,9})?\s*"?\s*')
_COMMA, _ZERO, _NINE = b",09"


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows. images: (count, 28, 28). labels: (count,) from 0 to 9, None in a test file."""

    images: Pixels
    labels: NDArray[np.int64] | None


def is_table(file: BinaryIO) -> bool:
    """Whether a file begins as a table of pixels does, be it whole or not."""
    file.seek(0)
    start = file.readline(LONGEST_LINE)
    return bool(re.match(rb'(?:\xef\xbb\xbf)?\s*(?:"?label"?,\s*)?"?pixel\d', start, re.IGNORECASE))


def read_table(file: BinaryIO) -> Iterator[Rows]:
    """The rows of a table, up to `AT_ONCE` at a time; reads no more of a file than it gives.

    Raises UnreadableUpload, naming line, rule and value, at the first that is not as it must be.
    """
    columns = PIXELS + has_labels(file)
    number, count = 1, 0
    while lines := _lines(file, number):
        values = _values(lines, number, columns)
        count, number = count + len(lines), number + len(lines)
        if count > MOST_ROWS:
            raise UnreadableUpload(f"the table must have at most {MOST_ROWS:,} rows; split it")
        yield _rows(values)
    if count == 0:
        raise UnreadableUpload("the table has a header but no rows; choose the whole file")


def submission(classes: NDArray[np.int64]) -> str:
    """What Kaggle takes: ImageId from 1, Label.

    >>> submission(np.array([2, 0])).split()
    ['ImageId,Label', '1,2', '2,0']
    """
    rows = (f"{number},{label}\n" for number, label in enumerate(classes.tolist(), start=1))
    return "ImageId,Label\n" + "".join(rows)


def predict_table(
    file: BinaryIO,
    ask: Callable[[Pixels], NDArray[np.float32]],
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """The class that a network takes each row for, and the true ones where the table tells them.

    ask: probabilities (count, 10) of images (count, 28, 28). progress: told the rows that are done.
    Raises what `read_table` and asking raise.
    """
    classes, labels, done = [], [], 0
    for rows in read_table(file):
        classes.append(ask(rows.images).argmax(axis=1))
        labels.append(rows.labels)
        done += len(rows.images)
        progress(done)
    known = [part for part in labels if part is not None]
    return np.concatenate(classes), np.concatenate(known) if known else None


def has_labels(file: BinaryIO) -> bool:
    """Whether the header names a column of labels. Reads the header only.

    Raises UnreadableUpload where it is none of a table of pixels.
    """
    file.seek(0)
    line = file.readline(LONGEST_LINE).removeprefix(b"\xef\xbb\xbf")
    names = [name.strip().strip('"').lower() for name in line.decode(errors="replace").split(",")]
    labels = names[0] == "label"
    for column, (name, expected) in enumerate(
        zip(names[labels:], _HEADER, strict=False), start=1 + labels
    ):
        if name != expected:
            raise UnreadableUpload(
                "the header must be pixel0 to pixel783, or label and those, got "
                f"{name[:20]!r} in column {column}"
            )
    if len(names) != PIXELS + labels:
        raise UnreadableUpload(
            f"the header must be pixel0 to pixel783, or label and those, got {len(names)} columns"
        )
    return labels


def _lines(file: BinaryIO, before: int) -> list[bytes]:
    """The next lines without their ends. before: how many lines came earlier."""
    lines: list[bytes] = []
    while len(lines) < AT_ONCE and (line := file.readline(LONGEST_LINE)):
        if len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            raise UnreadableUpload(
                f"line {before + len(lines) + 1} must be {PIXELS} numbers, got more than "
                f"{LONGEST_LINE:,} characters; choose another file"
            )
        if not line.strip() and not file.read(LONGEST_LINE).strip():
            break  # empty lines at the end
        lines.append(line.rstrip(b"\r\n"))
    return lines


def _values(lines: list[bytes], before: int, columns: int) -> NDArray[np.int64]:
    """The numbers of some lines, (lines, columns)."""
    for number, line in enumerate(lines, start=before + 1):
        if line.count(b",") != columns - 1:
            raise UnreadableUpload(
                f"line {number} must have {columns} columns as the header has, got "
                f"{line.count(b',') + 1}; the file may be cut short"
            )
    values = _plain_values(b",".join(lines))
    if values is None:
        values = np.array(
            [_cells(line, number) for number, line in enumerate(lines, start=before + 1)]
        )
    values = values.reshape(len(lines), columns)
    _check_ranges(values, before)
    return values


def _plain_values(text: bytes) -> NDArray[np.int64] | None:
    """Numbers of one to three digits between commas; None where anything else stands there.

    28,000 rows take a second so, and half a minute one by one.
    """
    characters = np.frombuffer(text, np.uint8)
    commas = np.flatnonzero(characters == _COMMA)
    ends = np.append(commas, len(characters))
    lengths = np.diff(ends, prepend=-1) - 1
    digits = (characters >= _ZERO) & (characters <= _NINE)
    if lengths.min() < 1 or lengths.max() > 3 or digits.sum() + len(commas) != len(characters):
        return None
    padded = np.concatenate([np.zeros(2, np.int64), characters.astype(np.int64) - _ZERO])
    values: NDArray[np.int64] = padded[ends + 1]
    for place in (2, 3):
        digit = padded[ends + 2 - place]
        values = values + np.where(lengths >= place, digit, 0) * 10 ** (place - 1)
    return values


def _cells(line: bytes, number: int) -> list[int]:
    """The numbers of a line as spreadsheets write them too: quoted, with spaces or as 7.0."""
    cells = line.split(b",")
    matches = [_CELL.fullmatch(cell) for cell in cells]
    if None in matches:
        column = matches.index(None)
        raise UnreadableUpload(
            f"line {number} must hold whole numbers from 0 to 255, got "
            f"{cells[column][:20].decode(errors='replace')!r} in column {column + 1}"
        )
    return [int(match[1]) for match in matches if match]


def _check_ranges(values: NDArray[np.int64], before: int) -> None:
    limits = np.full(values.shape[1], 255)
    limits[: values.shape[1] - PIXELS] = 9
    wrong = np.argwhere(values > limits)
    if len(wrong):
        row, column = wrong[0]
        what = "pixels must be from 0 to 255" if limits[column] == 255 else "labels from 0 to 9"
        raise UnreadableUpload(
            f"line {before + 1 + row}: {what}, got {values[row, column]} in column {column + 1}"
        )


def _rows(values: NDArray[np.int64]) -> Rows:
    pixels = values[:, -PIXELS:].astype(np.uint8).reshape(-1, DIGIT_SIDE, DIGIT_SIDE)
    return Rows(pixels, values[:, 0] if values.shape[1] > PIXELS else None)
