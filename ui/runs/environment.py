"""What runs were trained on and with: machine, system, libraries, code."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import pandas as pd
import streamlit as st

from core.registry.environment import Environment, read_environments
from core.registry.recipes import command_for
from core.registry.run import Run
from ui import lab, units
from ui.frame import icons
from ui.plots.facts import facts_table
from ui.runs import run_view

NOT_RECORDED = "not recorded"
LIBRARIES = {
    "tensorflow": "TensorFlow",
    "keras": "Keras",
    "numpy": "NumPy",
    "opencv-python-headless": "OpenCV",
}
"""What libraries are called, by the names that they are installed by."""


def environment(run: Run) -> None:
    """What the run was trained on and how to train it again; read where a person unfolds it."""
    folded = st.expander(
        "Environment", icon=icons.MACHINE, key=f"environment_{run.id}", on_change="rerun"
    )
    if folded.open:
        with folded:
            _show(run, read_environments(run.folder))


def _show(run: Run, found: Sequence[Environment]) -> None:
    parts = {"Training": times(run, found)}
    if found:
        parts |= {"Machine": machine(found[0]), "Software": software(found[0])}
    for column, (title, told) in zip(st.columns(3), parts.items(), strict=False):
        with column:
            st.markdown(f"**{title}**")
            facts_table(told)
    for before, later in pairwise(found):
        st.caption(f"From {lab.plain(_moment(later.began))} on, it trained in another environment:")
        facts_table(changes(before, later))
    if not found:
        st.caption(
            "The machine, its libraries and the version of the code were not recorded. Runs that "
            "are launched from now on keep them."
        )
    st.caption("From a terminal, this command trains by the same settings again:")
    st.code(command_for(run.config), language="bash", wrap_lines=True)


def times(run: Run, found: Sequence[Environment]) -> dict[str, str]:
    """When the run began and ended, as far as that is known, and how long it worked."""
    told = {"Launched": _moment(run.request.created)}
    if found:
        told["Began"] = _moment(found[0].began)
    if not run_view.is_active(run) and run.state.heartbeat:
        told["Ended"] = _moment(datetime.fromtimestamp(run.state.heartbeat).astimezone())
    if run.state.seconds:
        told["Worked"] = units.duration(run.state.seconds)
    if run.state.peak_memory:
        told["Memory taken"] = f"{units.size(run.state.peak_memory)} at most"
    return told


def facts(environment: Environment) -> dict[str, str]:
    """What there is to say of an environment, by what it is called."""
    return machine(environment) | software(environment)


def machine(environment: Environment) -> dict[str, str]:
    """The machine, by its name where that is told, and its system."""
    told = {"Name": environment.host} if environment.host else {}
    cores = f"{environment.cores} core{'s'[: environment.cores != 1]}"
    return told | {
        "System": environment.system,
        "Processor": f"{environment.processor}, {cores}",
        "Memory": units.size(environment.memory),
        "Graphics": ", ".join(environment.gpus) or "no graphics processor",
    }


def software(environment: Environment) -> dict[str, str]:
    """Versions of what computed: Python, libraries and this code."""
    libraries = environment.libraries.items()
    return {
        "Python": environment.python,
        **{LIBRARIES.get(package, package): version for package, version in libraries},
        "Transfer Lab": _code(environment),
    }


def _code(environment: Environment) -> str:
    commit = environment.revision.removesuffix("-dirty")
    if not commit:
        return environment.version
    changed = ", with changes" if commit != environment.revision else ""
    return f"{environment.version}, commit {commit}{changed}"


def changes(before: Environment, later: Environment) -> dict[str, str]:
    """The facts of an environment that were others before."""
    known = facts(before)
    return {name: fact for name, fact in facts(later).items() if known.get(name) != fact}


def table_of_differences(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per fact that is not the same of all runs' last environments, a column per run."""
    last = [found[-1] if (found := read_environments(run.folder)) else None for run in runs]
    known = [facts(environment) if environment else {} for environment in last]
    names = dict.fromkeys(name for told in known for name in told)
    rows = {name: [_said(told, name) for told in known] for name in names}
    differing = {name: said for name, said in rows.items() if len(set(said)) > 1}
    return pd.DataFrame.from_dict(differing, orient="index", columns=[run.name for run in runs])


def _said(told: dict[str, str], name: str) -> str:
    return told.get(name, units.MISSING) if told else NOT_RECORDED


def show_differences(runs: Sequence[Run]) -> None:
    """What differs in what runs were trained on and with."""
    table = table_of_differences(runs)
    recorded = [run for run in runs if read_environments(run.folder)]
    st.markdown("**What differs in their environments**")
    if table.empty:
        st.caption(
            "Nothing: they were trained on the same machine, with the same libraries and code."
            if recorded
            else "Not recorded: they were trained before environments were."
        )
        return
    st.dataframe(
        table,
        height="content",
        column_config={"_index": st.column_config.TextColumn("Environment", pinned=True)},
    )


def _moment(moment: datetime) -> str:
    return moment.strftime("%d %B %Y, %H:%M").lstrip("0")
