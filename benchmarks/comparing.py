"""How quick Compare answers: opened, and clicked through, with many test images.

`python -m benchmarks.comparing WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.clicks import clicks_of
from benchmarks.dashboard import server, session
from benchmarks.made_up import make_pair
from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step
from core.registry.runs import Runs
from core.workspace import Workspace

IMAGES = {"compare": 10_000, "compare-100000": 100_000}
GOALS = {"compare": Goal("at most", 0.200), "compare-100000": None}
"""For a click; with so many more images none was set."""
OPENINGS = 5
ROUNDS = 4
PAUSE = 0.3
"""Seconds between clicks: Streamlit collects garbage after each."""
CLICKS = {
    "group": "show=both_right",
    "class": "show=all&true=4",
    "cell": "show=all&true=4&pa=9",
    "confidence": "show=all&ca=0.2 0.8",
    "loss": "show=all&loss=2 16&sort=loss",
    "divergence": "show=all&sort=divergence",
    "margin": "show=all&sort=margin",
    "page": "show=all&sort=index&image=777",
}
"""What a link says after clicks that change the selection, view and epoch being the same."""


def clicks(workspace: Path) -> Sample:
    """Seconds that the server takes to open Compare for the first time, and for each click.

    Opened: by a session that shows another page first, on a server that never read the runs.
    A click is asked for by the address that it leads to: the script then does the same.
    """
    from ui.compare.views import LENSES

    runs = Runs(Workspace(workspace)).all()
    two = f"a={runs[0].id}&b={runs[1].id}"
    views = {f"view {name}": f"show=all&view={name}" for name in LENSES}
    seconds: dict[str, list[float]] = {name: [] for name in (*CLICKS, *views)}
    opened = [_opened(workspace, two) for _ in range(OPENINGS)]
    with server(workspace) as running:
        running.wait()
        with session(running) as asked:
            asked.rerun("Compare", two)
            for number in range(ROUNDS):
                for name, query in (CLICKS | views).items():
                    time.sleep(PAUSE)
                    # Every address is another one, so that none is told to be known.
                    taken = asked.rerun("Compare", f"{two}&{query}&cb=0 {0.99 + number / 1000}")
                    seconds[name].append(taken)
    return {"opened": opened, "clicks": seconds, "images": _images(workspace)}


def _opened(workspace: Path, two: str) -> float:
    with server(workspace) as running:
        running.wait()
        with session(running) as other:
            other.rerun("Train")
        with session(running) as asked:
            return asked.rerun("Compare", two)


def _images(workspace: Path) -> int:
    run = Runs(Workspace(workspace)).all()[0]
    with np.load(run.folder.predictions / "test.npz", allow_pickle=False) as truth:
        return len(truth["labels"])


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmarks of Compare, in the order of their names."""

    def measure(name: str) -> Callable[[int], Sample]:
        def one(repeat: int) -> Sample:
            folder = options.scratch / name
            if not folder.exists():
                make_pair(Workspace(folder), IMAGES[name])
            finished = run_module("benchmarks.comparing", str(folder), timeout=HOUR / 6)
            return last_json(finished.output)

        return one

    return [Benchmark(name, [Step("ours", measure(name))], _rows(name)) for name in IMAGES]


def _rows(name: str) -> Callable[[Samples], list[Row]]:
    number = f"{IMAGES[name]:,}"

    def rows(samples: Samples) -> list[Row]:
        opened = [seconds for sample in samples["ours"] for seconds in sample["opened"]]
        clicks = clicks_of(samples["ours"])
        return [
            Row(
                f"Compare opened on the server, two runs of {number} images, median",
                "ms",
                statistics.median(opened) if opened else None,
                goal=Goal("at most", 1.0),
                note="runs and images unread before; over the server's WebSocket",
            ),
            Row(
                f"Click on Compare, p95, {number} images, slowest ({clicks.slowest})",
                "ms",
                clicks.seconds.get(clicks.slowest),
                goal=GOALS[name],
                note="on a real server, over its WebSocket, to the script's end: "
                + (clicks.listed or "none"),
            ),
        ]

    return rows


MINUTES = {"compare": 1.5, "compare-100000": 2.5}
"""What a repeat takes on two quiet cores, about."""


if __name__ == "__main__":
    print(json.dumps(clicks(Path(sys.argv[1]))))
