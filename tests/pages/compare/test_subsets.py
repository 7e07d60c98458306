import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.selection import Selection
from core.analysis.subsets import read_subsets, save_subset, subset_of
from core.registry.run import Run
from core.workspace import Workspace
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage, show, words

ZEROS = Selection(group="all", truths=(0,))


def keep(workspace: Workspace, name: str, selection: Selection = ZEROS) -> None:
    """Save a subset, as another session might."""
    save_subset(workspace, subset_of(selection, name, "mnist"))


def saved(workspace: Workspace) -> dict[str, dict[str, str]]:
    return {subset.name: subset.address for subset in read_subsets(workspace, "mnist")}


@pytest.fixture
def subsets(open_page: OpenPage, two: tuple[Run, Run], workspace: Workspace) -> AppTest:
    """The page with its view of subsets open, of which there are two."""
    keep(workspace, "zeros")
    keep(workspace, "they <b>disagree</b>", Selection())
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="subsets")
    assert not at.exception
    return at


def press(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception
    return at


def charts(at: AppTest) -> list[dict[str, Any]]:
    """What each row of dots was sent."""
    protos = [element.proto for element in at.get("bidi_component")]
    sent = [json.loads(proto.json) for proto in protos if proto.json]
    return [data for data in sent if "scale" in data]


def table(at: AppTest) -> str:
    (found,) = [
        element.proto.body for element in at.get("html") if "tl-subsets" in element.proto.body
    ]
    return str(found)


def name_field(at: AppTest) -> Any:
    (found,) = [field for field in at.text_input if (field.key or "").startswith("subset_name_")]
    return found


def warnings(at: AppTest) -> str:
    return "\n".join(element.value for element in at.warning).replace("\\", "")


def test_what_is_selected_is_saved_under_a_name(opened: AppTest, workspace: Workspace) -> None:
    show(opened, "only_b_right")
    assert name_field(opened).value == "Only B right"
    name_field(opened).set_value("B alone")
    press(opened, "save_subset")
    assert saved(workspace) == {"B alone": {"show": "only_b_right"}}
    assert not opened.button(key="look_at_subset_B alone").disabled


def test_a_name_that_is_taken_is_refused_with_the_way_out(
    opened: AppTest, workspace: Workspace
) -> None:
    keep(workspace, "They disagree")
    press(opened, "save_subset")
    assert "There is a subset named 'They disagree' already; choose another" in warnings(opened)
    assert saved(workspace) == {"They disagree": {"show": "all", "true": "0"}}
    opened.run()
    assert not opened.warning


def test_a_subset_is_looked_at_again_and_stands_in_the_address(subsets: AppTest) -> None:
    press(subsets, "look_at_subset_zeros")
    assert {caption[0] for caption in words(subsets)} == {"true 0"}
    assert (subsets.query_params["show"], subsets.query_params["true"]) == ("all", "0")


def test_each_subset_is_told_with_both_accuracies(subsets: AppTest) -> None:
    by_images, by_answers = charts(subsets)
    # Of the 40 images A is right on 37 and B on 34; of the zeros, 3, 10, 13, 25 and 28, on all but
    # B on 10 and 13.
    assert [(row[0], row[3], row[4]) for row in by_images["rows"]] == [
        (["All images", "40 images"], "92.5 %", "85.0 %"),
        (["zeros", "5 images"], "100.0 %", "60.0 %"),
    ]
    assert by_images["heading"][0] == "They differ most on “zeros”: 100.0 % against 60.0 %"
    assert [row[0] for row in by_answers["rows"]] == [["they <b>disagree</b>", "6 images"]]


def test_where_answers_chose_the_images_no_interval_is_told(subsets: AppTest) -> None:
    rows = {row.partition("<")[0]: row for row in table(subsets).split('<th scope="row">')[1:]}
    assert "56.55 to 100.00 %" in rows["zeros"]  # Wilson's interval of 5 of 5
    name = "they &lt;b&gt;disagree&lt;/b&gt;"
    assert "chosen by the answers" in rows[name]
    assert " to " not in rows[name]


def test_a_click_on_a_row_shows_its_images(subsets: AppTest) -> None:
    subsets.session_state["subset_scores"] = {"clicked": [charts(subsets)[0]["tag"], 1]}
    subsets.run()
    assert {caption[0] for caption in words(subsets)} == {"true 0"}
    assert charts(subsets)[0]["selected"] == 1


def test_another_pair_is_set_side_by_side_on_the_same_subsets(
    subsets: AppTest, open_page: OpenPage, make_trained: MakeTrained, two: tuple[Run, Run]
) -> None:
    other = make_trained("other", {3: 8})
    at = open_page(COMPARE, a=two[0].id, b=other.id, view="subsets")
    assert not at.exception
    assert charts(at)[0]["rows"][1][3:5] == ["100.0 %", "80.0 %"]


def test_a_subset_is_renamed_and_deleted(subsets: AppTest, workspace: Workspace) -> None:
    subsets.text_input(key="subset_new_name_zeros").set_value("nothing")
    press(subsets, "rename_subset")
    assert list(saved(workspace)) == ["nothing", "they <b>disagree</b>"]
    assert subsets.selectbox(key="subset_to_change").value == "nothing"
    press(subsets, "delete_subset")
    assert list(saved(workspace)) == ["they <b>disagree</b>"]


def test_a_subset_is_not_called_as_another_is(subsets: AppTest, workspace: Workspace) -> None:
    subsets.text_input(key="subset_new_name_zeros").set_value("they <b>disagree</b>")
    press(subsets, "rename_subset")
    assert "There is a subset named 'they <b>disagree</b>' already" in warnings(subsets)
    assert list(saved(workspace)) == ["zeros", "they <b>disagree</b>"]


def test_a_subset_that_asks_for_what_is_not_here_is_told_as_such(
    subsets: AppTest, workspace: Workspace
) -> None:
    keep(workspace, "odd", Selection(group="all", special="of another version"))
    subsets.run()
    assert "asks for what these images do not have" in table(subsets)


def test_a_subset_that_leaves_no_image_is_told_as_such(
    subsets: AppTest, workspace: Workspace
) -> None:
    keep(workspace, "empty", Selection(group="all", tags=("faint",)))
    subsets.run()
    assert "no image" in table(subsets)


def test_where_none_is_saved_the_classes_confused_most_are_one_to_begin_with(
    open_page: OpenPage, two: tuple[Run, Run], workspace: Workspace
) -> None:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="subsets")
    press(at, "save_most_confused")
    ((name, address),) = saved(workspace).items()
    assert address["show"] == "all"
    assert name.split(" and ") == address["true"].split()
    assert len(charts(at)[0]["rows"]) == 2


def test_a_damaged_file_is_told_of_and_set_aside(subsets: AppTest, workspace: Workspace) -> None:
    workspace.subsets.write_text("no JSON")
    subsets.run()
    assert not subsets.exception
    assert "cannot be read; mend the file" in warnings(subsets)
    press(subsets, "begin_subsets_anew_view")
    assert "The damaged file is kept as" in subsets.toast[0].value
    assert saved(workspace) == {}
