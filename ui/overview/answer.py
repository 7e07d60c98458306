"""The question that the dashboard is about, and what the runs there are answer to it."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from core.analysis.comparison import Comparison, verdict
from core.analysis.story import Story, accuracy
from core.errors import TransferLabError
from core.registry.run import Run
from ui import lab, units
from ui.compare.test_sets import Compared, Tested, compared
from ui.frame import icons
from ui.overview.linked import link_to, linked
from ui.overview.outcomes import outcomes
from ui.overview.sides import BUILT, CARRIED, looks_in, named, sides

QUESTION = "Does a general network beat one built for the task?"
ABOUT = (
    "One network learned to see on a million photographs and is carried over to a new task. The "
    "other is small and was built for the task, and knows nothing else."
)


def show(story: Story, known: Sequence[Run]) -> Compared | None:
    """The question, the answer so far and what it rests on.

    Returns both networks compared, where there are pictures that show the answer.
    """
    found = _compared(story.pair) if story.pair else None
    if isinstance(found, Compared):
        c = found.comparison
        networks = sides(story, known, c.sides) + outcomes(c)
        # What it takes at most is known by what it tells (ui/overview/style).
        with st.container(key=f"overview_question{'_best' if story.best else ''}"):
            linked(_question(_answered(story, c), networks))
        return found if c.counts["both_right"] < c.total else None
    linked(_question(_unanswered(story), sides(story, known)))
    if found is not None:
        st.warning(lab.sentence(found), icon=icons.WARNING)
    return None


def _compared(pair: tuple[Run, Run]) -> Compared | TransferLabError:
    """Both networks on the same test images, or what keeps them from being compared."""
    try:
        return compared(Tested(), pair, (0, 0))
    except TransferLabError as error:
        return error


# --- The question and the answer in words -------------------------------------------------------


def _question(answer: str, networks: str) -> str:
    return (
        '<div class="question"><div><p class="eyebrow">The question</p>'
        f'<h2>{QUESTION}</h2><p class="quiet">{ABOUT}</p>{answer}</div>'
        f'<div class="tl-saved">{networks}</div></div>'
    )


def _answered(story: Story, c: Comparison) -> str:
    told = html.escape(units.superscripts(verdict(c)))
    return (
        f'<p class="answer">{_headline(c)}</p><p>{told}</p>'
        f'<p class="quiet">{html.escape(_caution(story, c))}</p>{_best(story)}'
    )


def _headline(c: Comparison) -> str:
    """The answer in a few words; A is the network that was built for the task."""
    if c.better is None:
        return "Not decided: too close to tell."
    return "No, not here." if c.better is c.a else "Yes, here it does."


def _caution(story: Story, c: Comparison) -> str:
    """What the answer holds for, and what makes the two unlike beside the question."""
    label = c.a.run.config.data.facts.label
    told = f"On {units.count(c.total)} test images of {label}"
    if story.alike:
        return f"{told}; both were trained on equally many images, equally long."
    return (
        f"{told}. They were not trained alike: {_training(c.a.run)} against {_training(c.b.run)}."
    )


def _training(run: Run) -> str:
    epochs, images = run.state.epochs_done, run.config.data.train_images
    told = "1 epoch" if epochs == 1 else f"{units.count(epochs)} epochs"
    varied = " varied" if run.config.augmentation.active else ""
    if images is None:
        return f"{told} of all{varied} training images"
    return f"{told} of {units.count(images)}{varied} training images"


def _best(story: Story) -> str:
    """One line on a third network that beats both."""
    if story.best is None:
        return ""
    link = link_to(
        "Runs", {"run": story.best.id}, named(story.best, looks_in(story)[story.best.id])
    )
    share = units.percent(accuracy(story.best))
    return f'<p style="margin-top:.6rem">Best so far: {link}, {share} of the same images right.</p>'


def _unanswered(story: Story) -> str:
    if story.built is None and story.carried is None:
        told = "No network has been tested yet: the sample runs, or two launches, answer it."
    else:
        lacks = BUILT if story.built is None else CARRIED
        told = f"One side is missing: a network that was {lacks.lower()}."
    if story.pair:
        told = "Both networks are there, but they cannot be compared."
    return f'<p class="answer">No answer yet.</p><p>{told}</p>{_best(story)}'
