"""A training outlives the tab it was launched from and the server that showed it."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.registry.settings import change
from tests.browser.conftest import TRAINED

Visit = Callable[..., Any]


def wait_for_points(page: Page, more_than: int) -> int:
    """Wait until the first line of the first chart has more points; how many it has then."""
    counted = "document.querySelector('.tl-plot')?.data?.[0]?.x?.length ?? 0"
    page.wait_for_function(f"(n) => ({counted}) > n", arg=more_than, timeout=TRAINED)
    return int(page.evaluate(f"() => {counted}"))


def test_who_closes_the_tab_and_restarts_the_server_finds_the_live_chart(
    server: Any, visit: Visit
) -> None:
    runs = Runs(server.workspace)
    endless = {"train_images": 2_000, "test_images": 100, "epochs": 10_000, "side": 14}
    run = runs.create(change(RECIPES["cnn-digits"].config, endless), "outliving")
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")  # whoever opens a page has the queue seen to
        seen = wait_for_points(page, 1)
    server.restart()
    with visit(server) as visitor:
        page = visitor.open(f"Train?run={run.id}")
        grown = wait_for_points(page, seen)
        wait_for_points(page, grown)
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".stMarkdownBadge", has_text="stopped").first).to_be_visible(
            timeout=TRAINED
        )
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
    assert runs.again(run).status == "stopped"
    assert runs.again(run).has_results
