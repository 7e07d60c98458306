"""What each epoch of a run said of the test images, read once for all sessions."""

from __future__ import annotations

import streamlit as st

from core.analysis import journey
from core.analysis.images import Images
from core.analysis.journey import Journey
from core.analysis.selection import Positions
from core.registry.run import Run
from ui import lab


def of(run: Run) -> Journey:
    """The journey of a run, kept while the files of its predictions stay as they are."""
    with lab.failures_as_sentences():
        return _journey(journey.version(run), _run=run)


def listed(name: str, letter: str, images: Images) -> Positions:
    """A list of the journey of A or B, such as "learned"."""
    side = dict(zip("ab", images.comparison.sides, strict=True))[letter]
    positions: Positions = getattr(of(side.run), name)
    return positions


@st.cache_resource(max_entries=12, show_spinner="Reading what each epoch said …")
def _journey(version: journey.Version, _run: Run) -> Journey:
    return journey.read_journey(_run)
