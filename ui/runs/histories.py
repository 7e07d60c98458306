"""What is known of how runs train, read once for all sessions and on as it grows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

import streamlit as st

from core.registry.history import History
from core.registry.run import Run


@dataclass
class _Shared:
    """The history of one run, for one session at a time."""

    lock: Lock = field(default_factory=Lock)
    history: History = field(default_factory=History)


@contextmanager
def history_of(run: Run) -> Iterator[History]:
    """The history of a run up to now; other sessions wait until it was drawn."""
    shared = _shared(str(run.folder.path))
    with shared.lock:
        if not shared.history.is_of(run.folder.metrics):
            shared.history = History()
        shared.history.read_on(run.folder.metrics)
        yield shared.history


@st.cache_resource(max_entries=100, show_spinner=False)
def _shared(folder: str) -> _Shared:
    return _Shared()
