"""A training outlives the tab it was launched from and the server that showed it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.engine import LocalEngine
from core.workspace import Workspace
from tests.browser.conftest import Server, serving
from tests.conftest import STAND_IN

Visit = Callable[..., Any]


def wait_for_points(page: Page, more_than: int) -> int:
    """Wait until the first line of the first chart has more points; how many it has then."""
    counted = "document.querySelector('.tl-plot')?.data?.[0]?.x?.length ?? 0"
    page.wait_for_function(f"(n) => ({counted}) > n", arg=more_than)
    return int(page.evaluate(f"() => {counted}"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server of its own, whose trainings are by a worker that only counts steps."""
    monkeypatch.setenv("PYTHONPATH", str(STAND_IN))
    monkeypatch.setenv("STAND_IN_STEP", "0.3")
    with serving(Workspace(tmp_path)) as running:
        yield running


@pytest.fixture
def worked_on(server: Server) -> Run:
    """A run without end."""
    endless = {"test_images": 100, "epochs": 10_000}
    run = Runs(server.workspace).create(change(RECIPES["cnn-digits"].config, endless), "outliving")
    LocalEngine(server.workspace).submit(run)
    return run


def test_who_closes_the_tab_and_restarts_the_server_finds_the_live_chart(
    server: Server, visit: Visit, worked_on: Run
) -> None:
    runs, run = Runs(server.workspace), worked_on
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")
        seen = wait_for_points(page, 1)
    server.restart()
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")
        grown = wait_for_points(page, seen)
        wait_for_points(page, grown)
        main = page.locator("[data-testid=stMain]")  # beside it Streamlit has a “Stop” of its own
        main.get_by_role("button", name="Stop").click()
        expect(page.locator(".stMarkdownBadge", has_text="stopped").first).to_be_visible()
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert runs.again(run).status == "stopped"
    assert runs.again(run).has_results
