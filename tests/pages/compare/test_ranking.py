import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.ranking import rank_runs, verdict
from core.registry.run import Run
from tests.pages.compare.conftest import COMPARE, MakeTrained, OpenPage, markdown

NASTY = "<b>third</b> *"


@pytest.fixture
def four(make_trained: MakeTrained) -> tuple[Run, Run, Run, Run]:
    """Right on 40, 30 and 20 of 40 images; the fourth was tested on other images."""
    return (
        make_trained("first"),
        make_trained("second", dict.fromkeys(range(10), 8)),
        make_trained(NASTY, dict.fromkeys(range(20), 8), recipe="vgg16-digits"),
        make_trained("elsewhere", tested=20),
    )


@pytest.fixture
def many(open_page: OpenPage, four: tuple[Run, ...]) -> AppTest:
    at = open_page(COMPARE, runs="all")
    assert not at.exception
    return at


def matrix(at: AppTest) -> dict[str, Any]:
    """What the matrix of pairs was sent."""
    sent = [json.loads(element.proto.json) for element in at.get("bidi_component")]
    (found,) = [data for data in sent if "points" in data]
    return found


def table(at: AppTest) -> str:
    """The HTML of the ranking."""
    (found,) = [
        element.proto.body for element in at.get("html") if "tl-ranking" in element.proto.body
    ]
    return found


def captions(at: AppTest) -> str:
    return "\n".join(element.value for element in at.caption)


def test_two_networks_are_not_ranked(opened: AppTest) -> None:
    assert "how_many" not in [group.key for group in opened.get("button_group")]


def test_all_networks_of_the_split_that_most_share_are_ranked(
    many: AppTest, four: tuple[Run, ...]
) -> None:
    assert any(verdict(rank_runs(four)) in text for text in markdown(many))
    assert matrix(many)["names"] == ["first", "second", NASTY]
    assert "tested on other images: elsewhere." in captions(many)
    assert many.query_params["runs"] == "all"


def test_the_table_holds_each_network_with_its_figures_and_names_are_no_markup(
    many: AppTest,
) -> None:
    rows = table(many).split("<tr")[2:]
    assert ["100.00 %" in rows[0], "75.00 %" in rows[1], "50.00 %" in rows[2]] == [True] * 3
    assert "&lt;b&gt;third&lt;/b&gt; *" in rows[2] and "VGG16" in rows[2]
    assert "<b>" not in table(many)


def test_the_matrix_holds_every_pair_and_colours_those_beyond_chance(
    many: AppTest, four: tuple[Run, ...]
) -> None:
    ranking = rank_runs(four)
    assert matrix(many)["points"] == [25.0, 50.0, 25.0]
    assert ranking.corrected[0, 2] < 0.001 < ranking.corrected[0, 1] < 0.01
    assert matrix(many)["steps"] == [2, 3, 2]


def test_clicking_a_pair_compares_the_two(many: AppTest, four: tuple[Run, ...]) -> None:
    many.session_state["ranked_pairs"] = {"pair": [matrix(many)["tag"], 2, 0]}
    many.run()
    assert not many.exception
    assert many.selectbox(key="choice_a").value == four[2].id
    assert many.selectbox(key="choice_b").value == four[0].id
    assert "runs" not in many.query_params


def test_a_click_on_a_matrix_that_is_gone_opens_nothing(many: AppTest) -> None:
    many.session_state["ranked_pairs"] = {"pair": ["another", 2, 0]}
    many.run()
    assert matrix(many)["names"][0] == "first"


def test_a_link_names_the_networks_to_rank(open_page: OpenPage, four: tuple[Run, ...]) -> None:
    at = open_page(COMPARE, runs=f"{four[2].id},{four[1].id},{four[3].id}")
    assert matrix(at)["names"] == ["second", NASTY]
    assert "tested on other images: elsewhere." in captions(at)


def test_a_link_to_runs_that_are_gone_says_so(open_page: OpenPage, four: tuple[Run, ...]) -> None:
    at = open_page(COMPARE, runs=f"{four[0].id},gone,{four[1].id}")
    assert at.warning[0].value.startswith("1 of the 3 runs of this link cannot be shown here")
    assert matrix(at)["names"] == ["first", "second"]


def test_networks_are_chosen_and_kept_in_the_address(many: AppTest, four: tuple[Run, ...]) -> None:
    many.multiselect(key="ranked_runs").set_value([four[0].id, four[2].id]).run()
    assert matrix(many)["names"] == ["first", NASTY]
    assert many.query_params["runs"] == f"{four[0].id},{four[2].id}"
    many.multiselect(key="ranked_runs").set_value([]).run()
    assert not many.exception
    assert "Choose at least two networks to rank." in [each.value for each in many.caption]


def test_another_test_split_can_be_ranked(many: AppTest, make_trained: MakeTrained) -> None:
    fifth = make_trained("fifth", {1: 3}, tested=20)
    many.run()
    split = fifth.state.test_fingerprint
    many.selectbox(key="ranked_split").set_value(split).run()
    assert matrix(many)["names"] == ["elsewhere", "fifth"]
    assert many.multiselect(key="ranked_runs").options == [
        "100.00 % · elsewhere",
        "95.00 % · fifth",
    ]


def test_a_run_that_cannot_be_read_is_named_and_hides_no_other(
    many: AppTest, four: tuple[Run, ...]
) -> None:
    (four[1].folder.predictions / "epoch-1.npz").write_bytes(b"half")
    four[1].write_state(heartbeat=1.0)
    many.run()
    assert not many.exception
    assert "epoch-1" in many.warning[0].value.replace("\\", "").lower()
    assert matrix(many)["names"] == ["first", NASTY]


def test_going_to_two_networks_and_back_keeps_the_choice(
    many: AppTest, four: tuple[Run, ...]
) -> None:
    many.multiselect(key="ranked_runs").set_value([four[0].id, four[1].id]).run()
    switch(many, "Two networks")
    assert many.selectbox(key="choice_a")
    switch(many, "Many networks")
    assert matrix(many)["names"] == ["first", "second"]


def switch(at: AppTest, to: str) -> None:
    (group,) = [group for group in at.get("button_group") if group.key == "how_many"]
    group.set_value(to)  # type: ignore[attr-defined]
    at.run()
    assert not at.exception


def test_runs_offers_to_rank_what_was_chosen(open_page: OpenPage, four: tuple[Run, ...]) -> None:
    at = open_page("pages/3_Runs.py")
    at.session_state["runs_table"] = {"selection": {"rows": [0, 1, 2], "columns": []}}
    at.run()
    assert "Rank them" in [link.label for link in at.get("page_link")]
