"""Which dataset is looked at, and the way to bring another one in."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.data.catalogue import DATASETS
from core.errors import DamagedFile, TransferLabError
from core.imported.dataset import About, ImportedDataset
from core.imported.library import Library
from ui import lab, units
from ui.data import downloading, link
from ui.data.shown import Shown, built_in, imported
from ui.frame import icons, presenting

BUILT_IN = tuple(name for name, facts in DATASETS.items() if facts.train_images is not None)
"""The datasets of the catalogue that have images of their own."""
FIRST = "mnist"
"""Shown where nothing was imported."""


def choose() -> Shown | None:
    """Ask which dataset to show, remembered in the address; None where none is to be shown."""
    abouts = {name: about_of(name) for name in Library(lab.workspace()).names()}
    names = [*abouts, *BUILT_IN]
    asked = link.value("dataset")
    if not asked:
        link.keep({"dataset": _newest(abouts)})
    elif asked not in names:
        _tell_of_unknown(asked)
        link.open_dataset(_newest(abouts))
    name = link.value("dataset")
    st.session_state[link.CHOICE] = name
    st.selectbox(
        "Dataset",
        names,
        format_func=lambda each: _described(each, abouts.get(each)),
        key=link.CHOICE,
        on_change=lambda: link.open_dataset(st.session_state[link.CHOICE]),
    )
    if presenting.is_on():
        st.subheader(lab.plain(_described(name, abouts.get(name))), anchor=False)
    if not abouts:
        _invite()
    if name in BUILT_IN:
        found = built_in(name)
        if found is None:
            downloading.offer(name)
        return found
    about = abouts[name]
    if about is None:
        _offer_to_delete(name)
        return None
    return imported(name)


def about_of(name: str) -> About | None:
    """What an imported dataset is, None where it is damaged."""
    folder = lab.workspace().imported / name
    try:
        found = (folder / "about.json").stat()
    except OSError:
        return None
    return _about_of(folder, found.st_mtime_ns, found.st_ino)


@st.cache_resource(max_entries=256, show_spinner=False)
def _about_of(folder: Path, changed: int, inode: int) -> About | None:
    try:
        return ImportedDataset(folder).about
    except DamagedFile:
        return None


def _newest(abouts: dict[str, About | None]) -> str:
    dated = {about.created: name for name, about in abouts.items() if about is not None}
    return dated[max(dated)] if dated else FIRST


def _described(name: str, about: About | None) -> str:
    """A dataset in one line, as plain text."""
    if name in BUILT_IN:
        facts = DATASETS[name]
        count = (facts.train_images or 0) + (facts.test_images or 0)
        where = "to be downloaded" if built_in(name) is None else "built in"
        return f"{facts.label} · {_counted(count, len(facts.class_names))} · {where}"
    if about is None:
        return f"{name} · damaged"
    return f"{name} · {_counted(about.count, len(about.class_names))}"


def _counted(images: int, classes: int) -> str:
    return (
        f"{units.count(images)} image{'s'[: images != 1]}, "
        f"{units.count(classes)} class{'es' if classes != 1 else ''}"
    )


def _tell_of_unknown(name: str) -> None:
    st.warning(
        f"There is no dataset {lab.plain(name)} in this workspace; perhaps it was deleted. "
        "Another one is shown.",
        icon=icons.BROKEN_LINK,
    )


def _invite() -> None:
    with st.container(key="controls_invite"):
        st.caption(
            "Nothing was imported yet, so this is one of the built-in datasets. Bring your own "
            "pictures, from files or from the camera: they are looked at here, and trained on like "
            "any."
        )


def _offer_to_delete(name: str) -> None:
    try:
        imported(name)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
    if st.button("Delete it", icon=icons.DELETE):
        Library(lab.workspace()).delete(name)
        st.rerun()
