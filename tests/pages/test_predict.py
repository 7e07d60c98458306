import base64
import json
import re
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry.run import Run
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


def bars(at: AppTest) -> list[dict[str, Any]]:
    """What was sent to the bars of probabilities: one entry per run."""
    sent = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    (data,) = [data for data in sent if "runs" in data]
    runs: list[dict[str, Any]] = data["runs"]
    return runs


def draw(at: AppTest, *, ink: bool = True) -> AppTest:
    """What the browser sends after a vertical stroke."""
    picture = np.zeros((280, 280, 4), np.uint8)
    picture[..., 3] = 255
    if ink:
        picture[60:220, 130:150, :3] = 255
    code = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    strokes = (
        [{"type": "Path", "strokeWidth": 20, "path": [["M", 140, 60], ["L", 140, 220]]}]
        if ink
        else []
    )
    at.session_state["digit_0"] = {
        "drawing": {"raw": {"objects": strokes}, "data": f"data:image/png;base64,{code}"},
        "backgroundFit": None,
    }
    return at.run()


def upload(at: AppTest, content: bytes, name: str = "digit.png") -> AppTest:
    next(c for c in at.segmented_control if c.key == "source").set_value("upload")
    at.run()
    at.file_uploader[0].upload(name, content, "image/png")
    return at.run()


def as_png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def captions(at: AppTest) -> str:
    return "\n".join(caption.value for caption in at.caption)


def fed(at: AppTest) -> list[str]:
    """Captions of the pictures that networks were fed."""
    return [text for html in at.html for text in re.findall("<figcaption[^>]*>([^<]*)", html.value)]


def test_an_empty_workspace_says_where_to_begin(open_page: OpenPage) -> None:
    at = open_page(PREDICT)
    assert not at.exception
    assert any("No network is trained yet" in text.value for text in at.caption)
    assert "Train a network" in [link.label for link in at.get("page_link")]


def test_before_the_first_stroke_no_network_answers(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT)
    assert not at.exception
    assert [set(run["values"]) for run in bars(at)] == [{None}]
    assert "Draw a digit" in captions(at)


def test_a_drawing_is_answered_by_every_chosen_run(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT)
    at.multiselect[0].set_value([run.id for run in trained.all()])
    at = draw(at.run())
    assert not at.exception
    assert not at.error
    answers = bars(at)
    assert {run["name"] for run in answers} == {"little", "its twin <b>*"}
    assert answers[0]["values"] == answers[1]["values"], "the twin has the same weights"
    assert sum(answers[0]["values"]) == pytest.approx(1, abs=0.01)
    assert fed(at)[-1] == "28 × 28, grey"
    assert "Framed the way MNIST was made" in captions(at)


def test_an_empty_canvas_is_no_drawing(open_page: OpenPage, trained: Runs) -> None:
    at = draw(open_page(PREDICT), ink=False)
    assert not at.exception
    assert set(bars(at)[0]["values"]) == {None}


def test_a_test_image_that_is_uploaded_is_answered_as_it_was_when_tested(
    open_page: OpenPage, trained: Runs, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    run = trained.find("little")
    with np.load(run.folder.predictions / "epoch-1.npz") as stored:
        tested = stored["probabilities"][0]
    at = upload(open_page(PREDICT), as_png(mnist["x_test"][0]))
    assert not at.error
    assert bars(at)[0]["values"] == pytest.approx(tested.astype(float), abs=2e-3)
    assert "taken as it is" in captions(at)


def test_ink_that_is_dark_on_light_is_turned_round(
    open_page: OpenPage, trained: Runs, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    large = cv2.resize(mnist["x_test"][0], (280, 280), interpolation=cv2.INTER_CUBIC)
    light = bars(upload(open_page(PREDICT), as_png(np.asarray(large, np.uint8))))
    dark = bars(upload(open_page(PREDICT), as_png(np.asarray(255 - large, np.uint8))))
    assert light[0]["values"] == pytest.approx(dark[0]["values"], abs=0.02)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"not a picture", "not an image"),
        (b"", "empty"),
        (as_png(np.full((40, 40), 255, np.uint8))[:60], "The "),
    ],
    ids=["text", "empty", "cut short"],
)
def test_a_file_that_is_no_picture_is_told_in_a_sentence(
    open_page: OpenPage, trained: Runs, content: bytes, sentence: str
) -> None:
    at = upload(open_page(PREDICT), content)
    assert not at.exception
    assert sentence in at.error[0].value
    assert set(bars(at)[0]["values"]) == {None}


def test_a_blank_picture_is_told_in_a_sentence(open_page: OpenPage, trained: Runs) -> None:
    at = upload(open_page(PREDICT), as_png(np.full((64, 64), 255, np.uint8)))
    assert not at.exception
    assert len(at.warning) == 1


def test_without_a_network_the_page_asks_for_one(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT)
    at.multiselect[0].set_value([])
    at.run()
    assert not at.exception
    assert "Choose at least one" in captions(at)


def test_weights_that_are_gone_are_told_in_a_sentence(open_page: OpenPage, trained: Runs) -> None:
    run = trained.find("little")
    lost = trained.create(run.config, "lost its weights")
    lost.write_state(status="finished", best_epoch=1, metrics=run.state.metrics)
    try:
        at = open_page(PREDICT)
        at.multiselect[0].set_value([lost.id])
        at = draw(at.run())
        assert not at.exception
        assert len(at.error) == 1
    finally:
        trained.delete(lost)


@pytest.fixture
def two_epochs(trained: Runs) -> Iterator[Run]:
    """A run with two epochs, the first the best; the second has its weights changed in sign."""
    little = trained.find("little")
    run = trained.create(little.config, "two epochs")
    shutil.copytree(little.folder.model, run.folder.model)
    with np.load(run.folder.weights(1)) as arrays:
        np.savez(run.folder.weights(2), **{name: -array for name, array in arrays.items()})
    kept = {key: value for key, value in little.state if key != "queued"}
    yield run.write_state(**(kept | {"epochs_done": 2}))
    trained.delete(run)


def test_a_link_opens_with_the_epoch_that_it_names(
    open_page: OpenPage, trained: Runs, two_epochs: Run
) -> None:
    linked = open_page(PREDICT, run=two_epochs.id, epoch="2")
    assert not linked.exception
    assert linked.selectbox[0].value == 2
    assert [run["name"] for run in bars(linked)] == ["two epochs, epoch 2"]
    second = bars(draw(linked))[0]["values"]
    linked.selectbox[0].set_value(1)
    (best,) = bars(linked.run())
    assert best["name"] == "two epochs"
    assert best["values"] != second
    assert linked.query_params["epoch"] == "1"


def test_an_epoch_without_weights_is_told_and_the_best_answers(
    open_page: OpenPage, trained: Runs, two_epochs: Run
) -> None:
    at = open_page(PREDICT, run=two_epochs.id, epoch="7")
    assert not at.exception
    assert "weights of epoch 7" in at.warning[0].value
    assert at.selectbox[0].value == 1


def test_a_linked_run_that_is_gone_is_told(open_page: OpenPage, trained: Runs) -> None:
    at = open_page(PREDICT, run="20200101-000000-000000", epoch="1")
    assert not at.exception
    assert "A run of this link cannot be shown" in at.warning[0].value


def test_a_network_that_is_deleted_after_it_was_chosen_makes_way(
    open_page: OpenPage, trained: Runs
) -> None:
    little = trained.find("little")
    doomed = trained.create(little.config, "doomed")
    doomed.write_state(status="finished", best_epoch=1, metrics=little.state.metrics)
    at = open_page(PREDICT)
    at.multiselect[0].set_value([doomed.id, little.id])
    at.run()
    trained.delete(doomed)
    at.run()
    assert not at.exception
    assert at.multiselect[0].value == [little.id]
