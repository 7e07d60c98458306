"""How soon a page stands after a click or by its address, and how far its parts jump afterwards.

`python -m benchmarks.first_frame WORKSPACE` makes one measurement and prints it as JSON.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.dashboard import chromium, find_chromium, server
from benchmarks.made_up import make_runs
from benchmarks.options import Options
from benchmarks.processes import HOUR, last_json, run_module
from benchmarks.record import Benchmark, Goal, Row, Sample, Samples, Step
from core.registry import samples
from core.registry.runs import Runs
from core.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

RUNS = {"first-frame": 0, "first-frame-1000": 1000}
"""Made-up runs beside the samples, by the name of the benchmark."""
TIMES = 5
QUIET_SECONDS, PATIENCE = 0.6, 60.0
"""A page is at rest once nothing on it has changed for so long."""
VIEWS = (
    "Data?dataset=mnist&view=pictures",
    "Data?dataset=mnist&view=pixels",
    "Data?dataset=mnist&view=augmentation",
    "Compare?view=confidence",
    "Compare?view=labels",
    "Compare?view=epochs",
    "Predict?mode=many",
)
"""Opened by their addresses, beside the pages themselves."""

WATCH = r"""
const page = window.benchPage = {
  title: null, from: 0, frame: null, last: 0, shift: 0, moved: 0, by: null,
};

const seen = (element) => element !== null && element.checkVisibility()
  && element.getBoundingClientRect().width > 0;

// The title, the sidebar's links and the tools beside the title.
const stands = () => {
  const title = document.querySelector('h1');
  return seen(title) && title.innerText.trim() === page.title
    && seen(document.querySelector('[data-testid=stSidebar] a'));
};

const look = () => {
  if (page.frame === null && page.title !== null && stands()) {
    page.frame = performance.now() - page.from;
  }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);

const began = (title) => Object.assign(page, {
  title, from: performance.now(), frame: null, last: 0, shift: 0, moved: 0, by: null,
});
document.addEventListener('click', (event) => {
  const link = event.target.closest('[data-testid=stSidebar] a');
  if (link) began(link.innerText.trim().split('\n').at(-1));
}, { capture: true });

const named = (node) => {
  const element = node?.nodeType === Node.TEXT_NODE ? node.parentElement : node;
  return `${element?.dataset?.testid ?? ''} ${element?.innerText?.slice(0, 40) ?? ''}`.trim();
};

// Of what stays on the page; what left it for something else did not jump.
const told = ({ node, previousRect: before, currentRect: now }) => {
  const moved = now.height > 0 && before.height > 0 ? Math.abs(now.top - before.top) : 0;
  if (moved <= page.moved) return;
  page.moved = moved;
  page.by = named(node);
};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    const after = page.frame !== null && entry.startTime - page.from > page.frame;
    if (!after) continue;
    page.shift += entry.value;
    entry.sources.forEach(told);
  }
}).observe({ type: 'layout-shift', buffered: true });

const changed = (list) => list.some(({ target }) => target.closest?.('[data-testid=stMain]'));
new MutationObserver((list) => {
  if (changed(list)) page.last = performance.now() - page.from;
}).observe(document, { childList: true, subtree: true });
"""

AT_REST = """(quiet) =>
  document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
  && benchPage.frame !== null
  && performance.now() - benchPage.from - Math.max(benchPage.last, benchPage.frame) > quiet
"""


# --- the measurement --------------------------------------------------------------------------


def frames(workspace: Path) -> Sample:
    """What became of each page, opened several times in turn: by a click, and by its address."""
    taken: dict[str, dict[str, list[Any]]] = {"click": {}, "address": {}}
    with server(workspace) as running, chromium() as browser:
        running.wait()
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        page.add_init_script(WATCH)
        for repeat in range(1 + TIMES):
            for way, place, opened in _ways(page, running.url()):
                opened()
                seen = _at_rest(page)
                if repeat:  # the first time the server and the browser have all yet to read
                    taken[way].setdefault(place, []).append(seen)
    return taken


def _ways(page: Page, server: str) -> Iterator[tuple[str, str, Callable[[], None]]]:
    from ui.frame.pages import PAGES

    titles = [entry.name for entry in PAGES]
    for place in (*titles, *VIEWS):
        yield "address", place, lambda place=place: _open(page, server, place)  # type: ignore
    for title in titles:
        yield "click", title, lambda title=title: _click(page, title)  # type: ignore


def _open(page: Page, server: str, place: str) -> None:
    title = place.partition("?")[0]
    page.goto(server + ("" if place == "Overview" else place), wait_until="commit")
    page.evaluate("(title) => { benchPage.title = title; }", title)


def _click(page: Page, title: str) -> None:
    page.locator("[data-testid=stSidebar]").get_by_role("link", name=title).click()


def _at_rest(page: Page) -> dict[str, Any]:
    """What was seen of a page: its frame, its last part (seconds), how it shifted and jumped."""
    page.wait_for_function(AT_REST, arg=1000 * QUIET_SECONDS, timeout=1000 * PATIENCE)
    seen = page.evaluate("benchPage")
    return {
        "frame": seen["frame"] / 1000,
        "last": max(seen["last"], seen["frame"]) / 1000,
        "shift": seen["shift"],
        "moved": seen["moved"],
        "by": seen["by"],
    }


# --- steps and rows ---------------------------------------------------------------------------


def benchmarks(options: Options) -> list[Benchmark]:
    """The benchmarks of first frames, in the order of their names."""

    def measure(name: str) -> Callable[[int], Sample]:
        def one(repeat: int) -> Sample:
            find_chromium()
            folder = options.scratch / name
            if not folder.exists():
                make_runs(Workspace(folder), RUNS[name])
                samples.bring(Runs(Workspace(folder)))
            finished = run_module("benchmarks.first_frame", str(folder), timeout=HOUR / 6)
            return last_json(finished.output)

        return one

    return [Benchmark(name, [Step("ours", measure(name))], _rows(name)) for name in RUNS]


def _rows(name: str) -> Callable[[Samples], list[Row]]:
    among = f"{RUNS[name]:,} runs" if RUNS[name] else "the sample runs"

    def rows(taken: Samples) -> list[Row]:
        return [
            _row(f"Page's frame after a click in the sidebar, {among}", "ms", taken, "click",
                 "frame", Goal("at most", 0.500)),
            _row(f"Page's frame by its address, {among}", "ms", taken, "address", "frame"),
            _row(f"Page complete after a click, {among}", "ms", taken, "click", "last"),
            _row(f"Layout shift after the frame stands, click, {among}", "shift", taken, "click",
                 "shift", Goal("at most", 0.02)),
            _row(f"Layout shift after the frame stands, address, {among}", "shift", taken,
                 "address", "shift", Goal("at most", 0.02)),
        ]  # fmt: skip

    return rows


def _row(what: str, unit: str, taken: Samples, way: str, key: str, goal: Goal | None = None) -> Row:
    """The slowest place stands for all; the note has the others."""
    each: dict[str, list[float]] = {}
    for sample in taken["ours"]:
        for place, seen in sample[way].items():
            each.setdefault(place, []).extend(one[key] for one in seen)
    medians = {place: statistics.median(values) for place, values in each.items()}
    worst = max(medians, key=medians.__getitem__, default="")
    listed = ", ".join(f"{place} {value:.3f}" for place, value in medians.items())
    named = f"{what}, worst of all, median ({worst or 'none'})"
    return Row(named, unit, medians.get(worst), goal=goal, note=listed or "none")


MINUTES = {"first-frame": 4, "first-frame-1000": 5}
"""What a repeat takes on two quiet cores, about."""


if __name__ == "__main__":
    print(json.dumps(frames(Path(sys.argv[1]))))
