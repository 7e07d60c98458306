"""The recipe to start from: what it trains, what it reached here, and how long that took."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.config import RunConfig
from core.registry.recipes import RECIPES, Recipe
from core.registry.run import Run
from ui import units
from ui.train import start_from


def choose(known: Sequence[Run]) -> Recipe:
    """Ask which recipe to start from, and tell what is known of it before any setting is asked."""
    chosen = st.selectbox(
        "Recipe",
        list(RECIPES),
        format_func=lambda name: f"{name} · {gist(RECIPES[name].config)}",
        key="recipe",
        persist_state="session",
        on_change=start_from.carry_dataset,
        help="A complete configuration to start from. Every setting of it can be changed.",
    )
    recipe = RECIPES[chosen]
    st.caption(f"{recipe.summary} {reached(recipe, known)}")
    if recipe.config.data.name.startswith("cifar"):
        st.caption(
            "Images and ImageNet weights come through Keras's download, once, when the first run "
            "begins; or from files that you name under Everything.",
        )
    return recipe


def gist(config: RunConfig) -> str:
    """What of the network trains, and for how long, in a few words.

    >>> gist(RECIPES["vgg16-digits"].config), gist(RECIPES["vgg16-folder"].config)
    ('trains a head, 1 epoch', 'trains a head, then all of it, 100 epochs')
    """
    what = _TRAINED[config.network.mode] + ", then all of it" * (len(config.phases) > 1)
    return f"trains {what}, {config.all_epochs} epoch{'s' * (config.all_epochs != 1)}"


_TRAINED = {
    "scratch": "all of it",
    "transfer": "a head",
    "features": "on its output",
    "finetune": "its last layers",
}


def reached(recipe: Recipe, known: Sequence[Run]) -> str:
    """What the recipe as it stands reached in this workspace, else in its source, in Markdown."""
    reported = recipe.reported_accuracy
    source = f"its source reports {units.percent(reported)}" if reported else ""
    of_recipe = (
        run
        for run in known
        if run.config.recipe == recipe.name and "test_accuracy" in run.state.metrics
    )
    by_accuracy = sorted(of_recipe, key=_accuracy, reverse=True)
    best = next((run for run in by_accuracy if run.config == recipe.config), None)
    if best is None:
        more = f"; {source} of the test images right" if source else ""
        return f"Not trained here yet{more}. “Estimate time and memory” tells how long it takes."
    who = "The sample run" if best.is_sample else "Here it"
    return (
        f"{who} got **{units.percent(_accuracy(best))}** of the test images right, after "
        f"**{units.duration(best.state.seconds)}**{f' ({source})' if source else ''}."
    )


def _accuracy(run: Run) -> float:
    return run.state.metrics["test_accuracy"]
