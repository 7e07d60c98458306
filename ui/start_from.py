"""Settings that begin with those of a run: `?from=RUN` in the address of Train."""

from __future__ import annotations

import streamlit as st

from core.choices import settings_of
from core.errors import DamagedFile, UnknownRun
from core.recipes import RECIPES, nearest_recipe
from core.runs import Run
from ui import lab, run_view
from ui.draft import Draft

PARAMETER = "from"


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
            icon=":material/link_off:",
        )
        return False
    except DamagedFile as error:
        st.warning(
            f"{lab.sentence(error)} The settings are as you left them.", icon=":material/warning:"
        )
        return False
    del st.query_params[PARAMETER]
    take(run)
    return True


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
