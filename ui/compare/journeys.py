"""What each epoch of a run said of the test images, read once for all sessions."""

from __future__ import annotations

from functools import partial

import streamlit as st

from core.analysis import journey
from core.analysis.images import Images
from core.analysis.journey import Journey
from core.analysis.selection import Positions
from core.registry.run import Run
from ui import lab
from ui.frame import waiting


def of(run: Run) -> Journey:
    """The journey of a run, kept while the files of its predictions stay as they are.

    Ends the page, with a word why, while it is not read.
    """
    what = f"Reading what each epoch of {lab.plain(run.name)} said"
    with lab.failures_as_sentences():
        key = "journey", *journey.version(run)
        made = waiting.wait_for(what, key, partial(journey.read_journey, run), most=12)
    if made is None:
        st.stop()
    return made


def listed(name: str, letter: str, images: Images) -> Positions:
    """A list of the journey of A or B, such as "learned"."""
    side = dict(zip("ab", images.comparison.sides, strict=True))[letter]
    positions: Positions = getattr(of(side.run), name)
    return positions
