"""From one's own pictures to a network that learned from them, in a real browser."""

import io
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import cv2
import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page, expect

from core.imported.library import Library
from core.registry.runs import Runs
from tests.browser.camera import visiting_with_camera
from tests.browser.conftest import TRAINED
from tests.browser.test_whole_path import badge, launch
from tests.conftest import wait_until

Visit = Callable[..., Any]
EACH = 20


def drawn(shape: str, number: int) -> NDArray[np.uint8]:
    """A disc or a square in a colour of its own, (24, 24, 3)."""
    random = np.random.default_rng([number, len(shape)])
    picture = random.integers(0, 40, (24, 24, 3), np.uint8)
    color = tuple(map(int, random.integers(120, 255, 3)))
    x, y = map(int, random.integers(9, 15, 2))
    if shape == "disc":
        cv2.circle(picture, (x, y), 7, color, -1)
    else:
        cv2.rectangle(picture, (x - 6, y - 6), (x + 6, y + 6), color, -1)
    return picture


def zip_of_shapes() -> bytes:
    """Class folders of discs and squares, of which one file is damaged and one there twice."""
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for shape in ("disc", "square"):
            for number in range(EACH):
                content = cv2.imencode(".png", drawn(shape, number))[1].tobytes()
                archive.writestr(f"shapes/{shape}/{number}.png", content)
        archive.writestr("shapes/square/twice.png", content)
        archive.writestr("shapes/disc/broken.png", content[: len(content) // 2])
    return packed.getvalue()


def test_a_zip_is_imported_seen_varied_and_trained_on(server: Any, visit: Visit) -> None:
    with visit(server) as visitor:
        page = visitor.open("Data")
        bring_in(page)
        read_the_report(page)
        look_at_the_pictures(visitor, page)
        vary(visitor, page)
        train(visitor, page)
        (run,) = Runs(server.workspace).all()
        assert (run.status, run.config.data.name) == ("finished", "shapes")
        assert run.config.data.class_names == ("disc", "square")
        assert run.config.augmentation.rotation > 0
        assert visitor.exceptions() == 0


def bring_in(page: Page) -> None:
    page.locator("summary", has_text="Import a dataset").click()
    file = {"name": "Shapes.zip", "mimeType": "application/zip", "buffer": zip_of_shapes()}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_label("Name", exact=True)).to_have_value("shapes")
    page.get_by_role("button", name="Import", exact=True).click()


def read_the_report(page: Page) -> None:
    chosen = page.get_by_role("combobox", name="Dataset", exact=True)
    expect(chosen).to_have_value("shapes · 41 images, 2 classes")
    expect(page.get_by_text("1 × the image is damaged or cut short")).to_be_visible()


def look_at_the_pictures(visitor: Any, page: Page) -> None:
    page.get_by_role("radio", name="Pictures").click()
    pictures = page.locator(".item")
    expect(pictures.first).to_be_visible()
    pictures.nth(3).click()
    expect(pictures.nth(3)).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_text("shapes/disc/")).to_be_visible()


def vary(visitor: Any, page: Page) -> None:
    page.get_by_role("radio", name="Augmentation").click()
    slider = page.get_by_role("slider", name="Rotation")
    expect(slider).to_be_visible()
    visitor.settled()
    before = seen(page)
    slider.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("rotation=")).to_be_visible()
    wait_until(lambda: seen(page) != before)


def seen(page: Page) -> list[str]:
    """All pictures of the preview as they are drawn."""
    drawn_pictures = page.locator(".variations canvas")
    expect(drawn_pictures.first).to_be_visible()
    return list(drawn_pictures.evaluate_all("all => all.map((each) => each.toDataURL())"))


def train(visitor: Any, page: Page) -> None:
    page.get_by_role("button", name="Train with this").click()
    expect(page.locator("h1")).to_have_text("Train")
    visitor.settled()
    launch(page, "shapes seen")
    expect(badge(page, "finished")).to_be_visible(timeout=TRAINED)


def test_pictures_from_the_camera_become_a_dataset(server: Any, chromium: Browser) -> None:
    with visiting_with_camera(chromium, server) as visitor:
        page = visitor.open("Data")
        page.locator("summary", has_text="Collect pictures with the camera").click()
        hold = page.get_by_role("button", name="Hold to record class")
        expect(hold.first).to_be_disabled()
        page.get_by_role("button", name="Turn the camera on").click()
        expect(hold.first).to_be_enabled()
        hold.first.hover()
        page.mouse.down()
        enough(page, 0, 7)
        page.mouse.up()
        hold.last.focus()
        page.keyboard.down("Space")
        enough(page, 1, 5)
        page.keyboard.up("Space")
        page.get_by_role("button", name="Remove a picture").first.click()
        first, second = (strip.locator("img").count() for strip in page.locator(".strip").all())
        page.get_by_label("Name of class 1").fill("cup")
        expect(page.get_by_text("Class 2 needs a name.")).to_be_visible()
        page.get_by_label("Name of class 2").fill("no cup")
        page.get_by_role("button", name="Make the dataset").click()
        expect(page.get_by_text("is made of your pictures")).to_be_visible()
        expect(page.get_by_role("link", name="Train on your pictures")).to_be_visible()
        about = Library(server.workspace).find("camera").about
        assert about.class_names == ("cup", "no cup")
        assert sum(about.images.values()) == first + second
        assert about.images["test"] == first // 5 + second // 5


def enough(page: Page, place: int, count: int) -> None:
    """Wait until a class has so many pictures."""
    pictures = page.locator(".strip").nth(place).locator("img")
    expect(pictures.nth(count - 1)).to_be_attached()
