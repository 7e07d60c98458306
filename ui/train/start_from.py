"""Settings that begin with those of a run or with a dataset, named in the address of Train.

`?from=RUN` takes the settings of a run, `?dataset=NAME` an imported dataset.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from core.data import data_choices
from core.data.catalogue import DATASETS
from core.errors import DamagedFile, TransferLabError, UnknownRun
from core.registry.choices import settings_of
from core.registry.recipes import RECIPES, nearest_recipe
from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.runs import run_view
from ui.train import fields, settings_link
from ui.train.draft import Draft

PARAMETER, DATASET = "from", "dataset"
SMALL = 64
"""Pixels of the shorter side up to which a CNN is the recipe to begin with."""


def take_address() -> bool:
    """Take the settings of the run that the address names; whether it named one that is there.

    The address then forgets it, so that the next rerun leaves the settings alone.
    """
    wanted = st.query_params.get(PARAMETER)
    if wanted is None:
        return False
    try:
        run = lab.runs().find(wanted)
    except UnknownRun:
        st.warning(
            f"There is no run {lab.plain(wanted)} to start from: it was deleted, or the link is "
            "wrong. The settings are as you left them; choose another run on Runs.",
            icon=icons.BROKEN_LINK,
        )
        return False
    except DamagedFile as error:
        st.warning(f"{lab.sentence(error)} The settings are as you left them.", icon=icons.WARNING)
        return False
    del st.query_params[PARAMETER]
    take(run)
    return True


def take_dataset_of_address() -> bool:
    """Choose the dataset that the address names; whether it named one that is there.

    The address then forgets it, so that the next rerun leaves the settings alone.
    """
    name = st.query_params.get(DATASET)
    if name is None:
        return False
    del st.query_params[DATASET]
    try:
        images = data_choices.images_of(
            name, None if name in DATASETS else lab.library().find(name)
        )
    except TransferLabError as error:
        st.warning(
            f"{lab.sentence(error)} The settings are as you left them.", icon=icons.BROKEN_LINK
        )
        return False
    draft = Draft.of(RECIPES[_recipe_for(name, images)])
    fields.choose_dataset(draft, name)
    if (settings := settings_link.asked_for()) is not None:
        settings_link.take(draft, settings)
    st.session_state["recipe"] = draft.recipe.name
    return True


def settings_for(name: str) -> dict[str, Any]:
    """The settings that training on a dataset begins with, as nobody has changed them yet.

    Raises what reading a dataset raises.
    """
    images = data_choices.images_of(name, lab.imported(name))
    start = settings_of(RECIPES[_recipe_for(name, images)].config)
    along = data_choices.along(start, name, images, start) if images else {}
    return start | {"data.name": name} | along


def _recipe_for(name: str, images: data_choices.Images | None) -> str:
    """The recipe that was chosen last where it is for such images, else the first that is."""
    last = RECIPES.get(st.session_state.get("recipe", ""))
    if name in DATASETS:
        made_for = [recipe.name for recipe in RECIPES.values() if recipe.config.data.name == name]
        return next(iter(made_for), next(iter(RECIPES)))
    small = images is not None and images.side <= SMALL
    few = images is not None and not small and images.train <= FEW
    fits = last is not None and small == (last.config.network.architecture == "cnn")
    if last is not None and fits and (not few or last.config.data.name == "folder"):
        return last.name  # one for many digits learns nothing of few pictures in its one epoch
    return SMALL_RECIPE if small else FEW_RECIPE if few else LARGE_RECIPE


SMALL_RECIPE, FEW_RECIPE, LARGE_RECIPE = "cnn-digits", "vgg16-few-pictures", "vgg16-folder"
"""What to begin with on small images, on few photographs and on many: none needs a download."""
FEW = 500
"""Photographs to learn from up to which a head alone is trained at first: that takes a minute."""


def remember(draft: Draft) -> None:
    """Know from now on which recipe was on the page last."""
    st.session_state[_SHOWN] = draft.recipe.name


def carry_dataset() -> None:
    """Have the recipe that was just chosen learn from the imported dataset chosen before."""
    before = Draft.of(RECIPES[st.session_state.get(_SHOWN, st.session_state["recipe"])])
    draft, name = Draft.of(RECIPES[st.session_state["recipe"]]), before.values["data.name"]
    if name not in DATASETS and draft.values["data.name"] in DATASETS:
        fields.choose_dataset(draft, name)


_SHOWN = "_recipe_shown"


def take(run: Run) -> None:
    """Have the form begin with a run's settings, under its recipe or the nearest to it."""
    recipe = RECIPES.get(run.config.recipe) or nearest_recipe(run.config)
    origin = f"Started from the settings of **{run_view.name(run)}**."
    if recipe.name != run.config.recipe:
        origin += (
            f" Its recipe {lab.plain(run.config.recipe)} is not there any more: changes are "
            f"marked against the nearest, {recipe.name}."
        )
    settings = settings_of(run.config) | {"recipe": recipe.name}
    Draft.of(recipe).replace(settings, "They replaced what you had set.", origin)
    st.session_state["recipe"] = recipe.name
