"""What confident learning makes of the labels, worked out once for all sessions."""

from __future__ import annotations

import streamlit as st

from core.analysis import suspects
from core.analysis.comparison import Side
from core.analysis.images import Images
from core.analysis.selection import Positions
from core.analysis.suspects import Doubts


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
    return _made(tuple(side.version for side in sides), _sides=sides)


@st.cache_resource(max_entries=32, show_spinner="Looking for doubtful labels …")
def _made(versions: tuple[tuple[object, ...], ...], *, _sides: tuple[Side, ...]) -> Doubts:
    networks = [side.predictions.probabilities for side in _sides]
    return suspects.doubts(_sides[0].predictions.labels, *networks)
