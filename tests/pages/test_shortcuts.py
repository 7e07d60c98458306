"""The list of keys that each page shows is what its components hear."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from streamlit.testing.v1 import AppTest

from core.registry.run import Run
from ui.frame.pages import PAGES
from ui.frame.shortcuts import (
    DIGITS,
    EVERYWHERE,
    GO,
    LETTERS,
    LIST,
    OF_PAGES,
    SEARCH,
    SEARCHED,
    Shortcut,
)
from ui.predict.keeping import LABELS

OpenPage = Callable[..., AppTest]


def sent(at: AppTest, component: str) -> dict[str, Any]:
    """What a component of the page was sent."""
    elements = at.get("bidi_component")
    (found,) = [each.proto.json for each in elements if each.proto.component_name == component]
    data: dict[str, Any] = json.loads(found)
    return data


def keys(group: Sequence[Shortcut]) -> set[str]:
    return {key for shortcut in group for key in shortcut.keys}


def test_a_letter_leads_to_every_page_and_is_the_first_of_its_name() -> None:
    assert {letter: page[0].lower() for letter, page in LETTERS.items()} == {
        letter: letter for letter in LETTERS
    }
    assert set(LETTERS.values()) == {page.name for page in PAGES}


def test_no_key_of_a_page_is_one_of_all_pages_or_of_streamlit() -> None:
    for page, group in OF_PAGES.items():
        taken = {GO, LIST, "r", "c"} | ({SEARCH} if page not in SEARCHED else set())
        assert keys(group).isdisjoint(taken), page


def test_data_and_compare_hear_the_keys_that_they_list(
    open_page: OpenPage, make_trained: Callable[..., Run]
) -> None:
    make_trained("one", {0: 1}), make_trained("two", {1: 2})
    data = open_page("pages/1_Data.py", dataset="mnist", view="pictures")
    assert set(sent(data, "transfer_lab_keys")["keys"]) == keys(OF_PAGES["Data"])
    compare = open_page("pages/4_Compare.py")
    heard = set(sent(compare, "transfer_lab_keys")["keys"])
    assert heard <= keys(OF_PAGES["Compare"])
    assert all(key.isdecimal() for key in keys(OF_PAGES["Compare"]) - heard), "tags without a key"


def test_predict_hears_a_key_for_every_digit() -> None:
    assert [str(label) for label in LABELS] == list(DIGITS)
    assert keys(OF_PAGES["Predict"]) == set(DIGITS)


def test_a_page_lists_its_own_keys_and_those_of_all(open_page: OpenPage) -> None:
    listed = dict(sent(open_page("pages/5_Predict.py"), "transfer_lab_shortcuts")["groups"])
    assert listed["On Predict"] == [[list(DIGITS), OF_PAGES["Predict"][0].does]]
    assert len(listed["Everywhere"]) == len(EVERYWHERE)
    assert "On Train" not in dict(
        sent(open_page("pages/2_Train.py"), "transfer_lab_shortcuts")["groups"]
    )


def test_runs_are_searched_in_the_field_that_the_key_leads_to(
    open_page: OpenPage, make_trained: Callable[..., Run]
) -> None:
    make_trained()
    at = open_page("pages/3_Runs.py")
    field = sent(at, "transfer_lab_shortcuts")["searched"]
    assert field == f".st-key-{at.text_input(key='search').key} input"


def test_the_way_to_a_page_keeps_what_every_page_says(open_page: OpenPage) -> None:
    at = open_page("app.py", tour="1")
    at.session_state["shortcuts"] = {"go": "Runs"}
    at.run()
    assert [title.value for title in at.title] == ["Runs"]
    assert "".join(at.query_params["tour"]) == "1"
