"""Looking into networks on Predict: their layers, their channels, and what excites one."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from core.activations.excitement import BEST, Excitement, Kept, channels_of
from core.activations.seen_layers import seen_layers
from core.registry.run import Run
from core.registry.runs import Runs
from ui import lab

OpenPage = Callable[..., AppTest]
PREDICT = "pages/5_Predict.py"


@pytest.fixture
def little(trained: Runs) -> Run:
    """A network that was really trained."""
    return trained.find("little")


@pytest.fixture
def read(open_page: OpenPage, little: Run, mnist: dict[str, NDArray[np.uint8]]) -> AppTest:
    """The page after one network has read a test image that was uploaded."""
    return read_by(little, open_page(PREDICT), mnist["x_test"][0])


def read_by(run: Run, at: AppTest, image: NDArray[np.uint8]) -> AppTest:
    at.multiselect[0].set_value([run.id])
    at.segmented_control(key="source").set_value("upload").run()
    at.file_uploader[0].upload("7.png", cv2.imencode(".png", image)[1].tobytes())
    return rerun(at)


@pytest.fixture
def inside(read: AppTest) -> AppTest:
    """The page that looks into the network."""
    read.toggle(key="inside_shown").set_value(True)
    return rerun(read)


def rerun(at: AppTest) -> AppTest:
    at.run()
    assert not at.exception
    return at


def sent(at: AppTest, name: str) -> list[dict[str, Any]]:
    """What each component of that name was told."""
    every = [element.proto for element in at.get("bidi_component")]
    return [json.loads(proto.json) for proto in every if proto.component_name == name]


def layers(at: AppTest) -> dict[str, Any]:
    (row,) = sent(at, "transfer_lab_layer_row")
    return row


def sheet(at: AppTest) -> dict[str, Any]:
    (told,) = sent(at, "transfer_lab_channel_sheet")
    return told


def maps(at: AppTest) -> NDArray[np.uint8]:
    """The maps of the sheet, as they are drawn, (n, rows, columns)."""
    told = sheet(at)
    pixels = np.frombuffer(base64.b64decode(told["maps"]), np.uint8)
    return pixels.reshape(len(told["tiles"]), *told["size"])


def pictures(at: AppTest) -> list[str]:
    """What is said of each picture to who cannot see it."""
    return [text for html in at.html for text in re.findall('<img[^>]* alt="([^"]*)"', html.value)]


def captions(at: AppTest) -> str:
    return " ".join(caption.value for caption in at.caption)


def test_nothing_is_looked_into_before_somebody_asks(read: AppTest) -> None:
    assert not sent(read, "transfer_lab_layer_row")


def test_the_first_layers_channels_are_shown_the_strongest_first(
    inside: AppTest, little: Run
) -> None:
    graph = little.config.network.graph
    assert len(layers(inside)["layers"]) == len(channels_of(graph))
    assert layers(inside)["selected"] == 0
    shown = maps(inside)
    assert len(shown) == channels_of(graph)[0]
    strongest = shown.max(axis=(1, 2)).astype(int)
    assert strongest[0] == 255
    assert (np.diff(strongest) <= 0).all()
    assert sheet(inside)["selected"] == sheet(inside)["tiles"][0][0]


def test_each_channel_can_be_as_bright_as_it_gets_and_stand_by_its_number(inside: AppTest) -> None:
    inside.segmented_control(key="inside_brightness").set_value("Each by itself")
    inside.segmented_control(key="inside_order").set_value("By number")
    rerun(inside)
    assert set(maps(inside).max(axis=(1, 2)).tolist()) <= {0, 255}
    numbers = [channel for channel, *_ in sheet(inside)["tiles"]]
    assert numbers == list(range(len(numbers)))


def test_a_channel_shows_its_map_and_the_test_images_that_excite_it_most(
    inside: AppTest, little: Run
) -> None:
    last = len(layers(inside)["layers"]) - 1
    inside.session_state[f"inside_layer_{little.id}"] = last
    rerun(inside)
    assert layers(inside)["selected"] == last
    channel = sheet(inside)["tiles"][1][0]
    position = seen_layers(little.config.network.graph)[last]
    inside.session_state[f"inside_channel_{little.id}_{position}"] = channel
    rerun(inside)
    assert sheet(inside)["selected"] == channel
    told = pictures(inside)
    (name,) = [name for name in told if name.startswith("Channel ")]
    assert re.fullmatch(rf"Channel {channel} of \w+ of little, the digit", name)
    assert len([name for name in told if name.startswith("Test image ")]) == BEST
    assert "Receptive field: " in captions(inside)


def test_a_link_opens_the_layer_and_the_channel_and_says_what_is_not_here(
    open_page: OpenPage, little: Run, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    graph = little.config.network.graph
    name = graph.layers[seen_layers(graph)[2]].name
    at = open_page(PREDICT, run=little.id, inside=f"{name}.1")
    at = read_by(little, at, mnist["x_test"][0])
    assert layers(at)["selected"] == 2
    assert sheet(at)["selected"] == 1
    assert at.query_params["inside"] in (f"{name}.1", [f"{name}.1"])
    unknown = open_page(PREDICT, run=little.id, inside=f"{name}.999")
    assert f"inside={name}.999" in unknown.warning[0].value.replace("\\", "")
    of_nobody = open_page(PREDICT, inside=name)
    assert f"inside={name}" in of_nobody.warning[0].value.replace("\\", "")


def test_dead_channels_are_counted_and_marked(
    open_page: OpenPage, trained: Runs, mnist: dict[str, NDArray[np.uint8]]
) -> None:
    twin = trained.find("its twin <b>*")
    channels = sum(channels_of(twin.config.network.graph))
    nowhere = np.zeros((channels, BEST), np.int64)
    active = np.ones(channels, np.float32)
    active[[0, 1]] = 0
    found = Excitement(np.ones(nowhere.shape, np.float32), nowhere, nowhere, active, 500)
    Kept(lab.workspace(), twin, twin.state.best_epoch).keep(found)
    at = read_by(twin, open_page(PREDICT), mnist["x_test"][0])
    at.toggle(key="inside_shown").set_value(True)
    rerun(at)
    assert layers(at)["layers"][0]["dead"] == "2 dead"
    marked = {channel for channel, *_, mark in sheet(at)["tiles"] if mark == "dead"}
    assert marked == {0, 1}
    assert re.search(r"2 of \d+ channels are dead: none of 500 test images", captions(at))
