"""Train: choose a recipe, change what matters, look at the network, launch, and watch."""

from __future__ import annotations

import streamlit as st

from core.errors import InvalidConfig, TransferLabError
from core.registry import preflight
from core.registry.config import RunConfig
from core.training import memory_needs
from core.training.costs import Estimate
from ui import lab
from ui.frame import icons
from ui.frame.navigation import page
from ui.runs import run_view, watch
from ui.train import (
    architecture,
    changes,
    estimate,
    launching,
    learning_rate,
    recipe_choice,
    settings_form,
    settings_link,
    start_from,
    views,
    written_settings,
)
from ui.train.draft import Draft
from ui.train.launching import Called
from ui.train.views import COMMON, EVERYTHING, NETWORK, RECIPE, RUN


def choose_settings(draft: Draft) -> RunConfig | None:
    """The configuration as the person left its settings, or None where they do not fit."""
    if draft.origin:
        st.caption(draft.origin)
    level = views.choose_level()
    if level == RECIPE:
        settings_form.ask_images(draft)
    if draft.values["data.name"] == "folder":
        settings_form.ask_folder(draft)
    if level == COMMON:
        settings_form.ask_common(draft)
    curve = settings_form.ask(draft) if level == EVERYTHING else None
    config = fitting_config(draft)
    if curve and config:
        with curve:
            learning_rate.show(config)
    changes.show(draft)
    return config


def fitting_config(draft: Draft) -> RunConfig | None:
    """The configuration, or None with the rule shown that its settings break."""
    try:
        return draft.config
    except InvalidConfig as error:
        if draft.lacks_weights_file:
            st.info(
                "Name the weights file, under Everything in the section Network.",
                icon=":material/draft:",
            )
        else:
            st.error(lab.sentence(error), icon=icons.ERROR)
    return None


def settle(config: RunConfig) -> RunConfig | None:
    """The configuration with what this machine tells, or None with the reason shown."""
    if config.data.name == "folder" and not config.data.path:
        st.info(
            "Name the folder that holds your images, in train/CLASS/ and test/CLASS/, or import "
            "them on Data and choose that dataset.",
            icon=icons.FILES,
        )
        return None
    try:
        return preflight.settle(config, lab.runs())
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return None


def offer(config: RunConfig | None, called: Called, expected: Estimate | None) -> tuple[bool, bool]:
    """Buttons to launch a run and to estimate what it will take; which of them was clicked."""
    impossible = memory_needs.blocked(config, expected) if config else None
    with st.container(key="train_launch", horizontal=True, gap="small"):
        launched = st.button(
            "Launch",
            type="primary",
            icon=icons.START,
            disabled=config is None or impossible is not None or not called.possible,
        )
        asked = st.button(
            "Estimate time and memory",
            icon=":material/timer:",
            disabled=config is None or impossible is not None,
            help="Trains a few batches, for some seconds, and throws them away.",
        )
    if impossible is not None:
        st.error(lab.sentence(impossible), icon=":material/memory:")
    return launched, asked


def launch(config: RunConfig, called: Called, expected: Estimate | None) -> None:
    """Queue a run and show it."""
    run = launching.begin(config, called, expected)
    if run is None:
        return
    launching.empty_name_and_note()
    run_view.show_next(run, parameter="run")
    views.show(RUN)


def show_network(config: RunConfig | None) -> None:
    """The network that would be launched."""
    if config is None:
        st.info("The network is drawn here once the settings fit each other.")
    else:
        architecture.show(config, lab.cache_limit())


page("Train", "🏋️", "Pick a recipe, change what you like, launch it and watch it learn.")
begun = start_from.take_address() or start_from.take_dataset_of_address()
followed = settings_link.follow() and watch.PARAMETER not in st.query_params
if begun or followed:
    views.show(NETWORK)
views.follow()
settings_column, seen_column = st.columns([5, 7], gap="medium")

with settings_column.container(key="controls_settings"):
    known = lab.runs().all()
    draft = Draft.of(recipe_choice.choose(known))
    start_from.remember(draft)
    before = dict(draft.values)
    config = choose_settings(draft)
    ready = settle(config) if config else None
    expected = estimate.known(ready) if ready else None
    called = launching.ask_name(draft.recipe, known)
    with launching.bar():
        launching.show_wait(known)
        launched, asked = offer(ready, called, expected)
    what_it_takes = st.container()
    if expected:
        with what_it_takes:
            estimate.show(expected)
    written_settings.show(draft, config)
    settings_link.tell(draft)
    if ready and launched:
        launch(ready, called, expected)
        known = lab.runs().all()

with seen_column:
    views.begin(known)
    network_tab, run_tab = st.tabs([NETWORK, RUN], key=views.SHOWN, on_change="rerun")
    views.tell()
    if network_tab.open:
        with network_tab:
            show_network(ready or config)
    if run_tab.open:
        with run_tab:
            watch.show(known)

if ready and estimate.is_wanted(
    ready, asked
):  # last, since it takes its time and the rest of the page should stand
    with what_it_takes:
        estimate.make(ready, anew=asked)
elif draft.values != before and not launched:
    st.rerun()  # a table was changed, which is known only once it is drawn; its marks stand above
