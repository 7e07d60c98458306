"""The network on Train: drawn, explained on hover, and changed by what a person types."""

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.conftest import wait_until

Visit = Callable[..., Any]


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_role("combobox", name=re.compile(f"^{label}")).fill(text)  # marked once changed
    page.keyboard.press("Enter")


def show_everything(visitor: Any, page: Page) -> None:
    page.get_by_role("radio", name="Everything").click()
    expect(page.locator("summary", has_text="Head")).to_be_visible()
    visitor.settled()


def names(page: Page) -> list[str]:
    return page.locator(".net .box .name").all_inner_texts()


def test_a_network_is_drawn_and_tells_what_is_in_it(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        visitor.choose("Recipe", "vgg16-digits")
        expect(page.locator(".net .box")).to_have_count(9)
        assert names(page)[0] == "images"
        assert names(page)[-1] == "softmax"
        expect(page.locator(".cut")).to_contain_text("512 numbers")
        page.locator(".box", has_text="block4").hover()
        expect(page.locator(".tip")).to_contain_text("5,899,776 parameters, frozen")
        expect(page.locator(".tip tr")).to_have_count(4)
        page.keyboard.press("Escape")
        page.mouse.move(5, 5)
        expect(page.locator(".tip")).to_have_count(0)


def test_the_cut_goes_where_a_person_types_it(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        visitor.choose("Recipe", "vgg16-digits")
        expect(page.locator(".net .box")).to_have_count(9)
        show_everything(visitor, page)
        page.locator("summary", has_text="Network").click()
        visitor.choose("Transfer mode", "finetune")
        expect(page.locator(".cut")).to_contain_text("4,608 numbers")
        for typed, numbers in (("block3", "9,216"), ("block2_pool", "18,432"), ("11", "9,216")):
            type_into(page, "Frozen layers", typed)
            expect(page.locator(".cut")).to_contain_text(f"{numbers} numbers")


def test_the_learning_rate_is_drawn_when_its_section_is_opened(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        expect(page.locator(".net .box").first).to_be_visible()
        show_everything(visitor, page)
        assert page.locator(".tl-plot").count() == 0
        page.locator("summary", has_text="Learning-rate schedule").click()
        expect(page.locator(".tl-plot .main-svg").first).to_be_visible()
        visitor.choose("Schedule", "plateau")
        expect(page.get_by_text("the most it can be")).to_be_visible()
        expect(page.locator(".tl-plot .main-svg").first).to_be_visible()


def test_a_table_shows_the_recipe_again_once_its_change_is_taken_back(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        show_everything(visitor, page)
        page.locator("summary", has_text="Head").click()
        change_first_cell(page, "64")
        expect(page.get_by_text("283,306").first).to_be_visible()
        page.get_by_role("button", name="Reset", exact=True).first.click()
        expect(page.get_by_text("887,530").first).to_be_visible()
        expect(page.get_by_text("283,306")).to_have_count(0)
        expect(first_table(page).locator("td", has_text="256")).to_have_count(1)
        expect(first_table(page).locator("td", has_text="64")).to_have_count(0)


def first_table(page: Page) -> Locator:
    return page.locator("[data-testid=stDataFrame]", has=page.locator("canvas")).first


def change_first_cell(page: Page, value: str) -> None:
    table = first_table(page)
    cell, editor = table.get_by_test_id("glide-cell-1-0"), page.locator("#portal input")
    expect(cell).to_be_attached()  # once the table has been drawn
    while cell.get_attribute("aria-selected") != "true":  # a click while its section still unfolds
        table.click(position={"x": 80, "y": 53})
        with suppress(AssertionError):
            expect(cell).to_have_attribute("aria-selected", "true", timeout=2_000)
    page.keyboard.press("Enter")
    editor.fill(value)
    expect(editor).to_have_value(value)
    editor.press("Enter")
    expect(cell).to_have_text(value)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_largest_networks_fit(populated: Any, visit: Visit, width: int) -> None:
    with visit(populated, viewport={"width": width, "height": 844}) as visitor:
        page = visitor.open("Train")
        for recipe, boxes in (("inceptionv3-cifar10-finetune", 17), ("mobilenet-folder", 17)):
            visitor.choose("Recipe", recipe)
            expect(page.locator(".net .box")).to_have_count(boxes)
            wait_until(lambda: visitor.sideways() == 0)
