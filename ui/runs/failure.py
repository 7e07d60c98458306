"""Why a run did not come to its end, and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import streamlit as st

from core.registry.run import Run
from core.registry.run_files import FailureKind
from ui.lab import sentence
from ui.runs.log import log


class Look(NamedTuple):
    """An icon, the failure in a word or two, and which button helps most."""

    icon: str
    word: str
    helps: Literal["resume", "anew"]


KINDS: Mapping[FailureKind, Look] = {
    "request": Look("rule", "Cannot be done as asked", "anew"),
    "memory": Look("memory_alt", "Out of memory", "anew"),
    "diverged": Look("trending_up", "Diverged", "anew"),
    "data": Look("broken_image", "Data cannot be read", "resume"),
    "disk": Look("hard_drive", "Disk full", "resume"),
    "killed": Look("bolt", "Killed", "resume"),
    "restarted": Look("restart_alt", "Machine restarted", "resume"),
    "worker": Look("power_off", "Never began", "resume"),
    "work": Look("error", "Could not go on", "resume"),
    "unexpected": Look("bug_report", "Broke off", "anew"),
}


def failure(run: Run) -> None:
    """What kept a run from its end, if something did, and what to do, with the end of its log."""
    found = run.failure
    if found is None:
        return
    look = KINDS[found.kind]
    told = f"**{look.word}.** {sentence(found.sentence)}\n\n{sentence(found.advice)}"
    show = st.warning if run.status == "interrupted" else st.error
    show(told, icon=f":material/{look.icon}:")
    log(run, unfolded=found.kind == "unexpected")


def what_helps(run: Run) -> Literal["resume", "anew"] | None:
    """Whether it is best to resume a run or to launch it anew, None where nothing failed."""
    return KINDS[run.failure.kind].helps if run.failure else None
