"""TensorBoard itself reads what is written for it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.metrics import Event, lasting, read_events
from core.training.tensorboard_files import PARTS, EventFiles
from core.worker import work

Points = dict[str, list[tuple[int, float]]]
TINY = {
    "precision": "float32",
    "train_images": 60,
    "test_images": 20,
    "batch_size": 10,
    "side": 8,
    "dense": [8],
    "epochs": 3,
}


def read(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


def shown(folder: Path) -> Points:
    """Step and value of every point that TensorBoard draws of a part of the dataset."""
    found = read(folder)
    return {
        tag: [(point.step, point.value) for point in found.Scalars(tag)]
        for tag in found.Tags()["scalars"]
    }


def told(run: Run, kind: str) -> list[Event]:
    events = lasting(read_events(run.folder.metrics)[0])
    return [event for event in events if event["event"] == kind]


def assert_shows_what_was_told(run: Run) -> None:
    epochs = told(run, "epoch")
    for part, prefix in PARTS.items():
        points = shown(run.folder.tensorboard / part)
        for name in ("loss", "accuracy"):
            expected = [
                (event["epoch"] - 1, pytest.approx(event[prefix + name])) for event in epochs
            ]
            assert points[f"epoch_{name}"] == expected
    drawn, batches = shown(run.folder.tensorboard / "train"), told(run, "batch")
    for name in ("loss", "accuracy", "learning_rate"):
        expected = [(event["step"], pytest.approx(event[name])) for event in batches]
        assert drawn[f"batch_{name}"] == expected


def test_tensorboard_shows_the_numbers_of_the_metrics(runs: Runs) -> None:
    run = runs.create(change(RECIPES["cnn-digits"].config, TINY))
    work(run, runs.workspace)
    assert len(told(run, "epoch")) == 3
    assert_shows_what_was_told(run)
    assert {path.name for path in run.folder.tensorboard.iterdir()} == set(PARTS)


class Killed(BaseException):
    """What ends a training as a signal does."""


def test_after_an_interruption_no_epoch_is_there_twice(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = runs.create(change(RECIPES["cnn-digits"].config, TINY))
    add = EventFiles.add

    def add_until_the_second_epoch(files: EventFiles, event: Event) -> None:
        add(files, event)
        if event["event"] == "epoch" and event["epoch"] == 2:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(EventFiles, "add", add_until_the_second_epoch)
        with pytest.raises(Killed):
            work(run, runs.workspace)
    before = shown(run.folder.tensorboard / "validation")
    assert [step for step, _ in before["epoch_loss"]] == [0, 1]
    dead = runs.again(run).state.process
    assert dead is not None
    runs.again(run).write_state(process=dead.model_copy(update={"started": "before"}))
    work(runs.resume(runs.again(run)), runs.workspace)
    run = runs.again(run)
    assert run.status == "finished"
    assert len(told(run, "epoch")) == 3
    assert_shows_what_was_told(run)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., EventFiles]:
    def files(began: float = 1e9, events: Any = ()) -> EventFiles:
        return EventFiles(tmp_path / "tensorboard", began, events)

    return files


def epoch(number: int, **more: float) -> Event:
    values = {"epoch": number, "loss": 0.5, "val_loss": 0.25, "seconds_since_start": 10.0 * number}
    return {"event": "epoch", **values, **more}


def test_what_can_be_drawn_is_there_before_the_files_are_closed(
    files: Callable[..., EventFiles], tmp_path: Path
) -> None:
    files().add(epoch(1))
    assert shown(tmp_path / "tensorboard" / "train") == {"epoch_loss": [(0, 0.5)]}
    assert shown(tmp_path / "tensorboard" / "validation") == {"epoch_loss": [(0, 0.25)]}


def test_a_part_without_numbers_has_no_file(
    files: Callable[..., EventFiles], tmp_path: Path
) -> None:
    written = files(events=[epoch(1), {"event": "note", "text": "x"}, {"event": "usage"}])
    written.close()
    assert {path.name for path in (tmp_path / "tensorboard").iterdir()} == {"train", "validation"}


def test_time_goes_on_by_how_long_training_took_whatever_the_clock_says(
    files: Callable[..., EventFiles], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = files(began=1000.0, events=[epoch(1)])
    monkeypatch.setattr(time, "time", lambda: 5.0)
    written.add(epoch(2))
    written.close()
    points = read(tmp_path / "tensorboard" / "train").Scalars("epoch_loss")
    assert [point.wall_time for point in points] == [1010.0, 1020.0]
