import json
import struct
from importlib.metadata import distribution
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from ui.charts import Series


def chart_app(view: str = "") -> None:
    import numpy as np

    from ui.charts import Series, line_chart

    steps = np.arange(2000)
    line_chart(
        [
            Series("CNN", steps, np.linspace(1, 0, 2000), "#2f7de1"),
            Series("VGG16", steps, np.linspace(2, 1, 2000), "#e0700f", dash="dot"),
        ],
        key="loss",
        title="Loss",
        view=view,
        marks=[500, 1500],
    )


def bars_app(classes: list[str], probabilities: dict[str, list[float] | None]) -> None:
    import numpy as np

    from ui.charts import probability_bars

    answers = {n: None if p is None else np.array(p) for n, p in probabilities.items()}
    probability_bars(classes, answers, colors=dict.fromkeys(answers, "#2f7de1"), key="bars")


def message(app: AppTest) -> bytes:
    assert not app.exception
    data: bytes = app.get("bidi_component")[0].proto.bytes
    return data


def head(data: bytes) -> dict[str, Any]:
    (size,) = struct.unpack_from("<I", data)
    chart: dict[str, Any] = json.loads(data[4 : 4 + size])
    return chart


def column(data: bytes, place: list[int]) -> NDArray[np.float32]:
    (size,) = struct.unpack_from("<I", data)
    start, length = place
    return np.frombuffer(data, "<f4", offset=4 + size)[start : start + length]


def bars(classes: list[str], probabilities: dict[str, list[float] | None]) -> dict[str, Any]:
    app = AppTest.from_function(bars_app, args=(classes, probabilities)).run(timeout=30)
    assert not app.exception
    data: dict[str, Any] = json.loads(app.get("bidi_component")[0].proto.json)
    return data


@pytest.fixture(scope="module")
def chart() -> bytes:
    return message(AppTest.from_function(chart_app).run(timeout=30))


def test_a_chart_carries_its_numbers(chart: bytes) -> None:
    cnn, vgg16 = head(chart)["series"]
    assert column(chart, cnn["x"]).tolist() == list(range(2000))
    assert np.allclose(column(chart, cnn["y"]), np.linspace(1, 0, 2000))
    assert np.allclose(column(chart, vgg16["y"]), np.linspace(2, 1, 2000))


def test_shared_steps_are_sent_once(chart: bytes) -> None:
    cnn, vgg16 = head(chart)["series"]
    assert cnn["x"] == vgg16["x"]
    assert len(chart) < 3 * 2000 * 4 + 1000


def test_a_zoom_lasts_until_the_view_changes(chart: bytes) -> None:
    other = message(AppTest.from_function(chart_app, kwargs={"view": "run-2"}).run(timeout=30))
    assert (head(chart)["view"], head(other)["view"]) == ("loss", "run-2")


def test_marks_are_sent_as_they_are(chart: bytes) -> None:
    assert head(chart)["marks"] == [500, 1500]


def test_plotly_comes_from_this_server_under_its_version(chart: bytes) -> None:
    version = distribution("plotly").version
    assert head(chart)["plotly"] == f"/component/ui.charts.plotly/plotly.min.js?v={version}"


def test_a_series_needs_as_many_y_as_x() -> None:
    with pytest.raises(ValueError, match=r"'CNN' must be .* got shapes \(3,\) and \(2,\)"):
        Series("CNN", [1, 2, 3], [1, 2], "#2f7de1")


def test_a_series_needs_a_hover_text_for_every_point() -> None:
    with pytest.raises(ValueError, match="got 1 texts for 2 points"):
        Series("CNN", [1, 2], [1, 2], "#2f7de1", hover=["first"])


def test_ten_classes_stay_in_their_order() -> None:
    shown = bars(list("0123456789"), {"CNN": [0, 0, 0, 0, 0.2, 0, 0, 0, 0, 0.8]})
    assert shown["classes"] == list("0123456789")


def test_each_run_has_its_own_winner() -> None:
    shown = bars(["cat", "dog"], {"A": [0.9, 0.1], "B": [0.3, 0.7]})
    assert [(run["name"], run["best"]) for run in shown["runs"]] == [("A", 0), ("B", 1)]


def test_of_many_classes_the_ten_most_probable_of_any_run_are_shown_in_order() -> None:
    names = [f"breed {i}" for i in range(12)]
    a = [0.5, 0.1, 0.09, 0.08, 0.07, 0.06, 0.05, 0.04, 0.01, 0, 0, 0]
    b = [0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0.3, 0.6]
    shown = bars(names, {"A": a, "B": b})
    assert shown["classes"] == [f"breed {i}" for i in (11, 0, 10, 1, 2, 3, 4, 5, 6, 7)]
    assert shown["runs"][1]["values"][:3] == [0.6, 0.1, 0.3]


def test_a_run_without_an_answer_has_no_winner() -> None:
    shown = bars(["cat", "dog"], {"A": None})
    assert shown["runs"] == [{"name": "A", "color": "#2f7de1", "values": [None, None], "best": -1}]
