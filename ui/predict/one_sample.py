"""One sample of handwriting: large, with what is known of it, to be mended or deleted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from core.data.preprocessing import decode
from core.errors import TransferLabError
from core.handwriting.handwriting import Origin, Sample, Samples
from ui import lab
from ui.frame import icons
from ui.pictures.picture import picture
from ui.plots.bars import probability_bars
from ui.predict.handwriting_scores import Score
from ui.runs import run_view

SOURCES: dict[Origin, str] = {
    "drawn": "Drawn here",
    "uploaded": "Uploaded",
    "camera": "Photographed",
}
SIDE = 168
"""Pixels that each of its two pictures is shown in."""
MOST_NETWORKS = 3
"""Networks whose answers are shown, the best ones."""
_LOOKED_AT, _DELETED, _REFUSED = "sample_looked_at", "samples_deleted", "sample_refused"


def looked_at() -> str:
    """The id of the sample that was clicked last, empty without one."""
    return str(st.session_state.get(_LOOKED_AT, ""))


def look_at(sample_id: str) -> None:
    """Show a sample large."""
    st.session_state[_LOOKED_AT] = sample_id


def show(samples: Samples, place: int, scores: Sequence[Score], following: str) -> None:
    """Both pictures, where it comes from, what it was meant to be, and what networks say.

    following: the id of the sample to look at when this one is deleted.
    """
    sample = samples.samples[place]
    st.markdown(f"**{SOURCES[sample.source]}** · {sample.created:%d %B %Y, %H:%M}")
    _pictures(samples, place)
    _mend(sample, following)
    tell_of_changes()
    if scores:
        shown = scores[:MOST_NETWORKS]
        colors = run_view.colors_of([score.run for score in shown])
        probability_bars(
            shown[0].run.config.class_names,
            {score.run.name: score.predictions.probabilities[place] for score in shown},
            colors={score.run.name: color for score, color in zip(shown, colors, strict=True)},
            key="sample_bars",
        )


def _pictures(samples: Samples, place: int) -> None:
    """As it was drawn, and as networks are fed it."""
    sample = samples.samples[place]
    with st.container(horizontal=True, gap="small"):
        try:
            drawn = decode(lab.handwriting().picture(sample.id))
            strokes = lab.handwriting().strokes(sample.id)
        except TransferLabError as error:
            st.warning(lab.sentence(error), icon=":material/broken_image:")
        else:
            with st.container(width=SIDE):
                picture(drawn, side=SIDE, caption=_told(strokes), alt="The sample as it was kept")
        with st.container(width=SIDE):
            digit = samples.digits[place]
            picture(digit, side=SIDE, caption="28 × 28, as it is read", alt="The sample as a digit")


def _told(strokes: object) -> str:
    """How many strokes a drawing has, where it was drawn here."""
    objects = strokes.get("objects") if isinstance(strokes, dict) else None
    if not isinstance(objects, list):
        return "as it came"
    return f"as drawn, {len(objects)} stroke{'s'[: len(objects) != 1]}"


def _mend(sample: Sample, following: str) -> None:
    label, note = f"label_{sample.id}", f"note_{sample.id}"
    st.session_state[label] = sample.label
    st.session_state[note] = sample.note
    samples = lab.handwriting()
    st.pills(
        "Meant as",
        range(10),
        key=label,
        required=True,
        wrap=True,
        on_change=_mended,
        args=(samples.relabel, sample.id, label),
    )
    st.text_input(
        "Note",
        key=note,
        max_chars=200,
        placeholder="Anything to remember of it",
        on_change=_mended,
        args=(samples.annotate, sample.id, note),
    )
    st.button("Delete", icon=icons.DELETE, on_click=_delete, args=(sample.id, following))


def _mended(change: Callable[[str, Any], Sample], sample_id: str, key: str) -> None:
    _change(lambda: change(sample_id, st.session_state[key]))


def _delete(sample_id: str, following: str) -> None:
    delete([sample_id])
    look_at(following)


def delete(sample_ids: Sequence[str]) -> None:
    """Move samples to the trash, from where they can be taken back at once."""
    if _change(lambda: lab.handwriting().delete(sample_ids)):
        st.session_state[_DELETED] = list(sample_ids)


def restore(sample_ids: Sequence[str]) -> None:
    """Take samples back out of the trash."""
    if _change(lambda: lab.handwriting().restore(sample_ids)):
        st.session_state.pop(_DELETED, None)


def empty_trash() -> None:
    """Remove what was deleted for good."""
    if _change(lab.handwriting().empty_trash):
        st.session_state.pop(_DELETED, None)


def _change(change: Callable[[], object]) -> bool:
    """Change samples; why that could not be is kept to be told. Returns whether it could."""
    try:
        change()
    except TransferLabError as error:
        st.session_state[_REFUSED] = lab.sentence(error)
        return False
    return True


def tell_of_changes() -> None:
    """Why a change was refused, or what was deleted last, with the way back."""
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(refused, icon=icons.ERROR)
    deleted = st.session_state.get(_DELETED, [])
    if number := len(deleted):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(
                f":material/delete: {number} sample{'s'[: number != 1]} moved to the trash.",
                width="content",
            )
            st.button("Undo", icon=icons.UNDO, key="undelete", on_click=restore, args=(deleted,))
