"""Moving the two networks through their epochs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.registry.predictions import stored_epochs
from core.registry.run import Run
from ui import lab
from ui.compare import link
from ui.frame import icons

Runs = tuple[Run, Run]
LETTERS = ("a", "b")
TOGETHER, PLAYING = "epochs_together", "epochs_playing"
SECONDS = 1.2
"""From one epoch to the next while they play."""


def choose(runs: Runs, places: tuple[DeltaGenerator, DeltaGenerator]) -> tuple[int, int]:
    """The epochs of A and B, each with a slider in its place where there are several."""
    for letter, run, place in zip(LETTERS, runs, places, strict=True):
        with place:
            _settle(run, letter)
    if _same(runs) and _now(runs[0], "a") == _now(runs[1], "b"):
        others = [epoch for epoch in stored_epochs(runs[1]) if epoch != _now(runs[1], "b")]
        link.keep(eb=others[0] if others else "")
    a, b = (_now(run, letter) for run, letter in zip(runs, LETTERS, strict=True))
    for letter, place, epoch, of_other in zip(LETTERS, places, (a, b), (b, a), strict=True):
        with place:
            _slider(runs, letter, epoch, of_other)
    if len(_all_epochs(runs)) > 1:
        with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
            _play(runs)
            if not _same(runs) and all(len(stored_epochs(run)) > 1 for run in runs):
                st.checkbox(
                    "Move both epochs together",
                    key=TOGETHER,
                    help="Moving one slider moves the other to the same epoch, or to the nearest "
                    "that it has.",
                )
    return a, b


def move(runs: Runs, epoch: int) -> bool:
    """Move both to an epoch, or to the nearest they have; of one run only A moves.

    To be called before the page is drawn, or with a rerun. Returns whether anything moved.
    """
    letters = LETTERS[:1] if _same(runs) else LETTERS
    moved = [move_one(run, letter, epoch) for letter, run in zip(letters, runs, strict=False)]
    return any(moved)


def move_one(run: Run, letter: str, epoch: int) -> bool:
    """Move one network to an epoch, or to the nearest it has; whether that is another."""
    epochs = stored_epochs(run)
    if not epochs:
        return False
    nearest = min(epochs, key=lambda stored: abs(stored - epoch))
    moved = nearest != _now(run, letter)
    link.keep(**{f"e{letter}": nearest})
    return moved


def _same(runs: Runs) -> bool:
    return runs[0].id == runs[1].id


def _now(run: Run, letter: str) -> int:
    wanted = link.kept_value(f"e{letter}")
    return int(wanted) if wanted else run.state.best_epoch


def _all_epochs(runs: Runs) -> list[int]:
    """The epochs that the two can be moved to."""
    if _same(runs):
        return [epoch for epoch in stored_epochs(runs[0]) if epoch != _now(runs[1], "b")]
    return sorted({epoch for run in runs for epoch in stored_epochs(run)})


def _settle(run: Run, letter: str) -> None:
    """Keep an epoch that there is: the one asked for, else the best, else the last."""
    epochs, best, name = stored_epochs(run), run.state.best_epoch, f"e{letter}"
    wanted = link.kept_value(name)
    if epochs and wanted.isdecimal() and int(wanted) in epochs:
        return
    instead = best if best in epochs or not epochs else epochs[-1]
    link.keep(**{name: "" if instead == best else instead})
    if wanted:
        st.warning(
            f"Epoch {lab.plain(wanted)} of this link was not kept; "
            f"{'the best' if instead == best else f'epoch {instead}'} is shown instead.",
            icon=icons.BROKEN_LINK,
        )
    elif instead != best:
        st.warning(
            f"What {letter.upper()} said after its best epoch, {best}, is not there any more; "
            f"epoch {instead} is shown instead. Train the run again to get it back.",
            icon=":material/history_toggle_off:",
        )


def _slider(runs: Runs, letter: str, epoch: int, of_other: int) -> None:
    run = runs[LETTERS.index(letter)]
    epochs = stored_epochs(run)
    if _same(runs) and epoch != of_other:  # an epoch cannot be compared with itself
        epochs.remove(of_other)
    if len(epochs) < 2:
        return
    best = run.state.best_epoch
    st.session_state[f"epoch_{letter}"] = epoch
    st.select_slider(
        f"Epoch of {letter.upper()}",
        epochs,
        key=f"epoch_{letter}",
        format_func=lambda number: f"{number} (best)" if number == best else str(number),
        on_change=_take,
        args=(runs, letter),
    )


def _take(runs: Runs, letter: str) -> None:
    """Keep the epoch that a slider was moved to, and move the other with it where asked."""
    epoch = st.session_state[f"epoch_{letter}"]
    if st.session_state.get(TOGETHER) and not _same(runs):
        move(runs, epoch)
    link.keep(**{f"e{letter}": epoch})


# --- Playing ------------------------------------------------------------------------------------


def _play(runs: Runs) -> None:
    """A button that has the epochs pass by, and while they do, what moves them on."""
    playing = bool(st.session_state.get(PLAYING))
    st.button(
        "Pause" if playing else "Play",
        icon=f":material/{'pause' if playing else 'play_arrow'}:",
        key="play_epochs",
        help="Go through the epochs by itself: everything on this page follows.",
        on_click=_begin_or_pause,
        args=(runs,),
    )
    if not playing:
        return
    drawn = {"once": False}

    @st.fragment(run_every=SECONDS)
    def move_on() -> None:
        if not drawn["once"]:  # with the page, not because time has passed
            drawn["once"] = True
            return
        st.session_state[PLAYING] = _advance(runs)
        st.rerun()

    move_on()


def _begin_or_pause(runs: Runs) -> None:
    """Pause; or begin, from the first epoch where the last is shown."""
    playing = not st.session_state.get(PLAYING)
    if playing and not _ahead(runs):
        move(runs, _all_epochs(runs)[0])
    st.session_state[PLAYING] = playing


def _advance(runs: Runs) -> bool:
    """Move both to the next epoch; whether there is another after it."""
    if ahead := _ahead(runs):
        move(runs, ahead[0])
    return len(ahead) > 1


def _ahead(runs: Runs) -> Sequence[int]:
    """The epochs after those that are shown."""
    shown = [_now(run, letter) for run, letter in zip(runs, LETTERS, strict=True)]
    furthest = shown[0] if _same(runs) else max(shown)
    return [epoch for epoch in _all_epochs(runs) if epoch > furthest]
