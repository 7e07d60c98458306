"""Imports that go on, whoever began them, and how those ended that nobody was told of."""

from __future__ import annotations

import streamlit as st

from core.importing.background import Importing, Work, imports
from ui import lab, units
from ui.data import link
from ui.frame import icons

TICK_SECONDS = 0.5
FORM, NAME, PATH = "import_open", "import_name", "import_path"
"""The keys of the form: whether it is unfolded, and what is written there."""
_MINE, _UPLOADER = "_imports_begun", "_import_uploader"


def show() -> None:
    """How far imports are, with a way to end each, and how the others ended.

    To be called before the dataset is chosen: one that this session began is shown once it is
    there.
    """
    going_on = []
    for importing in imports(lab.workspace()):
        work = importing.work()
        if work is None or not work.ended:
            going_on.append(importing)
        elif work.failure:
            _failed(importing, work)
        else:
            _ended(importing, work)
    if going_on:
        _progress(going_on)


def mine(name: str) -> None:
    """Remember that this session began an import."""
    st.session_state.setdefault(_MINE, set()).add(name)


def uploader_key() -> str:
    """The key of the uploader, another one after its files were imported."""
    return f"import_files_{st.session_state.get(_UPLOADER, 0)}"


def _progress(going_on: list[Importing]) -> None:
    @st.fragment(run_every=TICK_SECONDS)
    def tick() -> None:
        for importing in going_on:
            work = importing.work()
            if importing.asked() is None or (work is not None and work.ended):
                st.rerun()
            share = min(work.done / work.total, 1.0) if work and work.total else 0.0
            with st.container(horizontal=True, vertical_alignment="center"):
                st.progress(share, text=_how_far(importing.name, work))
                st.button(
                    "Cancel",
                    icon=icons.CANCEL,
                    key=f"cancel_import_{importing.name}",
                    on_click=importing.cancel,
                )
        st.caption("It goes on when you close this page.")

    tick()


def _how_far(name: str, work: Work | None) -> str:
    if work is None:
        return f"Importing **{lab.plain(name)}** …"
    counted = f", {work.done:,} of {work.total:,}" if work.total else ""
    counted = counted or (f", {work.done:,}" if work.done else " …")
    left = f" · {units.duration(work.left)} left of this" if work.left else ""
    return f"Importing **{lab.plain(name)}**: {lab.plain(work.phase)}{counted}{left}"


def _failed(importing: Importing, work: Work) -> None:
    importing.clean_up()
    st.error(
        f"**{lab.plain(importing.name)}** was not imported. {lab.sentence(work.failure)}",
        icon=icons.ERROR,
    )
    _dismiss(importing)


def _ended(importing: Importing, work: Work) -> None:
    mine: set[str] = st.session_state.get(_MINE, set())
    began_here = importing.name in mine
    if began_here:
        # Any look at the session may break off here for a click meanwhile, and the next run begins
        # anew. What can be repeated comes first, and only then is it no longer ours to open.
        _clear_form()
        _open(work)
        mine.discard(importing.name)
    if work.known:
        st.info(
            f"These images are there already, with the same labels and parts, as "
            f"**{lab.plain(work.dataset)}**. They were not imported a second time.",
            icon=icons.COPY,
        )
        _dismiss(importing)
    elif began_here:
        importing.forget()
        st.toast(f"{lab.plain(work.dataset)} is imported.", icon=icons.DONE)
    elif link.value("dataset") == work.dataset:  # found without being told
        importing.forget()
    else:
        st.success(f"**{lab.plain(work.dataset)}** was imported.", icon=icons.DONE)
        with st.container(horizontal=True):
            st.button("Show it", on_click=_open, args=(work,), key=_key("show", importing))
            _dismiss(importing)


def _clear_form() -> None:
    """Fold the form away, without the files that were imported."""
    st.session_state[_UPLOADER] = st.session_state.get(_UPLOADER, 0) + 1
    st.session_state.update({FORM: False, NAME: "", PATH: ""})


def _open(work: Work) -> None:
    link.open_dataset(work.dataset)
    link.keep({"view": "report"})


def _dismiss(importing: Importing) -> None:
    st.button("Dismiss", icon=icons.DONE, key=_key("dismiss", importing), on_click=importing.forget)


def _key(what: str, importing: Importing) -> str:
    return f"{what}_import_{importing.name}"
