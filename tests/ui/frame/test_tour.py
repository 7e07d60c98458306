import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.recipes import RECIPES
from core.registry.runs import Runs
from ui.frame.tour import ASTRAY, STEPS


def card(app: AppTest) -> dict[str, Any] | None:
    """What the card of the tour was sent, None where there is none."""
    for element in app.get("bidi_component"):
        if element.proto.component_name == "transfer_lab_tour":
            sent: dict[str, Any] = json.loads(element.proto.json)
            return sent
    return None


def press(app: AppTest, way: str) -> AppTest:
    app.session_state["tour"] = {"go": way}
    return app.run()


def test_there_is_no_tour_until_somebody_begins_it(app: AppTest) -> None:
    assert card(app.run()) is None
    app.switch_page("pages/3_Runs.py").run()
    app.button(key="tour_begin").click().run()
    assert [title.value for title in app.title] == ["Overview"]
    assert card(app)["title"] == STEPS[0].title  # type: ignore[index]
    assert "".join(app.query_params["tour"]) == "1"


def test_the_first_page_invites_until_the_tour_was_begun(app: AppTest) -> None:
    assert app.run().button(key="tour_begin").label == "Take the tour"
    app.button(key="tour_begin").click().run()
    assert app.button(key="tour_begin").label == "Tour"


def test_five_steps_lead_from_page_to_page_and_back(app: AppTest) -> None:
    app.query_params["tour"] = "1"
    seen = [app.run().title[0].value]
    for _ in STEPS[1:]:
        seen.append(press(app, "on").title[0].value)
    assert seen == ["Overview", "Data", "Train", "Compare", "Predict"]
    assert card(app)["on"] == ""  # type: ignore[index]
    assert press(app, "back").title[0].value == "Compare"
    assert "".join(app.query_params["tour"]) == "4"


def test_a_step_opens_what_it_speaks_of(app: AppTest) -> None:
    app.query_params["tour"] = "1"
    press(app.run(), "on")
    assert "".join(app.query_params["view"]) == "pictures"


def test_whoever_goes_to_a_page_by_themselves_is_at_its_step(app: AppTest) -> None:
    app.query_params["tour"] = "1"
    app.run().switch_page("pages/4_Compare.py").run()
    assert card(app)["step"] == 3  # type: ignore[index]
    assert "".join(app.query_params["tour"]) == "4"


def test_a_page_without_a_step_leads_back_to_the_one_left(app: AppTest) -> None:
    app.query_params["tour"] = "1"
    app.run().switch_page("pages/2_Train.py").run().switch_page("pages/3_Runs.py").run()
    assert card(app)["text"] == ASTRAY  # type: ignore[index]
    assert press(app, "on").title[0].value == "Train"


@pytest.mark.parametrize("number", ["9", "0", "two", "²"])
def test_a_step_that_there_is_none_of_is_the_first(app: AppTest, number: str) -> None:
    app.query_params["tour"] = number
    app.run().switch_page("pages/3_Runs.py").run()
    assert not app.exception
    assert card(app)["step"] == 0  # type: ignore[index]


def test_what_is_said_fits_the_runs_there_are(app: AppTest, runs: Runs) -> None:
    app.query_params["tour"] = "4"
    app.run().switch_page("pages/4_Compare.py").run()
    assert card(app)["text"] == STEPS[3].instead  # type: ignore[index]
    for recipe in ("cnn-digits", "vgg16-digits"):
        run = runs.create(RECIPES[recipe].config)
        run.write_state(status="finished", best_epoch=1, metrics={"test_accuracy": 0.9})
    app.run()
    assert card(app)["text"] == STEPS[3].text  # type: ignore[index]
