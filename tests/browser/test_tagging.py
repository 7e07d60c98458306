"""Tagging from the keyboard, quicker than pages follow; AppTest has no keyboard."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from core.data.image_tags import AMBIGUOUS, WRONG_LABEL
from tests.browser.conftest import said
from tests.conftest import wait_until

Visit = Callable[..., Any]
TAGGED = 12


def expect_image(page: Page, index: int) -> None:
    expect(page.get_by_text(f"Test image {index} · true class")).to_be_visible()


def test_no_key_is_lost_or_counted_twice_and_none_is_heard_while_a_note_is_typed(
    populated: Any, visit: Visit
) -> None:
    workspace = populated.workspace
    with visit(populated) as visitor:
        page = visitor.open("Compare?show=all&sort=index")
        expect_image(page, 0)
        visitor.listened()
        for _ in range(TAGGED):
            page.keyboard.press("1")
            page.keyboard.press("j")
        expect_image(page, TAGGED)
        wait_until(lambda: said(workspace) == dict.fromkeys(range(TAGGED), (WRONG_LABEL,)))

        page.keyboard.press("k")
        expect_image(page, TAGGED - 1)
        note = page.get_by_placeholder("A note on this image")
        note.fill("")
        note.press_sequentially("1 or 2, j or k")
        page.get_by_text("Test image").click()
        expect(note).to_have_value("1 or 2, j or k")
        page.keyboard.press("2")
        expect(page.get_by_role("button", name="2 · ambiguous")).to_have_attribute(
            "data-testid", "stBaseButton-primary"
        )
        wait_until(lambda: said(workspace)[TAGGED - 1] == (WRONG_LABEL, AMBIGUOUS))

        page.locator(".item").nth(2).click()
        expect_image(page, 2)
        page.keyboard.press("ArrowRight")  # stays with the gallery, whose next picture it reaches
        page.keyboard.press("Enter")
        expect_image(page, 3)
        page.get_by_text("Test image").click()
        page.keyboard.press("ArrowRight")
        expect_image(page, 4)
        assert said(workspace).keys() == set(range(TAGGED))
