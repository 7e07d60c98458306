import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, log_loss

from core import schedules
from core.config import RunConfig, change
from core.datasets import Splits, load_splits
from core.errors import Diverged
from core.feature_cache import FeatureCache
from core.features import Stopped
from core.networks import Network, build
from core.preprocessing import for_network
from core.progress import BatchEnd, EpochEnd, Event, Progress
from core.recipes import RECIPES
from core.training import TrainingStep, batch_indices, train
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
VGG16 = change(RECIPES["vgg16-digits"].config, SMALL | {"side": 32, "train_images": 40})

ShouldStop = Callable[[Sequence[Event]], bool]


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features")


@pytest.fixture(scope="module")
def vgg16_once() -> tuple[Network, list[NDArray[np.float32]]]:
    """VGG16 without dropout, and the numbers its head starts from."""
    network = build(change(VGG16, {"dropout": 0}).network, classes=10)
    return network, network.trained.get_weights()


@pytest.fixture
def vgg16(vgg16_once: tuple[Network, list[NDArray[np.float32]]]) -> Network:
    """VGG16 without dropout, untrained."""
    network, start = vgg16_once
    network.trained.set_weights(start)
    return network


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


def passes_in(events: Sequence[Event]) -> list[Progress]:
    """Batches that went through frozen layers."""
    return [event for event in events if isinstance(event, Progress) and "features" in event.phase]


KERAS_OPTIMIZERS: dict[str, Callable[[float], keras.optimizers.Optimizer]] = {
    "rmsprop": lambda rate: keras.optimizers.RMSprop(learning_rate=rate, rho=0.9, epsilon=1e-8),
    "adam": lambda rate: keras.optimizers.Adam(learning_rate=rate),
    "sgd": lambda rate: keras.optimizers.SGD(learning_rate=rate),
}


def compiled(model: keras.Model, optimizer: str, rate: float) -> keras.Model:
    """The model as a plain Keras script would train it."""
    loss = "sparse_categorical_crossentropy"
    model.compile(KERAS_OPTIMIZERS[optimizer](rate), loss, metrics=["accuracy"], jit_compile=False)
    return model


def assert_same_weights(model: keras.Model, expected: keras.Model, **tolerance: float) -> None:
    for got, wanted in zip(model.get_weights(), expected.get_weights(), strict=True):
        np.testing.assert_allclose(got, wanted, **tolerance)


@pytest.mark.parametrize("optimizer", KERAS_OPTIMIZERS)
def test_a_step_is_the_step_of_plain_keras(optimizer: str) -> None:
    config = change(CNN, {"optimizer": optimizer, "dense": [16, 16]})
    ours, plain = (build(config.network, 10, seed=1).trained for _ in range(2))
    step, rate = TrainingStep(config, ours), config.learning_rate
    compiled(plain, optimizer, rate)
    split = splits_of(config).train
    rows = for_network(split.images, 8, 1)
    for chosen in batch_indices(config, 1, len(split)):
        plain.reset_metrics()  # they are means over batches
        told = step(rows[chosen], split.labels[chosen], rate)
        expected = plain.train_on_batch(rows[chosen], split.labels[chosen])
        assert told == pytest.approx(expected, rel=1e-5)
    assert_same_weights(ours, plain, rtol=1e-5, atol=1e-6)


def test_a_step_takes_the_learning_rate_that_it_is_given() -> None:
    config = change(CNN, {"optimizer": "sgd"})
    ours, plain = (build(config.network, 10).trained for _ in range(2))
    step = TrainingStep(config, ours)
    compiled(plain, "sgd", config.learning_rate)
    split = splits_of(config).train
    rows = for_network(split.images, 8, 1)
    for rate, chosen in zip((0.3, 0.1, 0.01), batch_indices(config, 1, 60), strict=False):
        step(rows[chosen], split.labels[chosen], rate)
        plain.optimizer.learning_rate = rate
        plain.train_on_batch(rows[chosen], split.labels[chosen])
    assert_same_weights(ours, plain, rtol=1e-5, atol=1e-6)


def test_training_on_cached_features_is_training_through_the_frozen_layers(
    vgg16: Network, cache: FeatureCache
) -> None:
    config = change(VGG16, {"dropout": 0, "epochs": 2, "optimizer": "sgd", "learning_rate": 0.05})
    assert vgg16.frozen is not None
    head = keras.models.clone_model(vgg16.trained)
    head.set_weights(vgg16.trained.get_weights())
    images = keras.Input((32, 32, 3))
    plain = keras.Model(images, head(vgg16.frozen(images, training=False)))
    compiled(plain, "sgd", config.learning_rate)
    split = splits_of(config).train
    pictures = for_network(split.images, 32, 3)
    for epoch in (1, 2):
        for chosen in batch_indices(config, epoch, len(split)):
            plain.train_on_batch(pictures[chosen], split.labels[chosen])

    before = vgg16.frozen.get_weights()
    start = vgg16.trained.get_weights()[0]
    events_of(config, vgg16, cache)
    assert np.abs(vgg16.trained.get_weights()[0] - start).max() > 1e-2
    assert_same_weights(vgg16.trained, head, rtol=1e-4, atol=1e-5)
    for now, then in zip(vgg16.frozen.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_head_learns_the_images_it_is_shown(vgg16: Network, cache: FeatureCache) -> None:
    config = change(VGG16, {"dropout": 0, "epochs": 30, "optimizer": "adam"})
    first, *_, last = epochs_in(events_of(config, vgg16, cache))
    assert first.metrics["accuracy"] < 0.5
    assert last.metrics["accuracy"] > 0.9


def test_each_image_goes_through_the_frozen_layers_once(
    vgg16: Network, cache: FeatureCache
) -> None:
    events = events_of(change(VGG16, {"epochs": 3}), vgg16, cache)
    assert [(event.phase, event.done, event.total) for event in passes_in(events)] == [
        ("features of training images", 40, 40),
        ("features of test images", 20, 20),
    ]


def test_the_second_time_nothing_goes_through_the_frozen_layers(
    vgg16: Network, cache: FeatureCache
) -> None:
    start = vgg16.trained.get_weights()
    first = events_of(VGG16, vgg16, cache)
    learned = vgg16.trained.get_weights()
    vgg16.trained.set_weights(start)
    second = events_of(VGG16, vgg16, cache)
    assert passes_in(first)
    assert passes_in(second) == []
    for now, then in zip(vgg16.trained.get_weights(), learned, strict=True):
        np.testing.assert_array_equal(now, then)


def test_a_stop_while_features_are_computed_leaves_nothing_half_done(
    vgg16: Network, cache: FeatureCache
) -> None:
    config = change(VGG16, {"train_images": 600})
    with pytest.raises(Stopped):
        events_of(config, vgg16, cache, should_stop=lambda seen: len(passes_in(seen)) >= 1)
    assert list(cache.folder.iterdir()) == []


def test_a_stop_before_the_first_step_leaves_nothing_to_evaluate(cache: FeatureCache) -> None:
    with pytest.raises(Stopped):
        events_of(CNN, build(CNN.network, 10), cache, should_stop=lambda seen: True)


def test_a_stop_within_an_epoch_ends_it_with_that_batch(cache: FeatureCache) -> None:
    def after_two_batches(seen: Sequence[Event]) -> bool:
        return len(batches_in(seen)) >= 2

    network, config = build(CNN.network, 10), change(CNN, {"epochs": 5})
    events = events_of(config, network, cache, after_two_batches)
    (epoch,) = epochs_in(events)
    assert [batch.batch for batch in batches_in(events)] == [1, 2]
    assert not epoch.complete
    test = splits_of(config).test
    expected = predicted(config, network, test)
    np.testing.assert_allclose(epoch.probabilities, expected, atol=1e-3)
    accuracy = accuracy_score(test.labels, epoch.probabilities.argmax(axis=1))
    assert epoch.metrics["test_accuracy"] == accuracy


def test_a_stop_between_epochs_ends_training_after_a_complete_epoch(cache: FeatureCache) -> None:
    def after_one_epoch(seen: Sequence[Event]) -> bool:
        return len(epochs_in(seen)) >= 1

    config = change(CNN, {"epochs": 5})
    events = events_of(config, build(CNN.network, 10), cache, after_one_epoch)
    (epoch,) = epochs_in(events)
    assert epoch.complete
    assert isinstance(events[-1], EpochEnd)


def predicted(config: RunConfig, network: Network, split: Any) -> NDArray[np.float32]:
    """Probabilities of the CNN as plain Keras computes them."""
    side = config.network.side
    return np.asarray(network.trained.predict(for_network(split.images, side, 1), verbose=0))


def test_metrics_are_those_of_scikit_learn(cache: FeatureCache) -> None:
    config = change(CNN, {"epochs": 3, "train_images": 200, "validation": 0.2})
    network, splits = build(config.network, 10), splits_of(config)
    last = epochs_in(events_of(config, network, cache))[-1]
    for part, split in (("test", splits.test), ("val", splits.validation)):
        probabilities = predicted(config, network, split).astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        guessed = probabilities.astype(np.float16).argmax(axis=1)  # as they are stored
        loss = log_loss(split.labels, probabilities, labels=range(10))
        assert last.metrics[f"{part}_accuracy"] == accuracy_score(split.labels, guessed)
        assert last.metrics[f"{part}_loss"] == pytest.approx(loss, rel=1e-4)


def test_the_probabilities_told_are_those_of_the_test_images(cache: FeatureCache) -> None:
    network = build(CNN.network, 10)
    (epoch,) = epochs_in(events_of(CNN, network, cache))
    expected = predicted(CNN, network, splits_of(CNN).test)
    assert epoch.probabilities.dtype == np.float16
    np.testing.assert_allclose(epoch.probabilities, expected, atol=1e-3)


def test_training_metrics_are_means_over_all_images_of_the_epoch(cache: FeatureCache) -> None:
    events = events_of(CNN, build(CNN.network, 10), cache)
    (epoch,), batches = epochs_in(events), batches_in(events)
    counts = [batch.images for batch in batches]
    assert counts == [16, 16, 16, 12]
    for name in ("loss", "accuracy"):
        mean = np.average([getattr(batch, name) for batch in batches], weights=counts)
        assert epoch.metrics[name] == pytest.approx(mean)


def test_steps_are_numbered_through_and_follow_the_schedule(cache: FeatureCache) -> None:
    config = change(CNN, {"epochs": 2, "schedule": "one_cycle"})
    batches = batches_in(events_of(config, build(config.network, 10), cache))
    assert [(batch.epoch, batch.batch, batch.step) for batch in batches] == [
        (1, 1, 1), (1, 2, 2), (1, 3, 3), (1, 4, 4), (2, 1, 5), (2, 2, 6), (2, 3, 7), (2, 4, 8),
    ]  # fmt: skip
    rates = [schedules.learning_rate("one_cycle", 1e-3, step, steps=8) for step in range(8)]
    assert [batch.learning_rate for batch in batches] == rates


@given(count=st.integers(1, 300), size=st.integers(1, 400), epoch=st.integers(1, 10_000))
def test_every_image_is_in_one_batch_of_an_epoch(count: int, size: int, epoch: int) -> None:
    batches = list(batch_indices(change(CNN, {"batch_size": size}), epoch, count))
    assert sorted(np.concatenate(batches)) == list(range(count))
    assert all(len(batch) == size for batch in batches[:-1])
    assert 1 <= len(batches[-1]) <= size


def order(epoch: int, **settings: Any) -> list[int]:
    """The order in which an epoch takes its images."""
    return np.concatenate(list(batch_indices(change(CNN, settings), epoch, 100))).tolist()


def test_the_order_of_images_depends_on_the_seed_and_the_epoch_alone() -> None:
    others = {"batch_size": 7, "learning_rate": 0.5, "optimizer": "adam", "epochs": 9, "side": 28}
    assert order(1) == order(1, **others)
    assert order(1) != order(2)
    assert order(1) != order(1, seed=1)


@pytest.fixture
def fragile() -> Network:
    """The CNN, answering as ever, but of numbers so large that one step ruins it."""
    network = build(CNN.network, 10)
    hidden, _, softmax = network.trained.layers[-3:]
    for layer, scale in ((hidden, 1e-30), (softmax, 1e30)):
        layer.kernel.assign(layer.kernel * scale)
    return network


def test_a_step_without_a_loss_ends_training_with_advice(
    fragile: Network, cache: FeatureCache
) -> None:
    config = change(CNN, {"learning_rate": 10, "optimizer": "sgd"})
    with pytest.raises(Diverged) as caught:
        events_of(config, fragile, cache)
    assert str(caught.value) == (
        "the loss is no longer a number at step 2, with a learning rate of 10; "
        "try a learning_rate of 1"
    )


def test_a_last_step_that_ruins_the_network_is_noticed(
    fragile: Network, cache: FeatureCache
) -> None:
    config = change(CNN, {"learning_rate": 10, "optimizer": "sgd", "batch_size": 60})
    with pytest.raises(Diverged, match="no longer a number after epoch 1, with a learning rate"):
        events_of(config, fragile, cache)


TRAIN_BOTH = """
import sys
from pathlib import Path
from core.config import change
from core.datasets import load_splits
from core.feature_cache import FeatureCache
from core.networks import build
from core.recipes import RECIPES
from core.training import train
from core.weights import fingerprint

cache = FeatureCache(Path(sys.argv[1]))
for recipe, side in (("cnn-digits", 28), ("vgg16-digits", 32)):
    settings = {"precision": "float32", "train_images": 100, "test_images": 20, "side": side}
    config = change(RECIPES[recipe].config, settings | {"epochs": 2})
    network = build(config.network, 10, seed=config.seed)
    splits = load_splits(config.data, config.seed)
    train(config, splits, network, cache, "float32", lambda event: None, lambda: False)
    print(fingerprint(network.trained))
"""


def test_the_same_seed_gives_the_same_weights_to_the_bit_in_another_process(
    tmp_path: Path,
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TRAIN_BOTH, str(tmp_path / name)],
            cwd=PROJECT,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("once", "again")
    ]
    once, again = (process.communicate()[0].split() for process in processes)
    assert len(once) == 2
    assert once == again
