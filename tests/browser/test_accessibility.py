"""Every page can be read, heard and worked by keyboard, in light and dark."""

from collections.abc import Callable
from importlib.resources import files
from typing import Any

from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
VIEWS = {
    "": "img[alt*='test images of MNIST']",
    "Data": ".tl-plot .main-svg >> nth=0",
    "Data?view=pictures": ".item >> nth=0",
    "Data?view=augmentation": ".variations canvas >> nth=0",
    "Data?collect=camera": ".collector .camera",
    "Train": ".net .box >> nth=0",
    "Runs": "[data-testid=stDataFrame] canvas >> nth=0",
    "Compare": ".item >> nth=0",
    "Compare?view=confidence": ".tl-plot .main-svg >> nth=0",
    "Compare?view=epochs": ".item >> nth=0",
    "Predict": ".upper-canvas",
    "Predict?mode=live": ".live .camera",
}
"""What each page shows last, by its address."""
BACKGROUNDS = {"dark": "rgb(19, 23, 29)", "light": "rgb(255, 255, 255)"}

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
ASK_AXE = """async () => {
  const found = await axe.run(document, { resultTypes: ['violations'] });
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => [rule.impact, rule.id, node.html, node.failureSummary]));
}"""

# Through shadow roots, where Streamlit keeps components.
LOOK = """() => {
  // Tables hold their cells as a table too; who cannot draw brings a picture.
  const REACHED = 'a[href], button, input, select, textarea, summary, label, [role=option], ' +
    '[role=tab], [role=radio], [tabindex]:not([tabindex="-1"], [data-testid=stMain])';
  const THEIRS = '[data-testid=stDataFrame], .lower-canvas, .upper-canvas';
  const above = (e) => e.parentElement ?? e.getRootNode().host ?? null;
  const within = (e, fits) => { for (; e; e = above(e)) if (fits(e)) return true; return false; };
  const byMouseOnly = [], unnamed = [];
  const walk = (root) => {
    for (const e of root.querySelectorAll('*')) {
      if (e.shadowRoot) walk(e.shadowRoot);
      if (!e.checkVisibility()) continue;
      const clickable = getComputedStyle(e).cursor === 'pointer';
      if (clickable && !within(e, (x) => x.matches(REACHED)) && !e.querySelector(REACHED) &&
          !within(e, (x) => x.matches('.js-plotly-plot'))) byMouseOnly.push(e.outerHTML);
      const named = (x) => x.ariaLabel || x.ariaHidden === 'true' || x.matches(THEIRS);
      if (e.matches('canvas') && !within(e, named)) unnamed.push(e.outerHTML);
    }
  };
  walk(document);
  return [byMouseOnly, unnamed].map((list) => list.map((html) => html.slice(0, 200)));
}"""
"""Charts are left out: what a click in one chooses, sliders and lists beside it choose too."""


def violations(page: Page) -> list[str]:
    """What axe-core takes for a serious or critical hindrance."""
    page.evaluate(AXE)
    return [
        f"{rule}: {html[:300]} {why}"
        for impact, rule, html, why in page.evaluate(ASK_AXE)
        if impact in ("serious", "critical")
    ]


def test_nothing_hinders_people_who_see_little_or_use_no_mouse(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        for address, last in VIEWS.items():
            page = visitor.open(address)
            expect(page.locator(last)).to_be_visible(timeout=60_000)
            by_mouse_only, unnamed_pictures = page.evaluate(LOOK)
            assert by_mouse_only == [], address
            assert unnamed_pictures == [], address
            for scheme, background in BACKGROUNDS.items():
                page.emulate_media(color_scheme=scheme)
                app = page.locator("[data-testid=stApp]")
                expect(app).to_have_css("background-color", background)
                assert violations(page) == [], (address, scheme)


def test_what_is_wrong_is_found(populated: Any, visit: Visit) -> None:
    spoil = """() => document.querySelector('h1').insertAdjacentHTML('afterend',
      '<img src="data:,"><p style="color:#ccc;background:#fff">pale</p>' +
      '<canvas></canvas><span style="cursor:pointer">click</span>')"""
    with visit(populated) as visitor:
        page = visitor.open()
        page.evaluate(spoil)
        rules = {found.partition(":")[0] for found in violations(page)}
        assert {"image-alt", "color-contrast"} <= rules
        assert [len(found) for found in page.evaluate(LOOK)] == [1, 1]
