import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from ui.plots.scatter import STEPS, Click, Outline

PLACES = np.float32([[0, 0], [10, 5], [np.nan, np.nan], [5, 10]])


def scatter_app(places: object, name: str, outline: object, marked: int | None) -> None:
    import numpy as np
    import streamlit as st

    from ui.plots.headings import Heading
    from ui.plots.scatter import Fact, Group, Points, scatter

    number = np.arange(len(places))  # type: ignore[arg-type]
    points = Points(
        places,  # type: ignore[arg-type]
        100 + number,
        [Fact("True class", number % 2)],
        [name, "two"],
        number % 2,
        [Group("even", "#111111"), Group("odd", "#222222")],
    )
    st.session_state["done"] = scatter(
        points,
        key="map",
        heading=Heading("A map"),
        outline=outline,  # type: ignore[arg-type]
        marked=marked,
    )


def start(
    places: NDArray[np.float32] = PLACES,
    name: str = "one",
    outline: tuple[tuple[float, float], ...] = (),
    marked: int | None = None,
) -> AppTest:
    app = AppTest.from_function(scatter_app, args=(places, name, outline, marked)).run(timeout=200)
    assert not app.exception
    return app


def message(app: AppTest) -> bytes:
    content: bytes = app.get("bidi_component")[0].proto.bytes
    return content


def head(app: AppTest) -> dict[str, Any]:
    sent = message(app)
    (size,) = struct.unpack_from("<I", sent)
    found: dict[str, Any] = json.loads(sent[4 : 4 + size])
    return found


def numbers(app: AppTest, kind: str, start: int, count: int) -> list[int]:
    sent = message(app)
    (size,) = struct.unpack_from("<I", sent)
    found: list[int] = np.frombuffer(sent, kind, count, 4 + size + start).tolist()
    return found


def do(app: AppTest, **values: object) -> Outline | Click | None:
    """What the map gives once the browser says what a person did."""
    app.session_state["map"] = values
    done: Outline | Click | None = app.run().session_state["done"]
    return done


def test_nothing_is_done_at_first() -> None:
    assert start().session_state["done"] is None


def test_points_travel_with_what_is_told_of_them_and_those_without_a_place_stay_out() -> None:
    app = start()
    assert head(app)["count"] == 3
    assert head(app)["bounds"] == [0, 10, 0, 10]
    half = round(STEPS / 2)
    assert numbers(app, "<u2", 0, 6) == [0, 0, STEPS, half, half, STEPS]
    assert numbers(app, "<u4", 12, 3) == [100, 101, 103]
    assert numbers(app, "<u2", 24, 6) == [0, 1, 1, 0, 1, 1]


def test_a_click_gives_its_point_also_after_one_that_is_not_shown() -> None:
    app = start()
    assert do(app, clicked=[head(app)["tag"], 2]) == Click(3)


def test_an_outline_gives_its_corners() -> None:
    app = start()
    drawn = [head(app)["tag"], [[0.5, 1], [2, 3], [4, 0]]]
    assert do(app, outlined=drawn) == Outline(((0.5, 1.0), (2.0, 3.0), (4.0, 0.0)))


def test_what_was_done_on_an_earlier_map_is_nothing() -> None:
    app = start()
    assert do(app, clicked=["another map", 1], outlined=["another map", [[0, 0]]]) is None


def test_the_marked_point_is_counted_among_those_shown() -> None:
    assert [head(start(marked=point))["marked"] for point in (3, 2, None)] == [2, None, None]


def test_an_outline_or_a_mark_makes_it_no_other_map() -> None:
    tags = {
        head(app)["tag"]
        for app in (start(), start(marked=1), start(outline=((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))))
    }
    assert len(tags) == 1
    assert head(start(name="three"))["tag"] not in tags


def test_long_names_are_cut_and_markup_travels_as_it_is() -> None:
    assert head(start(name="<b>" + "x" * 200))["names"][0] == "<b>" + "x" * 76 + "…"


def test_points_in_one_place_are_a_map_too() -> None:
    app = start(np.ones((3, 2), np.float32))
    assert numbers(app, "<u2", 0, 6) == [0] * 6


def test_a_map_without_points_is_not_shown() -> None:
    assert not start(np.full((2, 2), np.nan, np.float32)).get("bidi_component")
