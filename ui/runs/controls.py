"""What can be done with a run, wherever it is shown: stop, resume, train longer, start from it."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from core.errors import TransferLabError
from core.registry.run import Run
from core.registry.run_files import WORKING
from core.training.checkpoints import Checkpoints
from core.training.extension import Extension, extension
from ui import lab
from ui.frame import icons
from ui.frame.pages import go_to, script_of
from ui.runs.failure import what_helps
from ui.runs.histories import history_of

MOST_EPOCHS = 10_000
"""A run has at most so many in each phase."""
CHANGES_WITH_LENGTH = ("linear", "cosine", "one_cycle")
"""Schedules that are laid over all epochs, however many these are."""


def controls(run: Run) -> None:
    """The buttons that suit the run as it is; what they do is done before the page is shown anew.

    Whatever somebody else did to the run meanwhile is told in a sentence.
    """
    with st.container(horizontal=True, gap="small"):
        if run.status == "queued":
            _cancel(run)
        elif run.status in WORKING:
            _stop(run)
        elif run.can_be_resumed:
            _resume(run)
        if run.status in ("finished", "stopped"):
            _train_longer(run)
        _start_from(run)
    if run.can_be_resumed:
        st.caption(_goes_on(run))


def attempt(action: Callable[[], object]) -> None:
    """Do something and show the page anew; a failure is told in a sentence that stays for a while.

    Two people may do something to one run at the same time, and the disk may be full.
    """
    try:
        action()
    except TransferLabError as error:
        st.toast(lab.sentence(error), icon=icons.ERROR, duration="long")
    except OSError as error:
        told = f"That could not be written: {error.strerror or error}. Make room, then try again."
        st.toast(lab.plain(told), icon=icons.ERROR, duration="long")
    st.rerun()


def _cancel(run: Run) -> None:
    if st.button(
        "Cancel",
        icon=icons.CANCEL,
        key=f"cancel_{run.id}",
        help="Takes it out of the queue. It is kept, and can be resumed.",
    ):
        attempt(lambda: lab.engine().stop(run))


def _stop(run: Run) -> None:
    stopping = run.status == "stopping"
    if st.button(
        "Stopping …" if stopping else "Stop",
        icon=icons.STOP,
        disabled=stopping,
        key=f"stop_{run.id}",
        help="Ends training within one batch; the best weights so far are kept and tested. It can "
        "be resumed from just there.",
    ):
        attempt(lambda: lab.engine().stop(run))


def _resume(run: Run) -> None:
    if st.button(
        "Resume",
        icon=icons.RESUME,
        type="primary" if what_helps(run) == "resume" else "secondary",
        key=f"resume_{run.id}",
        help="Puts it into the queue again.",
    ):
        attempt(lambda: _queue_again(run))


def _queue_again(run: Run, more_epochs: int = 0) -> None:
    lab.runs().resume(run, more_epochs)
    lab.engine().wake()


def _goes_on(run: Run) -> str:
    """Where a run that is resumed goes on."""
    if run.failure is not None and run.failure.kind == "diverged":
        return "Resumed with the same settings, it would diverge again, at the same step."
    step = Checkpoints(run.folder.checkpoint).step
    if not step:
        return "Resumed, it begins anew: it ended before there was anything to go on from."
    with history_of(run) as history:
        where = _in_words(history.place_of(step))
    return (
        f"Resumed, it goes on {where}, at step {step:,}, exactly as if it had never ended: "
        "weights, optimizer, shuffling and learning rate are as they were."
    )


def _in_words(place: float) -> str:
    """A place in epochs, with the fraction of the last."""
    done, within = divmod(place, 1)
    if not within:
        return f"after epoch {done:.0f}"
    return f"within epoch {done + 1:.0f}, {100 * within:.0f} % into it"


def _train_longer(run: Run) -> None:
    last = run.config.phases[-1].epochs
    if not Checkpoints(run.folder.checkpoint).step or last >= MOST_EPOCHS:
        return
    with st.popover("Train longer", icon=":material/more_time:", key=f"longer_{run.id}"):
        more = st.number_input(
            "More epochs",
            min_value=1,
            max_value=MOST_EPOCHS - last,
            value=min(run.config.all_epochs, MOST_EPOCHS - last),
            key=f"more_{run.id}",
        )
        step = Checkpoints(run.folder.checkpoint).step
        with history_of(run) as history:
            found = extension(run, history, more, step)
        if found is not None:
            st.markdown(outlook(run, found))
        if st.button("Train on", type="primary", icon=icons.START):
            attempt(lambda: _queue_again(run, more))


def outlook(run: Run, found: Extension) -> str:
    """What training longer does, above all to the learning rate."""
    config = run.config
    told = [
        f"It goes on {_in_words(found.epoch)}, up to epoch {found.all_epochs}, with the weights, "
        "the optimizer and the shuffling that it had."
    ]
    if config.schedule in CHANGES_WITH_LENGTH:
        told.append(
            f"The schedule {config.schedule} is laid over all epochs, old and new: the learning "
            f"rate was {found.before:.2g} at the end, goes on at {found.next:.2g} and ends at "
            f"{found.last:.2g}."
        )
    elif config.schedule == "plateau":
        told.append(
            f"The learning rate goes on at {found.next:.2g} and falls whenever nothing improves."
        )
    elif found.last == found.next:
        told.append(f"The learning rate stays at {found.next:.2g}.")
    else:
        told.append(
            f"The learning rate goes on at {found.next:.2g} and ends at {found.last:.2g}, as the "
            f"schedule {config.schedule} has it."
        )
    if config.early_stopping.patience:
        told.append("Early stopping begins to wait anew.")
    return lab.plain(" ".join(told))


def _start_from(run: Run) -> None:
    if st.button(
        "Start from these settings",
        icon=icons.COPY,
        type="primary" if what_helps(run) == "anew" else "secondary",
        key=f"from_{run.id}",
        help="Opens them on Train, to change what you like and launch another run.",
    ):
        go_to(script_of("Train"), {"from": run.id})
