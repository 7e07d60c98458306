import base64
import json
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

STROKE = {"type": "Path", "path": [["M", 100, 100], ["L", 180, 180]], "strokeWidth": 20}
SECOND = {"type": "Path", "path": [["M", 20, 20], ["L", 30, 60]], "strokeWidth": 20}


def canvas_app() -> None:
    import streamlit as st

    from ui.pictures.canvas import draw

    if st.session_state.get("elsewhere"):
        st.session_state["ink"] = "not asked"
    else:
        drawn = draw("digit")
        st.session_state["ink"] = None if drawn is None else drawn.ink
        st.session_state["strokes"] = None if drawn is None else drawn.strokes["objects"]


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(canvas_app, default_timeout=200).run()


def send(app: AppTest, strokes: list[dict[str, Any]], version: int = 0) -> AppTest:
    """What the browser sends after a stroke: a grey square on black, drawn by `strokes`."""
    picture = np.zeros((280, 280, 4), np.uint8)
    picture[..., 3] = 255
    picture[100:180, 100:180, :3] = 200 if strokes else 0
    code = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    app.session_state[f"digit_{version}"] = {
        "drawing": {"raw": {"objects": strokes}, "data": f"data:image/png;base64,{code}"},
        "backgroundFit": None,
    }
    return app.run()


def begins_with(app: AppTest) -> list[dict[str, Any]]:
    data = json.loads(app.get("bidi_component")[0].proto.json)
    objects: list[dict[str, Any]] = data["initialDrawing"]["objects"]
    return objects


def visit_another_page(app: AppTest) -> AppTest:
    app.session_state["elsewhere"] = True
    app.run()
    app.session_state["elsewhere"] = False
    return app.run()


def test_an_empty_canvas_has_no_ink(app: AppTest) -> None:
    assert app.session_state["ink"] is None
    assert not app.exception


def test_a_stroke_is_ink_on_black(app: AppTest) -> None:
    ink = send(app, [STROKE]).session_state["ink"]
    assert (ink.shape, ink.dtype) == ((280, 280), np.uint8)
    assert (ink[100:180, 100:180] == 200).all()
    assert np.count_nonzero(ink) == 80 * 80


def test_ink_can_be_written_to(app: AppTest) -> None:
    assert send(app, [STROKE]).session_state["ink"].flags.writeable


def test_undoing_every_stroke_leaves_no_ink(app: AppTest) -> None:
    send(app, [STROKE])
    assert send(app, []).session_state["ink"] is None


def test_clear_begins_a_new_canvas_without_ink(app: AppTest) -> None:
    send(app, [STROKE])
    app.button(key="digit_clear").click().run()
    assert app.session_state["ink"] is None
    assert begins_with(app) == []


def test_a_stroke_after_clear_is_seen(app: AppTest) -> None:
    app.button(key="digit_clear").click().run()
    assert send(app, [STROKE], version=1).session_state["ink"] is not None


def test_the_canvas_is_not_redrawn_while_it_is_in_use(app: AppTest) -> None:
    assert begins_with(send(app, [STROKE])) == []


def test_a_drawing_is_still_there_after_a_visit_to_another_page(app: AppTest) -> None:
    send(app, [STROKE])
    visit_another_page(app)
    assert begins_with(app) == [STROKE]
    assert app.session_state["ink"][140, 140] == 200


def test_a_cleared_drawing_does_not_come_back(app: AppTest) -> None:
    send(app, [STROKE])
    app.button(key="digit_clear").click().run()
    visit_another_page(app)
    assert begins_with(app) == []
    assert app.session_state["ink"] is None


def test_a_drawing_comes_with_its_strokes(app: AppTest) -> None:
    assert send(app, [STROKE]).session_state["strokes"] == [STROKE]


def undo(app: AppTest) -> AppTest:
    return app.button(key="digit_undo").click().run()


def test_undo_takes_the_last_stroke_back(app: AppTest) -> None:
    undo(send(app, [STROKE, SECOND]))
    assert begins_with(app) == [STROKE]
    assert app.session_state["strokes"] == [STROKE]
    ink = app.session_state["ink"]
    assert (ink[140, 140], ink[40, 25]) == (255, 0)


def test_undo_of_the_only_stroke_leaves_no_ink(app: AppTest) -> None:
    undo(send(app, [STROKE]))
    assert app.session_state["ink"] is None
    assert begins_with(app) == []


def test_a_stroke_after_undo_can_be_undone_too(app: AppTest) -> None:
    undo(send(app, [STROKE, SECOND]))
    send(app, [STROKE, SECOND], version=1)
    assert app.session_state["strokes"] == [STROKE, SECOND]
    undo(app)
    assert app.session_state["strokes"] == [STROKE]


def test_nothing_is_there_to_undo_before_the_first_stroke(app: AppTest) -> None:
    assert app.button(key="digit_undo").disabled
    assert not send(app, [STROKE]).button(key="digit_undo").disabled


def test_another_brush_keeps_the_drawing(app: AppTest) -> None:
    send(app, [STROKE])
    app.segmented_control(key="digit_brush").set_value("Thick").run()
    data = json.loads(app.get("bidi_component")[0].proto.json)
    assert data["strokeWidth"] == 30
    assert app.session_state["strokes"] == [STROKE]
