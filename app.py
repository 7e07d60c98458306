"""Overview: what is here, what ran last, where to go next."""

import streamlit as st

from core.data.catalogue import DATASETS
from core.glossary import meaning_of
from core.registry.recipes import RECIPES
from ui import lab, units
from ui.frame.navigation import page
from ui.pictures.picture import contact_sheet, picture
from ui.runs import run_view, sample_runs

# The recipes whose comparison answers the question that the page begins with. No string below:
# Streamlit would show it.
QUESTION = ("cnn-digits", "vgg16-digits")

ROWS, COLUMNS = 3, 16
SHEET_WIDTH = 900

page(
    "Overview",
    "🔬",
    "Does a network that learned to see on a million photographs beat a small one built for the "
    "task? Train both on handwritten digits, see **where and why** they disagree, and draw "
    "digits for them.",
)

known = lab.runs().all()
finished = [run for run in known if run.has_results]

steps = st.columns(3, gap="medium")
with steps[0].container(border=True, height="stretch"):
    st.markdown("**1 · Train**")
    st.caption("Pick a recipe and launch it. It trains on when you close this tab.")
    for recipe in QUESTION:
        done = any(run.config.recipe == recipe for run in finished)
        st.markdown(f"{':material/check_circle:' if done else ':material/circle:'} {recipe}")
    st.caption(f"… or any of {len(RECIPES) - len(QUESTION)} more recipes.")
    st.page_link("pages/2_Train.py", label="Train a network", icon=":material/model_training:")
with steps[1].container(border=True, height="stretch"):
    st.markdown("**2 · Compare**")
    st.caption("Two trained networks side by side: which is better, and on which images.")
    st.markdown(f"{len(finished)} of 2 trained networks" if len(finished) < 2 else "Ready")
    st.page_link("pages/4_Compare.py", label="Compare two networks", icon=":material/compare:")
with steps[2].container(border=True, height="stretch"):
    st.markdown("**3 · Predict**")
    st.caption("Draw a digit or upload a picture, and watch each network decide.")
    st.markdown("Ready" if finished else "Needs one trained network")
    st.page_link("pages/5_Predict.py", label="Draw a digit", icon=":material/draw:")

if not finished:
    sample_runs.offer()
run_view.training_now(known)
if finished:
    st.subheader("Last results", anchor=False)
    best = finished[:3]
    for column, run in zip(st.columns(3, gap="medium"), best, strict=False):
        with column.container(border=True):
            st.markdown(f"**{run_view.name(run)}**")
            accuracy = units.percent(run.state.metrics["test_accuracy"])
            st.metric("Test accuracy", accuracy, help=meaning_of("accuracy"))
            st.caption(
                f"{run.config.network.architecture} · {units.duration(run.state.seconds)} · "
                f"{units.count(run.config.parameters.trainable)} parameters trained"
            )

bundled = {name: facts for name, facts in DATASETS.items() if facts.bundled}
for name, facts in bundled.items():
    st.subheader(facts.label, anchor=False)
    st.caption(
        f"{units.count(facts.train_images)} training and {units.count(facts.test_images)} test "
        f"images of {' x '.join(map(str, facts.image_shape))} pixels in "
        f"{len(facts.class_names)} classes. {facts.source}."
    )
    with lab.failures_as_sentences():
        test = lab.example_images(name)
    picture(
        contact_sheet(test.images[: ROWS * COLUMNS], COLUMNS),
        side=SHEET_WIDTH,
        alt=f"The first {ROWS * COLUMNS} test images of {facts.label}",
    )
