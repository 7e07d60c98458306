from collections.abc import Callable
from typing import Any

from core.data.rows import FORGET_BYTES
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.run import Run
from core.registry.runs import Runs
from core.registry.settings import change
from core.training.deviations import Difference, deviation
from core.training.metrics import append_event
from tests.core.estimated import GIB, estimate_of, phase_of

MakeRun = Callable[..., Run]


def epoch(number: int, seconds: float, **values: Any) -> dict[str, Any]:
    return {"event": "epoch", "epoch": number, "complete": True, "seconds": seconds} | values


def with_epochs(run: Run, *events: dict[str, Any]) -> Run:
    for event in ({"event": "phase", "phase": "loading"}, *events):
        append_event(run.folder.metrics, event)
    return run


def test_the_median_epoch_is_compared(runs: Runs, config: RunConfig) -> None:
    run = runs.create(change(config, {"epochs": 3}))
    with_epochs(run, epoch(1, 7.0), epoch(2, 3.0), epoch(3, 2.5))
    (difference,) = deviation(estimate_of(), run).seconds
    assert difference == Difference(estimated=2.0, measured=3.0)
    assert difference.off == 0.5


def test_a_single_epoch_is_compared_with_what_the_first_takes(make_run: MakeRun) -> None:
    run = with_epochs(make_run(), epoch(1, 3.0))
    (difference,) = deviation(estimate_of(), run).seconds
    assert difference == Difference(estimated=6.0, measured=3.0)
    assert difference.off == -0.5


def test_an_epoch_that_was_cut_short_does_not_count(make_run: MakeRun) -> None:
    run = with_epochs(make_run(), epoch(1, 0.1, complete=False))
    assert deviation(estimate_of(), run).seconds == ()


def test_each_phase_is_compared_with_its_own_epochs(runs: Runs) -> None:
    settings = {"second_phase.epochs": 2, "second_phase.still_frozen": 10, "epochs": 2}
    run = runs.create(change(RECIPES["vgg16-digits"].config, settings))
    with_epochs(run, epoch(1, 1.0), epoch(2, 1.0), epoch(3, 9.0), epoch(4, 9.0))
    estimate = estimate_of(phase_of(first=0.0), phase_of(first=0.0, seconds=8.0))
    found = deviation(estimate, run).seconds
    assert found == (Difference(2.0, 1.0), Difference(8.0, 9.0))


def test_memory_is_compared_with_what_is_held_of_mapped_files_at_once(make_run: MakeRun) -> None:
    run = make_run().write_state(peak_memory=4 * GIB)
    estimate = estimate_of(phase_of(memory=2 * GIB), mapped=1000)
    assert deviation(estimate, run).memory == Difference(2 * GIB + 1000, 4 * GIB)
    estimate = estimate_of(phase_of(memory=2 * GIB), mapped=50 * GIB)
    expected = 2 * GIB + FORGET_BYTES
    assert deviation(estimate, run).memory == Difference(expected, 4 * GIB)
