"""Overview: its pictures and figures lead on, without loading the dashboard anew."""

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from playwright.sync_api import expect

Visit = Callable[..., Any]


def test_pictures_move_nothing_and_lead_to_compare(populated: Any, visit: Visit) -> None:
    with visit(populated, viewport={"width": 1440, "height": 900}) as visitor:
        page = visitor.open()
        tile = page.locator(".ov .tile").first
        expect(tile).to_be_visible(timeout=60_000)
        height, kept = page.locator(".st-key-overview_pictures").evaluate(
            "(it) => [it.offsetHeight, parseFloat(getComputedStyle(it).minHeight)]"
        )
        assert height == kept
        page.evaluate("window.loadedOnce = true")
        wanted = dict(parse_qsl(tile.get_attribute("href").partition("?")[2]))
        tile.focus()
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_have_text("Compare", timeout=60_000)
        visitor.settled()
        shown = page.evaluate("Object.fromEntries(new URLSearchParams(location.search))")
        assert wanted.items() <= shown.items()
        assert page.evaluate("window.loadedOnce") is True
