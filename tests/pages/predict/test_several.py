import base64
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.predicting.found_digits import find_digits
from core.registry.runs import Runs
from ui.predict.several import begins_line

OpenPage = Callable[..., AppTest]
Pictures = NDArray[np.uint8]
PREDICT = "pages/5_Predict.py"


def components(at: AppTest) -> list[dict[str, Any]]:
    return [json.loads(element.proto.json) for element in at.get("bidi_component")]


def bars(at: AppTest) -> list[float]:
    """The probabilities that the first network is shown to give."""
    (data,) = [data for data in components(at) if "runs" in data]
    values: list[float] = data["runs"][0]["values"]
    return values


def digits(at: AppTest) -> list[dict[str, Any]]:
    """The gallery of found digits, if there is one."""
    return [data for data in components(at) if data.get("label") == "Digits of the picture"]


def look_at(at: AppTest, place: int) -> AppTest:
    (gallery,) = digits(at)
    at.session_state["found_digits"] = {"selected": [gallery["tag"], place]}
    return at.run()


def upload(at: AppTest, picture: Pictures, *, several: bool = True) -> AppTest:
    at.segmented_control(key="source").set_value("upload").run()
    if not several:
        at.segmented_control(key="uploaded_several").set_value("One digit").run()
    at.file_uploader[0].upload("digits.png", cv2.imencode(".png", picture)[1].tobytes())
    return at.run()


def in_a_row(images: Pictures, times: int = 4) -> Pictures:
    """28x28 digits side by side, enlarged."""
    size = 28 * times, 28 * times
    large = [cv2.resize(image, size, interpolation=cv2.INTER_CUBIC) for image in images]
    return np.asarray(np.hstack(large), np.uint8)


def shown(at: AppTest) -> str:
    return "\n".join(html.value for html in at.html)


def test_each_digit_of_a_picture_is_read_as_it_is_alone(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    images = mnist["x_test"][:3]
    alone = [bars(upload(open_page(PREDICT), in_a_row(image[None]))) for image in images]
    at = upload(open_page(PREDICT), in_a_row(images))
    assert not at.exception
    together = [bars(look_at(at, place)) for place in range(3)]
    assert np.array(together) == pytest.approx(np.array(alone), abs=2e-3)
    number = "".join(str(int(np.argmax(values))) for values in alone)
    assert f"<b>{number}</b>" in shown(at)


def test_the_least_sure_digit_is_named(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), in_a_row(mnist["x_test"][:3]))
    sure = [max(bars(look_at(at, place))) for place in range(3)]
    assert f"least sure: digit {np.argmin(sure) + 1}," in shown(at)


def test_every_digit_has_its_box(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), in_a_row(mnist["x_test"][:3]))
    assert shown(at).count('style="left:') == 3
    assert shown(at).count('<div class="looked-at') == 1


def test_one_digit_is_shown_without_a_list(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), in_a_row(mnist["x_test"][:1]))
    assert not at.exception
    assert digits(at) == []
    assert max(bars(at)) > 0


def test_several_digits_are_taken_for_one_where_a_person_says_so(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), in_a_row(mnist["x_test"][:3]), several=False)
    assert not at.exception
    assert digits(at) == []


def test_digits_that_touched_are_marked(open_page: OpenPage, trained: Runs) -> None:
    board = np.zeros((280, 400), np.uint8)
    for x in (120, 242):
        cv2.ellipse(board, (x, 140), (50, 80), 0, 0, 360, 255, 14)
    cv2.line(board, (170, 140), (192, 140), 255, 10)
    at = upload(open_page(PREDICT), board)
    (gallery,) = digits(at)
    assert ["cut off" in mark for mark in gallery["marks"]] == [True, True]
    assert "check where" in "\n".join(caption.value for caption in at.caption)


def test_several_digits_are_drawn_on_a_wide_board(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT)
    at.segmented_control(key="drawn_several").set_value("Several digits").run()
    board = np.zeros((280, 560, 4), np.uint8)
    board[..., 3] = 255
    for x in (100, 300, 500):
        board[60:220, x : x + 20, :3] = 255
    code = base64.b64encode(cv2.imencode(".png", board)[1].tobytes()).decode()
    at.session_state["digits_0"] = {
        "drawing": {
            "raw": {
                "objects": [
                    {"type": "Path", "strokeWidth": 20, "path": [["M", 140, 60], ["L", 140, 220]]}
                ]
                * 3
            },
            "data": f"data:image/png;base64,{code}",
        },
        "backgroundFit": None,
    }
    at.run()
    assert not at.exception
    (gallery,) = digits(at)
    assert len(gallery["captions"]) == 3


def test_a_line_begins_at_the_left_or_below() -> None:
    board = np.zeros((300, 200), np.uint8)
    for x, y in ((30, 20), (100, 24), (60, 160), (120, 150)):
        board[y : y + 100, x : x + 12] = 255
    found = find_digits(board, "light ink").digits
    begins = [begins_line(*pair) for pair in pairwise(found)]
    assert begins == [False, True, False]
