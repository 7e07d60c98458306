import pytest

from core.schedules import SCHEDULES, learning_rate

STEPS = 1000


def rates(schedule: str, peak: float = 0.1, steps: int = STEPS) -> list[float]:
    return [learning_rate(schedule, peak, step, steps) for step in range(steps)]


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 10, STEPS])
def test_every_step_learns_and_none_beyond_the_peak(schedule: str, steps: int) -> None:
    assert all(0 < rate <= 0.1 for rate in rates(schedule, steps=steps))


def test_constant_stays() -> None:
    assert set(rates("constant")) == {0.1}


def test_linear_falls_by_the_same_amount_at_every_step() -> None:
    assert rates("linear", 1.0, steps=4) == pytest.approx([0.875, 0.625, 0.375, 0.125])


def test_cosine_falls_slowly_at_first_and_at_last_and_is_half_way_in_the_middle() -> None:
    # cos at 1/8, 3/8, 5/8 and 7/8 of half a turn
    expected = [0.96193977, 0.69134172, 0.30865828, 0.03806023]
    assert rates("cosine", 1.0, steps=4) == pytest.approx(expected)


def test_one_cycle_rises_for_three_tenths_and_then_falls() -> None:
    found = rates("one_cycle")
    rising, falling = found[:300], found[300:]
    assert rising == sorted(rising)
    assert falling == sorted(falling, reverse=True)
    assert max(found) == pytest.approx(0.1, rel=0.01)
    assert max(found[0], found[-1]) < 0.001


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_rate_is_proportional_to_its_peak(schedule: str) -> None:
    assert rates(schedule, 0.2) == pytest.approx([2 * rate for rate in rates(schedule, 0.1)])
