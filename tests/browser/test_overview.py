"""Overview: its pictures and figures lead on, without loading the dashboard anew."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from playwright.sync_api import expect

from tests.conftest import wait_until

Visit = Callable[..., Any]


def test_pictures_move_nothing_and_lead_to_compare(populated: Any, visit: Visit) -> None:
    with visit(populated, viewport={"width": 1440, "height": 900}) as visitor:
        page = visitor.open()
        tile = page.locator(".ov .tile").first
        expect(tile).to_be_visible()
        pictures = page.locator(".st-key-overview_pictures")
        filled = "(it) => it.offsetHeight === parseFloat(getComputedStyle(it).minHeight)"
        wait_until(lambda: pictures.evaluate(filled))
        page.evaluate("window.loadedOnce = true")
        wanted = dict(parse_qsl(tile.get_attribute("href").partition("?")[2]))
        tile.focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Compare")
        shown = "Object.fromEntries(new URLSearchParams(location.search))"
        wait_until(lambda: wanted.items() <= page.evaluate(shown).items())
        assert page.evaluate("window.loadedOnce") is True
