"""A run that trains, watched by two people at once."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.processes import this_process
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.training.metrics import append_event

Visit = Callable[..., Any]
LOSS = '.tl-plot[aria-label^="Loss"]'
DRAWN = f"() => document.querySelector('{LOSS}')?.data?.[0]?.x?.length ?? 0"
HIDDEN = f"() => document.querySelector('{LOSS}').data[0].visible === false"


@pytest.fixture
def run(server: Any) -> Run:
    """A run that seems to train in this process."""
    created = Runs(server.workspace).create(RECIPES["cnn-digits"].config)
    tell(created, 1, 40)
    return created.write_state(
        status="running", process=this_process(), phase="training", epoch=1, done=40, total=200,
        unit="batches",
    )  # fmt: skip


def tell(run: Run, first: int, last: int) -> None:
    for batch in range(first, last + 1):
        place = {"epoch": 1, "batch": batch, "batches": 200, "step": batch}
        values = {"loss": 2 / batch, "accuracy": 1 - 1 / batch, "learning_rate": 0.001}
        append_event(run.folder.metrics, {"event": "batch", **place, **values})


def wait_for_points(page: Page, count: int) -> None:
    page.wait_for_function(f"(count) => ({DRAWN})() === count", arg=count)


def range_shown(page: Page) -> list[float]:
    shown: list[float] = page.evaluate(f"document.querySelector('{LOSS}').layout.xaxis.range")
    return shown


def zoom(page: Page) -> None:
    """Drag over the middle of the chart of the loss."""
    box = page.locator(f"{LOSS} .nsewdrag").first.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.3 * box["width"], middle)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.7 * box["width"], middle, steps=5)
    page.mouse.up()


def test_zoom_and_legend_stay_while_the_chart_grows(server: Any, visit: Visit, run: Run) -> None:
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")
        wait_for_points(page, 40)
        before = range_shown(page)
        while range_shown(page)[0] <= before[0]:
            zoom(page)
        page.locator(f".tl-chart:has({LOSS}) .tl-legend button").first.click()
        page.wait_for_function(HIDDEN)
        zoomed = range_shown(page)
        tell(run, 41, 60)
        wait_for_points(page, 60)
        assert range_shown(page) == zoomed
        assert page.evaluate(HIDDEN)


def test_the_redrawing_ends_with_the_run(server: Any, visit: Visit, run: Run) -> None:
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")
        wait_for_points(page, 40)
        run.write_state(status="finished", epochs_done=1, best_epoch=1, phase="")
        expect(page.get_by_text("Draw for it")).to_be_visible()
        visitor.settled()
        tell(run, 41, 60)
        time.sleep(3)
        assert page.evaluate(DRAWN) == 40


def test_a_run_that_is_deleted_while_two_watch_it_gets_a_sentence(
    server: Any, visit: Visit, run: Run
) -> None:
    runs = Runs(server.workspace)
    with visit(server) as first, visit(server) as second:
        pages = [visitor.open(f"Train?run={run.id}") for visitor in (first, second)]
        for page in pages:
            wait_for_points(page, 40)
        runs.delete(run.write_state(status="stopped"))
        for page in pages:
            expect(page.get_by_text(f"The run {run.name} was deleted")).to_be_visible()
            expect(page.get_by_role("button", name="Launch")).to_be_enabled()
