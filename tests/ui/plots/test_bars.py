import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest


def bars_app(classes: list[str], probabilities: dict[str, list[float] | None]) -> None:
    import numpy as np

    from ui.plots.bars import probability_bars

    answers = {n: None if p is None else np.array(p) for n, p in probabilities.items()}
    probability_bars(classes, answers, colors=dict.fromkeys(answers, "#2f7de1"), key="bars")


def bars(classes: list[str], probabilities: dict[str, list[float] | None]) -> dict[str, Any]:
    app = AppTest.from_function(bars_app, args=(classes, probabilities)).run(timeout=200)
    assert not app.exception
    data: dict[str, Any] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


def test_ten_classes_stay_in_their_order() -> None:
    shown = bars(list("0123456789"), {"CNN": [0, 0, 0, 0, 0.2, 0, 0, 0, 0, 0.8]})
    assert shown["classes"] == list("0123456789")


def test_each_run_has_its_own_winner() -> None:
    shown = bars(["cat", "dog"], {"A": [0.9, 0.1], "B": [0.3, 0.7]})
    assert [(run["name"], run["best"]) for run in shown["runs"]] == [("A", 0), ("B", 1)]


def test_of_many_classes_the_five_most_probable_of_any_run_are_shown_in_order() -> None:
    names = [f"breed {i}" for i in range(12)]
    a = [0.5, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.01, 0, 0, 0]
    b = [0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.3, 0.6]
    shown = bars(names, {"A": a, "B": b})
    assert shown["classes"] == [f"breed {i}" for i in (11, 0, 10, 1, 2)]
    assert shown["runs"][1]["values"][:3] == [0.6, 0.1, 0.3]


def test_what_a_run_answers_is_shown_however_sure_another_is_of_more() -> None:
    names = [f"breed {i}" for i in range(12)]
    unsure = [0.0] * 6 + [0.17, *[0.166] * 5]
    sure = [0.19, 0.18, 0.18, 0.18, 0.18, 0.09, *[0] * 6]
    shown = bars(names, {"A": unsure, "B": sure})
    answers = [shown["classes"][run["best"]] for run in shown["runs"]]
    assert answers == ["breed 6", "breed 0"]
    assert len(shown["classes"]) == 5


def test_a_run_without_an_answer_has_no_winner() -> None:
    shown = bars(["cat", "dog"], {"A": None})
    assert shown["runs"] == [{"name": "A", "color": "#2f7de1", "values": [None, None], "best": -1}]


@pytest.mark.parametrize(
    ("cat", "told"),
    [
        ({"A": 0.9, "B": 0.8}, "Both say cat"),
        ({"A": 0.9, "B": 0.3}, "They disagree: cat or dog"),
        ({"A": 0.1, "B": 0.8, "C": 0.7}, "They disagree: 2 of 3 say cat"),
        ({"A": None, "B": 0.3}, "B says dog"),
        ({"A": None}, "No answer yet"),
    ],
)
def test_the_headline_says_whether_they_agree(cat: dict[str, float | None], told: str) -> None:
    answers = {name: None if p is None else [p, 1 - p] for name, p in cat.items()}
    assert bars(["cat", "dog"], answers)["heading"][0] == told
