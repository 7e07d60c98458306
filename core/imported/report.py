"""What came of an import, for people to read: what was found, left out, doubled, uneven."""

from collections.abc import Mapping

from core.validation import Frozen


class Skipped(Frozen):
    """A file or row that was left out, and a sentence that says why."""

    name: str
    reason: str


class Doubled(Frozen):
    """Images that show the same thing: their positions in the dataset, the first one first.

    across: whether they stand in different parts, so that a network is tested on what it learned
    from. disagree: whether they are labelled with different classes.
    """

    positions: tuple[int, ...]
    across: bool = False
    disagree: bool = False


class Span(Frozen):
    """The smallest, usual (median) and largest of something."""

    smallest: int
    usual: int
    largest: int


class ImportReport(Frozen):
    """What came of an import.

    found: files or rows that were looked at: those imported and those in `skipped`. images: by
    part, how many of each class. held_out: the share of the images that were held out as the test
    part, 0 where they came with one. widths, heights: in pixels. grey: how many images are grey,
    the others have colours. exact, near: images that are the same pixel for pixel, and those that
    look the same. unlabelled: images without a label. seconds: what the import took.
    """

    found: int
    imported: int
    images: Mapping[str, tuple[int, ...]]
    unlabelled: int = 0
    held_out: float = 0.0
    skipped: tuple[Skipped, ...] = ()
    widths: Span
    heights: Span
    grey: int
    exact: tuple[Doubled, ...] = ()
    near: tuple[Doubled, ...] = ()
    seconds: float = 0.0
