import math
from itertools import pairwise
from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras.optimizers import schedules as oracle

from core.registry.config import DecayConfig, RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.schedules import SCHEDULES, Schedule, drawn, phase_schedule

CNN = RECIPES["cnn-digits"].config
STEPS = 1000
EPOCHS = 10


def phase(name: str, peak: float = 0.1, steps: int = STEPS, **others: Any) -> Schedule:
    """A phase of ten epochs, without warm-up."""
    options = {"steps_per_epoch": max(steps // EPOCHS, 1), "warmup_steps": 0} | others
    decay = options.pop("decay", DecayConfig())
    return Schedule(name, peak, steps, decay=decay, **options)


def rates(schedule: Schedule) -> list[float]:
    return [schedule.rate(step) for step in range(schedule.steps)]


def by_keras(schedule: Any, steps: range) -> list[float]:
    return [float(keras.ops.convert_to_numpy(schedule(step))) for step in steps]


def middles(steps: int) -> range:
    """The middles of so many steps, counted in half steps."""
    return range(1, 2 * steps, 2)


def config(**settings: Any) -> RunConfig:
    """A run of ten epochs."""
    return change(CNN, {"epochs": EPOCHS} | settings)


def two_phases(**settings: Any) -> RunConfig:
    """A run of ten epochs and two more at 1e-4."""
    second = {"second_phase.epochs": 2, "second_phase.learning_rate": 1e-4}
    return change(RECIPES["vgg16-digits"].config, {"epochs": EPOCHS} | second | settings)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 10, STEPS])
@pytest.mark.parametrize("warmup_steps", [0, 1, 9, 300])
def test_every_step_learns_and_none_beyond_the_peak(
    name: str, steps: int, warmup_steps: int
) -> None:
    found = rates(phase(name, steps=steps + warmup_steps, warmup_steps=warmup_steps))
    assert all(0 < rate <= 0.1 for rate in found)


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_rate_is_proportional_to_its_peak(name: str) -> None:
    once, twice = rates(phase(name, 0.1)), rates(phase(name, 0.2))
    assert twice == pytest.approx([2 * rate for rate in once])


@pytest.mark.parametrize("name", ["constant", "plateau"])
def test_constant_stays_and_plateau_leaves_its_falls_to_training(name: str) -> None:
    assert set(rates(phase(name))) == {0.1}


def test_linear_falls_by_the_same_amount_at_every_step() -> None:
    assert rates(phase("linear", 1.0, steps=4)) == pytest.approx([0.875, 0.625, 0.375, 0.125])


def test_cosine_falls_slowly_at_first_and_at_last_and_is_half_way_in_the_middle() -> None:
    # cos at 1/8, 3/8, 5/8 and 7/8 of half a turn
    expected = [0.96193977, 0.69134172, 0.30865828, 0.03806023]
    assert rates(phase("cosine", 1.0, steps=4)) == pytest.approx(expected)


def test_linear_and_cosine_are_those_of_keras_at_the_middle_of_each_step() -> None:
    linear = oracle.PolynomialDecay(0.1, 2 * 50, end_learning_rate=0.0)
    cosine = oracle.CosineDecay(0.1, 2 * 50)
    assert rates(phase("linear", steps=50)) == pytest.approx(by_keras(linear, middles(50)), 1e-4)
    assert rates(phase("cosine", steps=50)) == pytest.approx(by_keras(cosine, middles(50)), 1e-4)


def test_one_cycle_rises_for_three_tenths_and_then_falls_in_half_a_cosine_wave() -> None:
    keras_cycle = oracle.CosineDecay(0.0, 2 * 70, warmup_target=0.1, warmup_steps=2 * 30)
    found = rates(phase("one_cycle", steps=100))
    assert found == pytest.approx(by_keras(keras_cycle, middles(100)), 1e-4)


@pytest.mark.parametrize("recipe", ["cnn-digits", "vgg16-digits"])
def test_the_recipes_of_one_epoch_have_the_very_rates_they_were_measured_with(recipe: str) -> None:
    chosen = RECIPES[recipe].config
    batches = math.ceil(60_000 / chosen.batch_size)
    schedule = phase_schedule(chosen, chosen.learning_rate, chosen.epochs, batches)
    assert rates(schedule) == [
        chosen.learning_rate * share
        for progress in ((step + 0.5) / batches for step in range(batches))
        for share in [
            progress / 0.3
            if progress < 0.3
            else 0.5 * (1 + math.cos(math.pi * ((progress - 0.3) / (1 - 0.3))))
        ]
    ]


def test_a_warm_up_rises_from_zero_in_a_line_before_the_schedule_begins() -> None:
    keras_cosine = oracle.CosineDecay(0.0, 2 * 80, warmup_target=0.1, warmup_steps=2 * 20)
    found = rates(phase("cosine", steps=100, warmup_steps=20))
    assert found == pytest.approx(by_keras(keras_cosine, middles(100)), 1e-4)


@pytest.mark.parametrize("name", SCHEDULES)
def test_after_the_warm_up_a_schedule_runs_as_it_would_in_a_phase_of_the_steps_left(
    name: str,
) -> None:
    warmed_up = phase(name, steps=40, warmup_steps=10, steps_per_epoch=4)
    assert rates(warmed_up)[10:] == rates(phase(name, steps=30, steps_per_epoch=4))


def test_a_warm_up_lasts_the_steps_nearest_to_its_epochs() -> None:
    chosen = config(schedule="linear", warmup_epochs=1.26)
    assert phase_schedule(chosen, 0.1, EPOCHS, 10).warmup_steps == 13


@pytest.mark.parametrize(("epochs", "warmup_steps"), [(2, 0), (3, 0), (4, 30)])
def test_a_phase_no_longer_than_the_warm_up_has_none(epochs: int, warmup_steps: int) -> None:
    chosen = config(schedule="cosine", warmup_epochs=3.0)
    assert phase_schedule(chosen, 0.1, epochs, 10).warmup_steps == warmup_steps


@pytest.mark.parametrize("per_step", [1e-5, 1e-3, 1.0])
def test_time_falls_as_inverse_time_decay_of_keras(per_step: float) -> None:
    found = rates(phase("time", steps=50, decay=DecayConfig(per_step=per_step)))
    by_time = oracle.InverseTimeDecay(0.1, decay_steps=1, decay_rate=per_step)
    assert found == pytest.approx(by_keras(by_time, range(50)), 1e-4)


@given(st.integers(1, 10), st.integers(1, 4), st.floats(0.1, 0.9))
def test_step_and_exponential_fall_as_exponential_decay_of_keras(
    steps_per_epoch: int, epochs: int, factor: float
) -> None:
    for name in ("step", "exponential"):
        schedule = phase(
            name,
            steps=20,
            steps_per_epoch=steps_per_epoch,
            decay=DecayConfig(factor=factor, epochs=float(epochs)),
        )
        falling = oracle.ExponentialDecay(
            0.1, epochs * steps_per_epoch, factor, staircase=name == "step"
        )
        assert rates(schedule) == pytest.approx(by_keras(falling, range(20)), 1e-4)


def test_step_falls_at_the_very_step_where_its_epochs_end() -> None:
    # In floats 1.1 * 10 is 11.000000000000002: the first fall would be a step late.
    schedule = phase("step", steps=30, steps_per_epoch=10, decay=DecayConfig(epochs=1.1))
    steps = oracle.PiecewiseConstantDecay([10, 21], [0.1, 0.05, 0.025])
    assert rates(schedule) == pytest.approx(by_keras(steps, range(30)))


@pytest.mark.parametrize("name", sorted(set(SCHEDULES) - {"one_cycle"}))
@pytest.mark.parametrize("warmup_epochs", [0.0, 0.25, 3.0])
def test_what_is_drawn_is_the_rate_of_each_step_of_a_short_run(
    name: str, warmup_epochs: float
) -> None:
    chosen = config(schedule=name, warmup_epochs=warmup_epochs)
    schedule = phase_schedule(chosen, chosen.learning_rate, EPOCHS, 8)
    # The last point at a place is the rate from there on; the line ends with the last step's.
    assert dict(drawn(chosen, [8])) == {
        step / 8: rate for step, rate in enumerate([*rates(schedule), schedule.rate(79)])
    }


def test_the_falls_of_a_long_run_are_drawn_upright_where_they_are() -> None:
    chosen = config(schedule="step", learning_rate=0.8, **{"decay.epochs": 3.0})
    assert upright(drawn(chosen, [70_001])) == [
        (3.0, 0.8, 0.4),
        (6.0, 0.4, 0.2),
        (9.0, 0.2, 0.1),
    ]


def test_falls_come_later_by_the_warm_up() -> None:
    chosen = config(schedule="step", learning_rate=0.8, **{"decay.epochs": 6.0}, warmup_epochs=1.0)
    assert upright(drawn(chosen, [500]))[1:] == [(7.0, 0.8, 0.4)]


def test_the_peak_of_one_cycle_is_drawn() -> None:
    chosen = config(schedule="one_cycle")
    schedule = phase_schedule(chosen, chosen.learning_rate, EPOCHS, 1234)
    assert max(rate for _, rate in drawn(chosen, [1234])) == max(rates(schedule))


def test_a_second_phase_begins_anew_from_its_own_peak_and_steps() -> None:
    chosen = two_phases(schedule="time", **{"decay.per_step": 0.01})
    line = drawn(chosen, [100, 50])
    first = phase_schedule(chosen, chosen.learning_rate, EPOCHS, 100)
    second = phase_schedule(chosen, 1e-4, 2, 50)
    assert upright(line) == [(10.0, first.rate(999), 1e-4)]
    assert line[-1] == (12.0, second.rate(99))


def test_a_plateau_is_drawn_as_the_most_that_the_rate_can_be() -> None:
    line = drawn(two_phases(schedule="plateau", learning_rate=0.01), [100, 100])
    assert {rate for place, rate in line if place < 10} == {0.01}
    assert {rate for place, rate in line if place > 10} == {1e-4}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_longest_run_is_drawn_with_few_points_from_left_to_right(name: str) -> None:
    chosen = config(schedule=name, epochs=10_000, **{"decay.epochs": 0.01})
    line = drawn(chosen, [1_000_000])
    assert len(line) <= 405
    assert line == sorted(line, key=lambda point: point[0])
    assert (line[0][0], line[-1][0]) == (0.0, 10_000.0)


def test_a_run_of_one_step_is_drawn() -> None:
    assert drawn(config(schedule="constant", epochs=1), [1]) == [(0.0, 3e-3), (1.0, 3e-3)]


def upright(line: list[tuple[float, float]]) -> list[tuple[float, float, float]]:
    """Where two points share their place: the place, the rate before and the rate after."""
    return [(x, before, after) for (x, before), (then, after) in pairwise(line) if x == then]
