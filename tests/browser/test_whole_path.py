"""What a person does from the first launch to a drawn digit, in a real browser."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from core.registry.recipes import RECIPES
from core.registry.run_files import Failure
from core.registry.runs import Runs
from tests.browser.conftest import TRAINED, draw, tick
from tests.conftest import wait_until

Visit = Callable[..., Any]


def set_number(page: Page, label: str, value: int, change: str) -> None:
    """Type into a field and wait until the page has taken it."""
    page.get_by_label(label, exact=True).fill(str(value))
    page.get_by_label(label, exact=True).press("Enter")
    expect(page.get_by_text(change)).to_be_visible()


def show_common_settings(page: Page) -> None:
    page.get_by_role("radio", name="Common settings").click()
    expect(page.get_by_label("Epochs", exact=True)).to_be_visible()


def launch(page: Page, name: str) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_role("button", name="Launch").click()
    watched = page.get_by_role("combobox", name="Run", exact=True)
    expect(watched).to_have_value(re.compile(rf"^{name}\b"))


def wait_for_points(page: Page, more_than: int) -> None:
    page.wait_for_function(
        "(n) => (document.querySelector('.tl-plot')?.data?.[0]?.x?.length ?? 0) > n",
        arg=more_than,
        timeout=TRAINED,
    )


def badge(page: Page, status: str) -> Locator:
    return page.locator(".stMarkdownBadge", has_text=status).first  # a tooltip holds it twice


def test_train_two_networks_compare_them_and_draw(server: Any, visit: Visit) -> None:
    with visit(server) as visitor:
        page = visitor.open("Train")
        watch_a_network_train(visitor, page)
        queue_another(visitor, page)
        expect_both_finish(visitor, page, Runs(server.workspace))
        compare(visitor)
        draw_a_digit(visitor)
        upload_what_is_no_picture(page)
        assert visitor.exceptions() == 0


def watch_a_network_train(visitor: Any, page: Page) -> None:
    show_common_settings(page)
    set_number(page, "Training images", 1_000, "Training images: all → 1000")
    set_number(page, "Test images", 200, "Test images: all → 200")
    launch(page, "small")
    wait_for_points(page, 0)
    page.reload()
    visitor.settled()
    wait_for_points(page, 0)


def queue_another(visitor: Any, page: Page) -> None:
    page.get_by_role("tab", name="Network").click()
    visitor.choose("Recipe", "vgg16-digits")
    expect(page.get_by_text("267,786", exact=True)).to_be_visible()
    show_common_settings(page)
    set_number(page, "Training images", 100, "Training images: all → 100")
    set_number(page, "Test images", 200, "Test images: all → 200")
    launch(page, "large")


def expect_both_finish(visitor: Any, page: Page, runs: Runs) -> None:
    both = {"small": "finished", "large": "finished"}
    wait_until(lambda: {run.name: run.status for run in runs.all()} == both)
    expect(badge(page, "finished")).to_be_visible()
    visitor.go("Runs")
    expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()


def compare(visitor: Any) -> None:
    page = visitor.go("Compare")
    verdict = page.get_by_role("heading", level=3).first
    expect(verdict).to_contain_text("small")
    shown = page.get_by_text("Test image")
    expect(shown).to_be_visible()
    before = shown.inner_text()
    second = page.locator(".item").nth(1)
    second.click()
    expect(second).to_have_attribute("aria-pressed", "true")
    expect(shown).not_to_have_text(before)
    expect(page.locator(".run .score")).to_have_count(2)


def draw_a_digit(visitor: Any) -> None:
    page = visitor.go("Predict")
    draw(page, [((140, 60), (140, 220))])
    answers = [re.compile("%"), re.compile("%")]
    expect(page.locator(".run .score")).to_have_text(answers, timeout=TRAINED)
    expect(page.locator(".run .name")).to_have_count(2)
    expect(page.get_by_text("What the networks see")).to_be_visible()
    for size in ("28 × 28, grey", "48 × 48, three channels"):
        expect(page.get_by_text(size)).to_be_visible()


def upload_what_is_no_picture(page: Page) -> None:
    page.get_by_role("radio", name="Upload").click()
    file = {"name": "digit.png", "mimeType": "image/png", "buffer": b"no picture at all"}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_text("The file is not an image that can be read")).to_be_visible()


def test_deleting_a_run_asks_first(server: Any, visit: Visit) -> None:
    runs = Runs(server.workspace)
    error = Failure(kind="work", sentence="The disk is full.", advice="Make room on it.")
    doomed = runs.create(RECIPES["cnn-digits"].config, "doomed")
    doomed.write_state(status="failed", error=error)
    kept = len(runs.all()) - 1
    with visit(server) as visitor:
        page = visitor.open("Runs")
        tick(page, 1)
        expect(page.get_by_text("The disk is full.")).to_be_visible()
        page.get_by_role("button", name="Delete").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("doomed is removed for good")
        assert len(runs.all()) == kept + 1
        dialog.get_by_role("button", name="Delete it").click()
        expect(dialog).to_have_count(0)
    assert len(runs.all()) == kept
