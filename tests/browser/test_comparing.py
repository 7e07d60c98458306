"""Compare as a person works with it: clicks, keys, the scrubber and a link, in a real browser."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from core.data.image_tags import AMBIGUOUS, WRONG_LABEL
from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from core.workspace import PROJECT, Workspace
from tests.browser.conftest import Server, make_finished, said, serving
from tests.conftest import wait_until

Visit = Callable[..., Any]
IMAGES = 1000


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with two networks: A is wrong on 20 images, B on 50, after an epoch on 200."""
    workspace = Workspace(tmp_path_factory.mktemp("compared"))
    labels = np.load(PROJECT / "assets" / "mnist.npz")["y_test"][:IMAGES].astype(np.int64)
    for name, recipe, wrong_every in (
        ("small", "cnn-digits", (5, 50)),
        ("large", "vgg16-digits", (20,)),
    ):
        run = Runs(workspace).create(RECIPES[recipe].config, name)
        make_finished(run, labels, *wrong_every)
    with serving(workspace) as running:
        yield running


def pictures(page: Page) -> Locator:
    """The thumbnails of the gallery."""
    return page.get_by_role("button", name=re.compile(r"^Picture \d+:"))


def told(page: Page) -> list[str]:
    """What is told of each picture of the gallery."""
    return list(pictures(page).evaluate_all("all => all.map((e) => e.ariaLabel)"))


def expect_images(page: Page, count: int) -> None:
    """The gallery says that it holds so many images."""
    counted = re.compile(rf": {count:,} images?(, [\d,]+ to [\d,]+)?$")
    expect(page.get_by_role("heading", name=counted)).to_be_visible()


def test_a_click_on_a_cell_of_a_matrix_narrows_the_gallery_to_its_images(
    compared: Server, visit: Visit
) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare?view=confusion")
        plot = page.get_by_role("application", name=re.compile("Confusion matrix, B"))
        box = plot.bounding_box()
        plot.click(position={"x": box["width"] * 0.55, "y": box["height"] * 0.45})
        expect(page.get_by_text("True class: 4")).to_be_visible()
        expect(page.get_by_text("B took it for: 5")).to_be_visible()
        expect(pictures(page).first).to_be_visible()
        wait_until(lambda: all("true 4" in each and "B: 5 " in each for each in told(page)))


def test_the_matrices_are_saved_as_a_drawing_of_lines_and_text(
    compared: Server, visit: Visit, tmp_path: Path
) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare?view=confusion")
        plot = page.get_by_role("application", name=re.compile("Confusion matrix, B"))
        mistakes = re.search(r"([\d,]+) mistakes", plot.get_attribute("aria-label") or "")
        title = page.get_by_role("heading", name=re.compile("takes . for . most often"))
        title.hover()
        button = page.get_by_role("button", name=f"Save as SVG: {title.inner_text()}")
        with page.expect_download() as download:
            button.click()
        download.value.save_as(tmp_path / "matrices.svg")
        texts = [
            "".join(text.itertext())
            for text in ET.parse(tmp_path / "matrices.svg").iter("{http://www.w3.org/2000/svg}text")
        ]
        assert title.inner_text() in texts
        assert (texts.count("taken for"), texts.count("true class")) == (3, 3)
        assert mistakes is not None
        assert mistakes[1] == "50"
        assert len([text for text in texts if text.isdigit()]) > 3 * 2 * 10


def test_the_gallery_is_paged_and_shows_two_hundred_pictures_without_a_request_each(
    compared: Server, visit: Visit
) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare?show=all&sort=index")
        expect(pictures(page)).to_have_count(200)
        before = len(visitor.requests)
        page.get_by_test_id("stPagination").get_by_text("5", exact=True).click()
        expect(page.get_by_text("Test image 800")).to_be_visible()
        expect(pictures(page)).to_have_count(200)
        assert [url for url in visitor.requests[before:] if "/media/" in url] == []


def test_pictures_are_tagged_and_walked_through_from_the_keyboard(
    compared: Server, visit: Visit
) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare?show=only_a_right&sort=index")
        expect(page.get_by_text("Test image 20", exact=False).first).to_be_visible()
        visitor.listened()
        page.locator("h1").click()
        page.keyboard.press("1")
        page.keyboard.press("j")
        expect(page.get_by_text("Test image 40", exact=False).first).to_be_visible()
        page.keyboard.press("2")
        page.keyboard.press("k")
        expect(page.get_by_text("Test image 20", exact=False).first).to_be_visible()
        tags = {20: (WRONG_LABEL,), 40: (AMBIGUOUS,)}
        wait_until(lambda: said(compared.workspace) == tags)
        page = visitor.open("Compare?show=all&sort=index&tags=wrong label,ambiguous")
        expect_images(page, 2)
        expect(pictures(page)).to_have_count(2)


def test_the_scrubber_moves_counts_and_gallery(compared: Server, visit: Visit) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare?show=only_b_right")
        slider = page.get_by_role("slider", name="Epoch of A")
        slider.focus()
        page.keyboard.press("ArrowLeft")
        # After its first epoch A is wrong on 200 images, on 150 of which B is right.
        expect_images(page, 150)
        expect(page.get_by_text("small, epoch 1").first).to_be_visible()


def test_a_copied_link_opens_the_same_view_in_another_browser(
    compared: Server, visit: Visit
) -> None:
    with visit(compared) as visitor:
        page = visitor.open("Compare")
        page.get_by_role("slider", name="Epoch of A").focus()
        page.keyboard.press("ArrowLeft")
        expect(page.get_by_text("small, epoch 1").first).to_be_visible()
        visitor.choose("Images", "Only B right")
        expect_images(page, 150)
        visitor.choose("Order", "In order")
        shown = page.get_by_text(re.compile(r"^Test image \d+"))
        expect(page).to_have_url(re.compile("sort=index"))
        wait_until(lambda: len(told(page)) == 150)
        visitor.settled()
        pictures(page).nth(7).click()
        expect(page.get_by_text("8 of 150")).to_be_visible()
        number = re.findall(r"\d+", shown.first.inner_text())[0]
        expect(page).to_have_url(re.compile(rf"image={number}\b"))
        link = page.url.removeprefix(f"{compared.url}/")
        seen = told(page)
    with visit(compared) as visitor:
        page = visitor.open(link)
        expect_images(page, 150)
        expect(page.get_by_text("8 of 150")).to_be_visible()
        expect(page.get_by_text("small, epoch 1").first).to_be_visible()
        wait_until(lambda: told(page) == seen)
        chosen = pictures(page).nth(7)
        expect(chosen).to_have_attribute("aria-pressed", "true")
