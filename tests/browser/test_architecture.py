"""The network on Train: drawn, explained on hover, and changed by what a person types."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

Visit = Callable[..., Any]
SOON = 60_000
"""Milliseconds for what the page does by itself."""


def type_into(page: Page, label: str, text: str) -> None:
    page.get_by_role("combobox", name=label, exact=True).fill(text)
    page.keyboard.press("Enter")


def names(page: Page) -> list[str]:
    return page.locator(".net .box .name").all_inner_texts()


def test_a_network_is_drawn_and_tells_what_is_in_it(populated: Any, visit: Visit) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        visitor.choose("Recipe", "vgg16-digits")
        expect(page.locator(".net .box")).to_have_count(9, timeout=SOON)
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
        expect(page.locator(".net .box")).to_have_count(9, timeout=SOON)
        visitor.settled()
        page.locator("summary", has_text="Network").click()
        visitor.choose("Transfer mode", "finetune")
        expect(page.locator(".cut")).to_contain_text("4,608 numbers", timeout=SOON)
        for typed, numbers in (("block3", "9,216"), ("11", "9,216"), ("block2_pool", "18,432")):
            type_into(page, "Frozen layers", typed)
            expect(page.locator(".cut")).to_contain_text(f"{numbers} numbers", timeout=SOON)


def test_the_learning_rate_is_drawn_when_its_section_is_opened(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        page = visitor.open("Train")
        expect(page.locator(".net .box").first).to_be_visible(timeout=SOON)
        assert page.locator(".tl-plot").count() == 0
        page.locator("summary", has_text="Learning-rate schedule").click()
        expect(page.locator(".tl-plot .main-svg").first).to_be_visible(timeout=SOON)


@pytest.mark.parametrize("width", [1440, 390])
def test_the_largest_networks_fit(populated: Any, visit: Visit, width: int) -> None:
    with visit(populated, viewport={"width": width, "height": 844}) as visitor:
        page = visitor.open("Train")
        for recipe, boxes in (("inceptionv3-cifar10-finetune", 17), ("mobilenet-folder", 17)):
            visitor.choose("Recipe", recipe)
            expect(page.locator(".net .box")).to_have_count(boxes, timeout=SOON)
            assert visitor.sideways() == 0
