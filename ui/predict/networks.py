"""The networks that answer, each with one of the epochs whose weights it kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import NamedTuple

import streamlit as st

from core.registry.run import Run
from ui import lab
from ui.frame import icons
from ui.frame.empty import empty
from ui.names import shortened
from ui.runs import run_view

MOST_RUNS = 4
NETWORKS, ADDRESS = "networks", "_networks_of_address"
"""Keys of the session: the runs that are chosen, and what the address said when it was last looked
at."""


class Network(NamedTuple):
    """A run with the weights of one of its epochs."""

    run: Run
    epoch: int

    @property
    def name(self) -> str:
        """The run's name, and the epoch where it is not the best."""
        best = self.epoch == self.run.state.best_epoch
        return self.run.name if best else f"{self.run.name}, epoch {self.epoch}"


def colors_of(networks: Iterable[Network]) -> dict[Network, str]:
    """The colour of each of the networks that answer together, none like another."""
    answering = list(networks)
    colors = run_view.colors_of([network.run for network in answering])
    return dict(zip(answering, colors, strict=True))


def choose_networks(finished: list[Run]) -> list[Network]:
    """The networks that answer, at first the best of each architecture for the newest's classes.

    They are kept in the address, so that a link opens the same ones.
    """
    by_id = {run.id: run for run in finished}
    linked = _take_address(by_id)
    before = st.session_state.get(NETWORKS)
    left = linked if before is None else [run_id for run_id in before if run_id in by_id]
    if left != before:  # nothing was chosen yet, or one of them is gone
        st.session_state[NETWORKS] = left or _best_of_each(finished)
    chosen = st.multiselect(
        "Networks",
        list(by_id),
        format_func=lambda run_id: shortened(run_view.label(by_id[run_id]), 40),
        max_selections=MOST_RUNS,
        key=NETWORKS,
        wrap=True,
    )
    networks = choose_epochs([by_id[run_id] for run_id in chosen])
    st.query_params["run"] = [network.run.id for network in networks]
    st.query_params["epoch"] = [str(network.epoch) for network in networks]
    st.session_state[ADDRESS] = _address()
    return networks


def invite_to_choose() -> None:
    """What stands in place of answers while no network is chosen."""
    empty(
        icons.NETWORK,
        "What each network says stands here.",
        "None is chosen. Choose at least one network above.",
        key="answers",
    )


def _address() -> tuple[tuple[str, str], ...]:
    """The runs that the address names, each with the epoch that it names for it, or with none."""
    runs, epochs = st.query_params.get_all("run"), st.query_params.get_all("epoch")
    return tuple(zip_longest(runs, epochs[: len(runs)], fillvalue=""))


def _take_address(by_id: Mapping[str, Run]) -> list[str]:
    """The runs that a link names, where it is a new one; what it asks for in vain is told."""
    address = _address()
    known = NETWORKS in st.session_state and address == st.session_state.get(ADDRESS)
    if not address or known:
        return []
    found = [(by_id[run_id], epoch) for run_id, epoch in address if run_id in by_id]
    if len(found) < len(address):
        st.warning(
            "A run of this link cannot be shown here: it was deleted, or it has no results yet.",
            icon=icons.BROKEN_LINK,
        )
    for run, epoch in found:
        _take_epoch(run, epoch)
    st.session_state.pop(NETWORKS, None)
    return [run.id for run, _ in found][:MOST_RUNS]


def _take_epoch(run: Run, epoch: str) -> None:
    kept = run.folder.kept_epochs()
    if epoch in map(str, kept):
        st.session_state[f"epoch_{run.id}"] = int(epoch)
    elif epoch:
        st.warning(
            f"The weights of epoch {lab.plain(epoch)} of {run_view.name(run)} were not kept; its "
            "best epoch answers instead.",
            icon=icons.BROKEN_LINK,
        )


def choose_epochs(runs: list[Run]) -> list[Network]:
    """Each run with one of the epochs whose weights it kept, the best if nobody says otherwise."""
    networks = []
    with st.container(horizontal=True, gap="small"):
        for run in runs:
            kept, best = run.folder.kept_epochs(), run.state.best_epoch
            several = bool(kept) and kept != [best]
            networks.append(Network(run, ask_epoch(run, kept) if several else best))
    return networks


def ask_epoch(run: Run, kept: list[int]) -> int:
    """Ask which epoch of a run shall answer."""
    key, best = f"epoch_{run.id}", run.state.best_epoch
    if st.session_state.get(key) not in kept:
        st.session_state[key] = best if best in kept else kept[-1]
    return st.selectbox(
        f"Epoch of {shortened(run.name, 24)}",
        kept,
        format_func=lambda epoch: f"{epoch}, the best" if epoch == best else str(epoch),
        key=key,
        width=190,
        help="Those whose weights the run kept.",
    )


def _best_of_each(finished: list[Run]) -> list[str]:
    best: dict[str, Run] = {}
    alike = [run for run in finished if run.config.class_names == finished[0].config.class_names]
    for run in sorted(alike, key=lambda run: -run.state.metrics.get("val_accuracy", 0.0)):
        best.setdefault(run.config.network.architecture, run)
    return [run.id for run in best.values()][:MOST_RUNS]


def takes_digits(run: Run) -> bool:
    """Whether a run is fed pictures framed as MNIST's digits are, and not as they come."""
    return run.config.data.shows_digits
