from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from core.data.augmentation import Variations
from core.data.data_config import AugmentationConfig
from core.data.datasets import Split
from core.data.pictures import Pictures
from core.data.preprocessing import Pixels
from core.errors import WorkFailed
from core.network.networks import Network, build
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training.feature_cache import FeatureCache, Features
from core.training.features import FrozenLayers, Stopped, compiled, stored_as
from core.training.progress import Event, Progress

COUNT = 30
IMAGES = np.random.default_rng(0).integers(0, 256, (COUNT, 32, 32), dtype=np.uint8)
SPLIT = Split(IMAGES, np.arange(COUNT) % 10, np.arange(COUNT))
BLOCK = {"filters": 4, "dropout": 0}
CNN: dict[str, Any] = {
    "architecture": "cnn",
    "mode": "finetune",
    "weights": "random",
    "frozen_layers": "block1",
    "side": 16,
    "channels": 1,
    "blocks": [BLOCK, BLOCK],
    "dense": [],
    "dropout": 0,
}
RESNET50 = {
    "architecture": "resnet50",
    "channels": 3,
    "side": 32,
    "frozen_layers": "conv3_block2_2_relu",
}
MOBILENET = {"architecture": "mobilenet", "alpha": 0.1, "channels": 3, "side": 32}
NO_BLOCKS = {"blocks": RECIPES["vgg16-digits"].config.model_dump()["network"]["blocks"]}
VARIED = AugmentationConfig(rotation=20)


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", limit=2**40)


def configured(**settings: Any) -> RunConfig:
    other = NO_BLOCKS if settings.get("architecture", "cnn") != "cnn" else {}
    return change(RECIPES["vgg16-digits"].config, CNN | other | settings)


def frozen_part(network: Network, precision: str = "float32") -> keras.Model:
    parts = network.parts(network.config.frozen_count, stored_as(precision))
    assert parts.frozen is not None
    return parts.frozen


def frozen_layers(
    config: RunConfig,
    cache: FeatureCache,
    precision: str = "float32",
    network: Network | None = None,
    cut: str = "somewhere",
) -> FrozenLayers:
    network = network or build(config.network, 10, precision, seed=1)
    return FrozenLayers(frozen_part(network, precision), config.network, cut, precision, cache)


def pictures_of(
    config: RunConfig, variations: Variations | None = None, split: Split = SPLIT
) -> Pictures:
    return Pictures(split, config.network, variations)


def cached(
    frozen: FrozenLayers, pictures: Pictures, number: int = 1
) -> tuple[Features, list[Event]]:
    """The features of a pass, and what was told while they were computed."""
    told: list[Event] = []
    features = frozen.cached(pictures, number, "training images", told.append, lambda: False)
    return features, told


def plain(model: keras.Model, images: Pixels) -> list[np.ndarray[Any, Any]]:
    return [np.asarray(output) for output in keras.tree.flatten(model(images, training=False))]


# --- what is computed -------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{}, RESNET50], ids=["one tensor", "two tensors"])
def test_features_are_what_the_frozen_layers_put_out(
    settings: dict[str, Any], cache: FeatureCache
) -> None:
    config = configured(**settings)
    network = build(config.network, 10, seed=1)
    pictures = pictures_of(config)
    features, _ = cached(frozen_layers(config, cache, network=network), pictures)
    expected = plain(frozen_part(network), pictures.at(np.arange(COUNT)))
    assert len(features) == len(expected) == (2 if settings else 1)
    for got, wanted in zip(features, expected, strict=True):
        assert got.dtype == np.float32
        np.testing.assert_allclose(got, wanted, rtol=1e-4, atol=1e-5 * np.abs(wanted).max())


def test_a_pass_has_the_features_of_its_variations(cache: FeatureCache) -> None:
    config = configured()
    network = build(config.network, 10, seed=1)
    frozen = frozen_layers(config, cache, network=network)
    pictures = pictures_of(config, Variations(VARIED, 0, COUNT))
    for number in (1, 2):
        (features,), _ = cached(frozen, pictures, number)
        (expected,) = plain(frozen_part(network), pictures.at(np.arange(COUNT), number))
        np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert cache.use().entries == 2


@pytest.mark.parametrize(
    ("precision", "kind"),
    [("float32", np.float32), ("mixed_bfloat16", np.float16), ("mixed_float16", np.float16)],
)
def test_features_are_kept_in_a_format_that_holds_what_was_computed(
    precision: str, kind: type[np.floating[Any]], cache: FeatureCache
) -> None:
    config = configured()
    frozen = frozen_layers(config, cache, precision)
    (features,), _ = cached(frozen, pictures_of(config))
    (exact,), _ = cached(frozen_layers(config, cache), pictures_of(config))
    assert features.dtype == kind == np.dtype(stored_as(precision))
    np.testing.assert_allclose(features, exact, rtol=0.05, atol=0.05)


def test_bfloat16_loses_nothing_in_float16(cache: FeatureCache) -> None:
    config = configured()
    network = build(config.network, 10, "mixed_bfloat16", seed=1)
    frozen = frozen_layers(config, cache, "mixed_bfloat16", network)
    (features,), _ = cached(frozen, pictures_of(config))
    (computed,) = plain(frozen_part(network), pictures_of(config).at(np.arange(COUNT)))
    assert computed.dtype.name == "bfloat16"
    ordinary = computed.astype(np.float32) > 2**-14  # smaller ones have fewer digits in float16
    same = features.astype(np.float32) == computed.astype(np.float32)
    assert ordinary.sum() > 1000
    assert same[ordinary].mean() > 0.99  # Keras may round elsewhere where it runs op by op


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_what_is_run_is_what_would_be_kept(precision: str, cache: FeatureCache) -> None:
    config = configured()
    frozen = frozen_layers(config, cache, precision)
    (kept,), _ = cached(frozen, pictures_of(config))
    (run,) = frozen.run(pictures_of(config).at(np.arange(5, 8)))
    assert run.dtype == kept.dtype
    np.testing.assert_allclose(run, kept[5:8], rtol=1e-2 if precision != "float32" else 1e-5)


def test_a_compiled_model_is_the_model(cache: FeatureCache) -> None:
    model = frozen_part(build(configured().network, 10, seed=1))
    forward = compiled(model)
    images = pictures_of(configured()).at(np.arange(COUNT))
    for count in (1, 7, COUNT):
        (got,), (wanted,) = forward(images[:count]), plain(model, images[:count])
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_a_compiled_model_keeps_the_weights_it_was_compiled_with() -> None:
    model = frozen_part(build(configured().network, 10, seed=1))
    forward, images = compiled(model), pictures_of(configured()).at(np.arange(3))
    before = forward(images)[0]
    model.set_weights([weight * 2 for weight in model.get_weights()])
    np.testing.assert_array_equal(forward(images)[0], before)


# --- how it is computed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "size"), [(16, 256), (48, 256), (64, 144), (224, 11), (299, 6), (512, 2)]
)
def test_fewer_large_images_are_run_at_once(side: int, size: int, cache: FeatureCache) -> None:
    assert frozen_layers(configured(side=side), cache).batch_size == size


def test_progress_is_told_batch_by_batch(cache: FeatureCache) -> None:
    config = configured(side=224, blocks=[BLOCK], frozen_layers=2)
    _, told = cached(frozen_layers(config, cache), pictures_of(config))
    phase = "features of training images"
    assert told == [Progress(phase, done, COUNT, "images") for done in (11, 22, 30)]


def test_its_size_is_what_the_cache_then_holds(cache: FeatureCache) -> None:
    for precision in ("float32", "mixed_float16"):
        cache.clear()
        config = configured()
        frozen = frozen_layers(config, cache, precision)
        features, _ = cached(frozen, pictures_of(config))
        assert frozen.size(COUNT) == sum(array.nbytes for array in features)
        assert 0 < cache.use().size - frozen.size(COUNT) < 2000


def test_a_stop_leaves_nothing_half_done(cache: FeatureCache) -> None:
    config = configured(side=224, blocks=[BLOCK], frozen_layers=2)
    frozen, told = frozen_layers(config, cache), list[Event]()
    with pytest.raises(Stopped):
        frozen.cached(
            pictures_of(config), 1, "training images", told.append, lambda: len(told) == 2
        )
    assert len(told) == 2
    assert list(cache.folder.iterdir()) == []


def test_numbers_too_large_for_float16_are_refused(cache: FeatureCache) -> None:
    config = configured()
    network = build(config.network, 10, "mixed_bfloat16", seed=1)
    model = frozen_part(network)
    model.set_weights([weight * 1000 for weight in model.get_weights()])
    frozen = frozen_layers(config, cache, "mixed_bfloat16", network)
    with pytest.raises(WorkFailed) as caught:
        cached(frozen, pictures_of(config))
    assert str(caught.value) == (
        "the frozen layers put out numbers beyond what float16 holds; set precision to float32, or "
        "cut the network elsewhere"
    )
    assert list(cache.folder.iterdir()) == []
    with pytest.raises(WorkFailed):
        frozen.run(pictures_of(config).at(np.arange(3)))


# --- what is found again ----------------------------------------------------------------------


def test_the_second_time_nothing_is_computed(cache: FeatureCache) -> None:
    config = configured()
    first, told = cached(frozen_layers(config, cache), pictures_of(config))
    second, told_again = cached(frozen_layers(config, cache), pictures_of(config))
    assert told
    assert told_again == []
    for one, two in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, two)
    assert cache.use().entries == 1


def other_labels(split: Split) -> Split:
    return Split(split.images, split.labels[::-1].copy(), split.indices)


def other_pixel(split: Split) -> Split:
    images = split.images.copy()
    images[-1, 31, 31] ^= 1
    return Split(images, split.labels, split.indices)


def varied(seed: int = 0, **settings: Any) -> Variations:
    return Variations(VARIED.model_copy(update=settings), seed, COUNT)


AS_EVER = varied()


def is_computed(
    cache: FeatureCache,
    *,
    precision: str = "float32",
    seed: int = 1,
    cut: str = "somewhere",
    split: Split = SPLIT,
    variations: Variations | None = AS_EVER,
    number: int = 1,
    **settings: Any,
) -> bool:
    """Whether the cache lacks these features, which it holds from then on."""
    config = configured(**settings)
    network = build(config.network, 10, precision, seed)
    frozen = frozen_layers(config, cache, precision, network, cut)
    _, told = cached(frozen, pictures_of(config, variations, split), number)
    return bool(told)


AVERAGED = BLOCK | {"pooling": "average"}


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"cut": "elsewhere"}, id="cut"),
        pytest.param({"precision": "mixed_float16"}, id="precision"),
        pytest.param({"seed": 2}, id="weights"),
        pytest.param({"side": 20}, id="side"),
        pytest.param({"blocks": [AVERAGED, BLOCK]}, id="layers of the same weights"),
        pytest.param({"number": 2}, id="pass"),
        pytest.param({"variations": varied(seed=1)}, id="seed of the variations"),
        pytest.param({"variations": varied(fill="nearest")}, id="how images are varied"),
        pytest.param({"variations": None}, id="whether images are varied"),
        pytest.param({"split": other_labels(SPLIT)}, id="labels"),
        pytest.param({"split": other_pixel(SPLIT)}, id="one pixel"),
    ],
)
def test_what_features_depend_on_is_part_of_their_key(
    changed: dict[str, Any], cache: FeatureCache
) -> None:
    assert is_computed(cache)
    assert is_computed(cache, **changed)
    assert not is_computed(cache)
    assert not is_computed(cache, **changed)


def test_scaling_is_part_of_the_key(cache: FeatureCache) -> None:
    settings = MOBILENET | {"mode": "finetune", "frozen_layers": "block1"}
    assert is_computed(cache, **settings, scaling="unit")
    assert is_computed(cache, **settings, scaling="imagenet")


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"variations": varied(passes=7)}, id="how many passes there are"),
        pytest.param({"dense": [8, 8]}, id="head"),
        pytest.param({"learning_rate": 0.5, "batch_size": 3}, id="how it is trained"),
    ],
)
def test_what_features_do_not_depend_on_is_not(
    changed: dict[str, Any], cache: FeatureCache
) -> None:
    assert is_computed(cache)
    assert not is_computed(cache, **changed)
