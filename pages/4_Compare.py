"""Compare: where and why two trained networks disagree, from what they said of the same images."""

import streamlit as st

from core.registry.predictions import stored_epochs
from ui import lab
from ui.compare import board, choosing, gallery, link, ranking, taking, test_sets, verdict, views
from ui.compare.view import view_of
from ui.frame.navigation import page
from ui.runs import sample_runs

page("Compare", "⚖️", "Which of two trained networks is better, and on which pictures, and why.")
link.follow()
finished = [run for run in lab.runs().all() if run.has_results]
if len(finished) < 2 and not any(len(stored_epochs(run)) > 1 for run in finished):
    st.info(
        f"Two trained networks are needed, and there {'is one' if finished else 'are none'} yet. "
        "Train the recipes cnn-digits and vgg16-digits: their mistakes are compared here.",
        icon=":material/info:",
    )
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
    sample_runs.offer()
    st.stop()

test_set = test_sets.choose()
if test_set.by_epoch and ranking.is_wanted(finished):
    ranking.show(finished)
else:
    view = view_of(choosing.choose(finished, test_set))
    verdict.show(view)
    board.show(view)
    views.show(view)
    gallery.show(view)
    taking.show(view)
link.write()
