"""Data's augmentation: what is shown, what it is made from, and the ways to Train and back."""

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.data.augmentation import Variations
from core.data.datasets import load_splits
from core.data.pictures import Pictures
from core.data.preview import previewed
from core.imported.dataset import ImportedDataset
from core.registry.config import RunConfig
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA, TRAIN = "pages/1_Data.py", "pages/2_Train.py"
DIGITS = 8
"""Pictures of MNIST that are shown: the first of the classes 0 to 7."""


def look(open_page: OpenPage, *words: str, dataset: str = "mnist") -> AppTest:
    """The preview, with the settings that an address names."""
    at = open_page(DATA, dataset=dataset, view="augmentation", set=list(words))
    assert not at.exception
    return at


def sent(at: AppTest, name: str) -> dict[str, Any]:
    """What the component was told whose message has a part of that name."""
    messages = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    (found,) = [message for message in messages if name in message]
    return dict(found)


def seen(at: AppTest) -> NDArray[np.uint8]:
    """The grey pictures on the page: (1 + passes, pictures, side, side, 1)."""
    shown = sent(at, "sheet")
    code = np.frombuffer(base64.b64decode(shown["sheet"].split(",")[1]), np.uint8)
    sheet = np.asarray(cv2.imdecode(code, cv2.IMREAD_GRAYSCALE))
    rows, columns, side = len(shown["passes"]), len(shown["classes"]), shown["side"]
    cut = sheet.reshape(rows, side, columns, side).swapaxes(1, 2)
    return np.asarray(cut[..., np.newaxis], np.uint8)


def trained(config: RunConfig, workspace: Workspace) -> NDArray[np.uint8]:
    """What training would get of the same digits: as they are, then in passes 1 to 6."""
    train = load_splits(config.data, config.seed, workspace=workspace).train
    firsts = np.array([np.flatnonzero(train.labels == label)[0] for label in range(DIGITS)])
    variations = Variations(config.augmentation, config.seed, len(train))
    pictures = Pictures(train, config.network, variations)
    passes = [pictures.at(firsts, number) for number in range(1, 7)]
    return np.stack([Pictures(train, config.network).at(firsts), *passes])


def move(at: AppTest, dataset: str = "mnist", **values: float) -> AppTest:
    """Move sliders, as the browser tells it."""
    moved = {f"augmentation.{name}": value for name, value in values.items()}
    at.session_state[f"augmenting.{dataset}.sliders"] = {"moved": [1, moved]}
    return at.run()


def click(at: AppTest, label: str) -> AppTest:
    return next(button for button in at.button if button.label == label).click().run()


def code(at: AppTest) -> list[str]:
    """The settings for the command line."""
    (text,) = [code.value for code in at.code]
    return [word.removeprefix("--set ") for word in text.split(" \\\n")]


USUAL = ["data.name=mnist", "augmentation.rotation=10", "augmentation.zoom=0.1"]


@pytest.mark.parametrize(
    "words",
    [
        ("rotation=25", "noise=0.1", "contrast=0.5", "fill=wrap", "shear=0.2", "seed=7"),
        ("rotation=25", "vertical_flip=true", "brightness=0.3", "data.validation=0.1"),
    ],
)
def test_the_page_shows_to_the_pixel_what_training_gets(
    open_page: OpenPage, workspace: Workspace, words: tuple[str, ...]
) -> None:
    at = look(open_page, *words)
    config = previewed(dict(_read(word) for word in words))
    np.testing.assert_array_equal(seen(at), trained(config, workspace))


def _read(word: str) -> tuple[str, Any]:
    key, _, text = word.partition("=")
    return key, text if key == "fill" else json.loads(text)


def test_it_begins_with_what_is_usual_for_the_dataset(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    assert code(look(open_page)) == [*USUAL, "augmentation.shift=0.1"]
    import_pictures(alike=True)
    words = code(look(open_page, dataset="shades"))
    assert "augmentation.horizontal_flip=true" in words
    assert not any("rotation" in word for word in words)


def test_a_slider_that_moves_changes_the_pictures(open_page: OpenPage) -> None:
    at = look(open_page)
    before = seen(at)
    move(at, rotation=90.0)
    after = seen(at)
    np.testing.assert_array_equal(after[0], before[0])
    assert (after[1:] != before[1:]).any(axis=(2, 3, 4)).all()
    assert "augmentation.rotation=90" in code(at)


def test_what_was_set_is_there_again_after_another_view(open_page: OpenPage) -> None:
    at = move(look(open_page), rotation=33.0, zoom=0.5)
    at.segmented_control(key="data_view").set_value("overview").run()
    at.segmented_control(key="data_view").set_value("augmentation").run()
    assert "augmentation.rotation=33" in code(at)
    assert sent(at, "sliders")["values"]["augmentation.zoom"] == 0.5


def test_nothing_is_varied_once_all_is_taken_away_and_the_usual_comes_back(
    open_page: OpenPage,
) -> None:
    at = click(look(open_page), "None")
    pictures = seen(at)
    np.testing.assert_array_equal(pictures, np.broadcast_to(pictures[0], pictures.shape))
    assert code(at) == ["data.name=mnist"]
    assert code(click(at, "As usual")) == [*USUAL, "augmentation.shift=0.1"]


def test_other_pictures_are_shown_on_request(open_page: OpenPage) -> None:
    at = look(open_page)
    before = seen(at)
    after = seen(click(at, "Other pictures"))
    assert (after[0] != before[0]).any()


def test_what_changes_labels_is_warned_of(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    at = look(open_page, "rotation=60", "horizontal_flip=true")
    (warning,) = [warning.value for warning in at.warning]
    assert "a mirrored digit is a wrong digit" in warning
    assert "a 6 turned by 180 degrees is a 9" in warning
    assert not move(look(open_page), rotation=45.0).warning
    import_pictures()
    assert not look(open_page, "rotation=60", dataset="shades").warning


def test_pictures_in_colours_and_of_many_sizes_are_shown_as_a_network_gets_them(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(grey=False)
    shown = sent(look(open_page, "side=48", dataset="shades"), "sheet")
    assert shown["sheet"].startswith("data:image/jpeg")
    assert shown["side"] == 48
    assert shown["classes"] == ["dark"] * 4 + ["light"] * 4


def test_a_dataset_without_training_images_says_so(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(counts={"unlabelled": 4})
    at = look(open_page, dataset="shades")
    assert any("this dataset has none" in info.value for info in at.info)


def test_settings_of_an_address_that_break_a_rule_are_left_aside(open_page: OpenPage) -> None:
    at = look(open_page, "rotation=1000")
    assert "were left aside" in at.warning[0].value
    assert code(at) == [*USUAL, "augmentation.shift=0.1"]


def test_training_begins_with_the_dataset_and_what_the_preview_showed(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(alike=True)
    at = click(look(open_page, "noise=0.2", "seed=5", dataset="shades"), "Train with this")
    assert not at.exception
    draft = at.session_state[f"_draft_{at.session_state['recipe']}"]
    assert draft.values["data.name"] == "shades"
    chosen = previewed(draft.values)
    assert chosen.augmentation == previewed({"noise": 0.2}).augmentation
    assert chosen.seed == 5


def test_train_leads_to_the_preview_with_its_settings(open_page: OpenPage) -> None:
    at = open_page(TRAIN, dataset="mnist", set=["rotation=60", "side=48", "seed=4"])
    (levels,) = [control for control in at.segmented_control if control.label == "Settings"]
    levels.set_value("Everything").run()
    (link,) = [link.proto for link in at.get("page_link") if "varied" in link.proto.label]
    at = open_page(DATA, **_parameters(link.query_string))
    assert {"augmentation.rotation=60", "seed=4"} <= set(code(at))
    assert sent(at, "sheet")["side"] == 48


def _parameters(query: str) -> dict[str, Any]:
    found: dict[str, Any] = parse_qs(query)
    return found | {name: found[name][0] for name in ("dataset", "view")}


def test_the_form_warns_as_the_preview_does(open_page: OpenPage) -> None:
    at = open_page(TRAIN, dataset="mnist", set=["vertical_flip=true"])
    (levels,) = [control for control in at.segmented_control if control.label == "Settings"]
    levels.set_value("Common settings").run()
    assert "a digit upside down is a wrong digit" in at.warning[0].value
