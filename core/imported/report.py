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


class Doubles(Frozen):
    """How much is doubled, also beyond the groups that are listed.

    groups: of images that show the same thing. images: how many there are besides the first of
    each group. across, disagree: of how many groups that is so.
    """

    groups: int = 0
    images: int = 0
    across: int = 0
    disagree: int = 0


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
    the others have colours. unlabelled: images without a label. imbalance: how many times as many
    images the largest class has as the smallest one, in the part to learn from; 0 without classes.
    seconds: what the import took.

    exact, near: groups of images that are the same pixel for pixel (file for file, where files are
    kept), and of those that look the same; of images that are the same, only the first stands in
    `near`. Listed are groups across parts first, then those that disagree, no more than
    `LISTED_GROUPS` of each kind; exact_doubles and near_doubles count all. leaked: how many test
    images are the same as a training image or look like one.
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
    imbalance: float = 0.0
    exact: tuple[Doubled, ...] = ()
    near: tuple[Doubled, ...] = ()
    exact_doubles: Doubles = Doubles()
    near_doubles: Doubles = Doubles()
    leaked: int = 0
    seconds: float = 0.0


LISTED_GROUPS = 2000
"""Groups of each kind of duplicates that a report lists."""
