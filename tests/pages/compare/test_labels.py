import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from core.data.image_tags import (
    ANY_TAG,
    STANDARD,
    UNTAGGED,
    WRONG_LABEL,
    Remarks,
    as_json,
    change_remarks,
    file_of,
    read_remarks,
    remark_about,
)
from core.data.tag_exchange import as_csv
from core.registry.run import Run
from core.workspace import Workspace
from tests.pages.compare.conftest import (
    COMPARE,
    MakeTrained,
    OpenPage,
    gallery,
    markdown,
    show,
    words,
)
from ui import lab


@pytest.fixture
def labels(open_page: OpenPage, two: tuple[Run, Run]) -> AppTest:
    """The page with its view of labels open."""
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="labels")
    assert not at.exception
    return at


def tag(run: Run, workspace: Workspace, *positions: int, as_: str = WRONG_LABEL) -> None:
    """Say of images that they carry a tag, as another session might."""
    tested = lab.test_images(run, run.config.network.side)
    for position in positions:
        about = remark_about(tested, run.config.class_names, position)
        change_remarks(
            workspace, "mnist", lambda now, about=about: now.with_tag(about, as_, carried=True)
        )


def said(workspace: Workspace) -> dict[int, tuple[str, ...]]:
    """The tags of each image that anything is said of, by its index."""
    return {r.index: r.tags for r in read_remarks(workspace, "mnist").images.values()}


def marks(at: AppTest) -> list[str]:
    return gallery(at)["marks"]


def press(at: AppTest, key: str) -> AppTest:
    return at.button(key=key).click().run()


def test_suspects_are_counted_and_shown_in_the_gallery(labels: AppTest) -> None:
    # Both take image 20 for a 3, which is a 9; image 21 each for another digit.
    assert not labels.button(key="show_suspects").disabled
    press(labels, "show_suspects")
    assert words(labels) == [["true 9", "A: 3 91 %", "B: 3 91 %"]]
    assert labels.query_params["list"] == "suspects"
    assert "Both say otherwise" in labels.pills(key="narrowed").options


def test_a_list_of_confident_learning_shows_what_its_network_gets_wrong(labels: AppTest) -> None:
    press(labels, "show_confident_b")
    assert len(words(labels)) == 6


def test_without_disagreement_there_is_nothing_to_suspect(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    a, b = make_trained("one"), make_trained("two")
    at = open_page(COMPARE, a=a.id, b=b.id, view="labels")
    assert not at.exception
    for name in ("suspects", "confident_both", "confident_a", "confident_b"):
        assert at.button(key=f"show_{name}").disabled


def test_a_click_puts_a_tag_on_the_image_and_takes_it_off(
    opened: AppTest, workspace: Workspace
) -> None:
    press(opened, f"tag_{WRONG_LABEL}")
    assert said(workspace) == {10: (WRONG_LABEL,)}
    assert marks(opened) == [WRONG_LABEL, "", "", "", "", ""]
    assert "**Test image 10** · true class **0**" in markdown(opened)
    press(opened, f"tag_{WRONG_LABEL}")
    assert said(workspace) == {}
    assert marks(opened) == [""] * 6


def test_a_tag_of_ones_own_is_offered_with_the_next_key(
    opened: AppTest, workspace: Workspace
) -> None:
    opened.text_input(key="own_tag").set_value("cut *off*").run()
    assert said(workspace) == {10: ("cut *off*",)}
    assert opened.button(key="tag_cut *off*").label == r"4 · cut \*off\*"
    assert opened.text_input(key="own_tag").value == ""


def test_a_tag_that_cannot_be_is_told_why(opened: AppTest, workspace: Workspace) -> None:
    opened.text_input(key="own_tag").set_value("one, two").run()
    assert "no comma" in opened.warning[0].value
    assert said(workspace) == {}
    opened.run()
    assert not opened.warning


def test_a_note_stays_with_its_image(opened: AppTest, workspace: Workspace) -> None:
    opened.text_area[0].set_value("looks like a 6").run()
    press(opened, "image_next")
    assert opened.text_area[0].value == ""
    press(opened, "image_previous")
    assert opened.text_area[0].value == "looks like a 6"
    (remark,) = read_remarks(workspace, "mnist").images.values()
    assert (remark.index, remark.note) == (10, "looks like a 6")


def test_a_note_below_which_somebody_wrote_meanwhile_is_not_lost(
    opened: AppTest, two: tuple[Run, Run], workspace: Workspace
) -> None:
    tested = lab.test_images(two[0], two[0].config.network.side)
    about = remark_about(tested, two[0].config.class_names, 10)
    change_remarks(workspace, "mnist", lambda now: now.with_note(about, "theirs"))
    opened.text_area[0].set_value("mine").run()
    assert opened.text_area[0].value == "theirs\nmine"


def test_next_and_previous_go_through_the_gallery_and_end_with_it(opened: AppTest) -> None:
    assert opened.button(key="image_previous").disabled
    for _ in range(5):
        press(opened, "image_next")
    assert "**Test image 21** · true class **6**" in markdown(opened)
    assert opened.button(key="image_next").disabled
    assert "6 of 6" in [caption.value for caption in opened.caption]


def test_after_an_image_left_the_gallery_by_its_tag_the_next_follows_it(opened: AppTest) -> None:
    opened.multiselect(key="filter_tags").set_value([UNTAGGED]).run()
    press(opened, "image_next")
    press(opened, f"tag_{WRONG_LABEL}")
    assert "**Test image 11** · true class **6**" in markdown(opened)
    assert "not among those in the gallery" in [caption.value for caption in opened.caption]
    assert len(words(opened)) == 5


def test_images_are_filtered_by_their_tags(
    opened: AppTest, two: tuple[Run, Run], workspace: Workspace
) -> None:
    tag(two[0], workspace, 11, 13)
    tag(two[0], workspace, 13, 2, as_="own")
    show(opened, "all")
    for chosen, count in {WRONG_LABEL: 2, "own": 2, ANY_TAG: 3, UNTAGGED: 37}.items():
        opened.multiselect(key="filter_tags").set_value([chosen]).run()
        assert len(words(opened)) == count


def test_tags_are_those_of_the_dataset_after_its_runs_are_gone(
    open_page: OpenPage, two: tuple[Run, Run], make_trained: MakeTrained, workspace: Workspace
) -> None:
    tag(two[0], workspace, 5)
    a, b = make_trained("new", tested=20), make_trained("newer", {5: 3}, tested=20)
    at = open_page(COMPARE, a=a.id, b=b.id)
    assert marks(at) == [WRONG_LABEL]


def test_accuracy_is_told_with_and_without_tagged_images(
    open_page: OpenPage, two: tuple[Run, Run], workspace: Workspace
) -> None:
    # Of 40 images A gets 37 right and B 34; of the five that only B gets wrong two are left out.
    tag(two[0], workspace, 10, 11)
    tag(two[0], workspace, 20, as_="ambiguous")
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="labels")
    (table,) = (frame.value for frame in at.dataframe if "McNemar p" in frame.value)
    assert table[""].tolist() == ["All images", "Without “wrong label”", "Without any tagged"]
    assert table["Images"].tolist() == ["40", "38", "37"]
    shares = [text.split(" (")[0] for text in table["A · small"]]
    assert shares == ["92.50 %", f"{100 * 35 / 38:.2f} %", f"{100 * 35 / 37:.2f} %"]
    assert any("the verdict stays" in caption.value for caption in at.caption)


def test_a_verdict_that_rests_on_tagged_images_is_told_to_change(
    open_page: OpenPage, make_trained: MakeTrained, workspace: Workspace
) -> None:
    a, b = make_trained("sure"), make_trained("unsure", dict.fromkeys(range(1, 10), 3))
    tag(a, workspace, *range(1, 10))
    at = open_page(COMPARE, a=a.id, b=b.id, view="labels")
    assert any("**the verdict changes**: no clear winner" in c.value for c in at.caption)


def test_all_images_left_out_is_told(
    open_page: OpenPage, make_trained: MakeTrained, workspace: Workspace
) -> None:
    a, b = make_trained("one", tested=10), make_trained("two", {1: 2}, tested=10)
    tag(a, workspace, *range(10))
    at = open_page(COMPARE, a=a.id, b=b.id, view="labels")
    assert not at.exception
    assert "Without the tagged images none would be left." in [c.value for c in at.caption]


def test_images_with_a_tag_are_opened_from_their_count(
    labels: AppTest, two: tuple[Run, Run], workspace: Workspace
) -> None:
    tag(two[0], workspace, 30, 31)
    labels.run()
    press(labels, f"show_tag_{WRONG_LABEL}")
    assert len(words(labels)) == 2


def test_unused_tags_are_forgotten_when_asked(
    labels: AppTest, two: tuple[Run, Run], workspace: Workspace
) -> None:
    labels.text_input(key="own_tag").set_value("blurred").run()
    press(labels, "tag_blurred")
    press(labels, "forget_tags")
    assert read_remarks(workspace, "mnist").tags == STANDARD
    assert "forget_tags" not in [button.key for button in labels.button]


def upload(at: AppTest, content: str) -> None:
    at.file_uploader[0].upload("tags.json", content.encode(), "application/json").run()


@pytest.mark.parametrize("written", [as_json, as_csv])
def test_tags_of_a_file_are_brought_in_and_what_became_of_them_is_told(
    labels: AppTest,
    two: tuple[Run, Run],
    workspace: Workspace,
    written: Callable[[Remarks], str],
) -> None:
    tag(two[0], workspace, 30, 31)
    content = written(read_remarks(workspace, "mnist"))
    file_of(workspace, "mnist").unlink()
    upload(labels, content)
    assert labels.success[0].value.startswith(
        "Images of the file that are among these test images: 2."
    )
    assert said(workspace) == {30: (WRONG_LABEL,), 31: (WRONG_LABEL,)}


def test_a_file_without_tags_is_refused_in_a_sentence(
    labels: AppTest, workspace: Workspace
) -> None:
    upload(labels, "no tags at all")
    assert not labels.exception
    assert "holds no tags" in labels.error[0].value
    assert not file_of(workspace, "mnist").exists()


def test_a_damaged_file_is_told_and_can_be_kept_aside(
    labels: AppTest, workspace: Workspace
) -> None:
    file = file_of(workspace, "mnist")
    file.parent.mkdir()
    file.write_text("{")
    labels.run()
    assert not labels.exception
    assert all("cannot be read" in warning.value for warning in labels.warning)
    assert len(labels.warning) == 2
    press(labels, "begin_tags_anew_labels")
    assert "damaged" in labels.warning[0].value
    assert file.with_name("mnist.damaged-1.json").read_text() == "{"
    press(labels, f"tag_{WRONG_LABEL}")
    assert json.loads(file.read_text())["images"]
