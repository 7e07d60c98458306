"""What the table of runs keeps while runs change; AppTest sees neither its order nor its ticks."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from tests.browser.conftest import HEADER, tick

Visit = Callable[..., Any]
TICKED = "[aria-selected=true]"


def expect_rows(page: Page, *names: str, only: str = "") -> None:
    """The rows, or some of them, are these; the table tells in what it says to screen readers."""
    rows = page.locator(f"[data-testid=stDataFrame] tbody tr{only}")
    expect(rows).to_have_text([re.compile(rf"{name}stopped") for name in names])


def test_a_tick_stays_with_its_run_while_rows_are_sorted_and_change(
    server: Any, visit: Visit
) -> None:
    runs = Runs(server.workspace)
    for name, accuracy in (("low", 0.5), ("middle", 0.7), ("high", 0.9)):
        run = runs.create(RECIPES["cnn-digits"].config, name)
        run.write_state(status="stopped", metrics={"test_accuracy": accuracy})
    with visit(server) as visitor:
        page = visitor.open("Runs")
        table: Locator = page.locator("[data-testid=stDataFrame]")
        expect(table.get_by_test_id("glide-cell-1-0")).to_be_attached()
        table.click(position={"x": 410, "y": HEADER})  # by test accuracy, the lowest first
        expect_rows(page, "low", "middle", "high")
        tick(page, 2)
        expect(page.get_by_role("heading", name="middle")).to_be_visible()
        expect_rows(page, "middle", only=TICKED)
        runs.find("middle").write_state(metrics={"test_accuracy": 0.1})
        runs.create(RECIPES["cnn-digits"].config, "newest").write_state(status="failed")
        page.get_by_role("textbox", name="Search").fill("cnn-digits")
        page.keyboard.press("Enter")
        expect(page.get_by_text("4 runs")).to_be_visible()
        expect(page.get_by_role("heading", name="middle")).to_be_visible()
        expect_rows(page, "middle", only=TICKED)
