"""From the end of a stroke in a browser to the probabilities of all networks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.dashboard import (
    chromium,
    open_page,
    server,
    wait_until_shown,
)
from benchmarks.record import Failed, Sample
from core.registry.runs import Runs
from core.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Page

STROKES = 15
ANSWERS = '[aria-label="Probability of each class"]'


def strokes(workspace: Path) -> Sample:
    """Seconds from the end of each stroke to the frame that shows all networks' probabilities."""
    with server(workspace) as running, chromium() as browser:
        running.wait()
        page = open_page(browser, running, "Predict")
        page.locator(ANSWERS).first.wait_for(timeout=60_000)
        _stroke(page, 0, patience=90_000)  # the networks are loaded meanwhile
        seconds = [_stroke(page, number) for number in range(STROKES)]
    return {"seconds": seconds, "networks": len(Runs(Workspace(workspace)).all())}


def _stroke(page: Page, number: int, patience: float = 10_000) -> float:
    page.get_by_role("button", name="Clear", exact=True).click()
    page.wait_for_function(_BLANK, arg=ANSWERS, timeout=patience)
    wait_until_shown(page, "Predict")
    page.wait_for_timeout(600)
    page.evaluate(_WATCH_ANSWERS, ANSWERS)
    box = page.locator(".upper-canvas").first.bounding_box()
    if box is None:
        raise Failed("the canvas is not on the page")
    shift = 6 * (number % 5)
    points = [(90 + shift, 60), (190, 70 + shift), (150 - shift, 140), (120 + shift, 220)]
    page.mouse.move(box["x"] + points[0][0], box["y"] + points[0][1])
    page.mouse.down()
    for x, y in points[1:]:
        page.mouse.move(box["x"] + x, box["y"] + y, steps=6)
    page.mouse.up()
    page.wait_for_function("() => window.benchShown !== null", timeout=patience)
    milliseconds: float = page.evaluate("window.benchShown")
    return milliseconds / 1000


_FIND = r"""
  const find = (root, selector) => {
    const here = root.querySelector(selector);
    if (here) return here;
    for (const element of root.querySelectorAll('*')) {
      const inside = element.shadowRoot && find(element.shadowRoot, selector);
      if (inside) return inside;
    }
    return null;
  };
  const values = (rows) => [...(rows?.querySelectorAll('.value') ?? [])];
"""
_BLANK = f"""(selector) => {{ {_FIND}
  const found = values(find(document, selector));
  return found.length > 0 && found.every((value) => !/\\d/.test(value.textContent));
}}"""
_WATCH_ANSWERS = f"""(selector) => {{ {_FIND}
  window.benchShown = null;
  let released = null;
  window.addEventListener('pointerup', (event) => {{ released = event.timeStamp; }},
                          {{ capture: true, once: true }});
  let rows = null;
  const look = () => {{
    if (!rows?.isConnected) rows = find(document, selector);
    const found = values(rows);
    const shown = found.length > 0 && found.every((value) => /\\d/.test(value.textContent));
    if (released !== null && shown) window.benchShown = performance.now() - released;
    else requestAnimationFrame(look);
  }};
  requestAnimationFrame(look);
}}"""
