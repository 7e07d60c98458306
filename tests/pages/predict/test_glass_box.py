import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry.predictions import read_predictions
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
Pictures = NDArray[np.uint8]
PREDICT = "pages/5_Predict.py"


def upload(at: AppTest, picture: Pictures) -> AppTest:
    at.segmented_control(key="source").set_value("upload").run()
    at.file_uploader[0].upload("digit.png", cv2.imencode(".png", picture)[1].tobytes())
    return at.run()


def in_a_corner(image: Pictures) -> Pictures:
    board = np.zeros((300, 300), np.uint8)
    board[180:264, 180:264] = cv2.resize(image, (84, 84), interpolation=cv2.INTER_CUBIC)
    return board


def titles(at: AppTest) -> list[str]:
    return [text for html in at.html for text in re.findall("<figure><b[^>]*>([^<]*)", html.value)]


def said(at: AppTest) -> str:
    return "\n".join(element.value for element in [*at.markdown, *at.caption])


def test_the_steps_from_a_picture_to_a_digit_are_shown_in_order(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), in_a_corner(mnist["x_test"][0]))
    assert not at.exception
    *steps, fed = titles(at)
    assert steps == [
        "1 · As uploaded",
        "2 · Ink",
        "3 · Cropped",
        "4 · In a 20-pixel box",
        "5 · Centred by mass",
    ]
    assert fed.startswith("Fed to ")


def test_a_digit_in_mnists_frame_has_no_steps(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), mnist["x_test"][0])
    assert len(titles(at)) == 2
    assert titles(at)[0] == "As uploaded"


def test_the_answer_to_a_plain_resize_is_set_beside(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    enlarged = np.kron(mnist["x_test"][0], np.ones((10, 10), np.uint8))
    at = upload(open_page(PREDICT), enlarged)
    at.toggle(key="resized_too").set_value(True).run()
    assert not at.exception
    (row,) = at.dataframe[0].value.to_dict("records")
    tested = read_predictions(trained.find("little")).probabilities[0]
    name, share = row["Just resized"].split(", ")
    assert int(name) == tested.argmax()
    assert float(share.rstrip(" %")) == pytest.approx(100 * tested.max(), abs=0.15)


def test_a_scribble_is_told_to_be_unlike_digits(open_page: OpenPage, trained: Runs) -> None:
    board = np.zeros((280, 280), np.uint8)
    zigzag = np.array([(40 + 200 * (i % 2), 30 + 22 * i) for i in range(11)], np.int32)
    cv2.polylines(board, [zigzag], False, 255, 8, cv2.LINE_AA)
    assert "Unlike the training digits" in said(upload(open_page(PREDICT), board))


def test_a_digit_like_others_is_not_remarked_on(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT), mnist["x_test"][0])
    assert "Unlike" not in said(at)
