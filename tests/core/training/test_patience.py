import json
import math
from collections.abc import Callable
from typing import Any

import keras
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.registry.config import DecayConfig, Monitor
from core.training.patience import Patience, Plateau

MODES = {"val_loss": "min", "val_accuracy": "max"}
PEAK = 0.1

monitors = st.sampled_from(sorted(MODES))
coarse = st.lists(st.integers(0, 8).map(lambda number: number / 8), max_size=30)
any_values = coarse | st.lists(st.floats(0, 10, width=32, allow_subnormal=False), max_size=30)
"""Values that Keras, which compares in float32, sees as they are."""
fine = st.lists(st.integers(0, 12).map(lambda number: 0.5 + number * 3e-5), max_size=30)
"""Values that differ by about the 1e-4 that a plateau asks for, never by just that."""
decays = st.builds(
    DecayConfig,
    factor=st.floats(0.1, 0.9),
    patience=st.integers(1, 4),
    monitor=monitors,
    minimum=st.sampled_from([0.0, 1e-3, 0.02, 0.2]),
)


class Learner:
    """As much of a model as a callback of Keras looks at."""

    def __init__(self) -> None:
        self.optimizer = keras.optimizers.SGD(PEAK)
        self.stop_training = False


def told(callback: Any, learner: Learner) -> Callable[[int, dict[str, float]], None]:
    callback.set_model(learner)
    callback.on_train_begin()
    return callback.on_epoch_end


@given(monitors, st.integers(1, 5), any_values)
def test_training_ends_at_the_epoch_at_which_early_stopping_of_keras_ends_it(
    monitor: Monitor, patience: int, values: list[float]
) -> None:
    learner, ours = Learner(), Patience(monitor, patience)
    stopping = keras.callbacks.EarlyStopping(monitor, patience=patience, mode=MODES[monitor])
    tell = told(stopping, learner)
    for epoch, value in enumerate(values):
        tell(epoch, {monitor: value})
        improved = ours.improved({monitor: value})
        assert (improved, ours.exhausted) == (stopping.best_epoch == epoch, learner.stop_training)
        if ours.exhausted:
            break


@given(decays, coarse | fine)
def test_the_rate_falls_as_reduce_lr_on_plateau_of_keras_lets_it(
    decay: DecayConfig, values: list[float]
) -> None:
    learner, ours = Learner(), Plateau(decay, PEAK)
    tell = told(
        keras.callbacks.ReduceLROnPlateau(
            decay.monitor,
            factor=decay.factor,
            patience=decay.patience,
            mode=MODES[decay.monitor],
            min_lr=decay.minimum,
        ),
        learner,
    )
    for epoch, value in enumerate(values):
        tell(epoch, {decay.monitor: value})
        rate = ours.after({decay.monitor: value})
        assert rate == ours.rate
        assert rate == pytest.approx(float(learner.optimizer.learning_rate), 1e-4)


def test_loss_gets_better_as_it_falls_and_accuracy_as_it_grows() -> None:
    loss, accuracy = Patience("val_loss", 3), Patience("val_accuracy", 3)
    epochs = [{"val_loss": value, "val_accuracy": value} for value in (0.5, 0.4, 0.6, 0.6)]
    assert [loss.improved(metrics) for metrics in epochs] == [True, True, False, False]
    assert [accuracy.improved(metrics) for metrics in epochs] == [True, False, True, False]


def test_patience_is_counted_down_and_is_whole_again_after_an_improvement() -> None:
    patience, left = Patience("val_loss", 2), []
    for loss in (0.5, 0.5, 0.4, 0.4, 0.4, 0.4):
        patience.improved({"val_loss": loss})
        left.append(patience.left)
    assert left == [2, 1, 2, 1, 0, 0]


def test_a_patience_of_0_waits_for_ever() -> None:
    patience = Patience("val_loss", 0)
    for _ in range(100):
        patience.improved({"val_loss": 0.5})
    assert not patience.exhausted
    assert patience.left is None


def test_not_a_number_never_improves_and_hides_no_later_improvement() -> None:
    patience = Patience("val_accuracy", 5)
    epochs = [{"val_accuracy": value} for value in (math.nan, 0.5, math.nan, 0.6)]
    assert [patience.improved(metrics) for metrics in epochs] == [False, True, False, True]


@given(monitors, st.integers(0, 3), any_values, any_values)
def test_patience_goes_on_from_its_json_as_if_never_interrupted(
    monitor: Monitor, patience: int, before: list[float], after: list[float]
) -> None:
    one, resumed = Patience(monitor, patience), Patience(monitor, patience)
    for value in before:
        one.improved({monitor: value})
    resumed.restore(json.loads(json.dumps(one.state())))
    for value in after:
        assert resumed.improved({monitor: value}) == one.improved({monitor: value})
    assert resumed == one


@given(decays, fine, fine)
def test_a_plateau_goes_on_from_its_json_as_if_never_interrupted(
    decay: DecayConfig, before: list[float], after: list[float]
) -> None:
    one, resumed = Plateau(decay, PEAK), Plateau(decay, PEAK)
    for value in before:
        one.after({decay.monitor: value})
    resumed.restore(json.loads(json.dumps(one.state())))
    assert resumed.rate == one.rate
    for value in after:
        assert resumed.after({decay.monitor: value}) == one.after({decay.monitor: value})
