"""The epochs of one run: how they did, and what can be done with those that kept weights."""

from __future__ import annotations

from math import nan
from typing import Any

import pandas as pd
import streamlit as st

from core.errors import TransferLabError
from core.glossary import meaning_of
from core.registry.evaluation import Evaluation
from core.registry.run import Run
from core.training.metrics import Event
from ui import lab, questions, units
from ui.frame import icons
from ui.runs import run_view
from ui.runs.histories import history_of

MOST_EPOCHS = 200
TABLE_ROWS = 6
ROW_HEIGHT = 35
TICK_SECONDS = 3.0


def show(run: Run) -> None:
    """The run's epochs, the best first; below them what those with weights can be used for."""

    @st.fragment(run_every=TICK_SECONDS if run_view.is_active(run) else None)
    def table() -> None:
        with history_of(run) as history:
            epochs = list(history.epochs)
        if not epochs:
            st.caption("Epochs are listed here as they end.")
            return
        _show_table(run, epochs)
        offer_weights(run)

    st.markdown("**Epochs**")
    table()


def _show_table(run: Run, epochs: list[Event]) -> None:
    best_by = run.config.best_by
    ranked = sorted(epochs, key=lambda epoch: _rank(epoch, best_by))[:MOST_EPOCHS]
    watched = "accuracy" if best_by == "val_accuracy" else "loss"
    more = (
        f" The best {MOST_EPOCHS} of {len(epochs):,} are listed."
        if len(epochs) > len(ranked)
        else ""
    )
    st.caption(f"The best come first, by the {watched} on the validation images.{more}")
    st.dataframe(
        table_of(run, ranked),
        hide_index=True,
        height=ROW_HEIGHT * (min(len(ranked), TABLE_ROWS) + 1) + 3,
        width="content",
        placeholder=units.MISSING,
        column_config=COLUMNS,
    )


def _rank(epoch: Event, best_by: str) -> tuple[float, int]:
    """What the best epoch has least of; of equals the earlier is better."""
    value = epoch.get(best_by, nan)
    worst = value if best_by == "val_loss" else -value
    return (worst if worst == worst else float("inf")), epoch["epoch"]


def table_of(run: Run, epochs: list[Event]) -> pd.DataFrame:
    """One row per epoch."""
    kept, best = set(run.folder.kept_epochs()), run.state.best_epoch
    return pd.DataFrame(
        {
            "epoch": [epoch["epoch"] for epoch in epochs],
            "best": ["best" if epoch["epoch"] == best else "" for epoch in epochs],
            "weights": [epoch["epoch"] in kept for epoch in epochs],
            "val_accuracy": [100 * epoch.get("val_accuracy", nan) for epoch in epochs],
            "val_loss": [epoch.get("val_loss", nan) for epoch in epochs],
            "test_accuracy": [100 * epoch.get("test_accuracy", nan) for epoch in epochs],
            "test_loss": [epoch.get("test_loss", nan) for epoch in epochs],
            "loss": [epoch.get("loss", nan) for epoch in epochs],
            "seconds": [epoch.get("seconds", nan) for epoch in epochs],
        }
    )


def _percent(title: str, help: str) -> Any:
    return st.column_config.NumberColumn(title, format="%.2f %%", help=help)


COLUMNS: dict[str, Any] = {
    "epoch": st.column_config.NumberColumn(
        "Epoch", format="%d", width=60, help=meaning_of("epoch")
    ),
    "best": st.column_config.TextColumn("", width=50),
    "weights": st.column_config.CheckboxColumn(
        "Weights kept",
        width=105,
        help=f"{meaning_of('weight')} Those of the last epoch are kept, and of as many of the best "
        "as the setting “Best epochs to keep” says.",
    ),
    "val_accuracy": _percent(
        "Validation accuracy", f"Accuracy on these: {meaning_of('validation')}"
    ),
    "val_loss": st.column_config.NumberColumn("Validation loss", format="%.4f"),
    "test_accuracy": _percent("Test accuracy", f"Of the test images: {meaning_of('accuracy')}"),
    "test_loss": st.column_config.NumberColumn("Test loss", format="%.4f"),
    "loss": st.column_config.NumberColumn("Training loss", format="%.4f"),
    "seconds": st.column_config.NumberColumn("Seconds", format="%.1f"),
}


def offer_weights(run: Run) -> None:
    """Let a person evaluate an epoch whose weights were kept, and use it on Predict."""
    kept = run.folder.kept_epochs()
    if not kept or not run.has_results:
        return
    best, key = run.state.best_epoch, f"epoch_of_{run.id}"
    if st.session_state.get(key) not in kept:
        st.session_state[key] = best if best in kept else kept[-1]
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        epoch = st.selectbox(
            "Epoch with weights",
            kept,
            format_func=lambda number: f"{number}, the best" if number == best else str(number),
            key=key,
            width=180,
        )
        asked = st.button(
            "Evaluate",
            icon=":material/fact_check:",
            key=f"evaluate_{run.id}",
            help="How well this epoch does on the test images.",
        )
        digits = run.config.data.shows_digits
        st.page_link(
            "pages/5_Predict.py",
            label=f"{'Draw for' if digits else 'Show a picture to'} epoch {epoch} on Predict",
            icon=icons.PREDICT,
            query_params={"run": run.id, "epoch": str(epoch)},
        )
    wanted: dict[str, int] = st.session_state.setdefault(_EVALUATED, {})
    if asked:
        wanted[run.id] = epoch
    if wanted.get(run.id) == epoch and _evaluate(run, epoch, anew=asked):
        wanted.pop(run.id, None)
    if (told := st.session_state.get(_told(run), {}).get(epoch)) is not None:
        st.success(told, icon=":material/fact_check:")


_EVALUATED = "_evaluated"
"""Where the session keeps which epoch of each run is being evaluated."""


def _told(run: Run) -> str:
    """Where the session keeps what was told of a run's epochs."""
    return f"_evaluated_{run.id}_{run.state.heartbeat}"


def _evaluate(run: Run, epoch: int, *, anew: bool) -> bool:
    """Evaluate an epoch; whether that has come to an end."""
    try:
        found = questions.evaluate(run, epoch, anew=anew)
    except TransferLabError as error:
        st.error(lab.sentence(error), icon=icons.ERROR)
        return True
    if found is None:
        return False
    told = st.session_state.setdefault(_told(run), {})
    told[epoch] = in_words(epoch, *found)
    return True


def in_words(epoch: int, evaluation: Evaluation, computed: bool) -> str:
    """What an evaluation found, and where it comes from."""
    source = (
        "Computed just now from its weights."
        if computed
        else "From the predictions that were stored after that epoch; nothing had to be computed."
    )
    return (
        f"**Epoch {epoch}: {units.percent(evaluation.accuracy)}** of "
        f"{units.count(evaluation.images)} test images right "
        f"({units.interval(evaluation.interval, units.percent)}), loss "
        f"{units.figure(evaluation.loss)}. {source}"
    )
