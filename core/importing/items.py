"""What a source of images gives: files to be decoded, or rows of pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.imported.dataset import Part
from core.imported.report import Skipped

CLASS_FOLDERS, FILE_LISTS = "class folders", "file lists"
KINDS_OF_FILES = (CLASS_FOLDERS, FILE_LISTS)
"""The kinds of source whose images are files, each with a path."""


class Content(Protocol):
    """The bytes of a picture file, which another process may read: it can be pickled."""

    def read(self) -> bytes:
        """All bytes. Raises UnreadableImage or UnreadableUpload, with a sentence."""


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A picture file that is yet to be read.

    name: its path within what is imported, with slashes. label: an index into the class names, -1
    without one. A part of "train" is meant where nothing else is told.
    """

    name: str
    label: int
    part: Part
    content: Content


@dataclass(frozen=True, eq=False)
class PixelRows:
    """Some images that come as pixels. images: (n, height, width[, 3]). labels: (n,), -1 without.

    names: what each is called, such as "train.csv, row 17".
    """

    names: Sequence[str]
    images: Pixels
    labels: NDArray[np.int64]
    part: Part


@dataclass(frozen=True, eq=False)
class Source:
    """What was found where a person pointed: its classes, and its images, still unread.

    kind: what it is, in a person's words, such as "class folders". digits: whether its images are
    handwritten digits in MNIST's frame. by_class: whether they stand in order of class. skipped:
    what was found that is not imported, and why. Either `files` or `rows` gives the images;
    `rows` gives some at a time, and `count` tells how many there will be, where that is known.
    """

    kind: str
    class_names: tuple[str, ...]
    files: Sequence[PictureFile] = ()
    rows: Callable[[], Iterator[PixelRows]] | None = None
    count: int | None = None
    digits: bool = False
    by_class: bool = True
    skipped: tuple[Skipped, ...] = field(default=())


OpenSource = Callable[[Path], Source]
"""Looks at a path and lists what is there. Raises InvalidRequest."""
