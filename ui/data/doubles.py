"""Images that show the same thing, side by side: those across parts first."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import streamlit as st

from core.data.preprocessing import Pixels, decode
from core.imported.dataset import PARTS, ImportedDataset
from core.imported.report import Doubled, ImportReport
from ui import units
from ui.data.shown import PART_NAMES, Shown
from ui.names import shortened
from ui.pictures import picture_row

PER_PAGE = 12
MOST_OF_GROUP = 8
"""Images of a group that are shown; a blank picture may be there a thousand times."""

PICTURE_WIDTH, NARROWEST = 132, 300
"""Pixels across that a picture of a group takes, and the least for what is said of it."""
LONGEST_NAME = 50


class Group(NamedTuple):
    """Images that show the same thing; exact: pixel for pixel."""

    doubled: Doubled
    exact: bool


KINDS: dict[str, Callable[[Group], bool]] = {
    "All": lambda group: True,
    "Across parts": lambda group: group.doubled.across,
    "Labelled differently": lambda group: group.doubled.disagree,
    "Alike": lambda group: group.exact,
    "Almost alike": lambda group: not group.exact,
}


def show(shown: Shown, dataset: ImportedDataset, report: ImportReport) -> None:
    """Which images show the same thing, a page of groups at a time."""
    st.subheader("Duplicates", anchor=False)
    groups = in_order(report)
    if not groups:
        st.caption("No two images are alike, or look almost so.")
        return
    counts = {kind: sum(map(belongs, groups)) for kind, belongs in KINDS.items()}
    kind = st.segmented_control(
        "Duplicates",
        [kind for kind, count in counts.items() if count],
        format_func=lambda each: f"{each} ({units.count(counts[each])})",
        default="All",
        required=True,
        key="report_doubles",
        label_visibility="collapsed",
        wrap=True,
    )
    wanted = list(filter(KINDS[kind], groups))
    everything = report.exact_doubles.groups + report.near_doubles.groups
    if everything > len(groups):
        st.caption(
            f"Of {units.count(everything)} groups the {units.count(len(groups))} worst are listed."
        )
    pages = -(-len(wanted) // PER_PAGE)
    page = st.pagination(pages, key=f"report_doubles_{kind}") if pages > 1 else 1
    with st.container(horizontal=True, gap="medium"):
        for group in wanted[(page - 1) * PER_PAGE : page * PER_PAGE]:
            pictures = min(len(group.doubled.positions), MOST_OF_GROUP)
            with st.container(width=max(PICTURE_WIDTH * pictures, NARROWEST)):
                _group(shown, dataset, group)


def in_order(report: ImportReport) -> list[Group]:
    """The worst first: across parts, then labelled differently, then exact ones."""
    groups = [Group(doubled, True) for doubled in report.exact]
    groups += [Group(doubled, False) for doubled in report.near]
    return sorted(
        groups,
        key=lambda group: (not group.doubled.across, not group.doubled.disagree, not group.exact),
    )


def _group(shown: Shown, dataset: ImportedDataset, group: Group) -> None:
    positions = group.doubled.positions
    said = [f"{units.count(len(positions))} images {'alike' if group.exact else 'almost alike'}"]
    if group.doubled.across:
        said.append(":orange[in different parts]")
    if group.doubled.disagree:
        said.append(":red[labelled differently]")
    if len(positions) > MOST_OF_GROUP:
        said.append(f"the first {MOST_OF_GROUP} are shown")
    st.markdown(" · ".join(said))
    picture_row.picture_row(
        [_picture(shown, dataset, position) for position in positions[:MOST_OF_GROUP]]
    )


def _picture(shown: Shown, dataset: ImportedDataset, position: int) -> picture_row.Shown:
    part = PART_NAMES[PARTS[dataset.parts[position]]]
    return picture_row.Shown(
        shown.class_name(int(dataset.labels[position])),
        _small(dataset, position),
        f"{part} · {shortened(dataset.names[position], LONGEST_NAME)}",
    )


def _small(dataset: ImportedDataset, position: int) -> Pixels:
    if dataset.about.alike:
        return dataset.picture(position)
    return decode(dataset.thumbnail(position))
