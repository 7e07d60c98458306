"""Many pictures at once on Predict, and the sources upload and camera."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.registry.runs import Runs

OpenPage = Callable[..., AppTest]
Mnist = dict[str, NDArray[np.uint8]]
PREDICT = "pages/5_Predict.py"


def png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def zipped(entries: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return file.getvalue()


def in_class_folders(mnist: Mnist, count: int = 12) -> dict[str, bytes]:
    numbered = enumerate(zip(mnist["x_test"][:count], mnist["y_test"][:count], strict=True))
    return {f"{label}/{number}.png": png(image) for number, (image, label) in numbered}


def hand_in(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Upload files and wait until they are read."""
    at.file_uploader[0].set_value([(name, content, "") for name, content in files])
    at.run()
    until = time.monotonic() + 200
    while "many_cancel" in [button.key for button in at.button] and time.monotonic() < until:
        time.sleep(0.1)
        at.run()
    return at


def control(at: AppTest, key: str) -> Any:
    return next(element for element in at.segmented_control if element.key == key)


def texts(at: AppTest) -> str:
    return "\n".join(text.value for text in (*at.markdown, *at.caption))


def table(at: AppTest) -> Any:
    return at.dataframe[0].value


@pytest.fixture
def many(open_page: OpenPage, trained: Runs) -> AppTest:
    at = open_page(PREDICT, mode="many", run=trained.find("little").id)
    assert not at.exception
    return at


def stored_answers(trained: Runs, count: int) -> list[str]:
    """What the network took the first test images for when it was tested."""
    predictions = trained.find("little").folder.predictions
    with np.load(predictions / "epoch-1.npz") as stored:
        return [str(said) for said in stored["probabilities"][:count].argmax(axis=1)]


def test_a_zip_with_class_folders_is_read_scored_and_told_picture_by_picture(
    many: AppTest, trained: Runs, mnist: Mnist
) -> None:
    bad = {"bad/empty.png": b"", "bad/drawing.svg": b"<svg/>", "__MACOSX/1.png": b"x"}
    at = hand_in(many, ("all.zip", zipped(in_class_folders(mnist) | bad)))
    assert not at.exception
    assert not at.error
    assert "**12 pictures** read by little" in texts(at)
    assert "2 could not be read" in texts(at)
    assert "1 file that a system adds by itself was left out" in texts(at)
    said = [text.removesuffix(" ✗") for text in table(at)["said 0"]]
    assert said == stored_answers(trained, 12)
    true = [str(label) for label in mnist["y_test"][:12]]
    assert list(table(at)["true"]) == true
    right = sum(one == other for one, other in zip(said, true, strict=True))
    assert at.metric[0].value == f"{100 * right / 12:.2f} %"
    assert table(at)["picture"].str.startswith("data:image/jpeg;base64,").all()

    control(at, "many_shown").set_value("refused")
    at.run()
    refused = dict(table(at).itertuples(index=False))
    assert refused.keys() == {"all.zip/bad/empty.png", "all.zip/bad/drawing.svg"}
    assert "SVG" in refused["all.zip/bad/drawing.svg"]


def test_the_pictures_can_be_narrowed_and_put_in_order(many: AppTest, mnist: Mnist) -> None:
    at = hand_in(many, ("all.zip", zipped(in_class_folders(mnist))))
    next(box for box in at.selectbox if box.key == "many_order").set_value("least sure")
    sure = list(table(at.run())["sure 0"])
    assert sure == sorted(sure)
    wrong = int(table(at)["said 0"].str.endswith("✗").sum())
    control(at, "many_shown").set_value("wrong")
    at.run()
    assert not at.exception
    if wrong:
        assert len(table(at)) == wrong
    else:
        assert "no such picture" in texts(at)


def test_a_click_shows_one_picture_with_its_answers(many: AppTest, mnist: Mnist) -> None:
    at = hand_in(many, ("all.zip", zipped(in_class_folders(mnist))))
    assert "all\\.zip/7/0\\.png" in texts(at)
    (key,) = [element.proto.id.rpartition("-")[2] for element in at.dataframe]
    clicked = {"selection": {"rows": [], "columns": [], "cells": [(3, "file")]}}
    at.session_state[key] = clicked
    at.run()
    assert not at.exception
    assert "all\\.zip/0/3\\.png" in texts(at)
    assert sum(answers(at)) == pytest.approx(1, abs=0.01)


def test_two_networks_are_set_side_by_side(many: AppTest, trained: Runs, mnist: Mnist) -> None:
    many.multiselect[0].set_value([run.id for run in trained.all()])
    at = hand_in(many.run(), ("all.zip", zipped(in_class_folders(mnist))))
    assert not at.exception
    assert "are right and wrong on exactly the same images" in texts(at)
    figures = {metric.label: metric.value for metric in at.metric}
    assert figures["Only A right"] == figures["Only B right"] == "0"
    assert int(figures["Both right"]) + int(figures["Both wrong"]) == 12
    assert set(table(at)["agree"]) == {"yes"}
    links = [link.label for link in at.get("page_link")]
    assert "The same two on their test images, in Compare" in links


def test_kaggles_table_is_known_by_its_header(many: AppTest, trained: Runs, mnist: Mnist) -> None:
    header = ",".join(f"pixel{number}" for number in range(784))
    rows = [",".join(map(str, image.ravel())) for image in mnist["x_test"][:5]]
    at = hand_in(many, ("test.csv", "\n".join([header, *rows, ""]).encode()))
    assert not at.exception
    assert "**5 pictures** read" in texts(at)
    labels = [button.proto.label for button in at.get("download_button")]
    assert labels == ["submission.csv", "answers.csv"]
    control(at, "many_form_True").set_value("Table")
    at.run()
    assert list(table(at)["said 0"]) == stored_answers(trained, 5)
    assert list(table(at)["file"])[:2] == ["row 1", "row 2"]


def test_a_table_that_is_cut_short_is_told_in_a_sentence(many: AppTest) -> None:
    header = ",".join(f"pixel{number}" for number in range(784))
    at = hand_in(many, ("test.csv", f"{header}\n1,2,3\n".encode()))
    assert not at.exception
    assert "Line 2 must have 784 columns" in at.error[0].value.replace("\\", "")


def test_another_network_may_read_the_same_pictures_again(
    many: AppTest, trained: Runs, mnist: Mnist
) -> None:
    at = hand_in(many, ("all.zip", zipped(in_class_folders(mnist, 2))))
    assert "many_again" not in [button.key for button in at.button]
    twin = next(run for run in trained.all() if run.name != "little")
    at.multiselect[0].set_value([twin.id])
    at.run()
    assert "read by little" in texts(at)
    next(button for button in at.button if button.key == "many_again").click()
    at.run()
    until = time.monotonic() + 200
    while "read by its twin" not in texts(at) and time.monotonic() < until:
        time.sleep(0.1)
        at.run()
    assert "read by its twin" in texts(at)
    next(button for button in at.button if button.key == "many_away").click()
    at.run()
    assert not at.exception
    assert "Hand in hundreds of pictures" in texts(at)


def test_an_upload_of_which_nothing_can_be_read_lists_why(many: AppTest) -> None:
    at = hand_in(many, ("a.png", b""), ("b.txt", b"no picture"))
    assert not at.exception
    assert "**0 pictures**" in texts(at)
    assert list(table(at)["File"]) == ["a.png", "b.txt"]


def take(at: AppTest, source: str) -> AppTest:
    control(at, "source").set_value(source)
    return at.run()


def test_a_photograph_is_turned_as_its_camera_says(
    open_page: OpenPage, trained: Runs, mnist: Mnist
) -> None:
    large = cv2.resize(mnist["x_test"][0], (280, 280), interpolation=cv2.INTER_CUBIC)
    turned = Image.fromarray(np.rot90(255 - large))
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned to the right
    file = io.BytesIO()
    turned.save(file, "JPEG", exif=exif)
    at = take(open_page(PREDICT, run=trained.find("little").id), "upload")
    at.file_uploader[0].upload("photo.jpg", file.getvalue(), "image/jpeg")
    at.run()
    assert not at.exception
    upright = take(open_page(PREDICT, run=trained.find("little").id), "upload")
    upright.file_uploader[0].upload("photo.png", png(np.asarray(255 - large)), "image/png")
    upright.run()
    assert answers(at) == pytest.approx(answers(upright), abs=0.02)


def test_the_camera_goes_the_same_way_as_an_upload(
    open_page: OpenPage, trained: Runs, mnist: Mnist
) -> None:
    at = take(open_page(PREDICT, run=trained.find("little").id), "camera")
    assert not at.exception
    assert "Allow the camera" in texts(at)
    large = cv2.resize(mnist["x_test"][0], (280, 280), interpolation=cv2.INTER_CUBIC)
    photograph = cv2.imencode(".jpg", 255 - np.asarray(large))[1].tobytes()
    at.camera_input[0].upload("photo.jpg", photograph)
    at.run()
    assert not at.exception
    assert sum(answers(at)) == pytest.approx(1, abs=0.01)
    at.camera_input[0].upload("photo.jpg", photograph[:50])
    at.run()
    assert not at.exception
    assert len(at.error) == 1


def answers(at: AppTest) -> list[float]:
    """What was sent to the bars of probabilities, of the first network."""
    components = at.get("bidi_component")
    sent = [json.loads(element.proto.json) for element in components if element.proto.json]
    (runs,) = [data["runs"] for data in sent if "runs" in data]
    values: list[float] = runs[0]["values"]
    return values
