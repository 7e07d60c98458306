"""Waiting in a terminal for the end of a run."""

import contextlib
import time
from typing import Any

from core.commands.bars import Bars
from core.errors import InvalidRequest
from core.registry.run import Run
from core.registry.run_files import WAITING_OR_WORKING
from core.registry.runs import Runs
from core.training.metrics import read_events

POLL_SECONDS = 0.2


def follow(runs: Runs, run: Run, told: int) -> Run:
    """Wait for a run's end with a progress bar for each phase; ask it to stop where interrupted.

    told: bytes of its metrics that are of before. Returns the run as it ended.
    """
    try:
        return _wait(runs, run, told)
    except KeyboardInterrupt:
        with contextlib.suppress(InvalidRequest):  # it ended just now
            runs.request_stop(run)
        return _wait(runs, run, told)


def _wait(runs: Runs, run: Run, offset: int) -> Run:
    with Bars() as bars:
        while True:
            run = runs.again(run)
            events, offset = read_events(run.folder.metrics, offset)
            for event in events:
                _show(event, bars)
            if run.status not in WAITING_OR_WORKING:
                return run
            time.sleep(POLL_SECONDS)


def _show(event: dict[str, Any], bars: Bars) -> None:
    if event["event"] == "phase":
        bars.move(event["phase"], event["done"], event["total"], event["unit"])
    elif event["event"] == "batch":
        said = {"loss": event["loss"], "accuracy": event["accuracy"]}
        bars.move(f"epoch {event['epoch']}", event["batch"], event["batches"], "batches", **said)
