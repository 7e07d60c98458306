"""Overview: its pictures and figures lead on, without loading the dashboard anew."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from playwright.sync_api import expect

from tests.conftest import wait_until

Visit = Callable[..., Any]
SVG = "{http://www.w3.org/2000/svg}"


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


def test_the_answer_is_saved_with_both_networks_and_their_outcomes(
    populated: Any, visit: Visit, tmp_path: Path
) -> None:
    with visit(populated) as visitor:
        page = visitor.open()
        page.locator(".st-key-saving [data-listening]").wait_for(state="attached")
        answer = page.locator(".question .tl-saved")
        answer.hover()
        with page.expect_download() as download:
            answer.get_by_role("button", name="Save as SVG").click()
        download.value.save_as(tmp_path / "answer.svg")
        told = [text.strip() for text in answer.locator(".share, .legend b").all_inner_texts()]
        colors = [
            named.evaluate("(it) => getComputedStyle(it).backgroundColor.replaceAll(' ', '')")
            for named in answer.locator(".bar.large > *").all()
        ]
    drawn = ET.parse(tmp_path / "answer.svg").getroot()
    texts = ["".join(text.itertext()).strip() for text in drawn.iter(f"{SVG}text")]
    assert len(told) == 2 + 4
    assert all(text in texts for text in told)
    assert len(colors) > 1
    assert set(colors) <= {shape.get("fill") for shape in drawn.iter(f"{SVG}rect")}
