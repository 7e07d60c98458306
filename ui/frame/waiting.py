"""What takes long is computed in the background: how far it is, and how to end it.

A page asks for it on each of its runs, and goes on without it as long as it is not there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import streamlit as st

from core.errors import WorkFailed
from core.jobs import Job, SharedJobs, Tell
from ui import units
from ui.frame import icons

Result = TypeVar("Result")
Key = tuple[Hashable, ...]
"""Tells one piece of work from all others; begins with the name of its kind."""

HASTE = 0.7
"""Seconds that a page waits for an answer before it shows how far that is."""
TICK_SECONDS = 0.5
LONG = 2.0
"""Seconds after which it is told how long something has taken, or will take."""
_WHO, _PAGE = "_waits_as", "_waits_on"
_WANTED, _CANCELLED = "_waits_for", "_waits_not_for"


def wait_for(
    what: str,
    key: Key,
    compute: Callable[[Tell], Result],
    *,
    most: int = 64,
    anew: bool = False,
) -> Result | None:
    """What is computed once for all sessions; None, with a word why, while it is not there.

    what: what is done, as a sentence begins and as Markdown. key: where it is known before, nothing
    is computed. compute: run in a thread, where nothing of Streamlit may be used. most: how many
    results of the kind are kept, 0 where the work itself keeps them. anew: whether somebody asked
    for it just now, also if it was cancelled before. Raises the expected failure that ended it.
    """
    jobs, who = _jobs(key[0], most), _who()
    cancelled: set[Key] = st.session_state.setdefault(_CANCELLED, set())
    if anew:
        cancelled.discard(key)
    if key in cancelled:
        _offer_again(what, key, cancelled)
        return None
    wanted: dict[Key, SharedJobs[Any]] = st.session_state.setdefault(_WANTED, {})
    job: Job[Result] = jobs.want(key, who, compute)
    job.wait(max(HASTE - job.seconds, 0.0))
    if job.active:
        wanted[key] = jobs
        want, leave = partial(jobs.want, key, who, compute), partial(jobs.leave, key, who)
        _follow(what, key, job, want, partial(_cancel, key, cancelled, leave))
        return None
    wanted.pop(key, None)
    if job.result is None:
        jobs.forget(key, job)
        raise job.failure or _unforeseen(what)
    return job.result


def begin(key: Key, compute: Callable[[Tell], object], *, most: int = 64) -> None:
    """Have something computed that `wait_for` asks for in a moment."""
    if key not in st.session_state.get(_CANCELLED, ()):
        _jobs(key[0], most).want(key, _who(), compute)


def leave_other_pages(page: str) -> None:
    """What this session waited for on another page need not go on; for where a page begins."""
    if st.session_state.get(_PAGE) == page:
        return
    wanted: dict[Key, SharedJobs[Any]] = st.session_state.get(_WANTED, {})
    for key, jobs in list(wanted.items()):
        jobs.leave(key, _who())
        wanted.pop(key, None)
    st.session_state[_PAGE] = page


def _unforeseen(what: str) -> WorkFailed:
    return WorkFailed(
        f"{what} broke off for a reason that was not foreseen; it stands in the server's log. "
        "Load the page anew to try once more"
    )


def _follow(
    what: str, key: Key, job: Job[Any], want: Callable[[], object], cancel: Callable[[], None]
) -> None:
    """How far it is, with a way to end it; the page is shown anew once it has ended."""

    @st.fragment(run_every=TICK_SECONDS)
    def tick() -> None:
        if not job.active:
            st.rerun()
        want()
        with st.container(
            key=f"waiting_{_digest(key)}", horizontal=True, vertical_alignment="center"
        ):
            st.progress(min(job.share, 1.0), text=f"{what}: {_how_far(job)}")
            st.button(
                "Cancel",
                icon=icons.CANCEL,
                key=f"waiting_cancel_{_digest(key)}",
                on_click=cancel,
            )

    tick()


def _cancel(key: Key, cancelled: set[Key], leave: Callable[[], None]) -> None:
    # Without a look at the session, which may break off for another click.
    cancelled.add(key)
    leave()


def _offer_again(what: str, key: Key, cancelled: set[Key]) -> None:
    with st.container(key=f"waiting_{_digest(key)}", horizontal=True, vertical_alignment="center"):
        st.caption(f"{what} was cancelled; nothing of it is kept.", width="stretch")
        st.button(
            "Start again",
            icon=icons.RETRY,
            key=f"waiting_again_{_digest(key)}",
            on_click=partial(cancelled.discard, key),
        )


def _how_far(job: Job[Any]) -> str:
    """What is being done, how much of it, and how long it will take or has taken."""
    told = [job.phase] if job.phase else []
    if job.share > 0:
        told.append(units.percent(job.share, digits=0))
    if job.left is not None and job.seconds > LONG:
        told.append(f"about {units.duration(job.left)} left")
    elif job.seconds > LONG:
        told.append(f"{units.duration(job.seconds)} so far")
    return ", ".join(told) or "…"


def _who() -> str:
    """By what this session is told from others that wait for the same."""
    who: str = st.session_state.setdefault(_WHO, uuid4().hex)
    return who


def _digest(key: Key) -> str:
    return hashlib.sha256(repr(key).encode()).hexdigest()[:16]


@st.cache_resource(show_spinner=False)
def _jobs(kind: Hashable, most: int) -> SharedJobs[Any]:
    return SharedJobs(most)
