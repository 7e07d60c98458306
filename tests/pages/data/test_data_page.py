"""Data: which dataset is shown, and what it holds."""

import json
import struct
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.imported.dataset import ImportedDataset
from core.imported.library import Library
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA = "pages/1_Data.py"
MARKUP = "<b>bold</b> *star* $x$ [a](http://b) " + "long " * 32


def chart(at: AppTest, key: str) -> dict[str, Any]:
    """The head of what a chart was sent."""
    sent = [element.proto for element in at.get("bidi_component")]
    heads = []
    for proto in sent:
        if proto.bytes:
            (size,) = struct.unpack("<I", proto.bytes[:4])
            heads.append(json.loads(proto.bytes[4 : 4 + size]))
    (found,) = [head for head in heads if head["y_title"] == key]
    return found


def said(at: AppTest) -> str:
    return "\n".join(text.value for text in (*at.markdown, *at.caption, *at.info, *at.warning))


def html(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


def metrics(at: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in at.metric}


def test_where_nothing_was_imported_mnist_is_shown_with_an_invitation(open_page: OpenPage) -> None:
    at = open_page(DATA)
    assert not at.exception
    assert metrics(at) == {
        "Images": "70,000",
        "Training": "60,000",
        "Test": "10,000",
        "Classes": "10",
    }
    assert any("from files or from the camera" in caption.value for caption in at.caption)
    assert at.query_params["dataset"] == "mnist"
    assert at.selectbox(key="data_dataset").options[2] == (
        "CIFAR-10 photographs · 60,000 images, 10 classes · to be downloaded"
    )
    assert "28 × 28 pixels, all alike" in html(at)


def test_presented_the_page_names_the_dataset_that_is_otherwise_in_a_list(
    open_page: OpenPage,
) -> None:
    named = "MNIST handwritten digits · 70,000 images, 10 classes · built in"
    assert named not in [heading.value for heading in open_page(DATA).subheader]
    assert named in [heading.value for heading in open_page(DATA, present="1").subheader]


def test_the_newest_dataset_is_shown_and_named_in_the_address(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    for name in ("zebras", "apples"):
        import_pictures(name)
    at = open_page(DATA)
    assert at.query_params["dataset"] == "apples"
    assert at.selectbox(key="data_dataset").value == "apples"
    assert at.selectbox(key="data_dataset").options[:2] == [
        "apples · 32 images, 2 classes",
        "zebras · 32 images, 2 classes",
    ]
    assert not any("Nothing was imported" in caption.value for caption in at.caption)


def test_another_dataset_begins_without_the_filters_of_the_one_before(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    for name in ("one", "two"):
        import_pictures(name)
    link = {"dataset": "one", "view": "pictures", "part": "test", "class": "1", "image": "7"}
    at = open_page(DATA, **link)
    at.selectbox(key="data_dataset").select("two").run()
    assert at.query_params == {"dataset": "two", "view": "pictures"}


def test_a_link_to_a_dataset_that_is_gone_says_so_and_shows_another(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures("here")
    at = open_page(DATA, dataset="*gone*")
    assert "There is no dataset \\*gone\\*" in at.warning[0].value
    assert at.query_params["dataset"] == "here"


def test_a_damaged_dataset_is_named_and_can_be_deleted(
    open_page: OpenPage, workspace: Workspace
) -> None:
    folder = workspace.imported / "broken"
    folder.mkdir(parents=True)
    (folder / "about.json").write_text('{"name": "bro')
    at = open_page(DATA, dataset="broken")
    assert "is damaged" in at.error[0].value
    assert at.selectbox(key="data_dataset").options[0] == "broken · damaged"
    next(button for button in at.button if button.label == "Delete it").click().run()
    assert Library(workspace).names() == []
    assert at.query_params["dataset"] == "mnist"


def test_a_dataset_that_lacks_a_file_is_a_sentence(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    dataset = import_pictures("cut")
    (dataset.folder / "labels.npy").unlink()
    at = open_page(DATA, dataset="cut")
    assert not at.exception
    assert "labels\\.npy" in at.error[0].value


@pytest.mark.parametrize("view", ["pictures", "pixels"])
def test_a_dataset_that_was_cut_short_is_a_sentence(
    open_page: OpenPage, import_pictures: ImportPictures, view: str
) -> None:
    dataset = import_pictures(seed=99)  # pages of others may be kept
    (dataset.folder / "thumbnails.bin").write_bytes(b"")
    at = open_page(DATA, view=view)
    assert not at.exception
    assert "damaged" in at.error[0].value


def test_a_link_from_another_page_opens_what_was_looked_at_before(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    for name in ("one", "two"):
        import_pictures(name)
    at = open_page(DATA, dataset="one")
    at.selectbox(key="data_dataset").select("two").run()
    at.switch_page("pages/3_Runs.py").run()
    at.query_params.clear()
    at.query_params["dataset"] = "one"
    at.switch_page(DATA).run()
    assert at.selectbox(key="data_dataset").value == "one"


def test_counts_are_charted_for_each_class_and_part(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(counts={"train": 30, "test": 4, "validation": 5}, class_names=(MARKUP, "light"))
    at = open_page(DATA)
    drawn = chart(at, "Images")
    assert [series["name"] for series in drawn["series"]] == ["Training", "Validation", "Test"]
    names = [name for _, name in drawn["ticks"]]
    assert names[1] == "light"
    assert len(names[0]) <= 16
    assert "Training: even, with 30 images of each class" in said(at)
    at.segmented_control(key="data_balance").set_value("Share of the part").run()
    assert chart(at, "Share of the part")


def test_classes_that_a_part_lacks_are_named(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(class_names=("dark", "light", MARKUP))
    at = open_page(DATA)
    assert "Training: no image of **\\<b\\>bold" in at.warning[0].value


def test_a_thousand_classes_are_drawn_as_lines(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    import_pictures(class_names=tuple(f"class {number}" for number in range(1000)))
    at = open_page(DATA)
    drawn = chart(at, "Images")
    assert {series["mode"] for series in drawn["series"]} == {"lines"}
    assert not drawn["ticks"]
    assert "no image of **class 2**" in at.warning[0].value
    assert "and 993 more" in at.warning[0].value


@pytest.mark.parametrize("view", ["overview", "pictures", "pixels", "classes", "report"])
def test_images_without_labels_can_be_looked_at(
    open_page: OpenPage, import_pictures: ImportPictures, view: str
) -> None:
    import_pictures(counts={"unlabelled": 4}, alike=True)
    at = open_page(DATA, view=view)
    assert not at.exception
    if view == "overview":
        assert "None of these images has a label" in at.info[0].value
    if view == "pictures":
        assert "**no label**" in said(at)
        assert "data_class" not in [box.key for box in at.selectbox]


def test_what_is_known_of_a_dataset_is_told_as_text(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    dataset = import_pictures(source="/home/<i>me</i>/pictures")
    told = html(open_page(DATA))
    assert "/home/&lt;i&gt;me&lt;/i&gt;/pictures" in told
    assert "12 to 18 pixels wide, usually 15" in told
    assert dataset.about.fingerprint[:12] in told
