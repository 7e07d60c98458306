"""Predict: draw a digit or bring a picture, and see what each network makes of it."""

import streamlit as st

from ui import lab
from ui.frame import icons
from ui.frame.navigation import page
from ui.predict import inside, link, modes, why
from ui.runs import sample_runs

page("Predict", "✏️", "Draw a digit or bring a picture, and watch each network decide.")
finished = [run for run in lab.runs().all() if run.has_results]
if not finished:
    sample_runs.instead_of_runs(
        "Draw a digit here, and every trained network says at once what it sees.",
        "No network is trained yet. Train one, a few minutes are enough, or bring in the sample "
        "runs to look around first.",
        icon=icons.PREDICT,
    )
    st.stop()
link.follow()
why.follow()
inside.follow(finished)
modes.show(finished)
