"""What tests of Compare start from: two runs side by side, and what the page then shows."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.run import Run

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
COMPARE = "pages/4_Compare.py"


@pytest.fixture
def two(make_trained: MakeTrained) -> tuple[Run, Run]:
    """Of 40 images, A alone is right on 4 (10 to 13), B alone on 1 (14), neither on 2 (20, 21)."""
    a = make_trained("small", {14: 0, 20: 3, 21: 3})
    misses = dict.fromkeys(range(10, 14), 3)
    b = make_trained("large", {**misses, 20: 3, 21: 4}, recipe="vgg16-digits")
    return a, b


@pytest.fixture
def opened(open_page: OpenPage, two: tuple[Run, Run]) -> AppTest:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id)
    assert not at.exception
    return at


def gallery(at: AppTest) -> dict[str, Any]:
    """What the gallery was sent."""
    protos = [element.proto for element in at.get("bidi_component")]
    sent = [json.loads(proto.json) for proto in protos if proto.json]  # charts are sent as bytes
    (found,) = [data for data in sent if "captions" in data]
    return found


def words(at: AppTest) -> list[list[str]]:
    """The lines under each picture of the gallery."""
    return [[part[0] for part in caption] for caption in gallery(at)["captions"]]


def show(at: AppTest, group: str) -> AppTest:
    """Have the gallery show the images of a group."""
    at.selectbox(key="images_group").set_value(group)
    return at.run()


def metrics(at: AppTest) -> dict[str, str]:
    """The figures by their titles."""
    return {metric.label: metric.value for metric in at.metric}


def markdown(at: AppTest) -> list[str]:
    """All texts, without the backslashes that keep names from being markup."""
    return [element.value.replace("\\", "") for element in at.markdown]


def click(at: AppTest, place: int) -> AppTest:
    """Click on a picture of the gallery."""
    at.session_state["compared"] = {"selected": [gallery(at)["tag"], place]}
    return at.run()
