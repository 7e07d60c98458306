"""Train's settings in its address: a link opens the form as somebody left it."""

from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change, parse_settings
from ui.train.draft import Draft
from ui.train.settings_link import written
from ui.train.views import NETWORK

OpenPage = Callable[..., AppTest]
TRAIN = "pages/2_Train.py"


def asked(at: AppTest, label: str) -> Any:
    every = [*at.selectbox, *at.number_input, *at.text_input, *at.segmented_control]
    (found,) = [widget for widget in every if widget.label.removesuffix(" ●") == label]
    return found


def drafted(at: AppTest, recipe: str) -> Draft:
    draft: Draft = at.session_state[f"_draft_{recipe}"]
    return draft


def address(at: AppTest) -> dict[str, str]:
    return {name: values for name, values in at.query_params.items() if name in ("recipe", "set")}


def test_the_form_as_it_is_at_first_needs_no_words(open_page: OpenPage) -> None:
    assert address(open_page(TRAIN)) == {}


def test_another_recipe_and_changed_settings_stand_in_the_address(open_page: OpenPage) -> None:
    at = open_page(TRAIN)
    asked(at, "Recipe").set_value("vgg16-digits")
    at.run()
    assert address(at) == {"recipe": "vgg16-digits"}
    asked(at, "Settings").set_value("Common settings")
    at.run()
    asked(at, "Epochs").set_value(4)
    at.run()
    assert address(at) == {"recipe": "vgg16-digits", "set": "epochs=4"}
    drafted(at, "vgg16-digits").reset(["epochs"])
    assert address(at.run()) == {"recipe": "vgg16-digits"}


def test_a_link_opens_the_form_as_it_was_left(open_page: OpenPage, runs: Runs) -> None:
    links = {"recipe": "vgg16-digits", "set": ["epochs=4", "learning_rate=0.00123456789"]}
    at = open_page(TRAIN, **links)
    assert not at.exception and not at.warning
    assert asked(at, "Recipe").value == "vgg16-digits"
    (launch,) = [button for button in at.button if button.label == "Launch"]
    launch.click()
    at.run()
    assert runs.all()[0].config == change(
        RECIPES["vgg16-digits"].config, {"epochs": 4, "learning_rate": 0.00123456789}
    )


def test_what_is_changed_afterwards_is_not_taken_back_by_the_address(open_page: OpenPage) -> None:
    at = open_page(TRAIN, recipe="cnn-digits", set="epochs=4")
    drafted(at, "cnn-digits").take("epochs", 5)
    at.run()
    assert drafted(at, "cnn-digits").values["epochs"] == 5
    assert address(at) == {"recipe": "cnn-digits", "set": "epochs=5"}


def test_a_link_followed_within_a_session_replaces_what_was_set_and_can_be_undone(
    open_page: OpenPage,
) -> None:
    at = open_page(TRAIN, recipe="cnn-digits", set="epochs=4")
    at.query_params["set"] = ["batch_size=64"]
    at.run()
    draft = drafted(at, "cnn-digits")
    assert draft.changes == ["batch_size"]
    assert "What the link says replaced your settings." in [each.value for each in at.caption]
    draft.undo()
    assert draft.changes == ["epochs"]


def test_an_address_with_a_run_opens_the_run_and_not_the_network(
    open_page: OpenPage, make_trained: Callable[..., Run]
) -> None:
    run = make_trained()
    with_run = open_page(TRAIN, recipe="vgg16-digits", run=run.id)
    assert with_run.session_state["shown"].endswith("Run")
    assert asked(with_run, "Recipe").value == "vgg16-digits"


def test_a_link_opens_the_view_and_as_many_settings_as_were_shown(open_page: OpenPage) -> None:
    at = open_page(TRAIN, recipe="vgg16-digits", view="run", level="common")
    assert at.session_state["shown"].endswith("Run")
    assert asked(at, "Settings").value == "Common settings"
    at.session_state["shown"] = NETWORK
    asked(at, "Settings").set_value("Recipe only")
    at.run()
    assert "".join(at.query_params["view"]) == "network"
    assert "level" not in at.query_params


def test_a_view_that_there_is_none_of_is_told(open_page: OpenPage) -> None:
    at = open_page(TRAIN, view="<b>", level="all")
    (told,) = [warning.value for warning in at.warning]
    assert "view=\\<b\\>, level=all" in told
    assert at.session_state["shown"] == NETWORK


def test_a_link_to_no_recipe_says_so_and_leaves_the_settings(open_page: OpenPage) -> None:
    at = open_page(TRAIN, recipe="<b>none</b>")
    assert "There is no recipe \\<b\\>none\\</b\\>" in at.warning[0].value
    assert asked(at, "Recipe").value == "cnn-digits"


@pytest.mark.parametrize("word", ["epochs=-1", "nothing=1", "epochs"])
def test_settings_that_break_a_rule_are_left_aside(open_page: OpenPage, word: str) -> None:
    at = open_page(TRAIN, recipe="vgg16-digits", set=word)
    assert "The settings in this link were left aside." in at.warning[0].value
    assert drafted(at, "vgg16-digits").changes == []


@pytest.mark.parametrize(
    "settings",
    [
        {"epochs": 3, "learning_rate": 1 / 3},
        {"data.path": "17", "note": "true"},
        {"network.head.layers": [{"units": 64, "activation": "relu"}]},
        {"validation": None, "augmentation.fill": "wrap"},
    ],
)
def test_settings_are_read_as_they_were_written(settings: dict[str, Any]) -> None:
    assert parse_settings(written(settings)) == settings
