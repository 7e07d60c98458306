import base64
import shutil
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.handwriting.handwriting import Handwriting, Sample
from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


@pytest.fixture
def handwriting(trained: Runs) -> Iterator[Handwriting]:
    """The samples of the workspace with trained networks, none at first and none in the end."""
    yield Handwriting(trained.workspace)
    shutil.rmtree(trained.workspace.handwriting, ignore_errors=True)


def draw(at: AppTest, *, wide: int = 20) -> AppTest:
    """What the browser sends after a vertical stroke of a width."""
    picture = np.zeros((280, 280, 4), np.uint8)
    picture[..., 3] = 255
    picture[60:220, 130 : 130 + wide, :3] = 255
    code = base64.b64encode(cv2.imencode(".png", picture)[1].tobytes()).decode()
    at.session_state["digit_0"] = {
        "drawing": {
            "raw": {
                "objects": [
                    {"type": "Path", "strokeWidth": 20, "path": [["M", 140, 60], ["L", 140, 220]]}
                ]
            },
            "data": f"data:image/png;base64,{code}",
        },
        "backgroundFit": None,
    }
    return at.run()


def say(at: AppTest, label: int) -> AppTest:
    """Click on a digit below the answers."""
    next(pills for pills in at.pills if pills.label == "This was a").set_value(label)
    return at.run()


def kept(handwriting: Handwriting) -> Sample:
    """The one sample there is."""
    (sample,) = handwriting.read().samples
    return sample


def told(at: AppTest) -> str:
    return "\n".join(element.value for element in at.markdown)


def test_one_click_keeps_a_drawing_with_its_strokes(
    open_page: OpenPage, handwriting: Handwriting
) -> None:
    at = say(draw(open_page(PREDICT)), 1)
    assert not at.exception
    assert "Kept as a 1." in told(at)
    sample = kept(handwriting)
    assert (sample.label, sample.source) == (1, "drawn")
    assert handwriting.strokes(sample.id)["objects"] == [
        {"type": "Path", "strokeWidth": 20, "path": [["M", 140, 60], ["L", 140, 220]]}
    ]
    picture = cv2.imdecode(np.frombuffer(handwriting.picture(sample.id), np.uint8), 0)
    assert picture.shape == (280, 280)


def test_a_second_click_changes_the_digit_and_keeps_no_second_sample(
    open_page: OpenPage, handwriting: Handwriting
) -> None:
    at = say(say(draw(open_page(PREDICT)), 1), 7)
    assert kept(handwriting).label == 7
    assert "Kept as a 7 instead of a 1." in told(at)
    at.button(key="unkeep").click().run()
    assert kept(handwriting).label == 1


def test_what_was_kept_is_taken_back(open_page: OpenPage, handwriting: Handwriting) -> None:
    at = say(draw(open_page(PREDICT)), 1)
    at.button(key="unkeep").click().run()
    assert not at.exception
    assert len(handwriting.read()) == 0
    assert "Kept" not in told(at)
    say(at, 1)
    assert kept(handwriting).label == 1


def test_another_drawing_is_another_sample(open_page: OpenPage, handwriting: Handwriting) -> None:
    at = draw(say(draw(open_page(PREDICT)), 1), wide=60)
    assert "Kept" not in told(at)
    say(at, 0)
    assert sorted(handwriting.read().labels.tolist()) == [0, 1]


def test_the_same_drawing_in_another_session_is_known(
    open_page: OpenPage, handwriting: Handwriting
) -> None:
    say(draw(open_page(PREDICT)), 1)
    at = say(draw(open_page(PREDICT)), 1)
    kept(handwriting)
    assert "Kept as a 1." in told(at)
    assert "unkeep" not in [button.key for button in at.button], "it was kept by somebody else"


def test_a_sample_that_was_deleted_elsewhere_can_be_kept_anew(
    open_page: OpenPage, handwriting: Handwriting
) -> None:
    at = say(draw(open_page(PREDICT)), 1)
    handwriting.delete([kept(handwriting).id])
    at.run()
    assert "Kept" not in told(at)
    say(at, 2)
    assert kept(handwriting).label == 2


def test_a_folder_that_cannot_be_written_is_told(
    open_page: OpenPage, handwriting: Handwriting, trained: Runs
) -> None:
    trained.workspace.handwriting.write_text("in the way")
    try:
        at = say(draw(open_page(PREDICT)), 1)
        assert not at.exception
        assert "cannot be written" in at.error[0].value
    finally:
        trained.workspace.handwriting.unlink()


def test_of_several_digits_the_one_that_is_looked_at_is_kept(
    open_page: OpenPage, handwriting: Handwriting, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    side_by_side = np.pad(np.hstack(mnist["x_test"][:2]), 12)
    large = cv2.resize(side_by_side, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    at = open_page(PREDICT)
    next(c for c in at.segmented_control if c.key == "source").set_value("upload").run()
    content = cv2.imencode(".png", large)[1].tobytes()
    at.file_uploader[0].upload("two.png", content, "image/png").run()
    at = say(at, 7)
    assert not at.exception
    sample = kept(handwriting)
    assert sample.source == "uploaded"
    picture = cv2.imdecode(np.frombuffer(handwriting.picture(sample.id), np.uint8), 0)
    assert picture.shape[1] < large.shape[1] / 2, "its own part of the picture"
