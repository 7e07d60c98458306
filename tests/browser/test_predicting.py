"""Predict as a person uses it: drawings kept as samples, and an upload that is broken in part."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from core.workspace import Workspace
from tests.browser.camera import visiting_with_camera
from tests.browser.conftest import Server, draw, serving

Visit = Callable[..., Any]
ONE = [((140, 50), (140, 120), (138, 180), (140, 230))]
SEVEN = [((80, 60), (150, 58), (205, 62), (170, 130), (130, 230))]
"""Strokes on the canvas, in pixels from its upper left corner."""


@pytest.fixture(scope="module")
def networks(
    trained_workspace: Workspace, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A server with two small networks, really trained."""
    workspace = Workspace(tmp_path_factory.mktemp("networks"))
    shutil.copytree(trained_workspace.runs, workspace.runs)
    with serving(workspace) as running:
        yield running


def expect_answers(page: Page) -> None:
    """Both networks have answered."""
    expect(page.locator(".legend .score")).to_have_text([re.compile(r"\d %")] * 2)


@pytest.fixture
def mixed(tmp_path: Path, mnist: dict[str, NDArray[np.uint8]]) -> list[Path]:
    """Three digits, a text that is called a picture, and a JPEG cut short."""
    paths = []
    for place in range(3):
        path = tmp_path / f"digit-{place}.png"
        cv2.imwrite(str(path), mnist["x_test"][place])
        paths.append(path)
    text, short = tmp_path / "text.png", tmp_path / "short.jpg"
    text.write_text("this is no picture")
    photograph = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    short.write_bytes(cv2.imencode(".jpg", photograph)[1].tobytes()[:2000])
    return [*paths, text, short]


def test_a_drawing_is_read_kept_and_what_both_networks_make_of_it_compared(
    networks: Server, visit: Visit
) -> None:
    with visit(networks) as visitor:
        page = visitor.open("Predict")
        draw(page, ONE)
        expect_answers(page)
        page.get_by_role("radio", name="1", exact=True).click()
        expect(page.get_by_text("Kept as a 1")).to_be_visible()
        page.get_by_role("button", name="Clear", exact=True).click()
        expect(page.locator(".legend .score")).to_have_text(["", ""])
        visitor.settled()
        draw(page, SEVEN)
        expect_answers(page)
        page.get_by_role("radio", name="7", exact=True).click()
        expect(page.get_by_text("Kept as a 7")).to_be_visible()
        page.get_by_role("button", name="Your handwriting", exact=True).click()
        expect(page.get_by_text("2 samples").first).to_be_visible()
        page.get_by_role("link", name="Compare two networks on your handwriting").click()
        expect(page.locator("h1")).to_have_text("Compare")
        visitor.settled()
        expect(
            page.get_by_text("out of 2").or_(page.get_by_text("of 2 right")).first
        ).to_be_visible()
        assert visitor.exceptions() == 0


def test_of_a_mixed_upload_the_rest_is_read_and_what_is_broken_is_named(
    networks: Server, visit: Visit, mixed: list[Path]
) -> None:
    with visit(networks) as visitor:
        page = visitor.open("Predict?mode=many")
        page.locator("input[type=file]").set_input_files(mixed)
        expect(page.get_by_text(re.compile(r"3 pictures.*read by"))).to_be_visible()
        expect(page.get_by_text("2 could not be read").first).to_be_visible()
        page.get_by_text("Refused · 2").click()
        for name in ("text.png", "short.jpg"):
            expect(page.get_by_text(name).first).to_be_visible()
        assert visitor.exceptions() == 0


def test_the_camera_is_answered_picture_after_picture_until_it_is_turned_off(
    networks: Server, chromium: Browser
) -> None:
    with visiting_with_camera(chromium, networks) as visitor:
        page = visitor.open("Predict?mode=live")
        page.get_by_role("button", name="Turn the camera on").click()
        pace = page.get_by_text("pictures a second")
        expect(pace).to_be_visible()
        first = pace.inner_text()
        expect(pace).not_to_have_text(first)
        page.get_by_role("button", name="Turn the camera off").click()
        expect(pace).to_have_count(0)
        assert visitor.exceptions() == 0


def test_a_look_inside_goes_from_layer_to_layer_and_channel_to_channel_by_click_and_key(
    networks: Server, visit: Visit
) -> None:
    with visit(networks) as visitor:
        page = visitor.open("Predict")
        draw(page, SEVEN)
        expect_answers(page)
        page.get_by_text("Show what single channels see").click()
        sheets = page.get_by_role("group", name=re.compile("^What the "))
        expect(sheets).to_have_count(2)  # which network is the first is settled then
        sheet = sheets.first
        row = page.get_by_role("group", name=re.compile("^Layers of ")).first
        row.get_by_role("button").nth(1).click()
        second = re.compile(r"channels of block1_\w*(2|pool) make of the digit")
        expect(sheet).to_have_attribute("aria-label", second)
        tiles = sheet.get_by_role("button")
        tiles.first.focus()
        page.keyboard.press("ArrowRight")
        expect(tiles.nth(1)).to_have_attribute("aria-pressed", "true")
        channel = tiles.nth(1).get_attribute("data-channel")
        expect(page.get_by_text(re.compile(rf"^Channel {channel} of block1_"))).to_be_visible()
        expect(page.get_by_alt_text(re.compile("^Test image ")).first).to_be_visible()
        assert visitor.exceptions() == 0
