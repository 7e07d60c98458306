"""What is worth doing next, by what there is already; some of it in one click."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import streamlit as st

from core.analysis.story import Story, accuracy
from core.errors import TransferLabError
from core.registry import preflight, samples
from core.registry.recipes import RECIPES
from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.frame.pages import PAGES
from ui.overview.sides import CNN, VGG16, on_digits
from ui.runs import run_view, sample_runs
from ui.train import launching
from ui.train.launching import Called

MOST = 4


class Step(NamedTuple):
    """A card: what to do and why.

    act: draws its button or link, told whether it is what helps most.
    """

    icon: str
    title: str
    why: str
    act: Callable[[bool], object]


def show(story: Story, known: Sequence[Run]) -> None:
    """The steps that suit what there is, as cards."""
    st.subheader("What next", anchor=False)
    with st.container(key="overview_cards", horizontal=True):
        for place, step in enumerate(islice(steps(story, known), MOST)):
            with st.container(border=True, height="stretch", gap="xsmall"):
                st.markdown(f"{step.icon} **{step.title}**")
                st.caption(step.why)
                step.act(place == 0)


def steps(story: Story, known: Sequence[Run]) -> Iterator[Step]:
    """What to do next, the most worthwhile first."""
    if known and (failed := known[0]).failure is not None:
        yield _see_failure(failed)
    if story.pair:
        yield _disagreements(*story.pair)
    elif samples.missing(lab.runs()) and not any(run.has_results for run in known):
        yield _BRING
    yield from _missing_sides(story, known)
    digits = [run for run in known if run.has_results and run.config.data.shows_digits]
    if digits:
        yield _DRAW
    if story.pair:
        yield _second_chance(min(story.pair, key=accuracy))
    yield _OWN_PICTURES
    yield _OTHER_RECIPES


def _see_failure(run: Run) -> Step:
    return Step(
        icons.RUNS,
        f"See why {run_view.name(run)} ended",
        "It did not come to its end. What happened is told in a sentence, with what helps.",
        lambda first: _link("Runs", "See what helps", run=run.id),
    )


def _disagreements(a: Run, b: Run) -> Step:
    return Step(
        icons.COMPARE,
        "See where they disagree",
        "Every image that the two take for different classes: filter them, ask why, tag them.",
        lambda first: _link("Compare", "Compare them", a=a.id, b=b.id, show="disagreements"),
    )


def _missing_sides(story: Story, known: Sequence[Run]) -> Iterator[Step]:
    """A launch for each side of the question that is missing and not under way."""
    under_way = {run.config.recipe for run in known if run_view.is_active(run)}
    if story.built is None and CNN not in under_way:
        yield _LAUNCH_CNN if on_digits(story) else _train_on(story.dataset, "A CNN")
    if story.carried is None and VGG16 not in under_way:
        yield (
            _LAUNCH_VGG16
            if on_digits(story)
            else _train_on(story.dataset, "A carried-over network")
        )


def _train_on(dataset: str, network: str) -> Step:
    return Step(
        icons.TRAIN,
        "Train the other side",
        f"{network} on {lab.plain(dataset)} makes the comparison: choose its recipe and launch it.",
        lambda first: _link("Train", "Train it", dataset=dataset),
    )


def _second_chance(loser: Run) -> Step:
    return Step(
        icons.TRAIN,
        f"Give {run_view.name(loser)} another chance",
        "Begin with its settings, then train it longer, let more layers learn, or vary its images.",
        lambda first: _link("Train", "Change its settings", **{"from": loser.id}),
    )


def _link(name: str, label: str, **parameters: str) -> None:
    page = next(page for page in PAGES if page.name == name)
    st.page_link(page.script, label=label, icon=page.icon, query_params=parameters)


def _own_pictures() -> None:
    with st.container(horizontal=True, gap="medium"):
        _link("Data", "Use the camera", collect="camera")
        _link("Data", "Import files")


def _launch(recipe: str, first: bool) -> None:
    """A button that queues a recipe as it is, like Train does, and shows it train here."""
    if not st.button(
        f"Launch {recipe}",
        type="primary" if first else "secondary",
        icon=icons.START,
        key=f"overview_launch_{recipe}",
    ):
        return
    try:
        config = preflight.settle(RECIPES[recipe].config, lab.runs())
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return
    if launching.begin(config, Called("", "", possible=True)):
        st.rerun()


_BRING = Step(
    icons.SAMPLE,
    "Look around first",
    "Bring in networks that are trained already, and see the whole dashboard at work in a second.",
    lambda first: sample_runs.offer(),
)
_LAUNCH_CNN = Step(
    icons.TRAIN,
    "Train the small CNN",
    "One pass over 60,000 digits: a minute or two on a small machine. Watch it learn right here.",
    lambda first: _launch(CNN, first),
)
_LAUNCH_VGG16 = Step(
    icons.TRAIN,
    "Train VGG16",
    "Its frozen layers see each digit once, in some ten minutes on a small machine; training "
    "again on the same images then takes seconds.",
    lambda first: _launch(VGG16, first),
)
_DRAW = Step(
    icons.PREDICT,
    "Draw a digit",
    "Every network reads it as soon as your stroke ends. Try to make them disagree.",
    lambda first: _link("Predict", "Draw for them"),
)
_OWN_PICTURES = Step(
    icons.DATA,
    "Bring your own pictures",
    "Show the camera two things and have a network of your own within a minute; or bring a folder "
    "or a ZIP with one folder a class.",
    lambda first: _own_pictures(),
)
_OTHER_RECIPES = Step(
    icons.NETWORK,
    "Try another network",
    f"{len(RECIPES)} recipes, from a wider CNN to InceptionV3 cut at any layer; change what you "
    "like.",
    lambda first: _link("Train", "Choose a recipe"),
)
