from streamlit.testing.v1 import AppTest

from ui.frame.presenting import SHEET


def is_presented(app: AppTest) -> bool:
    return any(SHEET in element.proto.body for element in app.get("html"))


def test_presenting_is_kept_from_page_to_page_and_in_the_address(app: AppTest) -> None:
    assert not is_presented(app.run())
    app.button(key="present_begin").click().run()
    assert is_presented(app)
    app.switch_page("pages/3_Runs.py").run()
    assert is_presented(app)
    assert "".join(app.query_params["present"]) == "1"


def test_a_link_opens_a_page_presented(app: AppTest) -> None:
    app.query_params["present"] = "1"
    assert is_presented(app.run())


def test_the_bar_turns_to_the_next_page(app: AppTest) -> None:
    app.query_params["present"] = "1"
    app.run()
    app.session_state["presenting"] = {"go": "next"}
    app.run()
    assert [title.value for title in app.title] == ["Data"]
    assert is_presented(app)


def test_whoever_begins_to_present_has_left_the_tour(app: AppTest) -> None:
    app.query_params["tour"] = "1"
    app.run().button(key="present_begin").click().run()
    assert "tour" not in app.query_params


def test_what_a_page_shows_keeps_its_place_when_it_is_presented_or_toured(app: AppTest) -> None:
    """What moves is built anew in the browser: a drawing would lose its strokes."""
    places = set(app.run().main.children)
    app.button(key="present_begin").click().run()
    assert set(app.main.children) == places
    app.query_params.clear()
    app.query_params["tour"] = "1"
    assert set(app.run().main.children) == places
