import io
import zipfile

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.preprocessing import Pixels
from core.errors import UnreadableUpload
from core.predicting.joint_readings import JointReadings, Networks, read_digits, read_pictures
from core.predicting.readings import Named, Readings
from core.predicting.uploads import Picture, Refusal, Upload
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change

CLASSES = ("a", "b", "c")
ANY = RECIPES["cnn-digits"].config
OTHERS = change(ANY, {"data.name": "fashion_mnist"})
COLOURED = change(RECIPES["vgg16-digits"].config, {"data.name": "fashion_mnist"})


def nothing(place: int) -> Picture | Refusal:
    raise AssertionError


def joint() -> JointReadings[str]:
    items = [
        Named("0", "a"),
        Refusal("1", "no"),
        Named("2", "b"),
        Named("3", None),
        Named("4", "c"),
    ]
    one = [[0.9, 0.1, 0], [0.2, 0.5, 0.3], [0, 0, 1], [0.6, 0, 0.4]]
    other = [[0.8, 0.1, 0.1], [0.7, 0.1, 0.2], [0.3, 0.3, 0.4], [1, 0, 0]]
    return JointReadings(
        {
            "one": Readings(CLASSES, items, np.array(one, np.float32)),
            "other": Readings(CLASSES, items, np.array(other, np.float32)),
        },
        nothing,
    )


def test_it_is_known_where_networks_disagree_and_which_pictures_one_gets_wrong() -> None:
    found = joint()
    np.testing.assert_array_equal(found.places, [0, 2, 3, 4])
    np.testing.assert_array_equal(found.said, [[0, 1, 2, 0], [0, 0, 2, 0]])
    np.testing.assert_array_equal(found.select("disagree"), [1])
    np.testing.assert_array_equal(found.select("wrong"), [1, 3])
    np.testing.assert_array_equal(found.select(), [0, 1, 2, 3])


def test_pictures_are_put_in_order_by_one_network_or_by_the_least_sure_of_all() -> None:
    found = joint()
    np.testing.assert_array_equal(found.select(order="surest", network="one"), [2, 0, 3, 1])
    np.testing.assert_array_equal(found.select(order="least sure", network="other"), [2, 1, 0, 3])
    np.testing.assert_array_equal(found.select(order="least sure"), [2, 1, 3, 0])


def test_pictures_of_a_class_that_is_taken_for_another_can_be_picked() -> None:
    found = joint()
    np.testing.assert_array_equal(np.flatnonzero(found.taken_for(1, 0, ["one", "other"])), [1])
    np.testing.assert_array_equal(np.flatnonzero(found.taken_for(1, 0, ["one"])), [])
    among = found.taken_for(2, 0, ["other"])
    np.testing.assert_array_equal(found.select("all", among=among), [3])


def mean(images: Pixels) -> NDArray[np.float32]:
    """Ten classes by how light an image is."""
    light = images.reshape(len(images), -1).mean(axis=1)
    return np.eye(10, dtype=np.float32)[(light // 26).astype(int)]


def zipped(**entries: bytes) -> Upload:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return Upload([("all.zip", file)])


def png(picture: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", picture)[1].tobytes()


def networks(*configs: RunConfig) -> Networks[int]:
    return {number: (config, mean) for number, config in enumerate(configs)}


def test_networks_that_are_fed_differently_read_the_same_pictures() -> None:
    grey, white = np.full((40, 40), 100, np.uint8), np.full((40, 40), 255, np.uint8)
    upload = zipped(a=png(grey), b=b"", c=png(white))
    told: list[float] = []
    found = read_pictures(upload, networks(OTHERS, COLOURED), "auto", told.append)
    np.testing.assert_array_equal(found.said, [[3, 9], [3, 9]])
    assert told == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    again = found.again(2)
    assert isinstance(again, Picture)
    assert (again.pixels == 255).all()


def test_what_one_network_cannot_be_asked_about_is_refused_for_all() -> None:
    drawn = np.zeros((60, 60), np.uint8)
    drawn[10:50, 28:32] = 255
    upload = zipped(drawn=png(drawn), empty=png(np.zeros((60, 60), np.uint8)))
    found = read_pictures(upload, networks(OTHERS, ANY), "auto", lambda share: None)
    for readings in found.of_each.values():
        assert [item.name for item in readings.pictures] == ["all.zip/drawn"]
        assert "empty" in readings.refusals[0].sentence
        assert len(readings.probabilities) == 1


def table(images: NDArray[np.uint8], labels: NDArray[np.uint8] | None = None) -> bytes:
    columns, header = images.reshape(len(images), -1), ",".join(f"pixel{n}" for n in range(784))
    if labels is not None:
        columns, header = np.column_stack([labels, columns]), f"label,{header}"
    file = io.BytesIO()
    np.savetxt(file, columns, fmt="%d", delimiter=",", header=header, comments="")
    return file.getvalue()


def test_a_table_of_digits_is_read_as_pictures_are(mnist: dict[str, NDArray[np.uint8]]) -> None:
    images, labels = mnist["x_test"][:300], mnist["y_test"][:300]
    told: list[float] = []
    found = read_digits(table(images, labels), networks(ANY, ANY), told.append)
    np.testing.assert_array_equal(found.one.labels, labels)
    np.testing.assert_array_equal(found.said[1], mean(images).argmax(axis=1))
    assert found.one.pictures[7].name == "row 8"
    again = found.again(7)
    assert isinstance(again, Picture)
    np.testing.assert_array_equal(again.pixels, images[7])
    assert told[-1] == 1
    assert found.one.evaluation is not None


def test_without_labels_a_table_is_not_scored(mnist: dict[str, NDArray[np.uint8]]) -> None:
    found = read_digits(table(mnist["x_test"][:3]), networks(ANY), lambda share: None)
    assert found.one.evaluation is None


def test_a_table_that_is_cut_short_is_refused(mnist: dict[str, NDArray[np.uint8]]) -> None:
    cut = table(mnist["x_test"][:3])[:-200]
    with pytest.raises(UnreadableUpload, match="line 4"):
        read_digits(cut, networks(ANY), lambda share: None)
