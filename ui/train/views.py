"""What of Train is open: the network or a run, and how many settings; kept in the address."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from core.registry.run import Run
from ui.frame import address, icons
from ui.runs import run_view, watch

NETWORK, RUN = f"{icons.NETWORK} Network", ":material/monitoring: Run"
LEVELS = RECIPE, COMMON, EVERYTHING = "Recipe only", "Common settings", "Everything"
SHOWN, LEVEL = "shown", "level"
"""Keys of what is chosen: the view that is open, and how many settings are shown."""

VIEWS = {"network": NETWORK, "run": RUN}
SHORT = {"recipe": RECIPE, "common": COMMON, "everything": EVERYTHING}
"""By what the address calls each."""
NAMES = ("view", "level")

_PAGE = "Train"


def follow() -> None:
    """Open what the address says, where somebody came by it; what is not here is told."""
    says = address.read(NAMES)
    if SHOWN in st.session_state and not address.is_news(_PAGE, says):
        return
    unknown = []
    for name, key, known in (("view", SHOWN, VIEWS), ("level", LEVEL, SHORT)):
        if says.get(name) in known:
            st.session_state[key] = known[says[name]]
        elif name in says:
            unknown.append(f"{name}={says[name][:40]}")
    address.remember(_PAGE, says)
    address.tell_of_unknown(unknown)


def begin(known: Sequence[Run]) -> None:
    """Open what nobody has chosen yet: a run that was asked for or is at work, else the network."""
    if SHOWN not in st.session_state:
        asked_for = watch.PARAMETER in st.query_params
        watched = asked_for or any(map(run_view.is_active, known))
        show(RUN if watched else NETWORK)


def show(view: str) -> None:
    """Open a view, before it is drawn."""
    st.session_state[SHOWN] = view


def choose_level() -> str:
    """How many of the settings to show."""
    st.session_state.setdefault(LEVEL, RECIPE)
    chosen = st.segmented_control(
        "Settings",
        LEVELS,
        required=True,
        key=LEVEL,
        persist_state="session",
        help="How many settings to show. What was changed stays so where it is not shown.",
    )
    return chosen or RECIPE


def tell() -> None:
    """Make the address say what is open."""
    names = {title: name for name, title in (VIEWS | SHORT).items()}
    level = st.session_state.get(LEVEL, RECIPE)
    says = {
        "view": names[st.session_state[SHOWN]],
        "level": "" if level == RECIPE else names[level],
    }
    address.put(_PAGE, says, NAMES)
