import pytest

from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.pace import Pace
from core.training.progress import BatchEnd, EpochEnd, Progress

IMAGES, STEP_SECONDS, EVALUATION = 50, 0.5, 3.0
SPEED = IMAGES / STEP_SECONDS


class Training:
    """A training whose every step and every evaluation takes as long as the last."""

    def __init__(self, config: RunConfig, batches: int = 10, **others: object) -> None:
        self.now, self.step, self.batches = 100.0, 0, batches
        self.pace = Pace(config, clock=lambda: self.now, **others)  # type: ignore[arg-type]

    def train(self, steps: int) -> None:
        for _ in range(steps):
            self.now += STEP_SECONDS
            self.step += 1
            epoch, batch = divmod(self.step - 1, self.batches)
            place = epoch + 1, batch + 1, self.batches, self.step
            self.pace.batch(BatchEnd(*place, IMAGES, 1.0, 0.5, 0.1))
            if batch + 1 == self.batches:
                self.now += EVALUATION
                self.pace.epoch(EpochEnd(epoch + 1, 1, True, 0.0, {}, None))


@pytest.fixture
def config() -> RunConfig:
    return change(RECIPES["cnn-digits"].config, {"epochs": 4})


def test_nothing_is_told_before_the_second_step(config: RunConfig) -> None:
    training = Training(config)
    training.train(1)
    assert (training.pace.images_per_second, training.pace.seconds_left) == (0.0, None)


@pytest.mark.parametrize("steps", [2, 9, 10, 11, 12, 25])
def test_speed_is_that_of_training_alone(config: RunConfig, steps: int) -> None:
    training = Training(config)
    training.train(steps)
    assert training.pace.images_per_second == pytest.approx(SPEED)


@pytest.mark.parametrize("steps", [11, 12, 25, 31])
def test_what_is_left_is_steps_and_evaluations(config: RunConfig, steps: int) -> None:
    training = Training(config)
    training.train(steps)
    left = (40 - steps) * STEP_SECONDS + (4 - steps // 10) * EVALUATION
    assert training.pace.seconds_left == pytest.approx(left)


def test_before_the_first_epoch_ended_only_steps_are_known(config: RunConfig) -> None:
    training = Training(config)
    training.train(5)
    assert training.pace.seconds_left == pytest.approx(35 * STEP_SECONDS)


def test_only_the_last_seconds_count(config: RunConfig) -> None:
    training = Training(config, batches=1000)
    training.pace.batch(BatchEnd(1, 1, 1000, 1, IMAGES, 1.0, 0.5, 0.1))
    training.now += 600.0  # a pause
    training.train(100)
    assert training.pace.images_per_second == pytest.approx(SPEED)


def test_a_later_phase_takes_as_long_as_was_estimated(config: RunConfig) -> None:
    two = change(RECIPES["vgg16-digits"].config, {"epochs": 1, "second_phase.epochs": 2})
    known, unknown = Training(two, later={2: 500.0}.get), Training(two)
    for training in (known, unknown):
        training.train(5)
    of_first = 5 * STEP_SECONDS
    assert known.pace.seconds_left == pytest.approx(of_first + 500.0)
    assert unknown.pace.seconds_left == pytest.approx(of_first + 20 * STEP_SECONDS)


def test_another_phase_is_measured_anew(config: RunConfig) -> None:
    two = change(RECIPES["vgg16-digits"].config, {"epochs": 1, "second_phase.epochs": 2})
    training = Training(two)
    training.train(5)
    training.pace.at(2, 1)
    assert (training.pace.images_per_second, training.pace.seconds_left) == (0.0, None)


def test_a_stretch_is_timed_from_its_first_report(config: RunConfig) -> None:
    training, told = Training(config), []
    for done in (64, 128, 256):
        told.append(training.pace.progress(Progress("features", done, 1000, "images")))
        training.now += 2
    assert told == [0.0, 32.0, 48.0]
    assert training.pace.progress(Progress("features of others", 10, 100, "images")) == 0.0
