"""Take the README's screenshots from the real application: `python docs/take_screenshots.py`.

Needs a workspace with runs called cnn-digits and vgg16-digits, by default ./workspace, of which it
takes a copy, and Chromium (CHROMIUM=/path). It trains for half a minute.
"""

import argparse
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import cv2
import numpy as np
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent))

from core.registry.run_files import WAITING_OR_WORKING  # noqa: E402
from core.registry.runs import Runs  # noqa: E402
from core.training.engine import LocalEngine  # noqa: E402
from core.workspace import Workspace  # noqa: E402

PORT = 8599
ADDRESS = f"http://127.0.0.1:{PORT}"
SIZE = {"width": 1360, "height": 900}
FOUR = (((95, 55), (80, 140), (195, 140)), ((170, 50), (160, 235)))
"""Strokes of a 4 on the canvas, in pixels from its upper left corner."""


@contextmanager
def server(workspace: Path) -> Iterator[None]:
    """The application, serving a workspace."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    environment = os.environ | {"TRANSFER_LAB_WORKSPACE": str(workspace.resolve())}
    process = subprocess.Popen(
        [*command, "--server.port", str(PORT)], cwd=DOCS.parent, env=environment
    )
    try:
        wait_for_server()
        yield
    finally:
        process.terminate()
        process.wait()


def wait_for_server() -> None:
    """Return once the server answers."""
    for _ in range(150):
        try:
            urllib.request.urlopen(f"{ADDRESS}/_stcore/health", timeout=1)
        except OSError:
            time.sleep(0.2)
        else:
            return
    raise RuntimeError("the server did not answer within 30 seconds")


def open_page(page: Page, name: str) -> None:
    """Open a page and wait until all of it stands."""
    page.goto(f"{ADDRESS}/{name}")
    page.get_by_role("heading", level=1).wait_for()
    settle(page)


def settle(page: Page) -> None:
    """Wait until the page's script has ended and its charts and pictures are drawn."""
    page.wait_for_function(
        "document.querySelector('[data-testid=stApp]').dataset.testScriptState === 'notRunning'"
    )
    page.wait_for_timeout(2500)


def corner(page: Page, selector: str) -> tuple[float, float]:
    """The upper left corner of an element, in pixels."""
    box = page.locator(selector).first.bounding_box()
    if box is None:
        raise RuntimeError(f"{selector} is not on screen")
    return box["x"], box["y"]


def draw_a_four(page: Page) -> None:
    """Draw on the canvas as a person would, and wait for the answers."""
    page.locator(".upper-canvas").wait_for()
    page.wait_for_timeout(8000)  # the networks load in the background
    left, top = corner(page, ".upper-canvas")
    for (x, y), *rest in FOUR:
        page.mouse.move(left + x, top + y)
        page.mouse.down()
        for x, y in rest:
            page.mouse.move(left + x, top + y, steps=8)
        page.mouse.up()
    page.mouse.move(5, 5)
    settle(page)


def choose_first_row(page: Page) -> None:
    """Choose the newest run of the table."""
    left, top = corner(page, "[data-testid=stDataFrame]")
    page.mouse.click(left + 18, top + 54)
    page.set_viewport_size({"width": SIZE["width"], "height": 1200})
    settle(page)
    page.mouse.move(5, 5)


def choose_fine_tuning(page: Page) -> None:
    """Choose the recipe whose network is cut within its branches."""
    page.get_by_role("combobox", name="Recipe").first.click()
    page.keyboard.type("finetune")
    page.keyboard.press("Enter")
    settle(page)


def launch_and_watch(page: Page) -> None:
    """Launch the recipe that is chosen, and look when a good part of its epoch is over."""
    page.get_by_role("button", name="Launch").click()
    page.set_viewport_size({"width": SIZE["width"], "height": 990})
    page.get_by_text(re.compile("^Loss")).first.wait_for(timeout=180_000)
    page.wait_for_timeout(30_000)


def the_question(workspace: Path) -> str:
    """The address under which the CNN is compared with VGG16."""
    runs = Runs(Workspace(workspace.resolve()))
    return f"Compare?a={runs.find('cnn-digits').id}&b={runs.find('vgg16-digits').id}"


def their_confusion(workspace: Path) -> str:
    """The same, with the matrices open."""
    return f"{the_question(workspace)}&view=confusion"


def where_only_the_cnn_is_right(workspace: Path) -> str:
    """The same, with the images that only the CNN gets right."""
    return f"{the_question(workspace)}&show=only_a_right"


def inside_both(workspace: Path) -> str:
    """The address under which both networks are looked into for one test image."""
    runs = Runs(Workspace(workspace.resolve()))
    networks = f"run={runs.find('cnn-digits').id}&run={runs.find('vgg16-digits').id}"
    return f"Predict?source=samples&image=7&{networks}&inside=block2_conv1~block3_conv1"


def look_inside(page: Page) -> None:
    """Bring the layers to the top, once test images were searched for what excites a channel."""
    page.locator(".exciting").nth(1).wait_for(timeout=180_000)
    page.set_viewport_size({"width": SIZE["width"], "height": 1420})
    page.get_by_text("Inside the networks").evaluate("(heading) => heading.scrollIntoView()")
    settle(page)


def scroll_to_matrices(page: Page) -> None:
    """Bring the view below the four outcomes to the top."""
    page.evaluate("""() => {
      const view = [...document.querySelectorAll('[data-testid=stButtonGroup]')]
        .find((group) => group.innerText.includes('Confusion'));
      view.scrollIntoView({ block: 'start' });
      document.querySelector('[data-testid=stMain]').scrollBy(0, -80);
    }""")
    settle(page)


def ask_why(page: Page) -> None:
    """Look at one image, and at where each network looked."""
    page.get_by_text("Why", exact=True).click()
    settle(page)
    page.wait_for_timeout(15_000)  # the networks load
    page.set_viewport_size({"width": SIZE["width"], "height": 1300})
    page.locator("#images").evaluate("(heading) => heading.scrollIntoView()")
    settle(page)


def hand_in_many(page: Page) -> None:
    """Hand in a ZIP of test digits in folders named by their class, and wait for the scores."""
    with np.load(DOCS.parent / "assets" / "mnist.npz") as arrays:
        images, labels = arrays["x_test"][:600], arrays["y_test"][:600]
    content = io.BytesIO()
    with ZipFile(content, "w") as bundle:
        for place, (image, label) in enumerate(zip(images, labels, strict=True)):
            bundle.writestr(f"{label}/digit-{place}.png", cv2.imencode(".png", image)[1].tobytes())
    file = {"name": "digits.zip", "mimeType": "application/zip", "buffer": content.getvalue()}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_text("read by").first.wait_for(timeout=180_000)
    settle(page)


VARIED_DIGITS = (
    "Data?dataset=mnist&view=augmentation&set=augmentation.rotation=15&set=augmentation.zoom=0.15"
    "&set=augmentation.shift=0.1&set=augmentation.noise=0.05"
)

STEPS = (
    ("", "overview", None),
    ("Data?dataset=mnist&view=pictures&image=13", "data", None),
    (VARIED_DIGITS, "augmentation", None),
    ("Train", "network", choose_fine_tuning),
    ("Runs", "runs", choose_first_row),
    (the_question, "compare", None),
    (their_confusion, "confusion", scroll_to_matrices),
    (where_only_the_cnn_is_right, "why", ask_why),
    ("Predict", "predict", draw_a_four),
    (inside_both, "inside", look_inside),
    ("Predict?mode=many", "many", hand_in_many),
    ("Train", "train", launch_and_watch),
)
"""Where each picture is taken: the page or what finds its address, the picture's name, what is done
there first. The run that the last one launches is in none of the others."""


@contextmanager
def copied(workspace: Path) -> Iterator[Path]:
    """A copy of a workspace's runs, in which nothing trains any more when it goes."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(workspace / "runs", Path(folder) / "runs")
        copy = Workspace(Path(folder))
        yield copy.root
        engine = LocalEngine(copy)
        for run in Runs(copy).all():
            if run.status in WAITING_OR_WORKING:
                engine.stop(run)
        while engine.at_work():
            time.sleep(0.2)


def main() -> None:
    """Take one picture of each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, default=Path("workspace"))
    parser.add_argument("--output", type=Path, default=DOCS)
    options = parser.parse_args()
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with (
        copied(options.workspace) as workspace,
        server(workspace),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=SIZE, color_scheme="light")
        for address, name, prepare in STEPS:
            page.set_viewport_size(SIZE)
            open_page(page, address if isinstance(address, str) else address(workspace))
            if prepare is not None:
                prepare(page)
            page.screenshot(path=options.output / f"{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
