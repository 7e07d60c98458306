from collections.abc import Callable
from typing import Any

import pytest

from core.errors import InvalidConfig
from core.registry.history import History
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.extension import extension
from core.training.metrics import append_event
from core.training.schedules import phase_schedule

STEPS = 10
"""Steps of an epoch in these tests."""
PEAK = 0.1
MakeEnded = Callable[..., tuple[Run, History]]


@pytest.fixture
def make_ended(runs: Runs) -> MakeEnded:
    """A function that makes a run that trained so many steps of its 4 epochs, with its history."""

    def make(steps: int = 4 * STEPS, **settings: Any) -> tuple[Run, History]:
        config = change(
            RECIPES["cnn-digits"].config, {"epochs": 4, "learning_rate": PEAK, **settings}
        )
        run = runs.create(config)
        schedule = phase_schedule(config, PEAK, 4, STEPS)
        for step in range(1, steps + 1):
            epoch, batch = divmod(step - 1, STEPS)
            place = {"epoch": epoch + 1, "batch": batch + 1, "batches": STEPS, "step": step}
            values = {"loss": 1.0, "learning_rate": schedule.rate(step - 1)}
            append_event(run.folder.metrics, {"event": "batch", **place, **values})
            if batch + 1 == STEPS:
                metrics = {"val_loss": 1.0, "val_accuracy": 0.5, "phase": 1}
                append_event(run.folder.metrics, {"event": "epoch", "epoch": epoch + 1, **metrics})
        history = History()
        history.read_on(run.folder.metrics)
        return run, history

    return make


@pytest.mark.parametrize("schedule", ["linear", "cosine", "one_cycle", "constant", "exponential"])
@pytest.mark.parametrize("steps", [40, 23])
def test_the_rate_goes_on_as_in_a_run_that_was_launched_that_long(
    make_ended: MakeEnded, schedule: str, steps: int
) -> None:
    run, history = make_ended(steps, schedule=schedule)
    found = extension(run, history, 6, steps)
    longer = phase_schedule(change(run.config, {"epochs": 10}), PEAK, 10, STEPS)
    shorter = phase_schedule(run.config, PEAK, 4, STEPS)
    assert found is not None
    assert (found.epoch, found.all_epochs) == (steps / STEPS, 10)
    assert found.before == pytest.approx(shorter.rate(steps - 1))
    assert found.next == pytest.approx(longer.rate(steps))
    assert found.last == pytest.approx(longer.rate(99))


def test_a_rate_that_fell_on_a_plateau_stays_fallen(make_ended: MakeEnded) -> None:
    run, history = make_ended(schedule="plateau", **{"decay.patience": 2, "decay.factor": 0.5})
    found = extension(run, history, 6, 4 * STEPS)
    assert found is not None
    assert (found.next, found.last) == (PEAK / 2, PEAK / 2)


def test_a_run_that_never_began_has_no_rate(make_ended: MakeEnded) -> None:
    run, history = make_ended(0)
    assert extension(run, history, 6, 0) is None


def test_there_is_a_most_of_epochs(make_ended: MakeEnded) -> None:
    run, history = make_ended()
    with pytest.raises(InvalidConfig, match="epochs"):
        extension(run, history, 10_000, 4 * STEPS)
