"""Running one measurement in a process of its own."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any, NamedTuple

import psutil

from benchmarks.record import Failed, Sample, Skipped
from core.errors import TransferLabError
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING
from core.registry.runs import Runs
from core.workspace import PROJECT, Workspace

HOUR = 3600.0
LONGEST = 6 * HOUR
"""Seconds that a training may take."""
PATIENCE = 60.0
"""Seconds that a process is given to end in good order."""
CANNOT = 3
"""Exit status by which a measuring process says that this machine cannot do it."""


class Finished(NamedTuple):
    """What a process printed, and the seconds from its start to its end."""

    output: str
    seconds: float


def run_module(*arguments: str, timeout: float) -> Finished:
    """Run `python -m ARGUMENTS` from the project's folder. Raises Failed, Skipped."""
    started = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that Ctrl+C reaches it once, through _end
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        raise Failed(f"{arguments[0]} took more than {timeout:.0f} s") from None
    finally:
        _end(process)
    seconds = time.perf_counter() - started
    if process.returncode == CANNOT:
        raise Skipped(_last_line(errors))
    if process.returncode:
        raise Failed(f"{arguments[0]} ended with {process.returncode}: {_last_line(errors)}")
    return Finished(output, seconds)


def last_json(output: str) -> dict[str, Any]:
    """The JSON object on the last line of what a process printed."""
    content: dict[str, Any] = json.loads(output.strip().splitlines()[-1])
    return content


def run_plain(script: str, *arguments: str) -> Sample:
    """Run one of the plain scripts; what it printed, with the seconds of its whole process.

    What `fit` took outside its epochs is left out of these: at its end it was seen to vary from
    nothing to 46 seconds, and to favour the baseline is the safer error.
    """
    finished = run_module(script, *arguments, timeout=LONGEST)
    printed = last_json(finished.output)
    return {**printed, "process_seconds": finished.seconds - printed["letting_go_seconds"]}


def end_runs(workspace: Workspace) -> None:
    """Stop whatever trains in a workspace, and wait until its processes are gone."""
    runs = Runs(workspace)
    for run in runs.all():
        with suppress(TransferLabError):  # it does not train, or no longer
            runs.request_stop(run)
    deadline = time.monotonic() + PATIENCE
    while any(map(_at_work, runs.all())) and time.monotonic() < deadline:
        time.sleep(0.1)
    for run in runs.all():
        if _has_process(run) and run.state.process is not None:
            psutil.Process(run.state.process.pid).kill()


def _at_work(run: Run) -> bool:
    return run.status in WAITING_OR_WORKING or _has_process(run)


def _has_process(run: Run) -> bool:
    return run.state.process is not None and run.state.process.is_alive()


def _end(process: subprocess.Popen[str]) -> None:
    """Interrupt a process that still runs, so that it ends what it started; then kill it."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:500] if lines else "it said nothing"
