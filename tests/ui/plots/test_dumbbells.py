import json
import math
from typing import Any

from streamlit.testing.v1 import AppTest

from ui.plots.dumbbells import Row

ROWS = [
    Row(("4", "taken for", "9"), 3, 21, "3", "21"),
    Row(("<b>7</b>",), 10, math.nan, "10", "–"),
]


def dumbbells_app(rows: object, selected: int | None) -> None:
    import streamlit as st

    from ui.plots.dumbbells import dumbbells
    from ui.plots.headings import Heading

    st.session_state["result"] = dumbbells(
        rows,  # type: ignore[arg-type]
        scale=(1, 21),
        ends=("1", "21"),
        colors=("#2f7de1", "#e0700f"),
        heading=Heading("Pairs"),
        few=12,
        key="d",
        selected=selected,
    )


def start(rows: list[Row] = ROWS, selected: int | None = None) -> AppTest:
    app = AppTest.from_function(dumbbells_app, args=(rows, selected)).run(timeout=200)
    assert not app.exception
    return app


def sent(app: AppTest) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


def click(app: AppTest, index: int) -> AppTest:
    app.session_state["d"] = {"clicked": [sent(app)["tag"], index]}
    return app.run()


def test_dots_stand_where_their_numbers_are_on_the_scale() -> None:
    assert sent(start())["rows"][0] == [["4", "taken for", "9"], 0.1, 1.0, "3", "21", ""]


def test_what_is_not_a_number_has_no_dot() -> None:
    assert sent(start())["rows"][1] == [["<b>7</b>"], 0.45, None, "10", "–", ""]


def test_a_click_gives_its_row() -> None:
    app = start()
    assert app.session_state["result"] is None
    assert click(app, 1).session_state["result"] == 1


def test_a_click_on_earlier_rows_does_not_count_for_new_ones() -> None:
    app = click(start(), 1)
    app.args = (ROWS[::-1], None)
    assert app.run().session_state["result"] is None


def test_marking_a_row_changes_no_row() -> None:
    marked, unmarked = sent(start(selected=1)), sent(start())
    assert (marked.pop("selected"), unmarked.pop("selected")) == (1, None)
    assert marked == unmarked


def test_no_rows_are_no_failure() -> None:
    assert sent(start([]))["rows"] == []
