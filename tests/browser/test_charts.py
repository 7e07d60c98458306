"""Charts of a real browser: read by keys, and saved."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.training.metrics import append_event
from core.workspace import PROJECT
from tests.conftest import wait_until

Visit = Callable[..., Any]
TEXT = "{http://www.w3.org/2000/svg}text"


@pytest.fixture(scope="module")
def run(server: Any) -> Run:
    """A run of three epochs, the second of which was the best."""
    created = Runs(server.workspace).create(RECIPES["cnn-digits"].config, "three epochs")
    for epoch, loss in enumerate((0.5, 0.25, 0.3), start=1):
        place = {"epoch": epoch, "batch": 1, "batches": 1, "step": epoch}
        values = {"loss": loss, "accuracy": 1 - loss, "learning_rate": 0.003}
        append_event(created.folder.metrics, {"event": "batch", **place, **values})
        watched = {"val_loss": loss, "val_accuracy": 1 - loss}
        append_event(created.folder.metrics, {"event": "epoch", **place, **values, **watched})
    metrics = {"test_accuracy": 0.75, "test_loss": 0.25}
    return created.write_state(status="finished", epochs_done=3, best_epoch=2, metrics=metrics)


def chart(page: Page, title: str) -> Locator:
    """A chart that was drawn, by the beginning of its title."""
    found = page.locator(f'.tl-chart:has(.tl-plot[aria-label^="{title}"])')
    found.locator(".main-svg").first.wait_for()
    return found


def test_a_chart_is_read_and_its_lines_are_hidden_by_keys(
    server: Any, visit: Visit, run: Run
) -> None:
    with visit(server) as visitor:
        loss = chart(visitor.open(f"Train?run={run.id}"), "Loss was lowest after epoch 2")
        plot = loss.locator(".tl-plot")
        read = re.compile("by epoch: 0.5 at 1, 0.25 at 2, 0.3 at 3")
        expect(plot).to_have_attribute("aria-label", read)
        plot.focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
            visitor.page.keyboard.press(key)
        expect(loss.get_by_role("status")).to_contain_text("epoch 2, by epoch: 0.25")
        line = loss.get_by_role("button", name="by epoch")
        line.focus()
        visitor.page.keyboard.press("Enter")
        expect(line).to_have_attribute("aria-pressed", "false")
        visible = "(plot) => plot.data.filter((line) => line.name === 'by epoch')[0].visible"
        wait_until(lambda: plot.evaluate(visible) is False)


def test_a_chart_is_saved_with_its_title_as_png_and_svg(
    server: Any, visit: Visit, run: Run, tmp_path: Path
) -> None:
    with visit(server, color_scheme="dark") as visitor:
        accuracy = chart(visitor.open(f"Train?run={run.id}"), "Accuracy was highest")
        accuracy.hover()
        for ending in ("png", "svg"):
            with visitor.page.expect_download() as download:
                accuracy.get_by_role("button", name=f"Save as {ending.upper()}").click()
            name = f"accuracy-was-highest-after-epoch-2-75-00.{ending}"
            assert download.value.suggested_filename == name
            download.value.save_as(tmp_path / name)
            if ending == "png":
                picture = Image.open(tmp_path / name).convert("RGB")
                assert picture.width >= 2 * 640
                assert picture.getpixel((2, 2)) == (0x13, 0x17, 0x1D)
                assert len(picture.getcolors(2**24) or ()) > 20
            else:
                drawn = ET.parse(tmp_path / name).getroot()
                texts = {"".join(text.itertext()) for text in drawn.iter(TEXT)}
                assert {"Accuracy was highest after epoch 2: 75.00 %", "by epoch", "epoch"} <= texts


def test_a_picture_is_saved_large_with_each_of_its_pixels_a_square(
    populated: Any, visit: Visit, tmp_path: Path
) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Data?dataset=mnist&view=pictures&part=test&image=7")
        page.locator(".st-key-saving [data-listening]").wait_for(state="attached")
        picture = page.locator(".tl-picture")
        picture.hover()
        with page.expect_download() as download:
            picture.get_by_role("button", name="Save as PNG").click()
        assert "7" in download.value.suggested_filename
        download.value.save_as(tmp_path / "saved.png")
    saved = np.asarray(Image.open(tmp_path / "saved.png").convert("L"))
    assert saved.shape == (1036, 1036)
    with np.load(PROJECT / "assets/mnist.npz") as mnist:
        whole = np.kron(mnist["x_test"][7], np.ones((37, 37), np.uint8))
    assert np.array_equal(saved, whole)
