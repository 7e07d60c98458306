"""In what a digit is unlike those that networks learned from, with what helps."""

from __future__ import annotations

import streamlit as st

from core.data.preprocessing import Pixels
from core.errors import DamagedFile
from core.predicting.digit_measures import findings
from ui import lab

MOST_SAID = 3
"""Findings that are told; a scribble is unlike digits in all that is measured."""


def show(digit: Pixels) -> None:
    """Tell what is unusual about a 28x28 digit, if anything is: answers to it mean less."""
    try:
        found = findings(digit)
    except DamagedFile as error:
        st.caption(lab.sentence(error))
        return
    if not found:
        return
    found.sort(key=lambda finding: -finding.share)
    lines = [f"- {lab.plain(finding.sentence)}" for finding in found[:MOST_SAID]]
    with st.container(border=True):
        st.markdown(":material/straighten: **Unlike the training digits:** the answers mean less")
        st.caption("\n".join(lines))
