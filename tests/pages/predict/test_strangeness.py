import shutil
from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.data.datasets import load_splits
from core.feature_space.space import FeatureSpace
from core.registry.runs import Runs
from core.workspace import Workspace
from ui import lab

OpenPage = Callable[..., AppTest]
Pictures = NDArray[np.uint8]
PREDICT = "pages/5_Predict.py"


def upload(at: AppTest, picture: Pictures) -> AppTest:
    at.segmented_control(key="source").set_value("upload").run()
    at.file_uploader[0].upload("digit.png", cv2.imencode(".png", picture)[1].tobytes())
    at.run()
    assert not at.exception
    return at


def told(at: AppTest) -> str:
    return "\n".join(element.value for element in [*at.markdown, *at.caption])


@pytest.fixture
def kept(trained: Runs, trained_workspace: Workspace) -> Iterator[FeatureSpace]:
    """A network with the features of its test images and of the images that it learned from."""
    little = trained.find("little")
    run = trained.create(little.config, "kept")
    shutil.copytree(little.folder.model, run.folder.model)
    run = run.write_state(**{key: value for key, value in little.state if key != "queued"})
    splits = load_splits(run.config.data, run.config.seed, side=28, workspace=trained_workspace)
    ask = lab._predictor(trained_workspace).features
    space = FeatureSpace(trained_workspace, run, run.state.best_epoch)
    test, train = (ask(run.id, np.asarray(part.images)) for part in (splits.test, splits.train))
    space.keep_test(iter([test]), *test.shape, None)
    space.keep_train(iter([train]), *train.shape)
    yield space
    trained.delete(run)


def test_what_is_not_computed_is_offered_and_computed_by_nobody(
    open_page: OpenPage, trained: Runs, mnist: dict[str, Pictures]
) -> None:
    at = open_page(PREDICT, run=trained.find("little").id)
    at = upload(at, mnist["x_test"][0])
    assert "Compute it for little" in [button.label for button in at.button]
    assert "training images usually" not in told(at)


def test_a_digit_as_the_network_knows_them_is_as_near_as_test_images_are(
    open_page: OpenPage, kept: FeatureSpace, mnist: dict[str, Pictures]
) -> None:
    at = upload(open_page(PREDICT, run=kept.run.id), mnist["x_test"][0])
    assert "kept: as near to its training images as test images usually are" in told(at)
    assert "Far from the training images" not in told(at)
    assert not [button for button in at.button if button.label.startswith("Compute it")]


def test_what_lies_farther_than_all_test_images_is_told(
    open_page: OpenPage, kept: FeatureSpace, mnist: dict[str, Pictures]
) -> None:
    train = kept.train()
    assert train is not None
    learned = np.array(train[:200])  # as if each test image had been learned from
    kept.folder.parent.joinpath("kept").rename(kept.folder.parent / "former")
    kept.keep_test(iter([learned]), *learned.shape, None)
    kept.keep_train(iter([np.array(train)]), *train.shape)
    at = upload(open_page(PREDICT, run=kept.run.id), mnist["x_test"][0])
    assert "Far from the training images" in told(at)
    assert "kept: farther from every training image than any of the test images" in told(at)
