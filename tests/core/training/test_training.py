import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss
from sklearn.utils.class_weight import compute_class_weight

from core.data.datasets import Split, Splits, load_splits
from core.data.pictures import Pictures
from core.data.preprocessing import for_network
from core.errors import Diverged
from core.network.networks import Network, build
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training import devices, steps
from core.training.evaluating import Evaluation
from core.training.feature_cache import FeatureCache
from core.training.features import Stopped
from core.training.inputs import ImageInputs
from core.training.passes import Passes, class_weights
from core.training.progress import BatchEnd, EpochEnd, Event, Note, Progress, ResumePoint
from core.training.schedules import phase_schedule
from core.training.steps import TrainingStep
from core.training.training import train
from core.workspace import PROJECT

SMALL = {
    "precision": "float32",
    "train_images": 60,
    "test_images": 20,
    "batch_size": 16,
    "schedule": "constant",
    "learning_rate": 1e-3,
}
CNN = change(RECIPES["cnn-digits"].config, SMALL | {"side": 8, "dense": [16]})
TRANSFER = change(CNN, {"mode": "transfer"})
TWO_PHASES = change(
    CNN,
    {
        "mode": "transfer",
        "optimizer": "sgd",
        "learning_rate": 1e-3,
        "second_phase.epochs": 2,
        "second_phase.still_frozen": "block1",
        "second_phase.batch_size": 30,
        "second_phase.learning_rate": 1e-4,
    },
)
"""4 steps in the one epoch of the first phase, 2 in each of the second."""
STANDSTILL = {"optimizer": "sgd", "learning_rate": 1e-12, "dense": [], "precision": "float32"}
"""Steps too small to change any weight, so that no epoch is better than the one before."""

ShouldStop = Callable[[Sequence[Event]], bool]


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", limit=2**40)


def network_of(config: RunConfig, seed: int = 0) -> Network:
    return build(config.network, 10, seed=seed)


def trained_part(network: Network) -> keras.Model:
    return network.parts(network.config.frozen_count).trained


def splits_of(config: RunConfig) -> Splits:
    return load_splits(config.data, config.seed)


def events_of(
    config: RunConfig,
    network: Network,
    cache: FeatureCache,
    should_stop: ShouldStop = lambda seen: False,
) -> list[Event]:
    """Train; returns all that was told of it. `should_stop` decides from what was told so far."""
    seen: list[Event] = []
    splits = splits_of(config)
    train(config, splits, network, cache, "float32", seen.append, lambda: should_stop(seen))
    return seen


def batches_in(events: Sequence[Event]) -> list[BatchEnd]:
    return [event for event in events if isinstance(event, BatchEnd)]


def epochs_in(events: Sequence[Event]) -> list[EpochEnd]:
    return [event for event in events if isinstance(event, EpochEnd)]


def notes_in(events: Sequence[Event]) -> list[Note]:
    return [event for event in events if isinstance(event, Note)]


def features_in(events: Sequence[Event]) -> list[Progress]:
    """Batches that went through frozen layers."""
    return [event for event in events if isinstance(event, Progress) and "features" in event.phase]


def weights_of(network: Network) -> list[NDArray[np.float32]]:
    return [*network.backbone.get_weights(), *network.classifier.get_weights()]


def assert_same_weights(
    ours: Network | keras.Model, expected: Network | keras.Model, **tolerance: float
) -> None:
    got, wanted = (
        each.get_weights() if isinstance(each, keras.Model) else weights_of(each)
        for each in (ours, expected)
    )
    for one, two in zip(got, wanted, strict=True):
        np.testing.assert_allclose(one, two, **(tolerance or {"rtol": 0, "atol": 0}))


# --- a step against plain Keras ---------------------------------------------------------------

Settings = dict[str, Any]
RATE = 0.005
KERAS_OPTIMIZERS: dict[str, tuple[Settings, Callable[[], keras.optimizers.Optimizer]]] = {
    "sgd": ({"optimizer": "sgd"}, lambda: keras.optimizers.SGD(RATE)),
    "sgd with momentum": (
        {"optimizer": "sgd", "momentum": 0.9},
        lambda: keras.optimizers.SGD(RATE, momentum=0.9),
    ),
    "sgd with nesterov": (
        {"optimizer": "sgd", "momentum": 0.8, "nesterov": True},
        lambda: keras.optimizers.SGD(RATE, momentum=0.8, nesterov=True),
    ),
    "rmsprop": (
        {"optimizer": "rmsprop"},
        lambda: keras.optimizers.RMSprop(RATE, rho=0.9, epsilon=1e-8),
    ),
    "adam": ({"optimizer": "adam"}, lambda: keras.optimizers.Adam(RATE)),
    "adamw": (
        {"optimizer": "adamw", "weight_decay": 0.3},
        lambda: keras.optimizers.AdamW(RATE, weight_decay=0.3),
    ),
    "adagrad": ({"optimizer": "adagrad"}, lambda: keras.optimizers.Adagrad(RATE)),
}
SPARSE = "sparse_categorical_crossentropy"


def compiled(
    model: keras.Model, optimizer: keras.optimizers.Optimizer, loss: Any = SPARSE
) -> keras.Model:
    """The model as a plain Keras script would train it."""
    model.compile(optimizer, loss, metrics=["accuracy"], jit_compile=False)
    return model


def step_side_by_side(
    config: RunConfig,
    optimizer: keras.optimizers.Optimizer,
    loss: Any = SPARSE,
    weights: dict[int, float] | None = None,
    one_hot: bool = False,
) -> tuple[keras.Model, keras.Model]:
    """Two passes with our step and with Keras's, which must tell the same."""
    ours, plain = (trained_part(network_of(config, seed=1)) for _ in range(2))
    splits = splits_of(config)
    step = TrainingStep(config, ours, class_weights(config, splits))
    compiled(plain, optimizer, loss)
    rows, labels = for_network(splits.train.images, 8, 1), splits.train.labels
    for _, chosen in Passes(config.seed, 1, len(rows), config.batch_size).take(0, 8):
        plain.reset_metrics()  # they are means over batches
        truth = np.eye(10)[labels[chosen]] if one_hot else labels[chosen]
        told = step((rows[chosen],), labels[chosen], config.learning_rate)
        expected = plain.train_on_batch(rows[chosen], truth, class_weight=weights)
        assert told == pytest.approx(expected, rel=1e-5)
    return ours, plain


@pytest.mark.parametrize("name", KERAS_OPTIMIZERS)
def test_a_step_is_the_step_of_plain_keras(name: str) -> None:
    settings, optimizer = KERAS_OPTIMIZERS[name]
    config = change(CNN, settings | {"learning_rate": RATE, "dense": [16, 16]})
    ours, plain = step_side_by_side(config, optimizer())
    assert_same_weights(ours, plain, rtol=1e-5, atol=1e-6)


def test_every_optimizer_was_compared() -> None:
    assert {settings["optimizer"] for settings, _ in KERAS_OPTIMIZERS.values()} == set(
        steps.OPTIMIZERS
    )


def test_a_step_takes_the_learning_rate_that_it_is_given() -> None:
    config = change(CNN, {"optimizer": "sgd"})
    ours, plain = (trained_part(network_of(config)) for _ in range(2))
    step = TrainingStep(config, ours)
    compiled(plain, keras.optimizers.SGD(config.learning_rate))
    split = splits_of(config).train
    rows = for_network(split.images, 8, 1)
    passes = Passes(config.seed, 1, 60, 16)
    for rate, (_, chosen) in zip((0.3, 0.1, 0.01), passes.take(0, 3), strict=True):
        step((rows[chosen],), split.labels[chosen], rate)
        plain.optimizer.learning_rate = rate
        plain.train_on_batch(rows[chosen], split.labels[chosen])
    assert_same_weights(ours, plain, rtol=1e-5, atol=1e-6)


UNEVEN = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 0.1, 10.0, 1.0)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("weights", ["none", UNEVEN])
def test_class_weights_and_label_smoothing_are_those_of_keras(
    weights: Any, smoothing: float
) -> None:
    settings = {"optimizer": "sgd", "learning_rate": RATE, "class_weights": weights}
    config = change(CNN, settings | {"label_smoothing": smoothing})
    ours, plain = step_side_by_side(
        config,
        keras.optimizers.SGD(RATE),
        keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
        weights=dict(enumerate(weights)) if weights == UNEVEN else None,
        one_hot=True,
    )
    assert_same_weights(ours, plain, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_learns_about_the_same(precision: str) -> None:
    config = change(CNN, {"optimizer": "sgd", "learning_rate": 0.05})
    split = splits_of(config).train
    rows = for_network(split.images, 8, 1)
    losses = []
    for number_format in ("float32", precision):
        network = build(config.network, 10, number_format, seed=1)
        step = TrainingStep(config, trained_part(network))
        passes = Passes(config.seed, 1, 60, 16).take(0, 8)
        losses.append([step((rows[c],), split.labels[c], 0.05)[0] for _, c in passes])
    exact, mixed = losses
    assert mixed == pytest.approx(exact, rel=0.02)
    assert mixed != exact


# --- weights of classes -----------------------------------------------------------------------


def splits_with(labels: Sequence[int]) -> Splits:
    split = Split(np.zeros((len(labels), 8, 8), np.uint8), np.array(labels), np.arange(len(labels)))
    return Splits(split, split, split)


@given(st.lists(st.integers(0, 9), min_size=1).filter(lambda labels: len(set(labels)) > 1))
def test_balanced_class_weights_are_those_of_scikit_learn(labels: list[int]) -> None:
    found = class_weights(change(CNN, {"class_weights": "balanced"}), splits_with(labels))
    assert found is not None
    present = np.unique(labels)
    # scikit-learn knows of no class that has no image.
    expected = compute_class_weight("balanced", classes=present, y=np.array(labels))
    np.testing.assert_allclose(found[present], expected * len(present) / 10, rtol=1e-6)
    assert set(found) == {*found[present], *([0] if len(present) < 10 else [])}


def test_class_weights_may_be_given_or_left_out() -> None:
    splits = splits_with([0, 1, 1])
    assert class_weights(CNN, splits) is None
    given_ = class_weights(change(CNN, {"class_weights": UNEVEN}), splits)
    np.testing.assert_allclose(given_, UNEVEN)


# --- the order of images ----------------------------------------------------------------------


@given(count=st.integers(1, 300), size=st.integers(1, 400), first=st.integers(1, 10_000))
def test_every_image_is_in_one_batch_of_a_pass(count: int, size: int, first: int) -> None:
    passes = Passes(0, first, count, size)
    taken = passes.take(0, passes.batches)
    assert [number for number, _ in taken] == [first] * passes.batches
    batches = [positions for _, positions in taken]
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= size


@given(
    count=st.integers(1, 50),
    size=st.integers(1, 60),
    steps=st.lists(st.integers(1, 20), min_size=1, max_size=6),
)
def test_epochs_of_any_length_go_on_where_the_last_one_left_the_images(
    count: int, size: int, steps: list[int]
) -> None:
    passes = Passes(3, 5, count, size)
    ends = np.cumsum(steps).tolist()
    taken = [
        batch
        for end, length in zip(ends, steps, strict=True)
        for batch in passes.take(end - length, length)
    ]
    whole = [
        batch
        for number in range(ends[-1])
        for batch in passes.take(number * passes.batches, passes.batches)
    ]
    for (number, found), (expected, wanted) in zip(taken, whole, strict=False):
        assert number == expected
        np.testing.assert_array_equal(found, wanted)
    seen = np.bincount(np.concatenate([positions for _, positions in taken]), minlength=count)
    assert seen.max() - seen.min() <= 1


def order(number: int = 1, seed: int = 0, size: int = 16) -> list[int]:
    """The order in which a pass takes its images."""
    passes = Passes(seed, number, 100, size)
    return np.concatenate([rows for _, rows in passes.take(0, passes.batches)]).tolist()


def test_the_order_of_images_depends_on_the_seed_and_the_pass_alone() -> None:
    assert order() == order(size=7)
    assert order() != order(number=2)
    assert order() != order(seed=1)
    later = [rows for number, rows in Passes(0, 1, 100, 16).take(0, 21) if number == 3]
    assert np.concatenate(later).tolist() == order(number=3)


VARIED = {"augmentation.rotation": 15.0}


@pytest.mark.parametrize("settings", [{}, VARIED], ids=["as they are", "varied"])
def test_only_the_reports_depend_on_how_many_steps_an_epoch_has(
    settings: Settings, cache: FeatureCache
) -> None:
    usual = network_of(CNN, seed=1)
    events_of(change(CNN, settings | {"epochs": 3}), usual, cache)  # of 4 steps each
    for length, epochs in ((3, 4), (6, 2), (1, 12)):
        other = network_of(CNN, seed=1)
        config = change(CNN, settings | {"epochs": epochs, "steps_per_epoch": length})
        batches = batches_in(events_of(config, other, cache))
        assert_same_weights(other, usual)
        assert [batch.images for batch in batches] == [16, 16, 16, 12] * 3
        assert [(batch.epoch, batch.batch, batch.batches) for batch in batches] == [
            (epoch, step, length) for epoch in range(1, epochs + 1) for step in range(1, length + 1)
        ]


# --- learning ---------------------------------------------------------------------------------


def test_a_head_learns_the_images_it_is_shown(cache: FeatureCache) -> None:
    settings = {"side": 32, "train_images": 40, "network.head.dropout": 0, "epochs": 30}
    config = change(RECIPES["vgg16-digits"].config, SMALL | settings)
    first, *_, last = epochs_in(events_of(config, network_of(config), cache))
    assert first.metrics["accuracy"] < 0.5
    assert last.metrics["accuracy"] > 0.9


def test_training_that_comes_to_its_end_says_so(cache: FeatureCache) -> None:
    config, quiet = change(CNN, {"epochs": 2}), list[Event]().append
    network, splits = network_of(CNN), splits_of(CNN)
    assert train(config, splits, network, cache, "float32", quiet, lambda: False) is True


def test_each_image_goes_through_the_frozen_layers_once(cache: FeatureCache) -> None:
    events = events_of(change(TRANSFER, {"epochs": 3}), network_of(TRANSFER), cache)
    assert [(event.phase, event.done, event.total) for event in features_in(events)] == [
        ("features of training images", 60, 60),
        ("features of test images", 20, 20),
    ]


def test_the_second_time_nothing_goes_through_the_frozen_layers(cache: FeatureCache) -> None:
    once, again = (network_of(TRANSFER, seed=1) for _ in range(2))
    assert features_in(events_of(TRANSFER, once, cache))
    assert features_in(events_of(TRANSFER, again, cache)) == []
    assert_same_weights(again, once)


# --- being stopped ----------------------------------------------------------------------------


def after(count: int, find: Callable[[Sequence[Event]], Sequence[Event]]) -> ShouldStop:
    """Stop once so many events of a kind were told."""
    return lambda seen: len(find(seen)) >= count


def test_a_stop_while_features_are_computed_leaves_nothing_half_done(cache: FeatureCache) -> None:
    config = change(TRANSFER, {"train_images": 600})  # of which 256 are run at once
    with pytest.raises(Stopped):
        events_of(config, network_of(config), cache, after(1, features_in))
    assert list(cache.folder.iterdir()) == []


def test_a_stop_before_the_first_step_leaves_nothing_to_evaluate(cache: FeatureCache) -> None:
    with pytest.raises(Stopped):
        events_of(CNN, network_of(CNN), cache, should_stop=lambda seen: True)


def test_a_stop_within_an_epoch_ends_it_with_that_batch(cache: FeatureCache) -> None:
    network, config = network_of(CNN), change(CNN, {"epochs": 5})
    events = events_of(config, network, cache, after(2, batches_in))
    (epoch,) = epochs_in(events)
    assert [batch.batch for batch in batches_in(events)] == [1, 2]
    assert not epoch.complete
    test = splits_of(config).test
    expected = predicted(config, network, test)
    np.testing.assert_allclose(epoch.probabilities, expected, atol=1e-3)
    accuracy = accuracy_score(test.labels, epoch.probabilities.argmax(axis=1))
    assert epoch.metrics["test_accuracy"] == accuracy


def test_a_stop_between_epochs_ends_training_after_a_complete_epoch(cache: FeatureCache) -> None:
    config = change(CNN, {"epochs": 5})
    events = events_of(config, network_of(CNN), cache, after(1, epochs_in))
    (epoch,) = epochs_in(events)
    assert epoch.complete
    *_, told, point = events
    assert told == epoch
    assert isinstance(point, ResumePoint)
    assert (point.position.epoch, point.needed) == (1, True)


@pytest.mark.parametrize(
    ("should_stop", "epochs"),
    [
        pytest.param(after(3, features_in), [(1, 1, True)], id="in its features"),
        pytest.param(after(5, batches_in), [(1, 1, True), (2, 2, False)], id="in an epoch"),
        pytest.param(after(2, epochs_in), [(1, 1, True), (2, 2, True)], id="between epochs"),
    ],
)
def test_a_stop_in_the_second_phase_keeps_what_was_learned(
    should_stop: ShouldStop, epochs: list[tuple[int, int, bool]], cache: FeatureCache
) -> None:
    network, seen = network_of(TWO_PHASES), list[Event]()
    finished = train(
        TWO_PHASES,
        splits_of(TWO_PHASES),
        network,
        cache,
        "float32",
        seen.append,
        lambda: should_stop(seen),
    )
    assert finished is False
    told = epochs_in(seen)
    assert [(epoch.epoch, epoch.phase, epoch.complete) for epoch in told] == epochs
    expected = predicted(TWO_PHASES, network, splits_of(TWO_PHASES).test)
    np.testing.assert_allclose(told[-1].probabilities, expected, atol=1e-3)


# --- what is told -----------------------------------------------------------------------------


def predicted(config: RunConfig, network: Network, split: Split) -> NDArray[np.float32]:
    """Probabilities of the CNN as plain Keras computes them."""
    images = for_network(split.images, config.network.side, 1)
    return np.asarray(network.parts(0).trained.predict(images, verbose=0))


def test_metrics_are_those_of_scikit_learn(cache: FeatureCache) -> None:
    config = change(CNN, {"epochs": 3, "train_images": 200, "validation": 0.2})
    network, splits = network_of(config), splits_of(config)
    last = epochs_in(events_of(config, network, cache))[-1]
    for part, split in (("test", splits.test), ("val", splits.validation)):
        probabilities = predicted(config, network, split).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        guessed = probabilities.astype(np.float16).argmax(axis=1)  # as they are stored
        loss = log_loss(split.labels, probabilities, labels=range(10))
        assert last.metrics[f"{part}_accuracy"] == accuracy_score(split.labels, guessed)
        assert last.metrics[f"{part}_loss"] == pytest.approx(loss, rel=1e-4)


@pytest.mark.parametrize("validation", ["test", 0.5])
@pytest.mark.parametrize("steps", [1, 2])
def test_so_many_batches_of_validation_images_are_watched_of_each_class_the_first(
    validation: Any, steps: int, cache: FeatureCache
) -> None:
    config = change(CNN, {"validation": validation, "validation_steps": steps})
    network, splits = network_of(config), splits_of(config)
    (epoch,) = epochs_in(events_of(config, network, cache))
    labels = splits.validation.labels.tolist()
    earlier = [(labels[:place].count(label), label) for place, label in enumerate(labels)]
    chosen = sorted(range(len(labels)), key=earlier.__getitem__)[: steps * 16]
    watched = splits.validation.take(np.sort(chosen))
    guessed = predicted(config, network, watched).astype(np.float16).argmax(axis=1)
    assert epoch.metrics["val_accuracy"] == accuracy_score(watched.labels, guessed)
    assert len(epoch.probabilities) == 20


def test_the_probabilities_told_are_those_of_the_test_images(cache: FeatureCache) -> None:
    network = network_of(CNN)
    (epoch,) = epochs_in(events_of(CNN, network, cache))
    expected = predicted(CNN, network, splits_of(CNN).test)
    assert epoch.probabilities.dtype == np.float16
    np.testing.assert_allclose(epoch.probabilities, expected, atol=1e-3)


@pytest.mark.parametrize(("at_once", "most"), [(500, None), (7, None), (20, 20), (6, 13), (1, 2)])
def test_probabilities_do_not_depend_on_how_many_are_computed_at_once(
    at_once: int, most: int | None
) -> None:
    network, test, told = network_of(CNN), splits_of(CNN).test, list[Event]()
    evaluate = Evaluation(trained_part(network), at_once)
    chosen = None if most is None else np.arange(most)
    found = evaluate(ImageInputs(Pictures(test, CNN.network)), told.append, chosen)
    count = most or 20
    np.testing.assert_allclose(found, predicted(CNN, network, test)[:count], rtol=1e-5)
    done = [min(start + at_once, count) for start in range(0, count, at_once)]
    assert told == [Progress("evaluating", each, count, "images") for each in done]


def test_training_metrics_are_means_over_all_images_of_the_epoch(cache: FeatureCache) -> None:
    events = events_of(CNN, network_of(CNN), cache)
    (epoch,), batches = epochs_in(events), batches_in(events)
    counts = [batch.images for batch in batches]
    assert counts == [16, 16, 16, 12]
    for name in ("loss", "accuracy"):
        mean = np.average([getattr(batch, name) for batch in batches], weights=counts)
        assert epoch.metrics[name] == pytest.approx(mean)


def test_steps_are_numbered_through_and_follow_the_schedule(cache: FeatureCache) -> None:
    config = change(CNN, {"epochs": 2, "schedule": "one_cycle"})
    batches = batches_in(events_of(config, network_of(config), cache))
    assert [(batch.epoch, batch.batch, batch.step) for batch in batches] == [
        (1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4), (2, 1, 5), (2, 2, 6), (2, 3, 7), (2, 4, 8),
    ]  # fmt: skip
    schedule = phase_schedule(config, 1e-3, epochs=2, steps_per_epoch=4)
    assert [batch.learning_rate for batch in batches] == [schedule.rate(step) for step in range(8)]


# --- two phases -------------------------------------------------------------------------------


def test_the_second_phase_is_told_of_and_its_steps_go_on_from_the_first(
    cache: FeatureCache,
) -> None:
    config = change(TWO_PHASES, {"schedule": "linear"})
    events = events_of(config, network_of(config), cache)
    batches = batches_in(events)
    assert [(batch.epoch, batch.batch, batch.batches, batch.step) for batch in batches] == [
        (1, 1, 4, 1), (1, 2, 4, 2), (1, 3, 4, 3), (1, 4, 4, 4),
        (2, 1, 2, 5), (2, 2, 2, 6), (3, 1, 2, 7), (3, 2, 2, 8),
    ]  # fmt: skip
    first = phase_schedule(config, 1e-3, epochs=1, steps_per_epoch=4)
    second = phase_schedule(config, 1e-4, epochs=2, steps_per_epoch=2)
    rates = [schedule.rate(step) for schedule in (first, second) for step in range(4)]
    assert [batch.learning_rate for batch in batches] == rates
    assert [(epoch.epoch, epoch.phase) for epoch in epochs_in(events)] == [(1, 1), (2, 2), (3, 2)]
    assert notes_in(events) == [Note(1, "4 layers of the backbone train from here on.")]


def test_the_second_phase_begins_with_what_the_first_learned(cache: FeatureCache) -> None:
    once, twice = (network_of(TWO_PHASES, seed=1) for _ in range(2))
    one_phase = {"second_phase.epochs": 0, "second_phase.still_frozen": 0}
    events_of(change(TWO_PHASES, one_phase), once, cache)
    start = weights_of(twice)
    events_of(change(TWO_PHASES, {"second_phase.learning_rate": 1e-12}), twice, cache)
    assert_same_weights(twice, once, rtol=0, atol=1e-9)
    assert any((now != then).any() for now, then in zip(weights_of(twice), start, strict=True))


def test_only_what_each_phase_trains_changes(cache: FeatureCache) -> None:
    network = network_of(TWO_PHASES)
    seen: list[tuple[int, list[NDArray[np.float32]]]] = [(0, weights_of(network))]

    def keep(event: Event) -> None:
        if isinstance(event, EpochEnd):
            seen.append((event.phase, weights_of(network)))

    splits = splits_of(TWO_PHASES)
    train(TWO_PHASES, splits, network, cache, "float32", keep, lambda: False)
    first_block, second_block, head = slice(0, 4), slice(4, 8), slice(8, None)
    for (_, before), (phase, now) in pairwise(seen):
        moved = [bool((one != two).any()) for one, two in zip(before, now, strict=True)]
        assert not any(moved[first_block])
        assert all(moved[second_block]) == any(moved[second_block]) == (phase == 2)
        assert all(moved[head])


# --- waiting for an improvement ---------------------------------------------------------------

IMPATIENT: Settings = {
    **STANDSTILL,
    "epochs": 5,
    "early_stopping.patience": 2,
    "early_stopping.monitor": "val_loss",
}


def test_a_phase_that_brings_nothing_more_ends_and_the_next_begins(cache: FeatureCache) -> None:
    later = {"second_phase.epochs": 6, "second_phase.learning_rate": 1e-12}
    config = change(TWO_PHASES, IMPATIENT | later)
    events = events_of(config, network_of(config), cache)
    phases = [(epoch.epoch, epoch.phase) for epoch in epochs_in(events)]
    assert phases == [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2)]
    assert notes_in(events) == [
        Note(3, "val_loss has not improved for 2 epochs: this phase ends here."),
        Note(3, "4 layers of the backbone train from here on."),
        Note(6, "val_loss has not improved for 2 epochs: this phase ends here."),
    ]
    assert [batch.step for batch in batches_in(events)] == list(range(1, 3 * 4 + 3 * 2 + 1))


def test_training_that_early_stopping_ends_came_to_its_end(cache: FeatureCache) -> None:
    config, seen = change(CNN, IMPATIENT), list[Event]()
    network, splits = network_of(config), splits_of(config)
    assert train(config, splits, network, cache, "float32", seen.append, lambda: False)
    assert len(epochs_in(seen)) == 3


def test_a_last_epoch_needs_no_early_stopping(cache: FeatureCache) -> None:
    config = change(CNN, IMPATIENT | {"epochs": 3})
    events = events_of(config, network_of(config), cache)
    assert len(epochs_in(events)) == 3
    assert notes_in(events) == []


PLATEAU: Settings = {
    **STANDSTILL,
    "epochs": 6,
    "schedule": "plateau",
    "decay.patience": 2,
    "decay.factor": 0.1,
    "decay.minimum": 5e-14,
    "decay.monitor": "val_loss",
}


def test_the_rate_falls_where_nothing_improves(cache: FeatureCache) -> None:
    config = change(CNN, PLATEAU)
    events = events_of(config, network_of(config), cache)
    rates = [batch.learning_rate for batch in batches_in(events) if batch.batch == 1]
    assert rates == pytest.approx([1e-12, 1e-12, 1e-12, 1e-13, 1e-13, 5e-14])
    assert notes_in(events) == [
        Note(3, "No improvement: the learning rate falls to 1e-13."),
        Note(5, "No improvement: the learning rate falls to 5e-14."),
    ]


def test_the_second_phase_begins_at_its_own_rate_again(cache: FeatureCache) -> None:
    later = {"second_phase.epochs": 4, "second_phase.learning_rate": 1e-11}
    config = change(TWO_PHASES, PLATEAU | {"epochs": 4} | later)
    events = events_of(config, network_of(config), cache)
    rates = [batch.learning_rate for batch in batches_in(events) if batch.batch == 1]
    expected = [1e-12, 1e-12, 1e-12, 1e-13, 1e-11, 1e-11, 1e-11, 1e-12]
    assert rates == pytest.approx(expected)


def test_a_warm_up_comes_before_the_plateau(cache: FeatureCache) -> None:
    config = change(CNN, PLATEAU | {"warmup_epochs": 1.0})
    batches = batches_in(events_of(config, network_of(config), cache))
    rates = [batch.learning_rate / 1e-12 for batch in batches[:5]]
    assert rates == pytest.approx([0.125, 0.375, 0.625, 0.875, 1])


class Learner:
    """As much of a model as a callback of Keras looks at."""

    def __init__(self, rate: float) -> None:
        self.optimizer = keras.optimizers.SGD(rate)
        self.stop_training = False


def test_keras_decides_the_same_from_the_same_metrics(cache: FeatureCache) -> None:
    waiting = {"early_stopping.patience": 3, "decay.patience": 1, "decay.minimum": 0.0}
    settings = {"epochs": 12, "learning_rate": 0.02, "schedule": "plateau", "optimizer": "rmsprop"}
    config = change(CNN, settings | waiting)
    events = events_of(config, network_of(config, seed=1), cache)
    learner = Learner(0.02)
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=3),
        keras.callbacks.ReduceLROnPlateau("val_accuracy", factor=0.5, patience=1, mode="max"),
    ]
    for callback in callbacks:
        callback.set_model(learner)
        callback.on_train_begin()
    rates = []
    for epoch in epochs_in(events):
        assert not learner.stop_training
        rates.append(float(learner.optimizer.learning_rate))
        for callback in callbacks:
            callback.on_epoch_end(epoch.epoch - 1, dict(epoch.metrics))
    told = [batch.learning_rate for batch in batches_in(events) if batch.batch == 1]
    assert told == pytest.approx(rates)
    assert learner.stop_training or len(rates) == 12
    assert rates[-1] < 0.02


# --- a loss that is no number any more --------------------------------------------------------


@pytest.fixture
def fragile() -> Network:
    """The CNN, answering as ever, but of numbers so large that one step ruins it."""
    network = network_of(CNN)
    hidden, *_, softmax = (layer for layer in network.classifier.layers if layer.weights)
    for layer, scale in ((hidden, 1e-30), (softmax, 1e30)):
        layer.kernel.assign(layer.kernel * scale)
    return network


RUINOUS = {"learning_rate": 10, "optimizer": "sgd"}


def test_a_step_without_a_loss_ends_training_with_advice(
    fragile: Network, cache: FeatureCache
) -> None:
    with pytest.raises(Diverged) as caught:
        events_of(change(CNN, RUINOUS), fragile, cache)
    assert str(caught.value) == (
        "the loss is no longer a number at step 2, with a learning rate of 10; "
        "try a learning_rate of 1"
    )


def test_a_last_step_that_ruins_the_network_is_noticed(
    fragile: Network, cache: FeatureCache
) -> None:
    config = change(CNN, RUINOUS | {"batch_size": 60})
    with pytest.raises(Diverged, match="no longer a number after epoch 1, with a learning rate"):
        events_of(config, fragile, cache)


def test_the_advice_for_the_second_phase_names_its_own_rate(
    fragile: Network, cache: FeatureCache
) -> None:
    settings = {"learning_rate": 1e-300, "second_phase.learning_rate": 10}  # 0 in float32
    with pytest.raises(Diverged) as caught:
        events_of(change(TWO_PHASES, settings), fragile, cache)
    assert str(caught.value) == (
        "the loss is no longer a number at step 6, with a learning rate of 10; "
        "try a second_phase.learning_rate of 1"
    )


# --- other processes and devices --------------------------------------------------------------


def test_one_device_needs_no_strategy() -> None:
    if len(tf.config.list_physical_devices("GPU")) > 1:
        pytest.skip("this machine has several GPUs")
    assert devices.strategy().num_replicas_in_sync == 1


ON_TWO_DEVICES = """
import json, sys
from pathlib import Path
import numpy as np
import tensorflow as tf
from core.registry.settings import change
from core.data.datasets import load_splits
from core.training.feature_cache import FeatureCache
from core.network.networks import build
from core.registry.recipes import RECIPES
from core.training.progress import EpochEnd
from core.training.training import train

(cpu,) = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
strategies = tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])

def train_under(strategy, config, folder):
    epochs = []
    def report(event):
        if isinstance(event, EpochEnd):
            epochs.append(event)
    with strategy.scope():
        network = build(config.network, 10, config.precision, seed=1)
        splits, cache = load_splits(config.data, 0), FeatureCache(folder, 2**40)
        start = [np.asarray(v).copy() for layer in network.layers().values() for v in layer.weights]
        train(config, splits, network, cache, config.precision, report, lambda: False)
    end = [np.asarray(v) for layer in network.layers().values() for v in layer.weights]
    return start, end, epochs[-1]

def most(ones, others):
    return float(max(abs(one - other).max() for one, other in zip(ones, others)))

for name, settings in json.loads(sys.argv[2]).items():
    config = change(RECIPES["cnn-digits"].config, settings)
    (start, single, one), (_, several, two) = (
        train_under(strategy, config, Path(sys.argv[1]) / f"{name}-{number}")
        for number, strategy in enumerate(strategies)
    )
    print(json.dumps({
        "name": name,
        "moved": most(single, start),
        "apart": most(single, several),
        "probabilities": most([one.probabilities], [two.probabilities]),
        "loss": abs(one.metrics["loss"] - two.metrics["loss"]),
        "finite": all(bool(np.isfinite(array).all()) for array in several),
    }))
"""
TWO_BLOCKS: Settings = {"blocks": [{"filters": 4, "dropout": 0}] * 2}
ON_TWO: Settings = {
    "side": 8,
    "dense": [8],
    "network.head.dropout": 0,
    "train_images": 21,  # leaves one image in the last batch, for two devices
    "test_images": 11,
    "batch_size": 5,
    "epochs": 2,
    "precision": "float32",
    "schedule": "constant",
    "learning_rate": 0.01,
    **TWO_BLOCKS,
}
LATER = {"second_phase.epochs": 2, "second_phase.batch_size": 4, "second_phase.learning_rate": 0.01}
SEVERAL_DEVICES: dict[str, Settings] = {
    "weighted classes": {"class_weights": "balanced", "label_smoothing": 0.1, "optimizer": "adamw"},
    "frozen layers in every epoch": {"mode": "transfer", "cache_features": False},
    "two phases": {"mode": "transfer", "optimizer": "sgd", "momentum": 0.9, **LATER},
    "float16": {"precision": "mixed_float16", "optimizer": "sgd"},
    "batch normalization and dropout": {
        "blocks": [{"filters": 4, "dropout": 0.3, "batch_normalization": True}],
    },
}


@pytest.fixture(scope="module")
def on_two_devices(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """How far training on two devices is from training on one."""
    folder = tmp_path_factory.mktemp("devices")
    cases = {name: ON_TWO | settings for name, settings in SEVERAL_DEVICES.items()}
    done = subprocess.run(
        [sys.executable, "-c", ON_TWO_DEVICES, str(folder), json.dumps(cases)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {found["name"]: found for found in told}


@pytest.mark.parametrize("name", SEVERAL_DEVICES)
def test_several_devices_learn_what_one_does(
    name: str, on_two_devices: dict[str, dict[str, Any]]
) -> None:
    found = on_two_devices[name]
    assert found["finite"]
    assert found["moved"] > 1e-3
    if "batch normalization" not in name:  # which each device goes about with its own images
        tolerance = 1e-2 if name == "float16" else 1e-4
        assert found["apart"] < tolerance * found["moved"]
        assert found["probabilities"] < 2e-3
        assert found["loss"] < 1e-3 if name == "float16" else found["loss"] < 1e-5
