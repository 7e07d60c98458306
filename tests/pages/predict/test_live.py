"""The camera on Predict, picture after picture, as the browser sends them."""

import base64
import json
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry.runs import Runs
from ui.predict.live import NO_DIGIT, Seen

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


@pytest.fixture
def live(open_page: OpenPage, trained: Runs) -> AppTest:
    at = open_page(PREDICT, mode="live", run=trained.find("little").id)
    assert not at.exception
    return at


def see(at: AppTest, number: int, url: str) -> AppTest:
    at.session_state["_live_seen"] = Seen(number, url)
    at.run()
    assert not at.exception
    return at


def photographed(pixels: NDArray[np.uint8]) -> str:
    """A picture in the middle of a dark frame, as a browser sends it."""
    frame = np.zeros((224, 224), np.uint8)
    frame[42:182, 42:182] = cv2.resize(pixels, (140, 140), interpolation=cv2.INTER_CUBIC)
    return "data:image/jpeg;base64," + base64.b64encode(cv2.imencode(".jpg", frame)[1]).decode()


def component(at: AppTest, name: str) -> dict[str, Any]:
    protos = [element.proto for element in at.get("bidi_component")]
    data: dict[str, Any] = json.loads(
        next(proto.json for proto in protos if name in proto.component_name)
    )
    return data


def captions(at: AppTest) -> list[str]:
    return [caption.value for caption in at.caption]


def test_nothing_is_answered_before_a_picture_came(live: AppTest) -> None:
    assert component(live, "live") == {"answered": 0, "failed": False}


def test_a_picture_is_answered_and_the_next_one_asked_for(
    live: AppTest, trained: Runs, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    see(live, 7, photographed(mnist["x_test"][0]))
    assert component(live, "live") == {"answered": 7, "failed": False}
    with np.load(trained.find("little").folder.predictions / "epoch-1.npz") as stored:
        said = str(stored["probabilities"][0].argmax())
    assert f"says {said}" in json.dumps(component(live, "bars"))
    assert "_live_seen" not in live.session_state


def test_a_picture_without_a_digit_is_no_failure(live: AppTest) -> None:
    see(live, 8, photographed(np.zeros((28, 28), np.uint8)))
    assert component(live, "live") == {"answered": 8, "failed": False}
    assert NO_DIGIT in captions(live)


@pytest.mark.parametrize("url", ["data:image/jpeg;base64,AAAA", "nothing", "data:,?!"])
def test_what_is_no_picture_ends_it_with_a_sentence(live: AppTest, url: str) -> None:
    see(live, 9, url)
    assert component(live, "live") == {"answered": 9, "failed": True}
    assert len(live.error) == 1


def test_without_a_network_it_says_what_to_do(live: AppTest) -> None:
    live.multiselect[0].set_value([])
    see(live, 10, photographed(np.zeros((28, 28), np.uint8)))
    assert component(live, "live")["failed"]
    assert any("Choose at least one network" in caption.value for caption in live.caption)
