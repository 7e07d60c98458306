import re
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry.run import Run
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


@pytest.fixture
def both(trained: Runs) -> list[Run]:
    """A network that was really trained, and its twin."""
    return [trained.find("little"), trained.find("its twin <b>*")]


@pytest.fixture
def read(open_page: OpenPage, both: list[Run], mnist: dict[str, NDArray[np.uint8]]) -> AppTest:
    """The page after a test image was uploaded for both networks to read."""
    at = open_page(PREDICT)
    at.multiselect[0].set_value([run.id for run in both])
    at.segmented_control(key="source").set_value("upload").run()
    at.file_uploader[0].upload("7.png", cv2.imencode(".png", mnist["x_test"][0])[1].tobytes())
    return rerun(at)


def rerun(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def explain(at: AppTest) -> AppTest:
    at.toggle(key="why_shown").set_value(True)
    return rerun(at)


def maps(at: AppTest) -> list[str]:
    """What is said of each map to who cannot see it."""
    every = [text for html in at.html for text in re.findall('<img[^>]* alt="([^"]*)"', html.value)]
    return [text for text in every if text.startswith(("Grad-CAM", "Occlusion"))]


def test_nothing_is_explained_before_somebody_asks(read: AppTest) -> None:
    assert not maps(read)


def test_every_network_is_explained_for_what_it_said(read: AppTest) -> None:
    one, twin = maps(explain(read))
    (said,) = re.findall("Grad-CAM of little for (.), the digit", one)
    assert twin == f"Grad-CAM of its twin &lt;b&gt;* for {said}, the digit"
    offered = read.selectbox(key="why_class").options
    assert offered[:2] == ["What each network said", f"{said} · said by 2 networks"]
    assert len(offered) == 11


def test_any_class_can_be_explained_and_by_covering(read: AppTest) -> None:
    explain(read).selectbox(key="why_class").set_value("3")
    read.segmented_control(key="explained_by").set_value("Occlusion")
    rerun(read)
    assert [text.split(" for ")[1] for text in maps(read)] == ["3, the digit"] * 2


def test_another_picture_is_explained_anew(
    read: AppTest, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    before = [html.value for html in explain(read).html if "Grad-CAM of little" in html.value]
    read.file_uploader[0].clear()
    read.file_uploader[0].upload("1.png", cv2.imencode(".png", mnist["x_test"][2])[1].tobytes())
    after = [html.value for html in rerun(read).html if "Grad-CAM of little" in html.value]
    assert len(before) == len(after) == 1
    assert before != after
