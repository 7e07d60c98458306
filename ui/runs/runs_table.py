"""The table of all runs: searched and filtered, kept up to date, its rows there to be chosen."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import nan
from typing import Any, NamedTuple

import pandas as pd
import streamlit as st

from core.glossary import meaning_of
from core.registry.run import Run
from ui import lab, units
from ui.frame import icons, presenting
from ui.frame.empty import empty
from ui.runs import run_view
from ui.runs.filters import Filters, ask_filters, clear_filters, tags_of
from ui.runs.run_view import STATUSES
from ui.theme import Look

BUSY_SECONDS, IDLE_SECONDS = 2.0, 15.0
"""Seconds between looks at the runs while one waits or trains, and while none does."""
TABLE = "runs_table"
CURVE_POINTS = 30
ROWS_SHOWN = 8
MOST_ROWS = 500
"""Runs that are listed unless somebody asks for all: thousands take long to send and to draw."""
EVERY_ROW = "every_row"
ROW_HEIGHT = 35


class Row(NamedTuple):
    """What the table tells of a run."""

    name: str
    status: list[str]
    accuracy: float
    val_accuracy: float
    val_loss: float
    curve: list[float]
    epochs: str
    time: timedelta | None
    architecture: str
    mode: str
    dataset: str
    batch_size: int
    optimizer: str
    learning_rate: float
    tags: list[str]
    note: str
    created: datetime
    recipe: str
    test_loss: float
    precision: str
    parameters: int
    seed: int


@lru_cache(maxsize=4096)
def row_of(run: Run) -> Row:
    """The row of a run as it stood when it was read."""
    config, state = run.config, run.state
    metrics = state.metrics
    return Row(
        name=run.name,
        status=[run.status],
        accuracy=100 * metrics.get("test_accuracy", nan),
        val_accuracy=100 * metrics.get("val_accuracy", nan),
        val_loss=metrics.get("val_loss", nan),
        curve=thinned_curve(state.curve),
        epochs=f"{state.epochs_done} of {config.all_epochs}",
        time=timedelta(seconds=round(state.seconds)) if state.seconds else None,
        architecture=config.network.architecture,
        mode=config.network.mode,
        dataset=config.data.name,
        batch_size=config.batch_size,
        optimizer=config.optimizer,
        learning_rate=config.learning_rate,
        tags=tags_of(run),
        note=" ".join(run.about.note.split()),
        created=run.request.created,
        recipe=config.recipe,
        test_loss=metrics.get("test_loss", nan),
        precision=state.precision,
        parameters=config.parameters.trainable,
        seed=config.seed,
    )


def thinned_curve(curve: Sequence[float]) -> list[float]:
    """Every so-manieth value, so that a small picture needs no more than CURVE_POINTS."""
    step = -(-len(curve) // CURVE_POINTS) or 1
    return list(curve[::step])


@dataclass
class Choice:
    """Which runs a person has chosen, and what the table held when the browser last got it.

    address: the chosen runs that the page's address named when it was last looked at.
    """

    ids: tuple[str, ...] = ()
    shown: tuple[Run, ...] = ()
    address: tuple[str, ...] = ()

    @classmethod
    def kept(cls) -> Choice:
        """That of the session."""
        choice: Choice = st.session_state.setdefault("_choice", cls())
        return choice

    def take(self) -> None:
        """Take in what was ticked since; chosen runs that the table does not show stay chosen."""
        if TABLE not in st.session_state:  # the table was not on the page
            self.shown = ()
            return
        rows = st.session_state[TABLE]["selection"]["rows"]
        ticked = [self.shown[row].id for row in rows if row < len(self.shown)]
        could_be_ticked = {run.id for run in self.shown}
        hidden = [run_id for run_id in self.ids if run_id not in could_be_ticked]
        self.ids = (*hidden, *ticked)

    def take_address(self) -> None:
        """Take the runs that a link names instead."""
        named = tuple(st.query_params.get_all("run"))
        if named and named != self.address:
            self.ids, self.shown = named, ()

    def write_address(self) -> None:
        """Have the page's address name the chosen runs."""
        if self.ids:
            st.query_params["run"] = list(self.ids)
        elif "run" in st.query_params:
            del st.query_params["run"]
        self.address = self.ids

    def give(self, runs: tuple[Run, ...]) -> None:
        """Have the table tick what is chosen, where its rows are no longer those it had.

        A browser knows rows by their number, and sorts them by what they hold.
        """
        if runs != self.shown or TABLE not in st.session_state:
            rows = [place for place, run in enumerate(runs) if run.id in self.ids]
            st.session_state[TABLE] = {"selection": {"rows": rows, "columns": [], "cells": []}}
        self.shown = runs


def choose(known: Sequence[Run]) -> list[Run]:
    """Show the runs in a table that keeps up to date; those that are chosen, newest first."""
    filters = ask_filters(known)
    choice = Choice.kept()
    choice.take()
    choice.take_address()
    _forget_deleted(choice, known)
    choice.write_address()
    active = any(map(run_view.is_active, known))
    chosen_on_page, fresh = choice.ids, [known]

    @st.fragment(run_every=BUSY_SECONDS if active else IDLE_SECONDS)
    def table() -> None:
        runs = fresh.pop() if fresh else lab.runs().all()
        choice.take()
        if (
            choice.ids != chosen_on_page
            or not {run.id for run in runs}.issuperset(choice.ids)
            or any(map(run_view.is_active, runs)) != active
        ):
            st.rerun()  # what the page shows of the chosen runs stands below the table
        _show(runs, filters, choice)

    table()
    return [run for run in known if run.id in choice.ids]


def forget_choice() -> None:
    """Have no run chosen any more."""
    choice = Choice.kept()
    choice.ids, choice.shown = (), ()


def _forget_deleted(choice: Choice, known: Sequence[Run]) -> None:
    ids = {run.id for run in known}
    gone = [run_id for run_id in choice.ids if run_id not in ids]
    if not gone:
        return
    names = {run.id: run.name for run in choice.shown}
    listed = ", ".join(lab.plain(names.get(run_id, run_id)) for run_id in gone)
    st.warning(f"Deleted meanwhile: {listed}. Choose another run.", icon=icons.DELETE)
    choice.ids, choice.shown = tuple(run_id for run_id in choice.ids if run_id in ids), ()


def _show(runs: Sequence[Run], filters: Filters, choice: Choice) -> None:
    fitting = tuple(run for run in runs if filters.fit(run))
    if not fitting:
        choice.shown = ()
        with empty(
            icons.SEARCH,
            "No run fits what is searched and filtered for.",
            f"All in all: {_counted(len(runs), len(runs))}.",
            key="found",
        ):
            st.button("Show all runs", icon=icons.NO_FILTER, on_click=clear_filters)
        return
    listed = fitting if st.session_state.get(EVERY_ROW) else first_of(fitting, choice.ids)
    choice.give(listed)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(_counted(len(fitting), len(runs)), width="content")
        if len(listed) < len(fitting):
            st.caption(f"· the newest {units.count(MOST_ROWS)} are listed", width="content")
            st.button(
                "List all",
                type="tertiary",
                on_click=lambda: st.session_state.update({EVERY_ROW: True}),
                help="Takes a moment longer. Search and filters look through all in any case.",
            )
    looks = run_view.looks_of(run for run in runs if run.id in choice.ids)
    st.dataframe(
        table_of(listed, looks),
        hide_index=True,
        height=_height(len(listed)),
        on_select="rerun",
        selection_mode="multi-row",
        key=TABLE,
        placeholder=units.MISSING,
        column_config=COLUMNS,
        column_order=SHOWN,
    )


def first_of(
    runs: Sequence[Run], chosen: Collection[str], most: int = MOST_ROWS
) -> tuple[Run, ...]:
    """The first of many runs, and those beyond whose id is among the chosen."""
    return (*runs[:most], *(run for run in runs[most:] if run.id in chosen))


def _counted(fitting: int, all_runs: int) -> str:
    if fitting < all_runs:
        return f"{units.count(fitting)} of {units.count(all_runs)} runs"
    return "1 run" if all_runs == 1 else f"{units.count(all_runs)} runs"


def _height(rows: int) -> int:
    """Pixels for all rows, or for the first of many."""
    return round(presenting.scale() * ROW_HEIGHT * (min(rows, ROWS_SHOWN) + 1)) + 3


def table_of(runs: Sequence[Run], looks: Mapping[str, Look]) -> pd.DataFrame:
    """One row per run; `looks` are those of the runs whose curves are drawn, by their ids."""
    table = pd.DataFrame([row_of(run) for run in runs], columns=list(Row._fields))
    look_of_each = [looks.get(run.id, run_view.look_of(run)) for run in runs]
    drawn = {look: look.icon for look in set(look_of_each)}
    table.insert(0, "look", pd.Series([drawn[look] for look in look_of_each], dtype=object))
    return table


def _number(title: str, form: str, help: str, width: int | None = None) -> Any:
    return st.column_config.NumberColumn(title, format=form, help=help, width=width)


COLUMNS: dict[str, Any] = {
    "look": st.column_config.ImageColumn(
        "",
        width=34,
        help="How its curves are drawn: in its colour, and in a pattern where chosen "
        "runs share one.",
    ),
    "name": st.column_config.TextColumn("Name", width=190),
    "status": st.column_config.MultiselectColumn(
        "Status",
        width=105,
        options=list(STATUSES),
        color=[badge.color for badge in STATUSES.values()],
    ),
    "accuracy": _number("Test", "%.2f %%", f"Of the test images: {meaning_of('accuracy')}", 78),
    "val_accuracy": _number(
        "Validation", "%.2f %%", f"Accuracy on these: {meaning_of('validation')}", 90
    ),
    "val_loss": _number("Loss", "%.4f", f"Validation loss. {meaning_of('loss')}", 70),
    "curve": st.column_config.LineChartColumn(
        "Training loss",
        width=120,
        help=f"{meaning_of('loss')} By the training batches, from first to last.",
    ),
    "epochs": st.column_config.TextColumn("Epochs", width=70, help=meaning_of("epoch")),
    "time": _number("Time", "compact", "Hours, minutes and seconds that it trained.", 80),
    "architecture": st.column_config.TextColumn("Network", width=85),
    "mode": st.column_config.TextColumn("Mode", width=75),
    "dataset": st.column_config.TextColumn("Dataset", width=80),
    "batch_size": _number("Batch", "%d", meaning_of("batch"), 60),
    "optimizer": st.column_config.TextColumn("Optimizer", width=82, help=meaning_of("optimizer")),
    "learning_rate": _number("Rate", "%g", f"{meaning_of('learning rate')} At its highest.", 70),
    "tags": st.column_config.ListColumn("Tags", width=130),
    "note": st.column_config.TextColumn("Note", width=160),
    "created": st.column_config.DatetimeColumn("Created", format="D MMM YYYY, HH:mm", width=135),
    "recipe": "Recipe",
    "test_loss": _number("Test loss", "%.4f", f"Of the test images: {meaning_of('loss')}"),
    "precision": "Precision",
    "parameters": _number("Parameters trained", "localized", meaning_of("parameter")),
    "seed": _number("Seed", "%d", meaning_of("seed")),
}
SHOWN = ["look", *(name for name in Row._fields if name not in
         ("recipe", "test_loss", "precision", "parameters", "seed"))]  # fmt: skip
"""Columns to begin with; the others are in the table's own menu."""
