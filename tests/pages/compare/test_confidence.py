import json
import math
import struct
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.analysis.calibration import Answered, calibrate
from core.analysis.images import Judgement
from core.registry.predictions import Predictions, read_predictions, write_epoch
from core.registry.run import Run
from tests.pages.compare.conftest import (
    COMPARE,
    MakeTrained,
    OpenPage,
    markdown,
    metrics,
    words,
)
from ui import units
from ui.compare.confidence_words import in_words


@pytest.fixture
def opened(open_page: OpenPage, two: tuple[Run, Run]) -> AppTest:
    return look(open_page, two)


def look(open_page: OpenPage, two: tuple[Run, Run], **parameters: str) -> AppTest:
    at = open_page(COMPARE, a=two[0].id, b=two[1].id, view="confidence", **parameters)
    assert not at.exception
    return at


def charts(at: AppTest) -> dict[str, dict[str, Any]]:
    """What each chart was sent, by its title."""
    sent = [element.proto.bytes for element in at.get("bidi_component") if element.proto.bytes]
    heads = [json.loads(data[4 : 4 + struct.unpack_from("<I", data)[0]]) for data in sent]
    return {head["title"]: head for head in heads}


def clicked(at: AppTest, chart: str, series: str, place: int) -> AppTest:
    at.session_state[chart] = {"clicked": [series, place]}
    at.run()
    assert not at.exception
    return at


def unsure(run: Run, *positions: int) -> Run:
    """Halve the confidence that some of its answers have."""
    made = read_predictions(run).probabilities.copy()
    made[list(positions)] = (made[list(positions)] + 0.1) / 2
    write_epoch(run.folder.predictions, 1, made.astype(np.float16))
    return run


def test_the_figures_are_those_of_the_calibration(opened: AppTest, two: tuple[Run, Run]) -> None:
    for letter, run in zip("AB", two, strict=True):
        made = calibrate(Judgement(read_predictions(run)))
        shown = metrics(opened)
        assert shown[f"{letter}: ECE"] == units.percent(made.bins.expected_error)
        assert shown[f"{letter}: Brier score"] == f"{made.brier:.4f}"
    assert "1.48 pp too modest on average" in [caption.value for caption in opened.caption]


def test_both_networks_are_drawn_beside_the_diagonal(opened: AppTest) -> None:
    series = charts(opened)["A is right more often than sure, B is surer than right"]["series"]
    assert [line["name"] for line in series] == ["as sure as right", "A · small", "B · large"]
    assert series[1]["hover"] == ["of 40 images, 87 to 93 % sure"]


def test_titles_say_what_answering_only_where_sure_brings(opened: AppTest) -> None:
    titles = charts(opened)
    assert "Right where surer than 90.0 %: A on 92.50 %, B on 85.00 %" in titles
    assert "A was surer than 90.0 % in each of its 3 mistakes" in titles


def test_a_click_on_a_point_shows_the_images_of_that_confidence(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    unsure(two[0], 0, 10, 20)
    at = look(open_page, two)
    assert len(words(clicked(at, "reliability", "A · small", 0))) == 3
    assert at.selectbox(key="images_group").value == "all"
    assert at.query_params["ca"] == "0.466667 0.533333"


def test_a_click_on_a_bar_shows_the_images_of_that_confidence(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    unsure(two[1], 3)
    assert len(words(clicked(look(open_page, two), "histogram_b", "right", 7))) == 1


def test_a_click_that_comes_too_late_does_nothing(opened: AppTest) -> None:
    before = words(opened)
    assert words(clicked(opened, "reliability", "A · small", 9)) == before


def test_the_threshold_tells_what_is_answered_and_shows_what_is_not(
    open_page: OpenPage, two: tuple[Run, Run]
) -> None:
    unsure(two[0], 0, 10, 20)
    at = look(open_page, two)
    (told,) = [text for text in markdown(at) if text.startswith("**A · small** ")]
    assert "answers 37 of 40 and is right on 94.59\xa0% of them; 3 are turned away" in told
    at.button(key="turned_away_a").click().run()
    assert len(words(at)) == 3
    assert at.button(key="turned_away_b").disabled


def test_the_threshold_stands_in_the_link(open_page: OpenPage, two: tuple[Run, Run]) -> None:
    at = look(open_page, two)
    at.slider(key="confidence_threshold").set_value(95.5).run()
    assert at.query_params["threshold"] == "95.5"
    again = look(open_page, two, threshold="95.5")
    assert again.slider(key="confidence_threshold").value == 95.5
    assert "answers none of 40" in "".join(markdown(again))


@pytest.mark.parametrize(("wanted", "taken"), [("many", 90.0), ("nan", 90.0), ("400", 99.9)])
def test_a_threshold_that_cannot_be_is_replaced(
    open_page: OpenPage, two: tuple[Run, Run], wanted: str, taken: float
) -> None:
    at = look(open_page, two, threshold=wanted)
    assert at.slider(key="confidence_threshold").value == taken


def test_confidence_that_is_no_number_is_told_with_what_to_do(
    open_page: OpenPage, make_trained: MakeTrained
) -> None:
    pair = make_trained("sound"), make_trained("diverged", {1: 3})
    write_epoch(pair[1].folder.predictions, 1, np.full((40, 10), math.nan, np.float16))
    at = look(open_page, pair)
    assert at.warning[0].value.startswith("B gave 40 images a confidence that is no number")
    assert metrics(at)["B: ECE"] == units.MISSING


@pytest.mark.parametrize(
    ("answered", "right", "sentence"),
    [
        (10, 9, "answers all 10 and is right on 90.00 % of them."),
        (0, 0, "answers none of 10: it is never that sure."),
        (9, 8, "answers 9 of 10 and is right on 88.89 % of them; 1 is turned away, all of which"),
        (8, 8, "right on 100.00 % of them; 2 are turned away, 1 of which it would have got right."),
    ],
)
def test_a_threshold_in_words(answered: int, right: int, sentence: str) -> None:
    assert sentence in in_words(Answered(0.9, answered, right, total=10, total_right=9))


@pytest.mark.parametrize("classes", [1, 2])
def test_few_classes_can_be_looked_at(
    open_page: OpenPage, two: tuple[Run, Run], classes: int
) -> None:
    for run in two:
        made: Predictions = read_predictions(run)
        sure = np.zeros_like(made.probabilities)
        sure[:, :classes] = 1 / classes
        write_epoch(run.folder.predictions, 1, sure.astype(np.float16))
    assert "40 of 40" not in "".join(markdown(look(open_page, two)))
