"""Train: choose a recipe, change what matters, launch, and watch."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st
from pydantic import BaseModel

from core.architectures import ARCHITECTURES
from core.config import (
    DataConfig,
    HeadConfig,
    NetworkConfig,
    RunConfig,
    change,
    differences,
)
from core.errors import InvalidConfig, TransferLabError
from core.recipes import RECIPES, Recipe
from core.runs import Run
from ui import lab, run_view, theme
from ui.figures import Figure, figures
from ui.navigation import page


def choose_recipe() -> Recipe:
    """The recipe to start from."""
    chosen = st.segmented_control(
        "Recipe",
        list(RECIPES),
        default="cnn-digits",
        required=True,
        help="A complete configuration to start from.",
    )
    recipe = RECIPES[chosen]
    st.caption(
        f"{recipe.summary} Its source reports {theme.percent(recipe.reported_accuracy)} "
        "of the test images right."
    )
    return recipe


def choose_settings(recipe: Recipe) -> dict[str, Any]:
    """The settings a person changed or left, by key."""
    config = recipe.config
    settings: dict[str, Any] = {}

    def key(setting: str) -> str:
        return f"{recipe.name}.{setting}"

    left, right = st.columns(2)
    settings["epochs"] = left.number_input(
        "Epochs", 1, 10_000, config.epochs, help=_help(RunConfig, "epochs"), key=key("epochs")
    )
    settings["batch_size"] = right.number_input(
        "Batch size",
        1,
        65_536,
        config.batch_size,
        help=_help(RunConfig, "batch_size"),
        key=key("batch_size"),
    )
    settings["learning_rate"] = left.number_input(
        "Learning rate",
        min_value=1e-6,
        max_value=10.0,
        value=config.learning_rate,
        step=1e-4,
        format="%.5f",
        help=_help(RunConfig, "learning_rate"),
        key=key("learning_rate"),
    )
    settings["optimizer"] = right.selectbox(
        "Optimizer",
        _options(RunConfig, "optimizer"),
        _options(RunConfig, "optimizer").index(config.optimizer),
        help=_help(RunConfig, "optimizer"),
        key=key("optimizer"),
    )
    with st.expander("More settings", icon=":material/tune:"):
        settings |= _more_settings(config, key)
    return settings


def _more_settings(config: RunConfig, key: Any) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    left, right = st.columns(2)
    settings["schedule"] = left.selectbox(
        "Learning-rate schedule",
        _options(RunConfig, "schedule"),
        _options(RunConfig, "schedule").index(config.schedule),
        help=_help(RunConfig, "schedule"),
        key=key("schedule"),
    )
    settings["precision"] = right.selectbox(
        "Precision",
        _options(RunConfig, "precision"),
        _options(RunConfig, "precision").index(config.precision),
        help=_help(RunConfig, "precision"),
        key=key("precision"),
    )
    settings["network.head.dense"] = _units(
        left.text_input(
            "Dense layers",
            ", ".join(map(str, config.network.head.dense)),
            help=_help(HeadConfig, "dense") + " Separate several by commas: 512, 256.",
            key=key("dense"),
        )
    )
    settings["network.head.dropout"] = right.number_input(
        "Dropout",
        0.0,
        0.95,
        config.network.head.dropout,
        step=0.05,
        help=_help(HeadConfig, "dropout"),
        key=key("dropout"),
    )
    settings["data.train_images"] = left.number_input(
        "Training images",
        min_value=10,
        value=config.data.train_images,
        placeholder="all",
        help=_help(DataConfig, "train_images"),
        key=key("train_images"),
    )
    settings["data.test_images"] = right.number_input(
        "Test images",
        min_value=10,
        value=config.data.test_images,
        placeholder="all",
        help=_help(DataConfig, "test_images"),
        key=key("test_images"),
    )
    settings["network.side"] = left.number_input(
        "Image side in pixels",
        ARCHITECTURES[config.network.architecture].smallest_side,
        512,
        config.network.side,
        help=_help(NetworkConfig, "side"),
        key=key("side"),
    )
    settings["seed"] = right.number_input(
        "Seed", 0, 2**31 - 1, config.seed, help=_help(RunConfig, "seed"), key=key("seed")
    )
    held_out = left.selectbox(
        "Watch while training",
        ["test", 0.05, 0.1, 0.2],
        format_func=lambda v: "the test images" if v == "test" else f"{v:.0%} held back",
        help=_help(DataConfig, "validation"),
        key=key("validation"),
    )
    settings["data.validation"] = held_out
    if config.network.mode == "transfer":
        settings["network.scaling"] = right.selectbox(
            "Pixel scaling",
            _options(NetworkConfig, "scaling"),
            help=_help(NetworkConfig, "scaling"),
            key=key("scaling"),
        )
        settings["network.weights"] = left.text_input(
            "Backbone weights",
            config.network.weights,
            help=_help(NetworkConfig, "weights"),
            key=key("weights"),
        )
    return settings


def _units(text: str) -> list[Any]:
    """Units as typed; what is no number is left for the configuration to name."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return [int(word) if word.isdecimal() else word for word in words]


def _help(model: type[BaseModel], setting: str) -> str:
    return model.model_fields[setting].description or ""


def _options(model: type[BaseModel], setting: str) -> list[Any]:
    return list(get_args(model.model_fields[setting].annotation))


def show_configuration(recipe: Recipe, config: RunConfig) -> None:
    """Parameter counts, and what was changed against the recipe."""
    counted = config.parameters
    figures(
        Figure(
            "Parameters trained",
            theme.count(counted.trainable),
            "Numbers in the network that training changes.",
        ),
        Figure(
            "Parameters frozen",
            theme.count(counted.frozen),
            "Numbers taken over from pretraining and left as they are. Their output for each "
            "image is computed once and kept on disk.",
        ),
    )
    changed = differences(recipe.config, config)
    if changed:
        words = (f"{key.rpartition('.')[2]} {_shown(old)} → {_shown(new)}"
                 for key, (old, new) in changed.items())  # fmt: skip
        st.caption("Changed: " + lab.plain("; ".join(words)))


def _shown(value: Any) -> str:
    if value is None:
        return "all"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def launch(config: RunConfig, name: str) -> None:
    """Queue a run and show it."""
    with lab.failures_as_sentences():
        run = lab.runs().create(config, name or None)
        lab.engine().submit(run)
    run_view.show_next(run, parameter="run")


def choose_run() -> Run | None:
    """The run to watch: that of the address, else one at work, else the newest."""
    known = lab.runs().all()
    if not known:
        return None
    active = [place for place, run in enumerate(known) if run_view.is_active(run)]
    return run_view.choose(
        known,
        "Run",
        parameter="run",
        default=active[-1] if active else 0,
        text=lambda run: f"{run.name} · {run.status}",
    )


def watch(run: Run) -> None:
    """Follow one run; the part below redraws itself each second until the run ends."""
    active = run_view.is_active(run)

    @st.fragment(run_every=1.0 if active else None)
    def follow() -> None:
        with lab.failures_as_sentences():
            now = lab.runs().again(run)
        if active and not run_view.is_active(now):
            st.rerun()  # only a full rerun ends the redrawing
        run_view.status_badge(now)
        if run_view.is_active(now):
            run_view.progress(now)
            offer_stop(now)
        else:
            run_view.results(now)
        run_view.failure(now)
        run_view.loss_and_accuracy(now)

    follow()


def offer_stop(run: Run) -> None:
    """A button that ends the run within a batch."""
    stopping = run.status == "stopping"
    if st.button(
        "Stopping …" if stopping else "Stop",
        icon=":material/stop_circle:",
        disabled=stopping,
        key=f"stop_{run.id}",
        help="Ends training within one batch; the best weights so far are kept and tested.",
    ):
        try:
            lab.engine().stop(run)
        except TransferLabError as error:  # it ended by itself a moment earlier
            st.toast(lab.sentence(error))
        st.rerun()


page("Train", "🏋️")
settings_column, run_column = st.columns([2, 3], gap="large")

with settings_column:
    recipe = choose_recipe()
    chosen = choose_settings(recipe)
    run_name = st.text_input(
        "Name", placeholder=recipe.name, help="What to call the run; empty takes the recipe's name."
    )
    try:
        config = change(recipe.config, chosen)
    except InvalidConfig as error:
        st.error(lab.sentence(error), icon=":material/error:")
        config = None
    if config is not None:
        show_configuration(recipe, config)
    if st.button(
        "Launch", type="primary", icon=":material/play_arrow:", disabled=config is None
    ) and config is not None:  # fmt: skip
        launch(config, run_name)

with run_column:
    run = choose_run()
    if run is None:
        st.info(
            "Nothing was trained yet. Launch the recipe as it is: its curves appear here, and it "
            "trains on when you close this tab.",
            icon=":material/arrow_back:",
        )
        st.stop()
    watch(run)
    if run.has_results:
        st.page_link("pages/4_Compare.py", label="Compare it", icon=":material/compare:")
        st.page_link("pages/5_Predict.py", label="Draw for it", icon=":material/draw:")
