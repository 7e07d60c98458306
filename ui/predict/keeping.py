"""Keeping a picture with the digit that it was meant to be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from core.data.preprocessing import Pixels
from core.errors import TransferLabError
from core.handwriting import handwriting
from core.handwriting.handwriting import Sample
from ui import lab
from ui.frame import icons
from ui.frame.keys import keyboard
from ui.frame.shortcuts import DIGITS
from ui.predict.taking import Origin, Taken

if TYPE_CHECKING:
    from ui.predict.reading import Reading

LABELS = tuple(range(10))
ORIGINS: dict[Origin, handwriting.Origin] = {
    "drawn": "drawn",
    "uploaded": "uploaded",
    "photographed": "camera",
}
"""Pictures that somebody wrote, and what a sample says of where it came from."""
_NOTES = "kept_pictures"


@dataclass
class Note:
    """What this session knows of a picture that somebody kept.

    found: whether it had been kept earlier. before: the digit it was kept as until it was changed.
    refused: why it could not be kept.
    """

    sample_id: str = ""
    found: bool = False
    before: int | None = None
    refused: str = ""


def show(reading: Reading) -> None:
    """A click on what a picture was meant to be keeps it; networks for other classes have none."""
    if reading.steps is None or reading.taken.origin not in ORIGINS:
        return
    digit, taken = reading.steps.digit, reading.taken
    name = hashlib.sha256(digit.tobytes()).hexdigest()[:16]
    notes: dict[str, Note] = st.session_state.setdefault(_NOTES, {})
    kept = _kept(notes, name)

    def keep(label: int | None) -> None:
        _keep(notes, name, digit, taken, label)

    _ask(name, None if kept is None else kept.label, keep)
    if kept is not None:
        _tell(kept, notes[name], keep)
    elif name in notes and notes[name].refused:
        st.error(notes[name].refused, icon=icons.ERROR)
    keyboard(DIGITS, lambda pressed: keep(int(pressed)), key="meant_keys")


def _kept(notes: MutableMapping[str, Note], name: str) -> Sample | None:
    """The sample that a picture was kept as, None where it was not, or is there no more."""
    if name not in notes or not notes[name].sample_id:
        return None
    try:
        return lab.handwriting().sample(notes[name].sample_id)
    except TransferLabError:
        return None  # it was deleted meanwhile: the picture can be kept anew


def _ask(name: str, label: int | None, keep: Callable[[int | None], None]) -> None:
    key = f"meant_{name}"
    st.session_state[key] = label
    st.pills(
        "This was a",
        LABELS,
        key=key,
        wrap=True,
        help="Keeps the picture in your handwriting, with the digit that it was meant to be: "
        "click a digit, or press its key. Networks can then be tested on it, and learn from it.",
        on_change=lambda: keep(st.session_state[key]),
    )


def _tell(sample: Sample, note: Note, keep: Callable[[int | None], None]) -> None:
    """What was kept, the way back, and the way to all that was kept."""
    said = f"Kept as a {sample.label}"
    if note.before is not None:
        said += f" instead of a {note.before}"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":material/check: {said}.", width="content")
        if not note.found or note.before is not None:
            back = (note.before,)
            st.button("Undo", icon=icons.UNDO, key="unkeep", on_click=keep, args=back)
        if st.button("Your handwriting", icon=":material/stylus_note:", on_click=_open_all):
            st.rerun()


def _open_all() -> None:
    st.session_state["mode"] = "handwriting"


def _keep(
    notes: MutableMapping[str, Note], name: str, digit: Pixels, taken: Taken, label: int | None
) -> None:
    """Keep a picture as a digit, once; None takes it out again."""
    samples, note = lab.handwriting(), notes.get(name, Note())
    try:
        known = samples.read().same(digit)
        if label is None:
            samples.delete([known.id] if known else [])
            notes.pop(name, None)
        elif known is None:
            source, picture = ORIGINS[taken.origin], taken.pixels
            saved = samples.save(
                digit, label, picture=picture, strokes=taken.strokes, source=source
            )
            notes[name] = Note(saved.id)
        else:
            found = note.sample_id != known.id or note.found
            before = None if known.label == label else known.label
            samples.relabel(known.id, label)
            notes[name] = Note(known.id, found, before)
    except TransferLabError as error:
        notes[name] = Note(refused=lab.sentence(error))
