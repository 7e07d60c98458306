"""Overview: the question, the answer from the runs there are, what trains, what to do next."""

from __future__ import annotations

import streamlit as st

from core.analysis import story
from ui import lab
from ui.frame.navigation import page
from ui.overview import answer, datasets, latest, linked, live, next_steps, pictures, style

page(
    "Overview",
    "🔬",
    "Train image classifiers, set two side by side, and see **where and why** they disagree.",
)
style.put()
linked.follow_links()

known, damaged = lab.runs().read()
told = story.tell(known)

with st.container(key="overview_answer"):
    compared = answer.show(told, known)
    place = pictures.reserve() if compared else None
live.show(known)
with st.container(key="overview_next"):
    next_steps.show(told, known)
with st.container(key="overview_lists"):
    with st.container(key="overview_runs"):
        latest.show(known, damaged)
    with st.container(key="overview_datasets"):
        datasets.show()
if compared and place:  # last, as they take the longest to read
    with place.container():
        pictures.show(compared)
