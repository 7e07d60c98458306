"""Train: choose a recipe, change what matters, launch, and watch."""

from __future__ import annotations

from typing import Any, Literal, get_args, get_origin

import streamlit as st
from pydantic.fields import FieldInfo

from core.config import RunConfig, change, differences, setting_of
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


MAIN_SETTINGS = {
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "optimizer": "Optimizer",
}
MORE_SETTINGS = {
    "schedule": "Learning-rate schedule",
    "precision": "Precision",
    "network.head.dense": "Dense layers",
    "network.head.dropout": "Dropout",
    "data.train_images": "Training images",
    "data.test_images": "Test images",
    "data.validation": "Watch while training",
    "network.side": "Image side in pixels",
    "seed": "Seed",
}
BACKBONE_SETTINGS = {
    "network.scaling": "Pixel scaling",
    "network.weights": "Backbone weights",
}
WATCHED = ("test", 0.05, 0.1, 0.2)


def choose_settings(recipe: Recipe) -> dict[str, Any]:
    """Every setting as the person left it, by key; the ones that matter most first."""
    settings = _ask_all(recipe, MAIN_SETTINGS)
    with st.expander("More settings", icon=":material/tune:"):
        settings |= _ask_all(recipe, MORE_SETTINGS)
        if recipe.config.network.mode == "transfer":
            settings |= _ask_all(recipe, BACKBONE_SETTINGS)
    return settings


def _ask_all(recipe: Recipe, titles: dict[str, str]) -> dict[str, Any]:
    """Ask for settings two by two, so that a narrow page shows them in the same order."""
    answers = {}
    for place, (setting, title) in enumerate(titles.items()):
        if place % 2 == 0:
            columns = st.columns(2)
        with columns[place % 2]:
            answers[setting] = _ask(recipe, setting, title)
    return answers


def _ask(recipe: Recipe, setting: str, title: str) -> Any:
    """Ask for one setting, beginning with the recipe's; its field knows meaning and limits."""
    field, value = setting_of(recipe.config, setting)
    common: dict[str, Any] = {"help": field.description, "key": f"{recipe.name}.{setting}"}
    if setting == "data.validation":
        return st.selectbox(title, WATCHED, format_func=_watched, **common)
    if get_origin(field.annotation) is Literal:
        choices = get_args(field.annotation)
        return st.selectbox(title, choices, choices.index(value), **common)
    if isinstance(value, tuple):
        common["help"] += " Separate several by commas: 512, 256."
        return _units(st.text_input(title, ", ".join(map(str, value)), **common))
    if isinstance(value, str):
        return st.text_input(title, value, **common)
    return _ask_number(title, field, value, common)


def _ask_number(title: str, field: FieldInfo, value: Any, common: dict[str, Any]) -> Any:
    low, high = (_limit(field, names) for names in (("ge", "gt"), ("le", "lt")))
    if isinstance(value, float):
        step, shown = (0.05, "%.2f") if high == 1 else (1e-4, "%.5f")
        low, high = max(float(low), 0.0 if high == 1 else 1e-5), min(float(high), high - step)
        return st.number_input(title, low, high, value, step=step, format=shown, **common)
    return st.number_input(title, low, high, value, placeholder="all", **common)


def _limit(field: FieldInfo, names: tuple[str, str]) -> Any:
    limits = (getattr(rule, name, None) for rule in field.metadata for name in names)
    return next((limit for limit in limits if limit is not None), None)


def _watched(choice: str | float) -> str:
    return "the test images" if choice == "test" else f"{choice:.0%} held back"


def _units(text: str) -> list[Any]:
    """Units as typed; what is no number is left for the configuration to name."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    return [int(word) if word.isdecimal() else word for word in words]


def show_configuration(recipe: Recipe, config: RunConfig) -> None:
    """Parameter counts, and what was changed against the recipe."""
    counted = config.parameters
    trained = Figure("Parameters trained", theme.count(counted.trainable), _TRAINED)
    frozen = Figure("Parameters frozen", theme.count(counted.frozen), _FROZEN)
    figures(*([trained, frozen] if counted.frozen else [trained]))
    changed = differences(recipe.config, config)
    if changed:
        words = (f"{key.rpartition('.')[2]} {_shown(old)} → {_shown(new)}"
                 for key, (old, new) in changed.items())  # fmt: skip
        st.caption("Changed: " + lab.plain("; ".join(words)))


_TRAINED = "Numbers in the network that training changes."
_FROZEN = (
    "Numbers taken over from pretraining and left as they are. Their output for each image is "
    "computed once and kept on disk."
)


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
    st.toast(f"Launched {run_view.name(run)}.", icon=":material/play_arrow:")


def choose_run() -> Run | None:
    """The run to watch: that of the address, else one at work, else the newest."""
    known = lab.runs().all()
    if not known:
        return None
    by_urgency = sorted(
        range(len(known)),
        key=lambda place: (
            not run_view.is_working(known[place]),
            not run_view.is_active(known[place]),
        ),
    )
    return run_view.choose(
        known,
        "Run",
        parameter="run",
        default=by_urgency[0],
        text=lambda run: f"{run.name} · {run.status}",
    )


def watch(run: Run) -> None:
    """Follow one run; the part below redraws itself each second until the run ends."""
    active = run_view.is_active(run)

    @st.fragment(run_every=1.0 if active else None)
    def follow() -> None:
        with lab.failures_as_sentences():
            now = lab.runs().again(run)
        if now.status != run.status:
            st.rerun()  # only a full rerun ends the redrawing and names the status above
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
