"""Collecting pictures on Data; what runs in the browser is tried in one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.imported.dataset import ImportedDataset

OpenPage = Callable[..., AppTest]
DATA = "pages/1_Data.py"


def cameras(at: AppTest) -> list[Any]:
    return [
        element
        for element in at.get("bidi_component")
        if "collector" in element.proto.component_name
    ]


def test_the_camera_is_folded_away_until_a_link_asks_for_it(open_page: OpenPage) -> None:
    assert not cameras(open_page(DATA))
    at = open_page(DATA, collect="camera")
    assert not at.exception
    assert len(cameras(at)) == 1
    assert "collect" not in at.query_params
    at.session_state["collecting_open"] = False
    assert not cameras(at.run())


@pytest.mark.parametrize(
    ("name", "said"), [("camera", "there is a dataset"), ("My Pets", "small letters")]
)
def test_a_name_is_suggested_and_checked(
    open_page: OpenPage, import_pictures: Callable[..., ImportedDataset], name: str, said: str
) -> None:
    import_pictures("camera")
    at = open_page(DATA, collect="camera")
    assert at.text_input(key="collecting_name").value == "camera-2"
    assert not at.error
    assert json.loads(cameras(at)[0].proto.json)["named"]
    at.text_input(key="collecting_name").set_value(name).run()
    assert said in at.error[0].value.replace("\\", "").lower()
    assert not json.loads(cameras(at)[0].proto.json)["named"]
