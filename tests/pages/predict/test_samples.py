import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.registry.predictions import Predictions, read_predictions
from core.registry.runs import Runs
from ui.predict.samples import OFFERED, drawn

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


def gallery(at: AppTest) -> dict[str, Any]:
    sent: list[dict[str, Any]]
    sent = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    (data,) = [data for data in sent if data.get("label") == "Test images"]
    return data


def bars(at: AppTest) -> list[float]:
    sent = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    (data,) = [data for data in sent if "runs" in data]
    values: list[float] = data["runs"][0]["values"]
    return values


def take(at: AppTest, place: int) -> AppTest:
    at.session_state["samples"] = {"selected": [gallery(at)["tag"], place]}
    return at.run()


def captions(at: AppTest) -> str:
    return "\n".join(caption.value for caption in at.caption)


@pytest.fixture
def samples(open_page: OpenPage, trained: Runs) -> AppTest:
    """The page with test images to begin with."""
    at = open_page(PREDICT)
    return at.segmented_control(key="source").set_value("samples").run()


@pytest.fixture
def tested(trained: Runs) -> Predictions:
    """What the network said when it was tested."""
    return read_predictions(trained.find("little"))


def test_every_class_is_offered(samples: AppTest) -> None:
    assert not samples.exception
    truths = [caption[0][0] for caption in gallery(samples)["captions"]]
    assert truths == [str(digit) for digit in range(10) for _ in range(2)]


def test_a_click_has_a_test_image_read_as_when_the_network_was_tested(
    samples: AppTest, tested: Predictions
) -> None:
    at = take(samples, 7)
    assert not at.exception
    number = int(captions(at).split("Test image ")[1].split()[0])
    assert bars(at) == pytest.approx(tested.probabilities[number].tolist(), abs=2e-3)
    assert f"It is **{tested.labels[number]}**" in captions(at)


def test_a_test_image_stays_while_others_are_offered(samples: AppTest) -> None:
    at = take(samples, 7)
    before, answer = gallery(at), bars(at)
    at.button(key="samples_others").click().run()
    assert gallery(at)["tag"] != before["tag"]
    assert bars(at) == answer


def test_only_what_a_network_takes_wrongly_is_offered_where_that_is_asked(
    samples: AppTest, tested: Predictions
) -> None:
    samples.selectbox(key="samples_of").select_index(1).run()
    offered = gallery(samples)["captions"]
    assert 0 < len(offered) <= np.count_nonzero(~tested.correct)
    assert all(said[0] != f"not {truth[0]}" for truth, said in offered)
    wrong = tested.labels[~tested.correct]
    assert {truth[0] for truth, _ in offered} <= {str(label) for label in wrong}


def positions(*labels: int) -> NDArray[np.int64]:
    return np.array(labels, np.int64)


def test_few_classes_are_offered_alike() -> None:
    labels = np.repeat(positions(0, 1, 2), [500, 50, 5])
    chosen = labels[drawn(labels, np.arange(555), 0)]
    assert np.bincount(chosen).tolist() == [8, 7, 5]


def test_of_many_classes_not_always_the_first_are_offered() -> None:
    labels = np.repeat(np.arange(1000), 3)
    seen = [set(labels[drawn(labels, np.arange(3000), draw)].tolist()) for draw in range(3)]
    assert all(len(classes) >= OFFERED - 2 for classes in seen)
    assert max(max(classes) for classes in seen) > 900


def test_fewer_images_than_are_offered_are_all_shown() -> None:
    labels = positions(1, 0, 1)
    assert drawn(labels, np.arange(3), 0).tolist()[0] == 1
    assert sorted(drawn(labels, np.arange(3), 0).tolist()) == [0, 1, 2]
