"""Compare: where and why two trained networks disagree, from what they said of the same images."""

import streamlit as st

from core.registry.predictions import stored_epochs
from ui import lab
from ui.compare import (
    board,
    choosing,
    gallery,
    link,
    made,
    ranking,
    taking,
    test_sets,
    verdict,
    views,
)
from ui.compare.view import view_of
from ui.frame import icons
from ui.frame.navigation import page
from ui.runs import sample_runs

page("Compare", "⚖️", "Which of two trained networks is better, and on which pictures, and why.")
link.follow()
finished = [run for run in lab.runs().all() if run.has_results]
if len(finished) < 2 and not any(len(stored_epochs(run)) > 1 for run in finished):
    sample_runs.instead_of_runs(
        "Two trained networks stand side by side here: which is better, on which images, and why.",
        f"There {'is one' if finished else 'are none'} yet. Train the recipes cnn-digits and "
        "vgg16-digits, or bring in the sample runs to look around first.",
        icon=icons.COMPARE,
    )
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
    made.show(view)
    taking.show(view)
link.write()
