"""What every part of Compare is shown from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from core.analysis.comparison import Comparison, Outcome, Side
from core.analysis.selection import Positions, Selection, select
from ui import lab, theme
from ui.compare import link, said, spaces
from ui.compare.lists import LISTS
from ui.compare.said import Said
from ui.compare.test_sets import Compared, TestSet
from ui.runs import run_view

OUTCOME_NAMES: dict[Outcome, str] = {
    "both_right": "Both right",
    "only_a_right": "Only A right",
    "only_b_right": "Only B right",
    "both_wrong": "Both wrong",
}
LETTERS = ("A", "B")


@dataclass(frozen=True, eq=False)
class View:
    """Two networks, the images that are looked at, and what people said of them."""

    images: Compared
    selection: Selection
    said: Said

    @property
    def tagged(self) -> Mapping[str, Sequence[int]]:
        """Positions of the images that carry each tag."""
        return self.said.tagged

    @property
    def comparison(self) -> Comparison:
        """The two networks side by side."""
        return self.images.comparison

    @property
    def sides(self) -> tuple[Side, Side]:
        """A and B."""
        return self.comparison.sides

    @property
    def class_names(self) -> tuple[str, ...]:
        """What the classes are called."""
        return self.comparison.class_names

    @cached_property
    def pictures(self) -> NDArray[np.uint8]:
        """The test images, (count, height, width[, 3]), a folder's as sharp as either saw them."""
        with lab.failures_as_sentences():
            return said.tested(self.images).images

    @property
    def positions(self) -> Positions:
        """Places in the test split of the images that the selection leaves, in its order."""
        special = LISTS.get(self.selection.special)
        return select(
            self.selection,
            self.images,
            self.said.groups(self.images) if self.selection.tags else {},
            special=None if special is None else special.positions(self.images),
            outlined=self._outlined,
        )

    def looking_at(self, selection: Selection) -> View:
        """The same networks and images, of which others are looked at."""
        return replace(self, selection=_fitting(selection, self.images.test_set))

    def can_look_at(self, selection: Selection) -> bool:
        """Whether the images have what a selection asks for."""
        listed = selection.special in ("", *LISTS)
        return listed and _fitting(selection, self.images.test_set) == selection

    @cached_property
    def _outlined(self) -> NDArray[np.bool_] | None:
        """Whether each image lies within the outline of the selection, None without one."""
        return spaces.outlined(self.selection, self.sides)

    @property
    def indices(self) -> NDArray[np.int64]:
        """Where each image of the test split stands in the dataset's test part, (count,)."""
        return self.comparison.a.predictions.indices

    @property
    def position(self) -> int | None:
        """The image that is looked at: the one of the address, else the first; None without any."""
        if (wanted := self.at(link.kept_value("image"))) is not None:
            return wanted
        positions = self.positions
        return int(positions[0]) if len(positions) else None

    def at(self, index: str) -> int | None:
        """The position of the image with that index in the test part, None if there is none."""
        if not index.isdecimal():
            return None
        found = np.flatnonzero(self.indices == int(index))
        return int(found[0]) if len(found) else None

    def color(self, side: Side) -> str:
        """The colour of a network, everywhere; B has another than its own where A has that."""
        return self._colors[side is self.comparison.b]

    @cached_property
    def _colors(self) -> tuple[str, ...]:
        return run_view.colors_of([side.run for side in self.sides])

    def outcome_color(self, outcome: Outcome) -> str:
        """The colour of an outcome: a network's own where only that network is right."""
        winners = {"only_a_right": self.comparison.a, "only_b_right": self.comparison.b}
        if outcome in winners:
            return self.color(winners[outcome])
        return theme.OUTCOME_COLORS[outcome]


def view_of(images: Compared) -> View:
    """The view that the session or the address asks for."""
    selection = link.read_selection(len(images.comparison.class_names), LISTS)
    return View(images, _fitting(selection, images.test_set), said.read(images))


def _fitting(selection: Selection, test_set: TestSet) -> Selection:
    """The selection without lists of epochs and outlines on maps, where the images have none."""
    if test_set.by_epoch:
        return selection
    listed = LISTS.get(selection.special)
    special = "" if listed is not None and listed.by_epoch else selection.special
    changed = {"special": special, "outlined": "", "outline": ()}
    return Selection.model_validate(selection.model_dump() | changed)
