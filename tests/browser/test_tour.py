"""The tour leads through five pages by keyboard; presented pages show no control."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import expect

from ui.frame.tour import STEPS

Visit = Callable[..., Any]

ASKING = """() => [...document.querySelectorAll(
  '[data-testid=stMain] :is(input, select, textarea, summary, [data-testid=stButton])')]
  .filter((element) => element.checkVisibility()).map((element) => element.outerHTML)"""


def test_the_tour_shows_a_part_of_each_page_and_can_be_left(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open()
        page.get_by_role("button", name="Take the tour").click()
        for place, step in enumerate(STEPS, start=1):
            card = page.get_by_role("region", name=f"Tour · {place} of 5 {step.title}")
            expect(card).to_be_focused()
            expect(page.locator("h1")).to_have_text(step.page)
            part = page.locator(f".st-key-{step.part}")
            expect(part).to_be_in_viewport()
            expect(part).to_have_css("outline-style", "solid")
            if place < len(STEPS):
                card.get_by_role("button", name=f"Next: {STEPS[place].page}").press("Enter")
        page.reload()
        expect(page.get_by_role("region", name="Tour · 5 of 5")).to_be_visible()
        page.keyboard.press("Escape")
        expect(page.get_by_role("region", name="Tour")).to_have_count(0)
        expect(page).to_have_url(re.compile(r"Predict\?((?!tour).)*$"))


def test_presented_pages_ask_for_nothing_and_lose_nothing(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Data?view=pictures&part=test&image=7")
        size = page.locator(".item").first.bounding_box()
        page.get_by_role("button", name="Present").click()
        bar = page.get_by_role("navigation", name="Presentation")
        expect(bar).to_be_visible()
        expect(page.locator("[data-testid=stSidebar]")).to_be_hidden()
        assert page.evaluate(ASKING) == []
        assert page.locator(".item").first.bounding_box()["width"] > 1.2 * size["width"]
        bar.get_by_role("button", name="Next page").click()
        expect(page.locator("h1")).to_have_text("Train")
        bar.get_by_role("button", name="Page before").click()
        expect(page.locator("h1")).to_have_text("Data")
        visitor.settled()
        page.keyboard.press("Escape")
        expect(bar).to_have_count(0)
        expect(page.locator("[data-testid=stSidebar]")).to_be_visible()
        expect(page).to_have_url(re.compile(r"part=test.*image=7"))
        expect(page).not_to_have_url(re.compile("present"))
