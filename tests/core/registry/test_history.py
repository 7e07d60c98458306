import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry.config import RunConfig
from core.registry.history import History, smoothed, thinned
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.metrics import append_event
from core.training.patience import Patience

BATCHES = 4
"""Steps of an epoch in these tests."""


def batch(step: int, loss: float = 1.0, **values: Any) -> dict[str, Any]:
    epoch, before = divmod(step - 1, BATCHES)
    place = {"epoch": epoch + 1, "batch": before + 1, "batches": BATCHES, "step": step}
    return {"event": "batch", **place, "loss": loss, "seconds_since_start": float(step), **values}


def epoch(number: int, loss: float = 1.0, **values: Any) -> dict[str, Any]:
    place = {"epoch": number, "step": BATCHES * number, "seconds_since_start": 4.0 * number}
    return {"event": "epoch", **place, "val_loss": loss, "val_accuracy": 0.5, **values}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "metrics.jsonl"


def written(path: Path, *events: dict[str, Any]) -> History:
    """The history of events that are appended to a file."""
    for event in events:
        append_event(path, event)
    history = History()
    history.read_on(path)
    return history


def test_batches_stand_between_the_epochs(path: Path) -> None:
    history = written(path, *(batch(step, loss=10 - step) for step in range(1, 7)))
    places, losses = history.batch_line("loss")
    assert places.tolist() == [0.25, 0.5, 0.75, 1.0, 1.25, 1.5]
    assert losses.tolist() == [9, 8, 7, 6, 5, 4]
    assert history.now == 1.5
    assert history.steps_per_epoch == BATCHES


@pytest.mark.parametrize(("axis", "places"), [("step", [1, 2]), ("seconds", [1.0, 2.0])])
def test_lines_can_be_drawn_over_steps_and_seconds(path: Path, axis: Any, places: Any) -> None:
    history = written(path, batch(1), batch(2))
    assert history.batch_line("loss", axis)[0].tolist() == places


def test_what_is_written_piece_by_piece_is_read_as_if_at_once(path: Path) -> None:
    events = [batch(1), batch(2), epoch(1), {"event": "note", "epoch": 1, "text": "so"}, batch(3)]
    text = "".join(json.dumps(event) + "\n" for event in events)
    growing = History()
    for end in range(0, len(text) + 7, 7):
        path.write_text(text[:end])
        assert growing.is_of(path)
        growing.read_on(path)
    at_once = History()
    at_once.read_on(path)
    assert growing.batch_line("loss")[0].tolist() == at_once.batch_line("loss")[0].tolist()
    assert (growing.epochs, growing.notes) == (at_once.epochs, at_once.notes)


def test_a_number_that_is_missing_is_left_out(path: Path) -> None:
    history = written(path, batch(1), batch(2, loss=float("nan")), batch(3))
    assert history.batch_line("loss")[0].tolist() == [0.25, 0.75]


def test_what_an_interruption_undid_is_forgotten(path: Path) -> None:
    usage = [{"event": "usage", "cores": 1.0, "seconds_since_start": float(s)} for s in (3, 7)]
    history = written(
        path,
        *(batch(step) for step in range(1, 8)),
        *usage,
        epoch(1),
        {"event": "note", "epoch": 1, "text": "lost"},
        {"event": "resumed", "epoch": 0, "step": 3, "seconds_since_start": 4.0},
        batch(4, loss=5.0),
    )
    places, losses = history.batch_line("loss")
    assert places.tolist() == [0.25, 0.5, 0.75, 1.0]
    assert losses[-1] == 5.0
    assert (history.epochs, history.notes) == ([], [])
    assert history.usage_line("cores")[0].tolist() == [3.0]


def test_resumptions_stand_where_training_went_on(path: Path) -> None:
    def resumed(step: int) -> dict[str, Any]:
        return {"event": "resumed", "epoch": step // BATCHES, "step": step}

    history = written(path, batch(1), batch(2), resumed(2), batch(3), batch(4), batch(5))
    assert history.resumptions() == [0.5]
    for event in (resumed(4), resumed(4), batch(5)):
        append_event(path, event)
    history.read_on(path)
    assert history.resumptions() == [0.5, 1.0, 1.0]
    assert history.resumptions("step") == [2, 4, 4]
    assert history.resumptions("seconds") == []


@pytest.mark.parametrize(("axis", "place"), [("epoch", 2), ("step", 8), ("seconds", 8.0)])
def test_epochs_end_somewhere_on_each_axis(path: Path, axis: Any, place: float) -> None:
    history = written(path, epoch(1), epoch(2), {"event": "epoch", "epoch": 3})
    assert history.end_of(2, axis) == place
    assert history.end_of(4, axis) is None
    assert history.end_of(3, "seconds") is None


def test_a_run_that_began_anew_was_resumed_at_its_beginning(path: Path) -> None:
    history = written(path, batch(1), {"event": "resumed", "epoch": 0, "step": 0})
    assert history.resumptions() == [0.0]
    assert len(history.batches) == 0


def test_a_late_look_at_the_test_images_belongs_to_its_epoch(path: Path) -> None:
    test = {"event": "test", "epoch": 2, "test_accuracy": 0.9, "seconds_since_start": 9.0}
    history = written(path, epoch(1), epoch(2), test)
    assert history.epoch_line("test_accuracy")[1].tolist() == [0.9]
    assert history.epochs[1]["seconds_since_start"] == 8.0


# --- Files that are replaced --------------------------------------------------------------------


def test_a_file_that_grew_is_the_same(path: Path) -> None:
    history = written(path, batch(1))
    append_event(path, batch(2))
    assert history.is_of(path)


def test_another_file_in_its_place_is_not(path: Path) -> None:
    history = written(path, batch(1, loss=1.0))
    path.unlink()
    assert not history.is_of(path)
    written(path, batch(1, loss=2.0), batch(2))
    assert not history.is_of(path)


def test_a_file_that_begins_alike_but_is_shorter_is_not(path: Path) -> None:
    history = written(path, *(batch(step) for step in range(1, 20)))
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert not history.is_of(path)


# --- Thinning -----------------------------------------------------------------------------------


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300),
    st.integers(4, 60),
)
def test_thinning_keeps_ends_and_extremes(numbers: list[float], most: int) -> None:
    values = np.array(numbers)
    places, kept = thinned((np.arange(len(values), dtype=float), values), most)
    assert len(places) <= max(most, 4)
    assert (np.diff(places) > 0).all()
    assert kept.tolist() == values[places.astype(int)].tolist()
    assert (places[0], places[-1]) == (0, len(values) - 1)
    assert (kept.min(), kept.max()) == (values.min(), values.max())


@pytest.mark.parametrize("best", [1, 37, 500])
def test_the_best_epoch_is_never_thinned_out(path: Path, best: int) -> None:
    history = written(path, *(epoch(number, loss=number % 5) for number in range(1, 501)))
    places, losses = history.epoch_line("val_loss", most=20, best=best)
    assert len(places) <= 21
    assert best in places
    assert losses[places == best] == best % 5
    assert (np.diff(places) > 0).all()


def test_smoothing_by_nothing_changes_nothing() -> None:
    assert smoothed([3.0, 1.0, 2.0], 0).tolist() == [3.0, 1.0, 2.0]


# --- Where training stands ----------------------------------------------------------------------


@pytest.fixture
def two_phases() -> RunConfig:
    """3 epochs of the head, then 5 with more layers; each ends after 2 in vain."""
    settings = {"epochs": 3, "second_phase.epochs": 5, "early_stopping.patience": 2}
    return change(RECIPES["vgg16-digits"].config, settings)


def stand(path: Path, config: RunConfig, *events: dict[str, Any]) -> tuple[int, int, int | None]:
    standing = written(path, *events).standing(config)
    return standing.phase.number, standing.start, standing.patience.left


def test_training_stands_at_its_beginning(path: Path, two_phases: RunConfig) -> None:
    assert stand(path, two_phases) == (1, 0, 2)


def test_patience_is_what_early_stopping_counts(path: Path) -> None:
    config = change(RECIPES["cnn-digits"].config, {"epochs": 9, "early_stopping.patience": 5})
    losses = [0.5, 0.4, 0.4, 0.45, 0.3, 0.31]
    expected = Patience("val_loss", 5)
    for loss in losses:
        expected.improved({"val_loss": loss})
    told = [epoch(number, loss) for number, loss in enumerate(losses, start=1)]
    assert stand(path, config, *told)[2] == expected.left == 4


def test_a_training_for_longer_waits_anew(path: Path) -> None:
    config = change(RECIPES["cnn-digits"].config, {"epochs": 9, "early_stopping.patience": 2})
    told = [epoch(number, 0.5) for number in (1, 2)]
    resumed = {"event": "resumed", "epoch": 2, "step": 4, "seconds_since_start": 99.0}
    assert stand(path, config, *told)[2] == 1
    path.unlink()
    assert stand(path, config, *told, resumed | {"longer": True})[2] == 2
    path.unlink()
    assert stand(path, config, *told, resumed | {"longer": False})[2] == 1


def test_a_phase_that_ended_hands_over_to_the_next(path: Path, two_phases: RunConfig) -> None:
    told = [epoch(number, 1.0 - number / 10, phase=1) for number in (1, 2, 3)]
    assert stand(path, two_phases, *told) == (2, 3, 2)


def test_a_phase_that_ended_early_does_too(path: Path, two_phases: RunConfig) -> None:
    assert stand(path, change(two_phases, {"epochs": 9}), epoch(1), epoch(2), epoch(3)) == (2, 3, 2)


def test_each_phase_waits_anew(path: Path, two_phases: RunConfig) -> None:
    first = [epoch(1, 0.5, phase=1), epoch(2, 0.6, phase=1)]
    second = [epoch(3, 0.9, phase=2), epoch(4, 0.95, phase=2)]
    assert stand(path, two_phases, *first, *second) == (2, 2, 1)


def test_an_epoch_that_a_stop_cut_short_does_not_count(path: Path, two_phases: RunConfig) -> None:
    told = [epoch(1, 0.5, phase=1), epoch(2, 0.9, phase=1, complete=False)]
    assert stand(path, two_phases, *told) == (1, 0, 2)


def test_a_run_that_was_given_more_epochs_waits_anew(path: Path) -> None:
    config = change(RECIPES["cnn-digits"].config, {"epochs": 9, "early_stopping.patience": 1})
    told = [epoch(1, 0.5), epoch(2, 0.6), epoch(3, 0.4)]
    assert stand(path, config, *told)[2] == 1


def test_a_rate_that_fell_on_a_plateau_is_known(path: Path) -> None:
    settings = {"epochs": 9, "schedule": "plateau", "learning_rate": 0.1, "decay.patience": 1}
    config = change(RECIPES["cnn-digits"].config, settings | {"decay.factor": 0.5})
    plateau = written(path, epoch(1), epoch(2)).standing(config).plateau
    assert plateau is not None
    assert (plateau.rate, plateau.next_rate, plateau.left) == (0.05, 0.025, 1)
