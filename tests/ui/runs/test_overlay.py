import dataclasses
import json
import struct
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.registry.config import RunConfig
from core.registry.run import Run
from core.registry.run_files import About
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import append_event
from ui.runs import run_view
from ui.runs.curve_view import time_axis
from ui.runs.filters import Filters
from ui.runs.overlay import table_of_differences
from ui.runs.runs_table import CURVE_POINTS, table_of, thinned_curve
from ui.theme import RUN_COLORS
from ui.train.settings_form import TITLES

MakeRun = Callable[..., Run]


def test_runs_that_share_a_colour_are_told_apart(runs: Runs, config: RunConfig) -> None:
    many = [runs.create(config) for _ in range(len(RUN_COLORS) + 2)]
    looks = run_view.looks_of(many)
    assert [looks[run.id].pattern for run in many] == ["solid"] * 10 + ["dash", "dash"]
    assert len(set(looks.values())) == len(many)


def test_the_table_shows_runs_as_their_curves_are_drawn(runs: Runs, config: RunConfig) -> None:
    many = [runs.create(config) for _ in range(len(RUN_COLORS) + 1)]
    first, last = many[0], many[-1]
    alone = table_of([last], {}).look
    drawn = table_of([first, last], run_view.looks_of([first, last])).look
    assert alone[0] == drawn[0]
    assert drawn[0] != drawn[1]


def test_only_settings_that_differ_are_listed(runs: Runs, config: RunConfig) -> None:
    changes = ({}, {"epochs": 3}, {"epochs": 3, "dropout": 0.2}, {})
    compared = [runs.create(change(config, each), f"run {i}") for i, each in enumerate(changes)]
    table = table_of_differences(compared)
    assert table.columns.tolist() == ["run 0", "run 1", "run 2", "run 3"]
    assert table.loc["Epochs"].tolist() == ["1", "3", "3", "1"]
    assert table.loc["Dropout of dense layers"].tolist() == ["0.5", "0.5", "0.2", "0.5"]
    assert len(table) == 2


def test_settings_are_written_as_the_form_calls_them(runs: Runs, config: RunConfig) -> None:
    changes = {"train_images": 500, "optimizer": "adam", "learning_rate": 1e-5}
    table = table_of_differences([runs.create(config), runs.create(change(config, changes))])
    assert table.loc[TITLES["data.train_images"]].tolist() == ["all", "500"]
    assert table.loc[TITLES["optimizer"]].tolist() == ["RMSprop", "Adam"]
    assert table.loc[TITLES["learning_rate"]].tolist() == ["0.003", "1e-05"]


@pytest.mark.parametrize(
    ("longest", "title", "unit"),
    [(100.0, "seconds", 1.0), (600.0, "minutes", 60.0), (20_000.0, "hours", 3600.0)],
)
def test_time_is_drawn_in_the_unit_that_suits_it(longest: float, title: str, unit: float) -> None:
    line = np.array([0.0, longest]), np.array([1.0, 0.5])
    assert time_axis([line]) == (f"time ({title})", unit)


def test_a_curve_is_thinned_from_its_beginning() -> None:
    assert thinned_curve([1.0, 2.0]) == [1.0, 2.0]
    many = thinned_curve([float(i) for i in range(60)])
    assert many[:3] == [0.0, 2.0, 4.0]
    assert len(many) <= CURVE_POINTS


def test_every_word_must_be_found_and_any_of_the_tags(runs: Runs, config: RunConfig) -> None:
    run = dataclasses.replace(
        runs.create(config, "First try"), about=About(note="Less dropout", tags=("paper", "old"))
    )
    assert Filters(words=("first", "dropout")).fit(run)
    assert not Filters(words=("first", "second")).fit(run)
    assert Filters(tags=("new", "old")).fit(run)
    assert not Filters(tags=("new",)).fit(run)
    assert Filters().fit(run)


def overlay_app(root: str) -> None:
    from pathlib import Path

    from core.registry.runs import Runs
    from core.workspace import Workspace
    from ui.runs import overlay

    overlay.show(Runs(Workspace(Path(root))).all())


def test_lines_stand_where_their_run_was(runs: Runs, config: RunConfig) -> None:
    for name, loss in (("one", 2.0), ("two", 1.0)):
        run = runs.create(config, name)
        for step in (1, 2):
            place = {"epoch": 1, "batch": step, "batches": 2, "step": step, "accuracy": 0.5}
            event = {"event": "batch", **place, "loss": loss / step}
            append_event(run.folder.metrics, {**event, "seconds_since_start": 9.0 * step})
        run.write_state(status="finished")
    at = AppTest.from_function(overlay_app, args=(str(runs.workspace.root),)).run()
    assert not at.exception
    chart = chart_of(at)
    assert [line["name"] for line in chart if line["mode"] != "raw"] == ["two", "one"]
    assert chart[0]["x"] == [0.5, 1.0]
    measured = [line["y"] for line in chart if line["mode"] == "raw"]
    assert measured == [[1.0, 0.5], [2.0, 1.0]]
    at.segmented_control(key="over").set_value("Step")
    at.slider(key="smoothing").set_value(0.0)
    (two, one) = chart_of(at.run())
    assert (two["x"], two["y"]) == ([1.0, 2.0], [1.0, 0.5])
    assert one["y"] == [2.0, 1.0]


def chart_of(at: AppTest) -> list[dict[str, list[float]]]:
    """The lines of the chart of losses."""
    content = at.get("bidi_component")[0].proto.bytes
    (size,) = struct.unpack("<I", content[:4])
    numbers = np.frombuffer(content[4 + size :], "<f4")
    lines = json.loads(content[4 : 4 + size])["series"]
    for line in lines:
        for axis in "xy":
            start, length = line[axis]
            line[axis] = [float(value) for value in numbers[start : start + length]]
    return list(lines)
