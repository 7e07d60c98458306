import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from ui.pictures.gallery import Part, gallery

GREY = np.arange(30 * 4 * 4, dtype=np.uint8).reshape(30, 4, 4)


def gallery_app(pictures: object, captions: object, selected: int | None) -> None:
    import streamlit as st

    from ui.pictures.gallery import gallery

    st.session_state["result"] = gallery(
        pictures,  # type: ignore[arg-type]
        captions,  # type: ignore[arg-type]
        key="g",
        selected=selected,
    )


def captions(number: int) -> list[list[Part]]:
    return [[Part(f"true {i}"), Part("A: 9 62 %", "bad")] for i in range(number)]


def start(pictures: NDArray[np.uint8] = GREY, selected: int | None = None) -> AppTest:
    texts = captions(len(pictures))
    app = AppTest.from_function(gallery_app, args=(pictures, texts, selected)).run(timeout=200)
    assert not app.exception
    return app


def sent(app: AppTest) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


def click(app: AppTest, index: int) -> AppTest:
    app.session_state["g"] = {"selected": [sent(app)["tag"], index]}
    return app.run()


def decode(url: str) -> NDArray[np.uint8]:
    code = np.frombuffer(base64.b64decode(url.split(",")[1]), np.uint8)
    return cv2.imdecode(code, cv2.IMREAD_UNCHANGED)  # type: ignore[return-value]


def test_nothing_is_selected_before_a_click() -> None:
    assert start().session_state["result"] is None


def test_a_click_gives_its_index() -> None:
    assert click(start(), 17).session_state["result"] == 17


def test_a_picture_can_be_marked_without_a_click() -> None:
    app = start(selected=3)
    assert (sent(app)["selected"], app.session_state["result"]) == (3, None)


def test_what_is_sent_does_not_change_with_a_click() -> None:
    app = start()
    before = sent(app)
    assert sent(click(app, 17)) == before


def test_a_click_on_earlier_pictures_does_not_count_for_new_ones() -> None:
    app = click(start(), 17)
    app.args = (GREY[::-1], captions(30), None)
    assert app.run().session_state["result"] is None


def test_the_sprite_holds_every_grey_picture_exactly() -> None:
    sheet = decode(sent(start())["sprite"])
    tiles = [sheet[r : r + 4, c : c + 4] for r in (0, 4) for c in range(0, 100, 4)]
    assert np.array_equal(tiles[:30], GREY)


def test_a_colour_picture_keeps_its_colours() -> None:
    orange = np.full((1, 16, 16, 3), (224, 112, 15), np.uint8)
    blue, green, red = decode(sent(start(orange))["sprite"])[8, 8]
    assert np.allclose([red, green, blue], [224, 112, 15], atol=8)


def test_small_pictures_are_shown_twice_as_large() -> None:
    assert sent(start())["size"] == [8, 8]


@pytest.mark.parametrize(("shape", "size"), [((1, 64, 64, 3), 112), ((30, 299, 299, 3), 112)])
def test_large_pictures_are_sent_no_larger_than_they_are_shown(
    shape: tuple[int, ...], size: int
) -> None:
    message = sent(start(np.full(shape, 90, np.uint8)))
    assert message["size"] == [size, size]
    sheet = decode(message["sprite"])
    assert max(sheet.shape) <= 25 * size
    assert abs(int(sheet[5, 5, 0]) - 90) <= 8


def test_captions_keep_their_words_and_tones() -> None:
    assert sent(start())["captions"][4] == [
        ["true 4", "", None, ""],
        ["A: 9 62 %", "bad", None, ""],
    ]


def test_no_pictures_show_nothing() -> None:
    app = start(GREY[:0])
    assert app.session_state["result"] is None
    assert not app.get("bidi_component")


def test_pictures_must_be_uint8() -> None:
    with pytest.raises(ValueError, match=r"must be uint8 .* got float64"):
        gallery(np.zeros((2, 4, 4)), captions(2), key="g")  # type: ignore[arg-type]


def test_every_picture_needs_a_caption() -> None:
    with pytest.raises(ValueError, match="captions must be 30, one per picture, got 29"):
        gallery(GREY, captions(29), key="g")
