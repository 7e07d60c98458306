"""The picture of Predict in its address: a link opens the same drawing, or the same test image."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ui.pictures.stroke_code import packed

STROKES = [{"path": [["M", 140, 60], ["L", 140, 220]], "strokeWidth": 20}]
Shown = Callable[..., AppTest]


def picture_app() -> None:
    import streamlit as st

    from ui.predict import link, taking, why

    link.follow()
    why.follow()
    taken = taking.take([])
    link.write(taken)
    st.session_state["taken"] = taken


@pytest.fixture
def shown() -> Shown:
    """A function that opens the part of the page which asks for a picture, by its address."""

    def show(**parameters: str) -> AppTest:
        at = AppTest.from_function(picture_app, default_timeout=200)
        at.query_params.update(parameters)
        at.run()
        assert not at.exception
        return at

    return show


def address(at: AppTest) -> dict[str, Any]:
    return {name: "".join(value) for name, value in at.query_params.items()}


def send(at: AppTest, strokes: list[dict[str, Any]], board: str = "digit_0") -> AppTest:
    """What the browser sends after a stroke, all of it white."""
    white = (
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/5+hHgAHggJ/PchI7wAAAABJRU5Er"
        "kJggg=="
    )
    drawing = {"raw": {"objects": strokes}, "data": f"data:image/png;base64,{white}"}
    at.session_state[board] = {"drawing": drawing, "backgroundFit": None}
    return at.run()


def test_an_empty_board_needs_no_words(shown: Shown) -> None:
    assert address(shown()) == {}


def test_a_drawing_stands_in_the_address_until_it_is_cleared(shown: Shown) -> None:
    at = send(shown(), STROKES)
    assert address(at) == {"drawing": packed(STROKES, wide=False)}
    assert address(at.button(key="digit_clear").click().run()) == {}


def test_a_link_opens_the_drawing_on_its_board(shown: Shown) -> None:
    at = shown(drawing=packed(STROKES, wide=True))
    taken = at.session_state["taken"]
    assert at.segmented_control(key="drawn_several").value == "Several digits"
    assert taken.pixels.shape == (280, 560)
    assert (taken.pixels[140, 140], taken.pixels[140, 200]) == (255, 0)
    assert address(at) == {"drawing": packed(STROKES, wide=True)}


def test_an_address_that_strokes_have_left_behind_takes_none_of_them_away(shown: Shown) -> None:
    at = send(shown(), STROKES)
    before = address(at)
    more = [*STROKES, {"path": [["M", 60, 60], ["L", 200, 60]], "strokeWidth": 20}]
    send(at, more)
    at.query_params.update(before)
    assert len(at.run().session_state["taken"].strokes["objects"]) == 2
    assert address(at) == {"drawing": packed(more, wide=False)}


def test_a_drawing_too_long_for_a_link_is_told_and_left_out(shown: Shown) -> None:
    at = shown()
    place = 1
    path: list[list[Any]] = [["M", 140, 140]]
    for _ in range(3000):  # there is no shorter way to tell of points that jump about
        place = place * 48271 % 2147483647
        path.append(["L", place % 280, place // 280 % 280])
    send(at, [{"path": path, "strokeWidth": 20}])
    assert "too long for a link" in at.caption[0].value
    assert address(at) == {}


def test_a_link_names_where_the_picture_comes_from(shown: Shown) -> None:
    at = shown(source="upload")
    assert at.segmented_control(key="source").value == "upload"
    assert address(at) == {"source": "upload"}
    at.segmented_control(key="source").set_value("draw").run()
    assert address(at) == {}


@pytest.mark.parametrize(
    "asked", [{"drawing": "<b>none</b>"}, {"source": "elsewhere"}, {"image": "-1"}, {"why": "so"}]
)
def test_what_a_link_asks_for_in_vain_is_told(shown: Shown, asked: dict[str, str]) -> None:
    at = shown(**asked)
    (told,) = [warning.value for warning in at.warning]
    assert told.startswith(f"This link asks for what is not here ({next(iter(asked))}=")
    assert "<b>" not in told
    assert address(at) == {}


def test_a_link_says_how_answers_are_explained(shown: Shown) -> None:
    at = shown(**{"why": "occlusion", "class": "7", "layer": "finer"})
    state = at.session_state
    assert (state["why_shown"], state["explained_by"]) == (True, "Occlusion")
    assert (state["why_class"], state["explained_layer"]) == ("7", "Finer")
