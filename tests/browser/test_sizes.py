"""Every page in light and dark, on a desk and on a telephone."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import expect

Visit = Callable[..., Any]
PAGES = ("Overview", "Data", "Train", "Runs", "Compare", "Predict")
CONTENT = {
    "Overview": "img[alt*='test images of MNIST']",
    "Data": ".tl-plot >> nth=0",
    "Train": ".net .box >> nth=0",
    "Runs": "[data-testid=stDataFrame] canvas >> nth=0",
    "Compare": ".item >> nth=0",
    "Predict": ".upper-canvas",
}
"""What each page shows last where there are runs."""
SIZES = {1440: 1000, 390: 844}
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 23, 29)"}


def test_looking_at_results_loads_no_tensorflow(populated: Any, visit: Visit) -> None:
    # The first test here: one look at Predict, and the process that predicts is there to stay.
    with visit(populated) as visitor:
        visitor.open()
        for name in ("Data", "Train", "Runs", "Compare", "Overview"):
            visitor.go(name)
    assert populated.mapped_tensorflow() == []


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("scheme", BACKGROUNDS)
def test_every_page_fits(populated: Any, visit: Visit, scheme: str, width: int) -> None:
    size = {"width": width, "height": SIZES[width]}
    with visit(populated, viewport=size, color_scheme=scheme) as visitor:
        for title in PAGES:
            page = visitor.open("" if title == "Overview" else title)
            expect(page.locator("h1")).to_have_text(title)
            expect(page).to_have_title(f"{title} · Transfer Lab")
            expect(page.locator("[data-testid=stApp]")).to_have_css(
                "background-color", BACKGROUNDS[scheme]
            )
            expect(page.locator(CONTENT[title])).to_be_visible(timeout=60_000)
            assert visitor.exceptions() == 0, title
            assert visitor.sideways() == 0, title


@pytest.mark.parametrize("width", SIZES)
def test_an_empty_workspace_fits_too(server: Any, visit: Visit, width: int) -> None:
    with visit(server, viewport={"width": width, "height": SIZES[width]}) as visitor:
        for title in PAGES:
            page = visitor.open("" if title == "Overview" else title)
            expect(page.locator("h1")).to_have_text(title)
            assert visitor.exceptions() == 0, title
            assert visitor.sideways() == 0, title
