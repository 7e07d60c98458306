"""What people say of runs: name, note and tags, to be read and to be changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import streamlit as st

from core.errors import TransferLabError
from core.registry.run import Run
from core.registry.saying import LONGEST_NAME, LONGEST_NOTE
from ui import lab
from ui.frame import icons

NOTE_WIDTH = 760
"""Pixels; longer lines are hard to read."""


def show(run: Run) -> None:
    """The run's note, where it has one."""
    if run.about.note:
        with st.container(width=NOTE_WIDTH):
            st.text(run.about.note)


def edit(run: Run, known: Sequence[Run]) -> None:
    """Let a person change name, note and tags."""
    with (
        st.expander("Name, note and tags", icon=icons.EDIT),
        st.form(f"about_{run.id}", border=False),
    ):
        name = st.text_input("Name", run.name, max_chars=LONGEST_NAME)
        tags = st.multiselect(
            "Tags",
            tags_of([*known, run]),
            default=run.about.tags,
            accept_new_options=True,
            placeholder="Choose some, or write a new one",
        )
        note = st.text_area("Note", run.about.note, max_chars=LONGEST_NOTE)
        if st.form_submit_button("Save", icon=icons.SAVE):
            _save(run, name, tags, note)


def tags_of(runs: Iterable[Run]) -> list[str]:
    """All tags that some runs have, in alphabetical order."""
    return sorted({tag for run in runs for tag in run.about.tags}, key=str.casefold)


def _save(run: Run, name: str, tags: Sequence[str], note: str) -> None:
    try:
        if name != run.name:
            lab.runs().rename(run, name)
        lab.runs().tag(run, tags)
        lab.runs().annotate(run, note)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return
    st.rerun()


def ask_for_tags(runs: Sequence[Run], known: Sequence[Run]) -> None:
    """Open the question which tags several runs shall get."""
    _ask_for_tags(runs, known)


@st.dialog("Tag these runs")
def _ask_for_tags(runs: Sequence[Run], known: Sequence[Run]) -> None:
    add = st.multiselect(
        f"Give all {len(runs)} of them",
        tags_of(known),
        accept_new_options=True,
        key="tags_to_add",
        placeholder="Choose some, or write a new one",
    )
    own = tags_of(runs)
    take = st.multiselect("Take from them", own, key="tags_to_take") if own else []
    if not st.button("Save", type="primary", icon=icons.SAVE):
        return
    failures = [failure for run in runs if (failure := _tag(run, add, take))]
    for failure in failures:
        st.error(failure, icon=icons.ERROR)
    if not failures:
        st.rerun()


def _tag(run: Run, add: Sequence[str], take: Sequence[str]) -> str:
    """Add tags to a run and take others; the reason where that could not be done, else empty."""
    try:
        now = lab.runs().again(run)
        lab.runs().tag(now, [tag for tag in (*now.about.tags, *add) if tag not in take])
    except TransferLabError as error:
        return lab.sentence(error)
    return ""
