"""Terms where they stand: listed for the keyboard, underlined for mouse and finger."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, expect

from core.glossary import meaning_of, terms_in

Visit = Callable[..., Any]

UNDERLINED = "[...CSS.highlights.get('transfer-lab-words') ?? []].map((word) => word.toString())"
MIDDLE = """(name) => {
  const word = [...CSS.highlights.get('transfer-lab-words')].find((w) => w.toString() === name);
  const box = word.getBoundingClientRect();
  return [box.left + box.width / 2, box.top + box.height / 2];
}"""


def open_train(visitor: Any) -> Page:
    page = visitor.open("Train")
    expect(page.locator(".net .box").first).to_be_visible()
    expect(page.get_by_text("887,530").first).to_be_visible()  # its figures stand
    page.locator("[popovertarget=words][data-ready]").wait_for()
    page.wait_for_function(f"{UNDERLINED}.length > 1")
    return page


def test_the_keyboard_lists_the_terms_of_the_page_and_no_others(
    populated: Any, visit: Visit
) -> None:
    with visit(populated) as visitor:
        page = open_train(visitor)
        button, panel = page.locator("[popovertarget=words]"), page.locator(".words")
        button.press("Enter")
        expect(panel).to_be_visible()
        expect(panel).to_be_focused()
        listed = panel.locator("dt").all_inner_texts()
        expect(panel.locator("dd").nth(listed.index("parameter"))).to_have_text(
            meaning_of("parameter")
        )
        page.keyboard.press("Escape")
        expect(panel).to_be_hidden()
        expect(button).to_be_focused()
        read = page.locator("[data-testid=stMain]").inner_text()
        assert set(terms_in(read)) - set(listed) == set()
        assert "ECE" not in listed


def test_a_term_is_explained_under_the_mouse_and_at_a_touch(populated: Any, visit: Visit) -> None:
    with visit(populated, has_touch=True) as visitor:
        page = open_train(visitor)
        underlined, hint = page.evaluate(UNDERLINED), page.locator(".word")
        assert len(underlined) == len({term for word in underlined for term in terms_in(word)})
        word = next(word for word in underlined if terms_in(word) == ["test images"])
        x, y = page.evaluate(MIDDLE, word)
        page.mouse.move(x, y)
        expect(hint).to_have_text(meaning_of("test images"))
        page.mouse.move(1, 1)
        expect(hint).to_be_hidden()
        page.touchscreen.tap(x, y)
        expect(hint).to_have_text(meaning_of("test images"))
        page.keyboard.press("Escape")
        expect(hint).to_be_hidden()
