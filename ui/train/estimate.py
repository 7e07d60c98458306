"""What a run will take of time, memory and disk, and how far off that was afterwards."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import TransferLabError
from core.registry.config import RunConfig
from core.registry.run import Run
from core.training import estimates
from core.training.costs import Estimate, NotKept, PhaseEstimate
from core.training.deviations import Difference, deviation
from ui import lab, units
from ui.frame import waiting
from ui.plots.figures import Figure, figures

_WANTED = "_estimate_wanted"
"""Where the session keeps the configuration that it wants an estimate of."""


def known(config: RunConfig) -> Estimate | None:
    """What an earlier try found, if there was one."""
    with lab.failures_as_sentences():
        return estimates.find(config, lab.workspace())


def is_wanted(config: RunConfig, asked: bool) -> bool:
    """Whether somebody asked for an estimate of just this configuration, now or before."""
    if asked:
        st.session_state[_WANTED] = config
    return bool(st.session_state.get(_WANTED) == config)


def make(config: RunConfig, *, anew: bool) -> None:
    """Try a configuration out for some seconds, then show the page anew with what was found.

    Whoever changes something meanwhile need not wait for the end. anew: whether somebody asked for
    it just now.
    """
    place = lab.workspace()
    key = "estimate", place, config.model_dump_json()
    with lab.failures_as_sentences():
        try:
            found = waiting.wait_for(
                "Trying it out",
                key,
                lambda tell: estimates.estimate(config, place, tell=tell),
                most=0,
                anew=anew,
            )
        except TransferLabError:
            st.session_state.pop(_WANTED, None)
            raise
    if found is not None:
        st.session_state.pop(_WANTED, None)
        st.rerun()


def show(estimate: Estimate) -> None:
    """The figures of an estimate, and why frozen layers run in every epoch where they do."""
    figures(*_figures(estimate))
    reasons = {_why_not_kept(phase) for phase in estimate.phases} - {""}
    for reason in sorted(reasons):
        st.caption(reason)


def _figures(estimate: Estimate) -> list[Figure]:
    several = len(estimate.phases) > 1
    epochs = [
        Figure(
            f"An epoch, phase {number}" if several else "An epoch",
            units.duration(phase.seconds),
            f"{units.count(phase.steps)} training steps, then {units.count(phase.evaluated)} "
            "images are looked at.",
        )
        for number, phase in enumerate(estimate.phases, start=1)
    ]
    shown = [
        *epochs,
        Figure("Whole run", units.duration(estimate.seconds), _WHOLE),
        Figure("Memory", units.size(estimate.memory), _MEMORY,
               f"of {units.size(estimate.machine.memory)}"),
    ]  # fmt: skip
    once = sum(phase.features_seconds for phase in estimate.phases)
    if once:
        shown.append(Figure("Frozen layers once", units.duration(once), _ONCE))
    if estimate.cache_bytes:
        shown.append(Figure("Kept on disk", units.size(estimate.cache_bytes), _KEPT))
    return shown


_WHOLE = "All epochs and what comes before them; early stopping may spare some."
_MEMORY = "The most that training holds at a time, of what the machine has."
_ONCE = "To run them over all images; the next run that needs the same finds it done."
_KEPT = "What the output of the frozen layers takes in the cache."


def _why_not_kept(phase: PhaseEstimate) -> str:
    limit = lab.cache_limit()
    reasons: dict[NotKept | None, str] = {
        "limit": f"The output of the frozen layers would take {units.size(phase.cache_bytes)} and "
        f"the cache may hold {units.size(limit)}: they run in every epoch. A smaller side, fewer "
        "images or a larger limit, at the end of Runs, would make it fit.",
        "endless variations": "The frozen layers run in every epoch, as no training image comes "
        "twice in the same variation.",
    }
    return reasons.get(phase.not_kept, "")


def show_deviation(run: Run) -> None:
    """How far off the estimate of a run was, where there was one."""
    estimate = estimates.kept(run)
    if estimate is None or not run.has_results:
        return
    found = deviation(estimate, run)
    several = len(estimate.phases) > 1
    told = [
        compared(epoch, units.duration, " an epoch" + f" of phase {number}" * several)
        for number, epoch in enumerate(found.seconds, start=1)
    ]
    if found.memory.measured:
        told.append(compared(found.memory, units.size, " of memory"))
    st.caption(f"Estimated {'; '.join(told)}.")


def compared(difference: Difference, in_words: Callable[[float], str], of_what: str = "") -> str:
    """What was estimated, what it took, and by how much that was off.

    >>> compared(Difference(52.0, 49.0), units.duration, " an epoch")
    '52 s an epoch, took 49 s (6 % less)'
    """
    off = round(100 * difference.off)
    more = f"{abs(off)} % {'more' if off > 0 else 'less'}" if off else "as estimated"
    taken = in_words(difference.measured)
    return f"{in_words(difference.estimated)}{of_what}, took {taken} ({more})"
