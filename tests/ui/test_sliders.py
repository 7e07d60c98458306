import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def app() -> None:
    import streamlit as st

    from ui.sliders import Slider, sliders

    asked = [
        Slider("turn", "Turn", 0, 180, 1, "Degrees."),
        Slider("grain", "Grain", 0, 0.5, 0.01, "A share."),
    ]
    values = st.session_state.setdefault("values", {"turn": 10.0, "grain": 0.0})
    moved = sliders(asked, values, key="s", label="Variations")
    st.session_state["values"] = values | moved
    st.session_state["moved"] = moved


def start() -> AppTest:
    at = AppTest.from_function(app).run(timeout=200)
    assert not at.exception
    return at


def move(at: AppTest, number: Any, moved: Any) -> AppTest:
    at.session_state["s"] = {"moved": [number, moved]}
    return at.run()


def sent(at: AppTest) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(at.get("bidi_component")[0].proto.json)
    return data


def test_nothing_moves_by_itself() -> None:
    at = start()
    assert at.session_state["moved"] == {}
    assert sent(at)["values"] == {"turn": 10.0, "grain": 0.0}


def test_a_slider_that_moves_is_told_and_answered() -> None:
    at = move(start(), 17, {"turn": 25})
    assert at.session_state["values"] == {"turn": 25.0, "grain": 0.0}
    assert sent(at)["heard"] == 17
    assert sent(at)["values"]["turn"] == 25.0


@pytest.mark.parametrize(
    ("moved", "expected"),
    [
        ({"turn": 999}, {"turn": 180.0}),
        ({"grain": -1}, {"grain": 0.0}),
        ({"other": 1, "turn": "1"}, {}),
        ({"turn": None, "grain": True}, {}),
    ],
)
def test_what_a_browser_sends_is_kept_within_the_limits(
    moved: dict[str, Any], expected: dict[str, float]
) -> None:
    assert move(start(), 1, moved).session_state["moved"] == expected
