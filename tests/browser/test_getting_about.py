"""From page to page and back again: by the browser's Back, and by keys."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
SOON = 60_000


def opened(visitor: Any) -> Page:
    """Overview, once the browser's history is kept by what it has loaded."""
    page: Page = visitor.open()
    page.locator(".st-key-history [data-ready]").wait_for(state="attached")
    return page


def chosen(page: Page, key: str) -> Any:
    """What is chosen of a row of choices."""
    return page.locator(f".st-key-{key} [aria-checked=true], .st-key-{key} [aria-selected=true]")


def test_back_leads_to_the_view_before_and_then_to_the_page_before(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        page = opened(visitor)
        for name, key, view, parameter in (
            ("Data", "data_view", "Pixels", "view=pixels"),
            ("Compare", "compare_view", "Confidence", "view=confidence"),
            ("Predict", "mode", "Many pictures", "mode=many"),
        ):
            visitor.go(name)
            first = chosen(page, key).text_content() or ""
            page.locator(f".st-key-{key}").get_by_text(view, exact=True).click()
            expect(page).to_have_url(re.compile(parameter), timeout=SOON)
            visitor.settled()
            page.go_back()
            expect(page).not_to_have_url(re.compile(parameter), timeout=SOON)
            expect(chosen(page, key)).to_have_text(first, timeout=SOON)
            visitor.settled()
            page.go_back()
            expect(page.locator("h1")).to_have_text("Overview", timeout=SOON)
            visitor.settled()


def test_a_page_that_was_opened_first_is_left_by_one_press(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        visitor.page.goto(f"{populated.url}/Runs")
        page = visitor.open("Compare")
        page.locator(".st-key-history [data-ready]").wait_for(state="attached")
        expect(page).to_have_url(re.compile("a=.*b="), timeout=SOON)
        visitor.settled()
        page.evaluate("history.back()")
        expect(page.locator("h1")).to_have_text("Runs", timeout=SOON)


def test_details_of_a_view_are_no_step_of_their_own(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = opened(visitor)
        visitor.go("Compare")
        page.locator("[data-listening=image_keys]").wait_for(state="attached")
        for _ in range(3):
            before = page.url
            page.keyboard.press("j")
            expect(page).not_to_have_url(before, timeout=SOON)
        visitor.settled()
        page.go_back()
        expect(page.locator("h1")).to_have_text("Overview", timeout=SOON)


def test_keys_lead_to_pages_and_are_listed(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Data")
        page.locator(".st-key-shortcuts [data-page=Data]").wait_for()
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_contain_text("go to Runs")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        page.keyboard.press("g")
        page.keyboard.press("r")
        expect(page.locator("h1")).to_have_text("Runs", timeout=SOON)
        visitor.settled()
        page.locator(".st-key-shortcuts [data-page=Runs]").wait_for()
        field = page.get_by_placeholder("Name, note, tag or recipe")
        field.wait_for()  # fields are drawn by a part of Streamlit that may load after the page
        page.keyboard.press("/")
        expect(field).to_be_focused()
        page.keyboard.type("gd?")
        expect(field).to_have_value("gd?")
        expect(page.get_by_role("dialog", name="Keys")).to_be_hidden()
        page.keyboard.press("Escape")
        expect(page.locator("h1")).to_have_text("Runs")
