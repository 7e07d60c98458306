"""Overview: the question, the answer from the runs there are, what trains, what to do next."""

from __future__ import annotations

import streamlit as st

from core.analysis import story
from ui import lab
from ui.frame.navigation import page
from ui.overview import answer, datasets, latest, live, next_steps, style

page(
    "Overview",
    "🔬",
    "Train image classifiers, set two side by side, and see **where and why** they disagree.",
)
st.html(style.SHEET)

known, damaged = lab.runs().read()
told = story.tell(known)

asked = st.container(key="overview_answer")
live.show(known)
with st.container(key="overview_next"):
    next_steps.show(told, known)
with st.container(key="overview_lists"):
    runs_column, data_column = st.columns([3, 2], gap="large")
    with runs_column, st.container(key="overview_runs"):
        latest.show(known, damaged)
    with data_column, st.container(key="overview_datasets"):
        datasets.show()
with asked:
    answer.show(told)
