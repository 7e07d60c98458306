"""What people said of the test images of a comparison, and saying more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import streamlit as st

from core.data.datasets import Split
from core.data.image_tags import (
    ANY_TAG,
    UNTAGGED,
    Places,
    Remark,
    Remarks,
    change_remarks,
    positions_by_tag,
    read_remarks,
    remark_about,
    set_aside,
)
from core.errors import DamagedFile, TransferLabError
from ui import lab
from ui.compare.test_sets import Compared

_REFUSED = "tags_refused"


@dataclass(frozen=True, eq=False)
class Said:
    """What people said of the images of one test split.

    by_position: of those that anything was said of. damaged: why it cannot be read, if it cannot.
    """

    remarks: Remarks
    by_position: Mapping[int, Remark] = field(default_factory=dict)
    damaged: str = ""

    @cached_property
    def tagged(self) -> Mapping[str, list[int]]:
        """Positions of the images that carry each tag."""
        return positions_by_tag(self.by_position)

    def groups(self, images: Compared) -> Mapping[str, Sequence[int]]:
        """What the filter by tags knows: each tag, and images with any tag or with none."""
        some = sorted({position for carrying in self.tagged.values() for position in carrying})
        none = np.setdiff1d(np.arange(len(images)), some)
        return {**self.tagged, ANY_TAG: some, UNTAGGED: none.tolist()}

    def tags(self, position: int) -> tuple[str, ...]:
        """The tags that an image carries."""
        remark = self.by_position.get(position)
        return remark.tags if remark else ()

    def note(self, position: int) -> str:
        """The note on an image."""
        remark = self.by_position.get(position)
        return remark.note if remark else ""


def read(images: Compared) -> Said:
    """What is said now. Test images that cannot be read are left to who shows them to tell."""
    name = dataset(images)
    try:
        remarks = read_remarks(lab.workspace(), name)
        return Said(remarks, places(images).said(remarks) if remarks.images else {})
    except DamagedFile as error:
        return Said(Remarks(name), damaged=str(error))
    except TransferLabError:
        return Said(Remarks(name))


def dataset(images: Compared) -> str:
    """The name of the dataset that the images belong to."""
    return images.test_set.dataset(images.comparison.a.run)


def tested(images: Compared) -> Split:
    """The test images, a folder's as sharp as either network saw them. Raises what reading does."""
    side = max(side.run.config.network.side for side in images.comparison.sides)
    return images.test_set.split(images.comparison.a.run, side)


def places(images: Compared) -> Places:
    """Where each image stands by how it is known, worked out once for all sessions."""
    c = images.comparison
    made = _places(
        dataset(images),
        c.a.predictions.fingerprint,
        _split=tested(images),
        _class_names=c.class_names,
    )
    return made


@st.cache_resource(max_entries=8, show_spinner=False)
def _places(
    dataset: str, fingerprint: str, *, _split: Split, _class_names: tuple[str, ...]
) -> Places:
    return Places.of(_split, _class_names)


def put_tag(images: Compared, position: int, tag: str, *, carried: bool) -> None:
    """Have an image carry a tag, or carry it no longer."""
    about = _about(images, position)
    _change(images, lambda now: now.with_tag(about, tag, carried=carried))


def turn_tag(images: Compared, position: int, tag: str) -> None:
    """Have an image carry a tag if it does not, and the other way round."""
    about = _about(images, position)

    def turned(now: Remarks) -> Remarks:
        said = now.images.get(about.key, about)
        return now.with_tag(about, tag, carried=tag not in said.tags)

    _change(images, turned)


def put_note(images: Compared, position: int, note: str, before: str) -> None:
    """Put a note on an image in the place of another, or below what somebody wrote meanwhile."""
    about = _about(images, position)

    def noted(now: Remarks) -> Remarks:
        there = now.images.get(about.key, about).note
        return now.with_note(about, note if there == before else f"{there}\n{note}")

    _change(images, noted)


def forget_unused(images: Compared) -> None:
    """Forget the own tags that no image carries."""
    _change(images, Remarks.without_unused)


def refused() -> str:
    """Why what was said last could not be kept, told once; empty where it was."""
    return str(st.session_state.pop(_REFUSED, ""))


def begin_anew(images: Compared) -> None:
    """Keep a file that cannot be read aside, and tell where."""
    try:
        aside = set_aside(lab.workspace(), dataset(images))
    except TransferLabError as error:
        st.session_state[_REFUSED] = lab.sentence(error)
        return
    if aside is not None:
        st.session_state[_REFUSED] = f"The damaged file is kept as {lab.plain(str(aside))}."


def _about(images: Compared, position: int) -> Remark:
    return remark_about(tested(images), images.comparison.class_names, position)


def _change(images: Compared, change: Callable[[Remarks], Remarks]) -> None:
    try:
        change_remarks(lab.workspace(), dataset(images), change)
    except TransferLabError as error:
        st.session_state[_REFUSED] = lab.sentence(error)
