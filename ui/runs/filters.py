"""Which of all runs a person wants to see: searched and filtered for, kept in the address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from core.data.catalogue import DATASETS, IMPORTED_NAME
from core.network.architectures import ARCHITECTURES
from core.registry.run import Run
from ui.frame import icons
from ui.runs import run_view
from ui.runs.run_view import STATUSES

SEARCH = "search"


def tags_of(run: Run) -> list[str]:
    """Its tags, and before them that it is a sample."""
    return [*([run_view.SAMPLE] if run.is_sample else []), *run.about.tags]


@dataclass(frozen=True)
class Filters:
    """Which runs a person wants to see; empty means all."""

    words: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many lists of values something was chosen in."""
        lists = (self.statuses, self.architectures, self.datasets, self.tags)
        return sum(map(bool, lists))

    @property
    def active(self) -> bool:
        """Whether any run may be left out."""
        return bool(self.words) or self.count > 0

    def fit(self, run: Run) -> bool:
        """Whether a run is wanted: all words, any of the statuses, any of the tags and so on."""
        config = run.config
        return (
            (not self.statuses or run.status in self.statuses)
            and (not self.architectures or config.network.architecture in self.architectures)
            and (not self.datasets or config.data.name in self.datasets)
            and (not self.tags or not set(self.tags).isdisjoint(tags_of(run)))
            and (not self.words or all(word in _searched(run) for word in self.words))
        )


@lru_cache(maxsize=4096)
def _searched(run: Run) -> str:
    """The text in which words are looked for."""
    about = run.about
    return "\n".join((run.name, run.config.recipe, about.note, *about.tags)).casefold()


def ask_filters(runs: Sequence[Run]) -> Filters:
    """Ask which runs to show; the answers stand in the page's address."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        text = st.text_input(
            "Search",
            key=SEARCH,
            bind="query-params",
            placeholder="Name, note, tag or recipe",
            help="Shows the runs that have every word in their name, note, tags or recipe.",
            icon=icons.SEARCH,
            label_visibility="collapsed",
        )
        with st.popover(_title_of_lists(), icon=icons.FILTER):
            statuses = _ask_some("Status", "status", list(STATUSES))
            architectures = _ask_some("Network", "network", list(ARCHITECTURES))
            datasets = _ask_some("Dataset", "dataset", _datasets_of(runs))
            tags = _ask_tags(runs)
    return Filters(tuple(text.casefold().split()), statuses, architectures, datasets, tags)


LISTS = ("status", "network", "dataset", "tag")
"""Keys of the lists of values, which are also the names of the address's parameters."""


def _title_of_lists() -> str:
    count = sum(bool(st.session_state.get(key)) for key in LISTS)
    return f"Filter · {count}" if count else "Filter"


def _ask_some(title: str, key: str, options: list[str]) -> tuple[str, ...]:
    chosen = st.pills(title, options, selection_mode="multi", key=key, bind="query-params")
    return tuple(chosen)


def _datasets_of(runs: Sequence[Run]) -> list[str]:
    """The built-in datasets, then the imported ones that runs learned from or a link names."""
    chosen = st.session_state.get("dataset") or st.query_params.get_all("dataset")
    known = {run.config.data.name for run in runs} | set(filter(IMPORTED_NAME.fullmatch, chosen))
    return [*DATASETS, *sorted(known.difference(DATASETS))]


def _ask_tags(runs: Sequence[Run]) -> tuple[str, ...]:
    known = {tag for run in runs for tag in tags_of(run)}
    if not known and not st.session_state.get("tag"):
        return ()
    options = sorted(known | set(st.session_state.get("tag") or ()), key=str.casefold)
    return tuple(st.multiselect("Tag", options, key="tag", bind="query-params"))


def clear_filters() -> None:
    """Show all runs again."""
    st.session_state[SEARCH] = ""
    for key in LISTS:
        if key in st.session_state:
            st.session_state[key] = []
