import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.feature_space.space import FeatureSpace
from core.registry.runs import Runs
from core.workspace import Workspace
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage
from tests.pages.compare.test_feature_map import keep_weights

TRAINED = 60
"""Images that the networks were trained on, the first of MNIST's training part."""


@pytest.fixture
def similar(
    workspace: Workspace, open_page: OpenPage, make_trained: MakeTrained, runs: Runs
) -> AppTest:
    """The aspect "Similar" of image 3, with features of A whose nearest are 0, 1, 2 and so on."""
    a, b = make_trained("small", {3: 9}), make_trained("large", {5: 0})
    for run in (a, b):
        keep_weights(run)
    space = FeatureSpace(workspace, a, 1)
    space.keep_test(iter([np.zeros((40, 4), np.float32)]), 40, 4, None)
    apart = np.zeros((60_000, 4), np.float32)
    apart[:, 0] = np.arange(60_000)
    space.keep_train(iter([apart]), 60_000, 4)
    at = open_page(COMPARE, a=a.id, b=b.id, image="3")
    at.session_state["aspect"] = "Similar"
    at.run()
    assert not at.exception
    return at


def nearest_shown(at: AppTest) -> dict[str, Any]:
    sent = [json.loads(e.proto.json) for e in at.get("bidi_component") if e.proto.json]
    (found,) = [data for data in sent if "finds most like" in data.get("label", "")]
    return found


def test_the_nearest_training_pictures_bear_their_classes_and_distances(
    similar: AppTest, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    shown = nearest_shown(similar)["captions"]
    labels, truth = mnist["y_train"][:8], mnist["y_test"][3]
    assert [caption[0][0] for caption in shown] == [str(label) for label in labels]
    tones = ["good" if label == truth else "bad" for label in labels]
    assert [caption[0][1] for caption in shown] == tones
    assert shown[0][1][0] == "0 %"


def test_how_many_bear_the_true_class_is_said(
    similar: AppTest, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    same = int((mnist["y_train"][:8] == mnist["y_test"][3]).sum())
    told = " ".join(caption.value for caption in similar.caption)
    assert f"{same} of 8 bear the true class" in told
    assert "all 60,000 training images" in told


def test_the_other_network_is_offered_to_be_computed(similar: AppTest) -> None:
    assert "Compute it for B" in [button.label for button in similar.button]
    assert "Compute it for A" not in [button.label for button in similar.button]


def test_training_images_that_are_no_longer_those_are_told(
    similar: AppTest, workspace: Workspace, runs: Runs
) -> None:
    run = runs.find("small")
    space = FeatureSpace(workspace, run, 1)
    np.savez(run.folder.weights(1), nothing=np.ones(2))
    space.keep_test(iter([np.zeros((40, 4), np.float32)]), 40, 4, None)
    space.keep_train(iter([np.zeros((60, 4), np.float32)]), 60, 4)
    at = similar.run()
    assert not at.exception
    assert any("60,000 against 60" in warning.value for warning in at.warning)


def test_a_picture_that_is_clicked_is_shown_large(similar: AppTest) -> None:
    similar.session_state["similar_A"] = {"selected": [nearest_shown(similar)["tag"], 2]}
    similar.run()
    assert not similar.exception
    html = " ".join(element.proto.body for element in similar.get("html"))
    assert "Training image 2 · 4" in html
