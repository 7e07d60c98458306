"""Data's pictures: which are shown, page by page, and what is told of one."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.data.image_tags import Remark, change_remarks
from core.files import write_json
from core.imported.dataset import ImportedDataset
from core.imported.report import Doubled
from core.workspace import Workspace

OpenPage = Callable[..., AppTest]
ImportPictures = Callable[..., ImportedDataset]
DATA = "pages/1_Data.py"
MARKUP = "<b>bold</b> *star* $x$"


def gallery(at: AppTest) -> dict[str, Any]:
    """What the gallery was sent."""
    sent = [element.proto for element in at.get("bidi_component")]
    found = [json.loads(proto.json) for proto in sent if proto.json]
    (only,) = [data for data in found if "captions" in data]
    return only


def captions(at: AppTest) -> list[tuple[str, int]]:
    """Class and index under each picture."""
    return [(name[0], int(index[0])) for name, index in gallery(at)["captions"]]


def facts(at: AppTest) -> str:
    return "\n".join(element.proto.body for element in at.get("html"))


@pytest.fixture
def opened(open_page: OpenPage, import_pictures: ImportPictures) -> AppTest:
    """300 training images, half dark and half light, and 6 to test on."""
    import_pictures(counts={"train": 150, "test": 3}, size=8)
    at = open_page(DATA, view="pictures")
    assert not at.exception
    return at


def test_images_stand_by_index_page_by_page(opened: AppTest) -> None:
    assert captions(opened) == [("dark", index) for index in range(120)]
    opened.number_input(key="data_go_to").set_value(240).run()
    assert opened.query_params["image"] == "240"
    assert captions(opened) == [("light", index) for index in range(240, 300)]


def test_a_class_can_be_looked_at_alone(opened: AppTest) -> None:
    assert opened.selectbox(key="data_class").options == ["All 2", "dark (150)", "light (150)"]
    opened.selectbox(key="data_class").select(1).run()
    assert captions(opened)[0] == ("light", 150)
    assert opened.query_params["class"] == "1"


def test_another_part_keeps_the_class(opened: AppTest) -> None:
    opened.selectbox(key="data_class").select(1).run()
    opened.selectbox(key="data_part").select("test").run()
    assert captions(opened) == [("light", 3), ("light", 4), ("light", 5)]


def test_shuffled_a_page_holds_both_classes(opened: AppTest) -> None:
    opened.selectbox(key="data_order").select("shuffled").run()
    assert {name for name, _ in captions(opened)} == {"dark", "light"}
    assert opened.query_params["order"] == "shuffled"


def test_an_index_can_be_gone_to(opened: AppTest) -> None:
    opened.number_input(key="data_go_to").set_value(299).run()
    assert captions(opened)[-1] == ("light", 299)
    assert gallery(opened)["selected"] == 59
    assert "train/1/299.png" in facts(opened)


def test_a_step_goes_to_the_next_image(opened: AppTest) -> None:
    opened.button(key="data_next").click().run()
    assert "train/0/1.png" in facts(opened)
    assert opened.button(key="data_previous").disabled is False
    opened.button(key="data_previous").click().run()
    assert opened.button(key="data_previous").disabled


def test_a_click_shows_an_image(opened: AppTest) -> None:
    opened.session_state["data_gallery"] = {"selected": [gallery(opened)["tag"], 7]}
    opened.run()
    assert "Training, index 7" in facts(opened)
    assert opened.query_params["image"] == "7"


def test_a_link_opens_the_same_image(open_page: OpenPage, import_pictures: ImportPictures) -> None:
    import_pictures(counts={"train": 4, "test": 3}, class_names=(MARKUP, "light"))
    at = open_page(DATA, view="pictures", part="test", image="2")
    assert gallery(at)["selected"] == 2
    assert "&lt;b&gt;bold&lt;/b&gt; *star* $x$ (0)" in facts(at)
    assert "15 × 15 pixels, colour" in facts(at)
    assert "**\\<b\\>bold\\</b\\> \\*star\\* \\$x\\$**" in [m.value for m in at.markdown]


@pytest.mark.parametrize("image", ["-1", "9999999999999999999999", "²", "x"])
def test_a_link_to_no_image_shows_the_first(
    open_page: OpenPage, import_pictures: ImportPictures, image: str
) -> None:
    import_pictures()
    at = open_page(
        DATA, view="pictures", image=image, part="nowhere", order="odd", **{"class": "9"}
    )
    assert not at.exception
    assert gallery(at)["selected"] == 0


def test_the_same_pixels_elsewhere_are_told_and_shown(
    open_page: OpenPage, import_pictures: ImportPictures
) -> None:
    dataset = import_pictures(counts={"train": 2, "test": 2})
    doubled = Doubled(positions=(0, 6), across=True, disagree=True)
    report = dataset.report.model_copy(update={"exact": (doubled,)})
    write_json(dataset.folder / "report.json", report.model_dump(mode="json"))
    at = open_page(DATA, view="pictures")
    assert gallery(at)["marks"] == ["also in another part", "", "", ""]
    told = "\n".join(caption.value for caption in at.caption)
    assert "tested on what it learned from" in told
    assert "labelled with different classes" in told
    at.button(key="data_double_test_2").click().run()
    assert "test/1/6.png" in facts(at)


def test_what_people_said_of_an_image_is_told(
    open_page: OpenPage, import_pictures: ImportPictures, workspace: Workspace
) -> None:
    dataset = import_pictures()
    image = bytes(dataset.digests[0]).hex()
    remark = Remark(image=image, true_class="dark", index=0)
    change_remarks(
        workspace, dataset.name, lambda now: now.with_tag(remark, "blurry", carried=True)
    )
    assert "blurry" in facts(open_page(DATA, view="pictures"))
