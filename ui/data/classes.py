"""The classes of a dataset, what they are called, and what can be done with the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Literal

import streamlit as st

from core.errors import TransferLabError
from core.imported.dataset import ImportedDataset
from core.imported.library import CLASS_NAME_LENGTH, Library, checked_classes
from core.importing.exporting import has_paths, zipped_lists
from ui import lab, units
from ui.data import counts, link
from ui.data.shown import PART_NAMES, Shown
from ui.frame import icons

HEIGHT = 420
MOST_NAMED = 5
_RENAMED = "data_renamed"


def show(shown: Shown) -> None:
    """The names, to be edited where the dataset was imported, and the way on from here."""
    if shown.imported is None:
        st.caption("The names of a built-in dataset are fixed; those of imported ones are not.")
        rows = _rows(shown)
        st.dataframe(rows, hide_index=True, height=_height(shown), column_config=_columns(rows[0]))
    else:
        _edit(shown, shown.imported)
        _take(shown.imported)


def _take(dataset: ImportedDataset) -> None:
    """What can be done with the whole dataset."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if has_paths(dataset):
            st.download_button(
                "Class and file lists",
                partial(zipped_lists, dataset),
                file_name=f"{dataset.name}-lists.zip",
                mime="application/zip",
                icon=icons.DOWNLOAD,
                on_click="ignore",
                help="classes.txt with one class a line, and for each part a list with one "
                "class_index;path a line.",
            )
        if st.button("Delete the dataset", icon=icons.DELETE):
            _ask_to_delete(dataset)


def _rows(shown: Shown) -> list[dict[str, Any]]:
    """One row for each class: label, name, how many images it has in each part."""
    counted = counts.by_class(shown)
    return [
        {
            "Label": label,
            "Name": name,
            **{PART_NAMES[part]: int(count[label]) for part, count in counted.items()},
        }
        for label, name in enumerate(shown.class_names)
    ]


def _height(shown: Shown) -> int | Literal["content"]:
    return "content" if len(shown.class_names) <= 10 else HEIGHT


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """How the columns of the table of classes are written and checked."""
    counts = {name: st.column_config.NumberColumn(format="localized") for name in row}
    return counts | {
        "Label": st.column_config.NumberColumn(width="small"),
        "Name": st.column_config.TextColumn(
            required=True, max_chars=CLASS_NAME_LENGTH, width="large"
        ),
    }


def _edit(shown: Shown, dataset: ImportedDataset) -> None:
    """A table to write other names into; nothing is changed before it is saved."""
    st.caption(
        "Write another name into the table, then save. Pictures and labels stay as they are; runs "
        "that learned from the dataset keep the names they learned."
    )
    rows = _rows(shown)
    generation = st.session_state.setdefault(_RENAMED, 0)
    edited: list[dict[str, Any]] = st.data_editor(
        rows,
        hide_index=True,
        height=_height(shown),
        disabled=[name for name in rows[0] if name != "Name"],
        column_config=_columns(rows[0]),
        key=f"data_class_names_{shown.name}_{generation}",
    )
    names = [str(row["Name"]) for row in edited]
    changed = sum(a != b for a, b in zip(names, shown.class_names, strict=True))
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button(
            f"Save {changed} new name{'s'[: changed != 1]}" if changed else "Save",
            type="primary",
            icon=icons.SAVE,
            disabled=not changed,
            on_click=_save,
            args=(dataset, names),
        )
        if changed:
            st.button("Leave them", icon=icons.UNDO, on_click=_begin_anew)
    if problem := st.session_state.pop("data_class_problem", ""):
        st.error(lab.sentence(problem), icon=icons.ERROR)


def _save(dataset: ImportedDataset, names: list[str]) -> None:
    try:
        dataset.rename_classes(checked_classes(dataset, names))
    except TransferLabError as error:
        st.session_state["data_class_problem"] = str(error)
        return
    except OSError as error:
        st.session_state["data_class_problem"] = (
            f"the names could not be saved in {dataset.folder}: {error.strerror}; permit writing "
            "there and save again"
        )
        return
    _begin_anew()
    st.toast("Saved.", icon=icons.SAVE)


def _begin_anew() -> None:
    """Have a table without what was written into the one before."""
    st.session_state[_RENAMED] += 1


@st.dialog("Delete?")
def _ask_to_delete(dataset: ImportedDataset) -> None:
    name = f"**{lab.plain(dataset.name)}**"
    st.markdown(
        f"{name} is removed from the workspace for good, with its {units.count(len(dataset))} "
        "images. What it was imported from stays as it is."
    )
    users = [run for run in lab.runs().all() if run.config.data.name == dataset.name]
    if users:
        named = ", ".join(lab.plain(run.name) for run in users[:MOST_NAMED])
        more = f" and {len(users) - MOST_NAMED} more" if len(users) > MOST_NAMED else ""
        st.warning(
            f"{len(users):,} run{'s'[: len(users) != 1]} learned from it: {named}{more}. They keep "
            "their results, but cannot be resumed or trained anew, and their pictures can no "
            "longer be looked at.",
            icon=icons.TRAIN,
        )
    if st.button("Delete it", type="primary", icon=icons.DELETE, key="data_delete"):
        with lab.failures_as_sentences():
            Library(lab.workspace()).delete(dataset.name)
        link.keep({"dataset": ""})
        st.rerun()
