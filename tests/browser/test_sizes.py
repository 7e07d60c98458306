"""Every page and view, in light and dark, from a large screen to a telephone.

Nothing is broken, nothing hinders people who see little, and all can be worked by keyboard.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from benchmarks.first_frame import AT_REST, WATCH
from core.registry.runs import Runs
from tests.browser.conftest import Server, Visitor, visiting
from tests.browser.hindrances import faint, hindrances
from tests.conftest import at_last

Visit = Callable[..., Any]
LOOK_OVER = (Path(__file__).parent / "look_over.js").read_text()
PAGES = ("Overview", "Data", "Train", "Runs", "Compare", "Predict")
CHART, GALLERY = ".tl-plot .main-svg", ".item"
PLACES = {
    "": "h1",
    "Data?dataset=mnist&collect=camera": CHART,
    "Data?dataset=mnist&view=pictures": GALLERY,
    "Data?dataset=mnist&view=pixels": CHART,
    "Data?dataset=mnist&view=classes": "[data-testid=stDataFrame] canvas",
    "Data?dataset=mnist&view=augmentation": "canvas",
    "Train": ".net .box",
    "Train?run=NEWEST": CHART,
    "Runs": "[data-testid=stDataFrame] canvas",
    "Compare": GALLERY,
    "Compare?view=confidence": CHART,
    "Compare?view=labels": GALLERY,
    "Compare?view=epochs": CHART,
    "Compare?view=map": GALLERY,
    "Compare?runs=all": "table button",
    "Predict": ".upper-canvas",
    "Predict?mode=many": "[data-testid=stFileUploader]",
    "Predict?mode=live": ".live .camera",
    "Predict?mode=handwriting": "h1",
}
"""The address of each view, and what it shows last where there are runs."""
SIZES = ((1920, 1080), (1440, 1000), (1024, 768), (390, 844))
BACKGROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 23, 29)"}
LOOKS = [("light", *size) for size in SIZES] + [("dark", *SIZES[3]), ("dark", *SIZES[1])]
"""In an order in which every look differs from the one before in one thing; what is dark takes no
other room than what is light."""
MOST_SHIFT = 0.05
"""Layout shift of a page, by the browser's own measure, of which 0.1 is what people notice."""
READ_AT = {("light", 1440): hindrances, ("dark", 1440): faint}
"""Where it is looked for what hinders people; dark differs from light in nothing but colours."""


@dataclass(frozen=True)
class Walk:
    """What became of it when somebody went to all pages by their links, to Predict last.

    shift: of each page. tensorflow: ids of the processes that had loaded it before Predict.
    """

    shift: dict[str, float]
    tensorflow: list[int]


@pytest.fixture(scope="module")
def walk(populated: Server, chromium: Browser) -> Walk:
    """Of somebody whose browser has yet to load everything."""
    populated.forget_tensorflow()
    with visiting(chromium, populated) as visitor:
        visitor.page.add_init_script(WATCH)
        visitor.open()
        results = ("Data", "Train", "Runs", "Compare", "Overview")
        shift = {title: shifted(visitor, title) for title in results}
        tensorflow = populated.mapped_tensorflow()
        return Walk(shift | {"Predict": shifted(visitor, "Predict")}, tensorflow)


def shifted(visitor: Visitor, title: str) -> float:
    """How far the parts of a page shifted after it was gone to, once it is at rest."""
    page = visitor.go(title)
    page.wait_for_function(AT_REST, arg=600)
    return float(page.evaluate("benchPage.shift"))


def test_looking_at_results_loads_no_tensorflow(walk: Walk) -> None:
    assert walk.tensorflow == []


@pytest.mark.parametrize("title", PAGES)
def test_nothing_jumps_as_the_parts_of_a_page_arrive(walk: Walk, title: str) -> None:
    assert walk.shift[title] < MOST_SHIFT


@pytest.mark.parametrize("place", PLACES)
def test_every_view_is_whole_in_all_sizes(populated: Any, visit: Visit, place: str) -> None:
    with visit(populated) as visitor:
        newest = Runs(populated.workspace).all()[0].id
        page = visitor.open(place.replace("NEWEST", newest))
        expect(page.locator(PLACES[place]).first).to_be_visible()
        wrong = seen_wrong(page)
        assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("title", PAGES)
def test_an_empty_workspace_is_whole_in_all_sizes(server: Any, visit: Visit, title: str) -> None:
    with visit(server) as visitor:
        page = visitor.open("" if title == "Overview" else title)
        expect(page).to_have_title(f"{title} · Transfer Lab")
        wrong = seen_wrong(page)
        assert not wrong, "\n".join(wrong)


SPOILED = {
    "nothing is drawn in": "Plotly.react(document.querySelector('.tl-plot'), [{ x: [], y: [] }])",
    "nothing is drawn on": """() => {
        const canvas = document.querySelector('[data-testid=stMain]').appendChild(
            Object.assign(document.createElement('canvas'), { width: 9, height: 9 }));
        canvas.getContext('2d').fillRect(0, 0, 9, 9);
    }""",
    "a picture is empty": """() => { const image = document.createElement('img');
        image.width = image.height = 9;
        document.querySelector('h1').after(image); }""",
    "a failure is shown": "document.querySelector('h1').dataset.testid = 'stException'",
    "wider than the window": "document.querySelector('h1').style.paddingLeft = '200vw'",
    "is cut off": "Object.assign(document.querySelector('h1').style,"
    " { width: '1rem', flex: 'none', overflow: 'hidden' })",
    "lies over": "document.querySelector('.st-key-tour_begin').style.translate = '4rem'",
}
"""What is done to a page that is whole, by what must then be found."""


def test_what_is_broken_is_found(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Data?dataset=mnist")
        page.locator(CHART).first.wait_for()
        assert at_last(partial(looked_over, page)) == []
        for found, spoil in SPOILED.items():
            page.evaluate(spoil)
            assert any(found in sentence for sentence in page.evaluate(LOOK_OVER)), found


def test_what_hinders_is_found(populated: Any, visit: Visit) -> None:
    spoil = """() => document.querySelector('h1').insertAdjacentHTML('afterend',
      '<img src="data:,"><p style="color:#ccc;background:#fff">pale</p>' +
      '<canvas></canvas><span style="cursor:pointer">click</span>')"""
    with visit(populated) as visitor:
        page = visitor.open("Runs")
        expect(page.locator(PLACES["Runs"]).first).to_be_visible()
        assert at_last(partial(hindrances, page)) == []
        page.evaluate(spoil)
        found = {sentence.partition(":")[0] for sentence in hindrances(page)}
        rules = {"image-alt", "color-contrast"}
        assert found == rules | {"for the mouse only", "a drawing without a name"}
        assert {sentence.partition(":")[0] for sentence in faint(page)} == {"color-contrast"}


def seen_wrong(page: Page) -> list[str]:
    """What is wrong with an open page in any size and scheme, told apart by both."""
    wrong = []
    for scheme, width, height in LOOKS:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": height})
        expect(page.locator("[data-testid=stApp]")).to_have_css(
            "background-color", BACKGROUNDS[scheme]
        )
        found = at_last(partial(looked_over, page))
        if hinders := READ_AT.get((scheme, width)):
            found += at_last(partial(hinders, page))
        wrong += [f"{scheme}, {width}: {sentence}" for sentence in found]
    return wrong


def looked_over(page: Page) -> list[str]:
    """What is wrong with a page as it stands."""
    page.wait_for_timeout(100)  # until what watches its own size has heard of another
    return list(page.evaluate(LOOK_OVER))
