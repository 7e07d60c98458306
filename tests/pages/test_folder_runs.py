"""Networks trained on a person's own colour pictures, on the pages made for digits."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.data.data_config import DataConfig
from core.data.datasets import load_test, settle
from core.registry.predictions import write_epoch, write_truth
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
MakeTrained = Callable[..., Run]
CLASSES = {"red": (0, 0, 255), "sky blue": (255, 128, 0)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two classes with two pictures each to train on and to test with."""
    for part in ("train", "test"):
        for name, colour in CLASSES.items():
            place = tmp_path / "pictures" / part / name
            place.mkdir(parents=True)
            for number in (1, 2):
                pixels = np.full((90, 120, 3), colour, np.uint8)
                cv2.imwrite(str(place / f"{number}.png"), pixels)
    return tmp_path / "pictures"


@pytest.fixture
def make_run(folder: Path, runs: Runs, workspace: Workspace) -> MakeTrained:
    """A function that makes a run which took the four test pictures for given classes."""

    def make(name: str, *guessed: int, side: int = 32) -> Run:
        config = RECIPES["cnn-digits"].config
        data = settle(DataConfig(name="folder", path=str(folder)), workspace)
        network = config.network.model_copy(update={"side": side, "channels": 3})
        run = runs.create(config.model_copy(update={"data": data, "network": network}), name)
        test = load_test(data, side=side, workspace=workspace)
        write_truth(run.folder.predictions, test.labels, test.indices, test.fingerprint())
        write_epoch(run.folder.predictions, 1, np.eye(2, dtype=np.float16)[list(guessed)])
        accuracy = float(np.mean(test.labels == guessed))
        return run.write_state(
            status="finished",
            best_epoch=1,
            epochs_done=1,
            test_fingerprint=test.fingerprint(),
            metrics={"test_accuracy": accuracy, "val_accuracy": accuracy},
        )

    return make


@pytest.fixture
def two(make_run: MakeTrained) -> tuple[Run, Run]:
    return make_run("small", 0, 0, 1, 0), make_run("large", 0, 0, 0, 1, side=64)


def sent(at: AppTest, key: str) -> dict[str, Any]:
    (found,) = [data for data in all_sent(at) if key in data]
    return found


def all_sent(at: AppTest) -> list[dict[str, Any]]:
    """What was sent to components; some send nothing, or no JSON."""
    elements = at.get("bidi_component")
    return [json.loads(element.proto.json) for element in elements if element.proto.json]


def test_the_pictures_are_shown_in_colour_as_sharp_as_the_sharper_network_saw_them(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.exception
    gallery = sent(at, "captions")
    assert gallery["sprite"].startswith("data:image/jpeg")
    assert gallery["size"] == [112, 112]
    assert gallery["captions"][0][0][:2] == ["true sky blue", "muted"]
    assert "**Test image 2** · true class **sky blue**" in [m.value for m in at.markdown]


def test_pictures_that_are_gone_are_told_in_a_sentence(
    open_page: OpenPage, two: tuple[Run, Run], folder: Path
) -> None:
    shutil.rmtree(folder)
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.exception
    assert "which is no folder" in at.error[0].value.replace("\\", "")


def test_pictures_that_changed_since_are_told_in_a_sentence(
    open_page: OpenPage, two: tuple[Run, Run], folder: Path
) -> None:
    (folder / "test" / "red" / "1.png").unlink()
    at = open_page("pages/4_Compare.py", a=two[0].id, b=two[1].id)
    assert not at.exception
    assert "have changed since the networks were tested" in at.error[0].value


def test_where_no_network_takes_digits_there_is_nothing_to_draw(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    at = open_page("pages/5_Predict.py")
    assert not at.exception
    assert "Draw" not in str(at.segmented_control(key="source").options)
    assert at.file_uploader[0].label == "A picture to classify"
    assert sent(at, "runs")["classes"] == list(CLASSES)


def test_a_picture_is_fed_as_it_is(open_page: OpenPage, two: tuple[Run, Run], folder: Path) -> None:
    at = open_page("pages/5_Predict.py")
    at.multiselect[0].set_value([two[1].id])
    at.run()
    at.file_uploader[0].upload("1.png", (folder / "test" / "red" / "1.png").read_bytes())
    at.run()
    assert not at.exception
    assert "64 × 64, three channels" in "".join(html.value for html in at.html)
    assert "resized to the side that each network takes" in "".join(c.value for c in at.caption)


def test_networks_of_other_classes_have_bars_of_their_own(
    open_page: OpenPage, two: tuple[Run, Run], make_trained: MakeTrained
) -> None:
    digits = make_trained("digits")
    at = open_page("pages/5_Predict.py")
    at.multiselect[0].set_value([two[0].id, digits.id])
    at.run()
    assert not at.exception
    shown = {tuple(data["classes"]) for data in all_sent(at) if "runs" in data}
    assert shown == {tuple(CLASSES), tuple("0123456789")}
