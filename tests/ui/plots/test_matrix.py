import json
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from ui.plots.matrix import Cell

A = np.array([[5, 2, 0, 0], [0, 7, 1, 0], [0, 0, 9, 0], [3, 0, 0, 0]])
B = np.array([[6, 0, 1, 0], [0, 8, 0, 0], [0, 4, 5, 0], [3, 0, 0, 0]])


def matrix_app(a: object, b: object, shown: object, unit: object, selected: object) -> None:
    import numpy as np
    import streamlit as st

    from core.analysis.confusion import Confusions
    from ui.plots.headings import Heading
    from ui.plots.matrix import matrices

    st.session_state["result"] = matrices(
        Confusions(a, b),  # type: ignore[arg-type]
        class_names=[f"<b>class {number}</b>" for number in range(len(a))],  # type: ignore[arg-type]
        shown=np.array(shown),
        titles=("A · cnn", "B · vgg"),
        colors=("#2f7de1", "#e0700f"),
        unit=unit,  # type: ignore[arg-type]
        heading=Heading("Confusion"),
        selected=selected,  # type: ignore[arg-type]
        key="m",
    )


def start(
    shown: tuple[int, ...] = (0, 1, 2, 3), unit: str = "count", selected: Cell | None = None
) -> AppTest:
    app = AppTest.from_function(matrix_app, args=(A, B, list(shown), unit, selected))
    app.run(timeout=200)
    assert not app.exception
    return app


def sent(app: AppTest) -> tuple[dict[str, Any], NDArray[np.uint32]]:
    """The head of the message, and its numbers."""
    data: bytes = app.get("bidi_component")[0].proto.bytes
    (size,) = struct.unpack_from("<I", data)
    return json.loads(data[4 : 4 + size]), np.frombuffer(data, "<u4", offset=4 + size)


def click(app: AppTest, *place: int) -> AppTest:
    app.session_state["m"] = {"clicked": [sent(app)[0]["tag"], *place]}
    return app.run()


def test_the_numbers_hold_both_matrices() -> None:
    _, numbers = sent(start())
    support, (cells, a, b) = numbers[:4], numbers[4:].reshape(3, -1)
    assert support.tolist() == [7, 8, 9, 3]
    rebuilt = np.zeros((2, 16), int)
    rebuilt[:, cells] = a, b
    np.testing.assert_array_equal(rebuilt.reshape(2, 4, 4), [A, B])


def test_of_some_classes_shares_stay_those_of_all_images() -> None:
    head, numbers = sent(start((1, 2)))
    assert head["names"] == ["<b>class 1</b>", "<b>class 2</b>"]
    support, (cells, a, b) = numbers[:2], numbers[2:].reshape(3, -1)
    assert support.tolist() == [8, 9]
    assert (cells.tolist(), a.tolist(), b.tolist()) == ([0, 1, 2, 3], [7, 1, 0, 9], [8, 0, 4, 5])


def test_a_click_gives_the_classes_of_the_cell() -> None:
    assert click(start(), 1, 2, 1).session_state["result"] == Cell("b", 2, 1)
    assert click(start((1, 3)), 2, 1, 0).session_state["result"] == Cell("difference", 3, 1)


def test_nothing_is_clicked_before_a_click() -> None:
    assert start().session_state["result"] is None


def test_a_click_on_earlier_matrices_does_not_count_for_new_ones() -> None:
    app = click(start(), 1, 2, 1)
    app.args = (B, A, [0, 1, 2, 3], "count", None)
    assert app.run().session_state["result"] is None


def test_the_selected_cell_is_marked_where_its_classes_are_shown() -> None:
    cell = Cell("difference", 3, 1)
    assert sent(start(selected=cell))[0]["selected"] == [2, 3, 1]
    assert sent(start((1, 3), selected=cell))[0]["selected"] == [2, 1, 0]
    assert sent(start((0, 3), selected=cell))[0]["selected"] is None


def test_marking_a_cell_leaves_what_is_drawn_as_it_is() -> None:
    marked, unmarked = start(selected=Cell("a", 0, 1)), start()
    assert sent(marked)[0]["tag"] == sent(unmarked)[0]["tag"]
    np.testing.assert_array_equal(sent(marked)[1], sent(unmarked)[1])


def test_a_thousand_classes_are_a_small_message() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 1000, 50_000)
    said = np.where(rng.random(50_000) < 0.8, labels, rng.integers(0, 1000, 50_000))
    large = np.bincount(labels * 1000 + said, minlength=10**6).reshape(1000, 1000)
    app = AppTest.from_function(matrix_app, args=(large, large.T, list(range(1000)), "share", None))
    app.run(timeout=200)
    assert not app.exception
    assert len(app.get("bidi_component")[0].proto.bytes) < 400_000
