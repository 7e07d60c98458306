"""Training on cached features against plain Keras, which runs every image through every layer.

Networks are random, images are noise, and no layer has a corner at which two ways of rounding could
part. Weights count as equal where they differ by less than a thousandth of the way that training
moved them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from core.data.augmentation import Variations
from core.data.datasets import Split, Splits
from core.data.preprocessing import Pixels, for_network
from core.network.networks import Network, build
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.feature_cache import FeatureCache
from core.training.passes import Passes
from core.training.training import train

COUNT = 16
CLASSES = 10
SETTINGS: dict[str, Any] = {
    "weights": "random",
    "pooling": "average",
    "dense": [8],
    "activation": "elu",
    "network.head.dropout": 0,
    "batch_size": 9,  # which leaves a smaller last batch
    "epochs": 2,
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "schedule": "constant",
    "precision": "float32",
}
BLOCKS = [
    {"filters": 8, "dropout": 0},
    {"filters": 8, "dropout": 0, "batch_normalization": True},
]
SMALLEST: dict[str, dict[str, Any]] = {
    "cnn": {"side": 32, "channels": 1, "blocks": BLOCKS},
    "vgg16": {"side": 32},
    "mobilenet": {"side": 32},
    "resnet50": {"side": 32},
    "inceptionv3": {"side": 75},
}
INSIDE: dict[str, dict[str, Any]] = {
    "cnn": {"frozen_layers": "block1"},
    "vgg16": {"frozen_layers": "block3"},
    "mobilenet": {"frozen_layers": "conv_pw_10"},
    "resnet50": {"frozen_layers": "conv5_block3_2_relu"},  # within a residual block
    "inceptionv3": {"frozen_layers": 282},  # within a block of four branches
}
"""Where each backbone is cut in mode finetune: high up, as what is trained takes longest."""
VARIED = {"rotation": 20.0, "zoom": 0.2, "shift": 0.1, "horizontal_flip": True}


def configured(architecture: str, mode: str, **settings: Any) -> RunConfig:
    inside = INSIDE[architecture] if mode == "finetune" else {}
    chosen = {"architecture": architecture, "mode": mode, **SMALLEST[architecture], **inside}
    return change(RECIPES["vgg16-digits"].config, SETTINGS | chosen | settings)


def noise(config: RunConfig, count: int) -> Split:
    side, channels = config.network.side, config.network.channels
    shape = (count, side, side, 3) if channels == 3 else (count, side, side)
    images = np.random.default_rng(count).integers(0, 256, shape, dtype=np.uint8)
    return Split(images, np.arange(count) % CLASSES, np.arange(count))


def splits_of(config: RunConfig) -> Splits:
    test = noise(config, 10)
    return Splits(noise(config, COUNT), test, test)


# --- plain Keras ------------------------------------------------------------------------------


def keras_cnn(input_shape: tuple[int, int, int], **_: Any) -> keras.Model:
    """The blocks above, written down by hand."""
    layers = keras.layers
    images = x = keras.Input(input_shape)
    for layer in (
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.Conv2D(8, 3, padding="same", activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(8, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.Conv2D(8, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.MaxPooling2D(),
    ):
        x = layer(x)
    return keras.Model(images, x)


BACKBONES: dict[str, Callable[..., keras.Model]] = {
    "cnn": keras_cnn,
    "vgg16": keras.applications.VGG16,
    "mobilenet": keras.applications.MobileNet,
    "resnet50": keras.applications.ResNet50,
    "inceptionv3": keras.applications.InceptionV3,
}


def smooth(backbone: keras.Model) -> None:
    """Leave nothing in a network that rounding can switch: no rectifier, and no largest of four."""
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.MaxPooling2D):
            window = layer.pool_size, layer.strides, layer.padding
            layer.call = lambda x, window=window: keras.ops.average_pool(x, *window)
        elif isinstance(layer, keras.layers.ReLU):
            layer.call = keras.activations.elu
        elif getattr(layer, "activation", None) is keras.activations.relu:
            layer.activation = keras.activations.elu


class Plain(keras.Model):
    """A backbone under a small head, as https://keras.io/guides/transfer_learning/ has them."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__()
        layers, network = keras.layers, config.network
        shape = (network.side, network.side, network.channels)
        build_backbone = BACKBONES[network.architecture]
        self.backbone = build_backbone(include_top=False, weights=None, input_shape=shape)
        flat = network.head.pooling == "flatten"
        self.pooling = layers.Flatten() if flat else layers.GlobalAveragePooling2D()
        self.hidden = layers.Dense(8, activation="elu")
        self.softmax = layers.Dense(CLASSES, activation="softmax")
        self.keeps_statistics = network.mode != "scratch"
        smooth(self.backbone)
        self(np.zeros((1, *shape), np.float32))

    def call(self, images: Any, training: bool = False) -> Any:
        seen = self.backbone(images / 255, training=training and not self.keeps_statistics)
        return self.softmax(self.hidden(self.pooling(seen)))

    def prepare(self, frozen: int, rate: float, momentum: float = 0.0) -> None:
        """Freeze the first so many layers and begin with a fresh optimizer."""
        for position, layer in enumerate(self.backbone.layers):
            layer.trainable = position >= frozen
        optimizer = keras.optimizers.SGD(rate, momentum)
        # Not compiled: tracing a large network takes longer than its few steps do.
        self.compile(optimizer, "sparse_categorical_crossentropy", run_eagerly=True)

    def see(self, images: Pixels, labels: NDArray[np.int64], passes: Passes, number: int) -> None:
        """One epoch, over the images in the order of pass `number`."""
        batches = passes.take((number - passes.first) * passes.batches, passes.batches)
        order = np.concatenate([positions for _, positions in batches])
        rows, truth = images[order].astype(np.float32), labels[order]
        self.fit(rows, truth, batch_size=passes.batch_size, shuffle=False, verbose=0)


# --- the two side by side ---------------------------------------------------------------------


@dataclass(frozen=True)
class Twins:
    """A network of ours and the same in plain Keras, with the weights that both start from."""

    ours: Network
    plain: Plain
    start: list[NDArray[np.float32]]

    def reset(self, plain: bool = True) -> None:
        """Forget what ours learned, and what the plain one did."""
        for variables in (self.of_ours, self.of_plain if plain else ()):
            for variable, value in zip(variables, self.start, strict=False):
                variable.assign(value)

    @property
    def of_ours(self) -> list[keras.Variable]:
        layers = [*self.ours.backbone.layers, *self.ours.classifier.layers]
        return [variable for layer in layers for variable in layer.weights]

    @property
    def of_plain(self) -> list[keras.Variable]:
        layers = [*self.plain.backbone.layers, self.plain.hidden, self.plain.softmax]
        return [variable for layer in layers for variable in layer.weights]

    def check(self) -> None:
        """Compare what both learned."""
        trained = {id(variable) for variable in self.plain.trainable_variables}
        statistics = not self.plain.keeps_statistics
        for variable, plain, start in zip(self.of_ours, self.of_plain, self.start, strict=True):
            got, wanted = np.asarray(variable), np.asarray(plain)
            if id(plain) in trained or (statistics and "moving" in plain.path):
                moved = np.abs(wanted - start).max()
                assert moved > 1e-6, f"{variable.path} hardly moved"
                np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-3 * moved)
            else:
                np.testing.assert_array_equal(got, start)
                np.testing.assert_array_equal(wanted, start)


def random_weights(network: Network) -> list[NDArray[np.float32]]:
    """Weights under which what an image says survives all the layers (He et al., 2015).

    A little less where each block adds to the one before it, which would grow and grow.
    """
    gain = 1.0 if network.config.architecture == "resnet50" else 2.0
    for layer in network.backbone.layers:
        if isinstance(layer, keras.layers.Conv2D | keras.layers.DepthwiseConv2D):
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            kernel = np.asarray(layer.kernel)
            inputs = np.prod(kernel.shape[:2] if depthwise else kernel.shape[:3])
            layer.kernel.assign(kernel / kernel.std() * np.sqrt(gain / inputs))
    layers = [*network.backbone.layers, *network.classifier.layers]
    return [np.asarray(variable).copy() for layer in layers for variable in layer.weights]


@lru_cache(maxsize=1)
def _twins(architecture: str, pooling: str, scratch: bool) -> Twins:
    config = configured(architecture, "scratch" if scratch else "transfer", pooling=pooling)
    ours = build(config.network, CLASSES, seed=1)
    smooth(ours.backbone)
    return Twins(ours, Plain(config), random_weights(ours))


def twins_of(config: RunConfig) -> Twins:
    """Built once for tests that follow each other, untrained for each."""
    network = config.network
    twins = _twins(network.architecture, network.head.pooling, network.mode == "scratch")
    twins.reset()
    return twins


@pytest.fixture(scope="module", params=BACKBONES)
def architecture(request: pytest.FixtureRequest) -> str:
    """Each backbone in turn, for all tests before the next, as building one takes a while."""
    return str(request.param)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", limit=2**30)


def train_ours(config: RunConfig, network: Network, cache: FeatureCache) -> None:
    splits = splits_of(config)
    assert train(config, splits, network, cache, "float32", lambda event: None, lambda: False)


def train_plain(
    config: RunConfig, plain: Plain, varied: Callable[[Pixels, int], Pixels] | None = None
) -> None:
    """One `fit` for each pass; `varied` makes the images of a pass, counted from 1."""
    split = splits_of(config).train
    images = for_network(split.images, config.network.side, config.network.channels)
    done = 0
    for phase in config.phases:
        plain.prepare(phase.frozen_count, phase.learning_rate, config.momentum)
        passes = Passes(config.seed, done + 1, COUNT, phase.batch_size)
        for number in range(done + 1, done + 1 + phase.epochs):
            seen = varied(images, number) if varied else images
            plain.see(seen, split.labels, passes, number)
        done += phase.epochs


@pytest.mark.parametrize("architecture", ["cnn", "vgg16", "mobilenet"], scope="module")
def test_a_head_learns_on_the_cache_what_it_learns_over_the_frozen_backbone(
    architecture: str, cache: FeatureCache
) -> None:
    # The two others take long; their upper layers below learn over far the most of them.
    transfer, features = (configured(architecture, mode) for mode in ("transfer", "features"))
    twins = twins_of(transfer)
    train_plain(transfer, twins.plain)
    train_ours(transfer, twins.ours, cache)
    assert cache.use().entries == 2
    twins.check()
    twins.reset(plain=False)
    train_ours(features, twins.ours, cache)
    assert cache.use().entries == 2
    twins.check()


def test_upper_layers_learn_on_the_cache_what_they_learn_over_the_frozen_ones(
    architecture: str, cache: FeatureCache
) -> None:
    config = configured(architecture, "finetune")
    crossing = len(config.blueprint.crossing(0))
    assert crossing == (2 if architecture in ("resnet50", "inceptionv3") else 1)
    twins = twins_of(config)
    train_plain(config, twins.plain)
    train_ours(config, twins.ours, cache)
    assert cache.use().entries == 2
    twins.check()


def test_features_may_be_flattened(cache: FeatureCache) -> None:
    config = configured("cnn", "features", pooling="flatten")
    twins = twins_of(config)
    train_plain(config, twins.plain)
    train_ours(config, twins.ours, cache)
    twins.check()


def test_training_from_scratch_is_that_of_keras(cache: FeatureCache) -> None:
    config = configured("cnn", "scratch")
    twins = twins_of(config)
    train_plain(config, twins.plain)
    train_ours(config, twins.ours, cache)
    assert cache.use().entries == 0
    twins.check()


TWO_PHASES: dict[str, Any] = {
    "momentum": 0.5,  # which the second phase does not go on with
    "second_phase.epochs": 2,
    "second_phase.batch_size": 5,
    "second_phase.learning_rate": 0.01,
}


@pytest.mark.parametrize(
    ("name", "mode", "still_frozen"),
    [
        ("cnn", "transfer", "block1"),
        ("cnn", "finetune", "block1_conv1"),
        ("cnn", "finetune", 0),
        ("mobilenet", "transfer", "conv_pw_5"),
    ],
)
def test_two_phases_are_two_fits(
    name: str, mode: str, still_frozen: str | int, cache: FeatureCache
) -> None:
    later = TWO_PHASES | {"second_phase.still_frozen": still_frozen}
    config = configured(name, mode, **later)
    twins = twins_of(config)
    train_plain(config, twins.plain)
    train_ours(config, twins.ours, cache)
    assert cache.use().entries == (2 if still_frozen == 0 else 4)
    twins.check()


@pytest.mark.parametrize(("passes", "seen"), [(2, (1, 2, 1, 2)), (0, (1, 2, 3, 4))])
@pytest.mark.parametrize("mode", ["transfer", "finetune"])
def test_varied_images_are_those_of_their_pass(
    mode: str, passes: int, seen: Sequence[int], cache: FeatureCache
) -> None:
    varying = {"augmentation.passes": passes, "epochs": 4, **VARIED}
    config = configured("cnn", mode, **varying)
    twins = twins_of(config)
    variations = Variations(config.augmentation, config.seed, COUNT)

    def varied(images: Pixels, number: int) -> Pixels:
        return variations.apply(images, np.arange(COUNT), seen[number - 1])

    train_plain(config, twins.plain, varied)
    train_ours(config, twins.ours, cache)
    assert cache.use().entries == 1 + passes
    twins.check()


@pytest.mark.parametrize("mode", ["transfer", "finetune"])
def test_without_the_cache_training_is_the_same(mode: str, cache: FeatureCache) -> None:
    config = configured("cnn", mode, cache_features=False)
    twins = twins_of(config)
    train_plain(config, twins.plain)
    train_ours(config, twins.ours, cache)
    assert cache.use().entries == 0
    twins.check()
