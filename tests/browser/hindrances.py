"""What hinders people who see little or use no mouse, on a page as it stands."""

from importlib.resources import files
from typing import Any

from playwright.sync_api import Page

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
COLORS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
"""What axe-core looks at where nothing but colours can have changed."""
ASK_AXE = """async (only) => {
  const found = await axe.run(document, { resultTypes: ['violations'], ...only });
  return found.violations.flatMap((rule) => rule.nodes.map(
    (node) => [rule.impact, rule.id, node.html, node.failureSummary]));
}"""

# Through shadow roots, where Streamlit keeps components.
LOOK = """() => {
  // Tables hold their cells as a table too; who cannot draw brings a picture.
  const REACHED = 'a[href], button, input, select, textarea, summary, label, [role=option], ' +
    '[role=tab], [role=radio], [tabindex]:not([tabindex="-1"], [data-testid=stMain])';
  const BESIDE = '.js-plotly-plot, [data-testid=stFileUploaderDropzone]';
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
          !within(e, (x) => x.matches(BESIDE))) byMouseOnly.push(e.outerHTML);
      const named = (x) => x.ariaLabel || x.ariaHidden === 'true' || x.matches(THEIRS);
      if (e.matches('canvas') && !within(e, named)) unnamed.push(e.outerHTML);
    }
  };
  walk(document);
  return [...byMouseOnly.map((html) => `for the mouse only: ${html.slice(0, 200)}`),
    ...unnamed.map((html) => `a drawing without a name: ${html.slice(0, 200)}`)];
}"""
"""Left out are charts, since what a click in one chooses, sliders and lists beside it choose too,
and what surrounds the button of an upload."""


def hindrances(page: Page) -> list[str]:
    """What only a mouse reaches, what is drawn without a name, and what axe-core finds serious."""
    return page.evaluate(LOOK) + _by_axe(page, {})


def faint(page: Page) -> list[str]:
    """What is too faint to be read, or told apart by nothing but its colour."""
    return _by_axe(page, COLORS)


def _by_axe(page: Page, only: dict[str, Any]) -> list[str]:
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    return [
        f"{rule}: {html[:300]} {why}"
        for impact, rule, html, why in page.evaluate(ASK_AXE, only)
        if impact in ("serious", "critical")
    ]
