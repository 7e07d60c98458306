"""What confident learning makes of the labels, worked out once for all sessions."""

from __future__ import annotations

import streamlit as st

from core.analysis import suspects
from core.analysis.comparison import Side
from core.analysis.images import Images
from core.analysis.selection import Positions
from core.analysis.suspects import Doubts
from core.jobs import Tell
from ui import lab
from ui.frame import waiting


def doubts_of_a(images: Images) -> Doubts:
    """What confident learning makes of the labels, from A's answers."""
    return _doubts(images.comparison.a)


def doubts_of_b(images: Images) -> Doubts:
    """From B's answers."""
    return _doubts(images.comparison.b)


def doubts_of_both(images: Images) -> Doubts:
    """From the average of both answers."""
    return _doubts(*images.comparison.sides)


DOUBTS = {
    "confident_both": doubts_of_both,
    "confident_a": doubts_of_a,
    "confident_b": doubts_of_b,
}
"""By the name of the list of images that each makes."""


def in_doubt(name: str, images: Images) -> Positions:
    """The images of one of those lists, the most doubtful first."""
    return DOUBTS[name](images).ranked


def _doubts(*sides: Side) -> Doubts:
    """Ends the page, with a word why, while they are not known."""
    networks = [side.predictions.probabilities for side in sides]

    def compute(tell: Tell) -> Doubts:
        return suspects.doubts(sides[0].predictions.labels, *networks, progress=tell)

    key = "doubts", *(side.version for side in sides)
    with lab.failures_as_sentences():
        made = waiting.wait_for("Looking for doubtful labels", key, compute, most=32)
    if made is None:
        st.stop()
    return made
