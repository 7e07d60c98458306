"""How quick the pages are: first page, reruns, drawing, launching, and rest.

`python -m benchmarks.pages NAME WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil

from benchmarks.dashboard import (
    Server,
    chromium,
    find_chromium,
    open_page,
    server,
    session,
    wait_until_shown,
)
from benchmarks.made_up import make_runs, tell_batches, training_run
from benchmarks.options import Options
from benchmarks.page_rows import live_tick_rows, median_row, predict_rows, rerun_rows, stroke_rows
from benchmarks.processes import CANNOT, HOUR, end_runs, last_json, run_module
from benchmarks.record import Benchmark, Failed, Goal, Row, Sample, Samples, Skipped, Step
from benchmarks.strokes import strokes
from core.predicting.digits import to_digit
from core.predicting.prediction_service import PredictionService
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

MANY_RUNS, MORE_RUNS, MOST_RUNS = 200, 1000, 3000
IDLE_SECONDS = 10.0
RERUNS = 40
TICKS = 60
LIVE_POINTS = 5000
"""Batches that the live charts have to draw."""
PAUSE = 0.3
"""Seconds between reruns: Streamlit collects garbage after each, before anyone clicks again."""
PREDICTIONS = 200
LIVE_CHART = '.tl-plot[aria-label^="Accuracy"]'
"""By its title: the page has other charts, such as that of the learning rate."""
LAUNCHED = "cnn-digits"
SMALL = ["--set", "data.train_images=300", "--set", "data.test_images=100"]
"""How much a network learned has no part in how quick it answers."""


# --- measurements, each made in a process of its own ------------------------------------------


def first_page(workspace: Path) -> Sample:
    """Seconds from starting the server to Overview standing complete in Chromium."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        started = time.perf_counter()
        with server(workspace) as running:
            running.wait()
            answered = time.perf_counter() - started
            page.goto(running.url())
            wait_until_shown(page, "Overview")
            return {"seconds": time.perf_counter() - started, "answered_seconds": answered}


def idle(workspace: Path) -> Sample:
    """Share of one core that the server takes while Overview stands open and nothing trains."""
    with server(workspace) as running, chromium() as browser:
        running.wait()
        open_page(browser, running, "")
        time.sleep(5)  # what the first visit left to do
        before = _cpu_seconds(running)
        time.sleep(IDLE_SECONDS)
        return {"cpu_share": (_cpu_seconds(running) - before) / IDLE_SECONDS}


def reruns(workspace: Path) -> Sample:
    """Seconds of each rerun of each page, from asking for it to the end of the script.

    Asked over the server's WebSocket in Streamlit's own messages, as a browser does, so that
    the server's part is timed and no drawing of the page.
    """
    from ui.frame.pages import PAGES

    names = ["" if page.script == "app.py" else page.name for page in PAGES]
    with server(workspace) as running:
        running.wait()
        return {"pages": {name or "Overview": _reruns_of(running, name) for name in names}}


def reruns_while_training(workspace: Path) -> Sample:
    """The same while a run trains on all cores, as a page launches it."""
    runs, place = Runs(Workspace(workspace)), ["--workspace", str(workspace)]
    run_module("core", "train", LAUNCHED, "--set", "epochs=100", "--detach", *place, timeout=60)
    newest = runs.all()[0]
    try:
        _wait_for_training(runs, newest)
        taken = reruns(workspace)
        if runs.again(newest).status != "running":
            raise Failed("the run ended before the pages were measured")
        return taken
    finally:
        end_runs(Workspace(workspace))
        runs.delete(newest)


def _wait_for_training(runs: Runs, run: Run, patience: float = 120.0) -> None:
    deadline = time.monotonic() + patience
    while runs.again(run).state.phase != "training":
        if time.monotonic() > deadline:
            raise Failed(f"no run began to train within {patience:.0f} s")
        time.sleep(0.5)


def _reruns_of(running: Server, page: str) -> dict[str, Any]:
    with session(running) as asked:
        for _ in range(3):
            asked.rerun(page)
        _wait_for_children(running)
        before, seconds = _cpu_seconds(running), []
        for _ in range(RERUNS):
            seconds.append(asked.rerun(page))
            time.sleep(PAUSE)
    cpu = (_cpu_seconds(running) - before) / RERUNS
    return {"seconds": seconds, "cpu_seconds_per_rerun": cpu}


def live_tick(workspace: Path) -> Sample:
    """Seconds that the server takes each time a run that trains is drawn anew, with its news."""
    run = training_run(Workspace(workspace), LIVE_POINTS)
    with server(workspace) as running:
        running.wait()
        with session(running) as asked:
            asked.rerun("Train", f"run={run.id}")
            for fragment in asked.live:
                asked.tick(fragment)
            seconds = []
            for point in range(1, TICKS + 1):
                time.sleep(PAUSE)
                tell_batches(run, LIVE_POINTS + 4 * point, 4)
                seconds.append(sum(map(asked.tick, asked.live)))
    if not asked.live:
        raise Failed("the page follows no run")
    return {"seconds": seconds, "points": LIVE_POINTS + 4 * TICKS}


def launch(workspace: Path) -> Sample:
    """Seconds from the click on Launch to the first point on the live chart."""
    try:
        with server(workspace) as running, chromium() as browser:
            running.wait()
            page = open_page(browser, running, "Train")
            page.wait_for_timeout(1000)
            page.evaluate(_WATCH_CHART, LIVE_CHART)
            page.get_by_role("button", name="Launch", exact=True).click()
            page.wait_for_function("() => window.benchShown !== null", timeout=120_000)
            return {"seconds": page.evaluate("window.benchShown") / 1000}
    finally:
        end_runs(Workspace(workspace))


_WATCH_CHART = """(selector) => {
  window.benchShown = null;
  let clicked = null;
  window.addEventListener('click', (event) => { clicked = event.timeStamp; },
                          { capture: true, once: true });
  const drawn = (plot) => plot.data?.some((series) => series.x.length > 0);
  const look = () => {
    const shown = [...document.querySelectorAll(selector)].some(drawn);
    if (clicked !== null && shown) window.benchShown = performance.now() - clicked;
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def predictions(workspace: Path) -> Sample:
    """Seconds from a drawing to its probabilities on the server, network by network."""
    runs = Runs(Workspace(workspace)).all()
    service = PredictionService(Workspace(workspace))
    try:
        for run in runs:
            _predict(service, run, 0)
        seconds: dict[str, list[float]] = {run.config.network.architecture: [] for run in runs}
        for number in range(PREDICTIONS):
            for run in runs:
                taken = _predict(service, run, number)
                seconds[run.config.network.architecture].append(taken)
    finally:
        service.close()
    return {"seconds": seconds}


def _predict(service: PredictionService, run: Run, number: int) -> float:
    drawing = _drawing(number)
    started = time.perf_counter()
    service.predict(run.id, to_digit(drawing).digit[None])
    return time.perf_counter() - started


def _drawing(number: int) -> np.ndarray:
    """A canvas with a seven on it, (280, 280) uint8, no two in a row alike."""
    canvas, shift = np.zeros((280, 280), np.uint8), 3 * (number % 20)
    corners = np.array([(80 + shift, 60), (200, 60 + shift), (130, 230)], np.int32)
    cv2.polylines(canvas, [corners], False, 255, thickness=20, lineType=cv2.LINE_AA)
    return canvas


def _cpu_seconds(running: Server) -> float:
    used = psutil.Process(running.process.pid).cpu_times()
    return float(used.user + used.system)


def _wait_for_children(running: Server, patience: float = 60.0) -> None:
    """Until what the server started, the predictor, has nothing more to do."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        children = psutil.Process(running.process.pid).children(recursive=True)
        before = [sum(child.cpu_times()[:2]) for child in children]
        time.sleep(0.5)
        after = [sum(child.cpu_times()[:2]) for child in children]
        if sum(after) - sum(before) < 0.05:
            return


MEASUREMENTS: dict[str, Callable[[Path], Sample]] = {
    "start": first_page,
    "idle": idle,
    "rerun": reruns,
    "runs-1000": reruns,
    "runs-3000": reruns,
    "while-training": reruns_while_training,
    "live-tick": live_tick,
    "stroke": strokes,
    "launch": launch,
    "predict": predictions,
}
MINUTES = {
    "start": 0.2,
    "idle": 0.5,
    "rerun": 2,
    "runs-1000": 3,
    "runs-3000": 5,
    "while-training": 4,
    "live-tick": 0.5,
    "stroke": 1.5,
    "launch": 0.5,
    "predict": 1,
}
"""What a repeat takes on two quiet cores, about."""
IN_BROWSER = ("start", "idle", "stroke", "launch")


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmarks of the pages, in the order of their names."""
    workspaces: dict[str, Callable[[Options, int], Path]] = {
        "start": _empty,
        "idle": _many,
        "rerun": _many,
        "runs-1000": _more,
        "runs-3000": _most,
        "while-training": _many,
        "live-tick": _empty,
        "stroke": _trained,
        "launch": _empty,
        "predict": _trained,
    }

    def measure(name: str) -> Callable[[int], Sample]:
        def one(repeat: int) -> Sample:
            if name in IN_BROWSER:
                find_chromium()
            workspace = workspaces[name](options, repeat)
            finished = run_module("benchmarks.pages", name, str(workspace), timeout=HOUR / 6)
            return last_json(finished.output)

        return one

    return [Benchmark(name, [Step("ours", measure(name))], ROWS[name]) for name in MEASUREMENTS]


def _empty(options: Options, repeat: int) -> Path:
    """A workspace that is not there yet, as on a person's first day."""
    taken = len(list(options.scratch.glob("empty-*")))
    return options.scratch / f"empty-{repeat}-{taken}"


def _many(options: Options, repeat: int) -> Path:
    return _with_runs(options, MANY_RUNS)


def _more(options: Options, repeat: int) -> Path:
    return _with_runs(options, MORE_RUNS)


def _most(options: Options, repeat: int) -> Path:
    return _with_runs(options, MOST_RUNS)


def _with_runs(options: Options, count: int) -> Path:
    folder = options.scratch / f"runs-{count}"
    return _made_once(folder, lambda made: make_runs(Workspace(made), count))


def _trained(options: Options, repeat: int) -> Path:
    return _made_once(options.scratch / "trained", _train_both)


def _train_both(folder: Path) -> None:
    for recipe in ("cnn-digits", "vgg16-digits"):
        place = ["--json", "--workspace", str(folder)]
        run_module("core", "train", recipe, *place, *SMALL, timeout=HOUR / 2)


def _made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    if not folder.exists():
        try:
            make(folder)
        except BaseException:
            end_runs(Workspace(folder))
            shutil.rmtree(folder, ignore_errors=True)
            raise
    return folder


ROWS: dict[str, Callable[[Samples], list[Row]]] = {
    "start": median_row(
        "Start of the app to the first page in Chromium", "s", Goal("at most", 4.0), "seconds"
    ),
    "idle": median_row(
        f"CPU of the server, idle dashboard open, {MANY_RUNS} runs, of one core",
        "%",
        None,
        "cpu_share",
    ),
    "rerun": rerun_rows(f"{MANY_RUNS} runs", 0.150),
    "runs-1000": rerun_rows(f"{MORE_RUNS:,} runs", 0.150),
    "runs-3000": rerun_rows(f"{MOST_RUNS:,} runs", 0.300),
    "while-training": rerun_rows(f"{MANY_RUNS} runs and one that trains", 0.400),
    "live-tick": live_tick_rows(LIVE_POINTS),
    "stroke": stroke_rows,
    "launch": median_row(
        f"Click on Launch to the first point on the live chart ({LAUNCHED}, all images)",
        "s",
        Goal("at most", 8.0),
        "seconds",
    ),
    "predict": predict_rows,
}


def main(name: str, workspace: str) -> int:
    """Measure and print one JSON line; exit status CANNOT where this machine is unable to."""
    try:
        print(json.dumps(MEASUREMENTS[name](Path(workspace))))
    except Skipped as reason:
        print(reason, file=sys.stderr)
        return CANNOT
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
