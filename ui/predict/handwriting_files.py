"""Taking samples of handwriting along and bringing them in; the trash, and what is damaged."""

from __future__ import annotations

import io
from functools import partial

import streamlit as st

from core.errors import TransferLabError
from core.handwriting.handwriting import Samples
from core.handwriting.handwriting_exchange import Imported, export_zip, import_zip
from ui import lab, units
from ui.frame import icons
from ui.predict import one_sample

MOST_NAMED = 5
LARGEST = 100
"""MB of a ZIP of samples."""
_TOLD, _UPLOADS = "samples_brought_in", "sample_uploads"


def show(samples: Samples) -> None:
    """Export, import and the trash."""
    st.subheader("Taking it along", anchor=False, divider="gray")
    with st.container(horizontal=True, gap="small"):
        st.download_button(
            "Export all",
            data=partial(_exported, samples),
            file_name="handwriting.zip",
            mime="application/zip",
            icon=icons.DOWNLOAD,
            key="export_samples",
            help="A ZIP with a folder of pictures for each digit, which any tool reads, and a list "
            "with all else. It can be brought in again, here or in another workspace.",
            on_click="ignore",
        )
        _bring_in_or_back()
    _tell_of_import()


def show_without_samples() -> None:
    """What can be done where nothing is kept: bring samples in, look into the trash."""
    with st.container(horizontal=True, gap="small"):
        _bring_in_or_back()
    _tell_of_import()


def _bring_in_or_back() -> None:
    with st.popover("Bring in", icon=icons.UPLOAD):
        _bring_in()
    if deleted := lab.handwriting().deleted():
        with st.popover(f"Trash · {units.count(len(deleted))}", icon=icons.DELETE):
            _trash(deleted)


def _exported(samples: Samples) -> bytes:
    file = io.BytesIO()
    export_zip(lab.handwriting(), samples, file)
    return file.getvalue()


def _bring_in() -> None:
    number = st.session_state.setdefault(_UPLOADS, 0)
    key = f"samples_{number}"
    st.file_uploader(
        "A ZIP that was exported here",
        type=["zip"],
        key=key,
        max_upload_size=LARGEST,
        help="What is here already stays as it is. Other pictures are read under “Many pictures”.",
        on_change=_take_in,
        args=(key,),
    )


def _take_in(key: str) -> None:
    file = st.session_state[key]
    if file is None:
        return
    st.session_state[_UPLOADS] += 1  # a new, empty place to upload to
    try:
        st.session_state[_TOLD] = import_zip(lab.handwriting(), file)
    except TransferLabError as error:
        st.session_state[_TOLD] = lab.sentence(error)


def _tell_of_import() -> None:
    """What became of the samples of a ZIP, until something else is brought in."""
    told = st.session_state.get(_TOLD)
    if isinstance(told, str):
        st.error(told, icon=icons.ERROR)
    elif isinstance(told, Imported):
        st.success(_words(told), icon=icons.DONE)
        if told.refused:
            st.warning(_refused(told), icon=":material/broken_image:")


def _words(told: Imported) -> str:
    parts = [f"{_samples(told.added)} brought in"]
    if told.already:
        parts.append(f"{units.count(told.already)} were here already")
    if told.differing:
        parts.append(
            f"{units.count(len(told.differing))} are here with another label or note, which "
            "stay as they are here"
        )
    return "; ".join(parts) + "."


def _refused(told: Imported) -> str:
    first = told.refused[:MOST_NAMED]
    lines = [f"- {lab.plain(name)}: {lab.sentence(reason)}" for name, reason in first]
    if len(told.refused) > MOST_NAMED:
        lines.append(f"- and {units.count(len(told.refused) - MOST_NAMED)} more")
    return f"{_samples(len(told.refused))} could not be read:\n" + "\n".join(lines)


def _samples(number: int) -> str:
    return f"{units.count(number)} sample{'s'[: number != 1]}"


def _trash(deleted: Samples) -> None:
    """What was deleted: put back all of it, or remove it for good."""
    st.caption(f"{_samples(len(deleted))} that you deleted, kept until you empty the trash.")
    sample_ids = [sample.id for sample in deleted.samples]
    st.button(
        "Put all back",
        icon=":material/restore_from_trash:",
        on_click=one_sample.restore,
        args=(sample_ids,),
    )
    st.button("Empty the trash", icon=":material/delete_forever:", on_click=one_sample.empty_trash)


def tell_of_damaged(samples: Samples) -> None:
    """Samples that cannot be read, by name, and a way to be rid of them."""
    if not samples.damaged:
        return
    first = samples.damaged[:MOST_NAMED]
    lines = [f"- {sample.id}: {lab.sentence(sample.reason)}" for sample in first]
    if len(samples.damaged) > MOST_NAMED:
        lines.append(f"- and {units.count(len(samples.damaged) - MOST_NAMED)} more")
    st.warning(
        f"In {lab.plain(str(lab.workspace().handwriting))}, {_samples(len(samples.damaged))} "
        "cannot be read and had to be left out:\n" + "\n".join(lines),
        icon=":material/broken_image:",
    )
    st.button(
        "Move the damaged to the trash",
        icon=icons.DELETE,
        on_click=one_sample.delete,
        args=([sample.id for sample in samples.damaged],),
    )
