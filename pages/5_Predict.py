"""Predict: draw a digit or bring a picture, and see what each network makes of it."""

import streamlit as st

from ui import lab
from ui.frame.navigation import page
from ui.predict import modes
from ui.runs import sample_runs

page("Predict", "✏️", "Draw a digit or bring a picture, and watch each network decide.")
finished = [run for run in lab.runs().all() if run.has_results]
if not finished:
    st.info(
        "No network is trained yet. Train one first, a few minutes are enough, then draw digits "
        "for it here.",
        icon=":material/info:",
    )
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
    sample_runs.offer()
    st.stop()
modes.show(finished)
