import json
import struct
from importlib.metadata import distribution
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from ui.plots.charts import Series


def chart_app(view: str = "") -> None:
    import numpy as np

    from ui.plots.charts import Band, Chart, Mark, Point, Series, line_chart

    steps = np.arange(2000)
    line_chart(
        Chart(
            [
                Series("CNN", steps, np.linspace(1, 0, 2000), "#2f7de1"),
                Series("VGG16", steps, np.linspace(2, 1, 2000), "#e0700f", dash="dot"),
            ],
            title="Loss",
            marks=[Mark(500, "a remark", "here"), Mark(1500)],
            bands=[Band(0, 200, "warm-up")],
            point=Point(1999, 0.0, "best"),
        ),
        key="loss",
        view=view,
    )


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


@pytest.fixture(scope="module")
def chart() -> bytes:
    return message(AppTest.from_function(chart_app).run(timeout=200))


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
    other = message(AppTest.from_function(chart_app, kwargs={"view": "run-2"}).run(timeout=200))
    assert (head(chart)["view"], head(other)["view"]) == ("loss", "run-2")


def test_marks_bands_and_a_point_are_sent_as_they_are(chart: bytes) -> None:
    sent = head(chart)
    assert sent["marks"] == [
        {"x": 500, "text": "a remark", "label": "here"},
        {"x": 1500, "text": "", "label": ""},
    ]
    assert sent["bands"] == [{"start": 0, "end": 200, "text": "warm-up"}]
    assert sent["point"] == {"x": 1999, "y": 0.0, "text": "best", "below": False}


def test_plotly_comes_from_this_server_under_its_version(chart: bytes) -> None:
    version = distribution("plotly").version
    assert head(chart)["plotly"] == f"/component/ui.plots.charts.plotly/plotly.min.js?v={version}"


def test_a_series_needs_as_many_y_as_x() -> None:
    with pytest.raises(ValueError, match=r"'CNN' must be .* got shapes \(3,\) and \(2,\)"):
        Series("CNN", [1, 2, 3], [1, 2], "#2f7de1")


def test_a_series_needs_a_hover_text_for_every_point() -> None:
    with pytest.raises(ValueError, match="got 1 texts for 2 points"):
        Series("CNN", [1, 2], [1, 2], "#2f7de1", hover=["first"])


def test_an_interval_needs_as_many_ends_as_points() -> None:
    with pytest.raises(
        ValueError, match=r"low and high of series 'CNN' .* got shapes \[\(1,\), \(2,\)\]"
    ):
        Series("CNN", [1, 2], [1, 2], "#2f7de1", low=[1], high=[1, 2])


def clicked_app() -> None:
    import streamlit as st

    from ui.plots.charts import Chart, Series, line_chart

    bars = Series("CNN", [1, 2], [3, 4], "#2f7de1", mode="bars", low=[2, 3], high=[4, 5])
    st.text(line_chart(Chart([bars]), key="bars", clicks=True))


def test_a_clicked_point_is_returned_once() -> None:
    app = AppTest.from_function(clicked_app).run(timeout=200)
    app.session_state["bars"] = {"clicked": ["CNN", 1]}
    assert app.run().text[0].value == "Click(series='CNN', place=1)"


def test_the_ends_of_intervals_are_sent() -> None:
    data = message(AppTest.from_function(clicked_app).run(timeout=200))
    (bars,) = head(data)["series"]
    assert [column(data, bars[end]).tolist() for end in ("low", "high")] == [[2, 3], [4, 5]]
