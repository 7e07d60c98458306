from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.data.augmentation import Variations
from core.data.datasets import Split, Splits
from core.data.preprocessing import for_network
from core.network.networks import build
from core.registry.config import RunConfig
from core.registry.recipes import RECIPES
from core.registry.settings import change
from core.training import inputs
from core.training.feature_cache import FeatureCache
from core.training.features import FrozenLayers, Stopped
from core.training.inputs import Inputs, Rows, SplitInputs
from core.training.progress import Event, Note, Progress

TRAIN, VALIDATION, TEST = 20, 6, 9
SIDE = 16
SCRATCH: dict[str, Any] = {
    "architecture": "cnn",
    "mode": "scratch",
    "weights": "random",
    "side": SIDE,
    "channels": 1,
    "blocks": [{"filters": 4, "dropout": 0}, {"filters": 4, "dropout": 0}],
}
FROZEN = SCRATCH | {"mode": "finetune", "frozen_layers": "block1"}
PER_IMAGE = 4 * 8 * 8 * 4
"""Bytes that cross the cut: 8x8 places of 4 filters in float32."""
VARIED: dict[str, Any] = {"rotation": 20.0, "shift": 0.1}


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    return FeatureCache(tmp_path / "features", limit=2**40)


def split(count: int) -> Split:
    images = np.random.default_rng(count).integers(0, 256, (count, 28, 28), dtype=np.uint8)
    return Split(images, np.arange(count) % 10, np.arange(count))


THREE = Splits(split(TRAIN), split(VALIDATION), split(TEST))
TWO = Splits(THREE.train, THREE.test, THREE.test)


def configured(**settings: Any) -> RunConfig:
    return change(RECIPES["vgg16-digits"].config, settings)


def prepared(
    config: RunConfig,
    cache: FeatureCache,
    splits: Splits = TWO,
    epoch: int = 0,
    precision: str = "float32",
) -> tuple[SplitInputs, list[Event]]:
    """The inputs of a phase, and what was told meanwhile."""
    told: list[Event] = []
    model = build(config.network, 10, precision, seed=1).parts(config.network.frozen_count).frozen
    layers = None
    if model is not None:
        layers = FrozenLayers(model, config.network, "here", precision, cache)
    fed = inputs.prepare(config, splits, layers, epoch, told.append, lambda: False)
    return fed, told


def every(part: Inputs, number: int = 1) -> Rows:
    return part.rows(np.arange(len(part)), number)


def phases(told: list[Event]) -> list[tuple[str, int]]:
    return [(event.phase, event.done) for event in told if isinstance(event, Progress)]


def assert_same(found: Rows, expected: Rows) -> None:
    for got, wanted in zip(found, expected, strict=True):
        assert got.dtype == wanted.dtype
        close = 1e-5 if got.dtype == np.float32 else 1e-2
        np.testing.assert_allclose(got, wanted, rtol=close, atol=close / 10)


# --- where nothing is frozen ------------------------------------------------------------------


def test_where_nothing_is_frozen_images_themselves_are_fed(cache: FeatureCache) -> None:
    fed, told = prepared(configured(**SCRATCH), cache, THREE)
    for part, images in ((fed.train, THREE.train), (fed.validation, THREE.validation)):
        (rows,) = every(part)
        assert rows.dtype == np.uint8
        np.testing.assert_array_equal(rows, for_network(images.images, SIDE, 1))
    assert told == []
    assert not cache.folder.exists()


def test_images_are_varied_by_the_pass_in_training_alone(cache: FeatureCache) -> None:
    config = configured(**SCRATCH, **VARIED, seed=5)
    fed, _ = prepared(config, cache, THREE)
    variations = Variations(config.augmentation, 5, TRAIN)
    images = for_network(THREE.train.images, SIDE, 1)
    for number in (1, 2, 7):
        expected = variations.apply(images, np.arange(TRAIN), number)
        np.testing.assert_array_equal(every(fed.train, number)[0], expected)
    for part in (fed.validation, fed.test):
        np.testing.assert_array_equal(every(part, 1)[0], every(part, 2)[0])


# --- where layers are frozen ------------------------------------------------------------------


def test_frozen_layers_run_once_over_each_split(cache: FeatureCache) -> None:
    fed, told = prepared(configured(**FROZEN), cache, THREE)
    assert phases(told) == [
        ("features of training images", TRAIN),
        ("features of test images", TEST),
        ("features of validation images", VALIDATION),
    ]
    assert [len(part) for part in (fed.train, fed.validation, fed.test)] == [20, 6, 9]
    assert every(fed.train)[0].shape == (TRAIN, 8, 8, 4)
    assert cache.use().entries == 3
    _, told_again = prepared(configured(**FROZEN), cache, THREE)
    assert told_again == []


@pytest.mark.parametrize("settings", [SCRATCH, FROZEN, FROZEN | {"cache_features": False}])
def test_validation_on_the_test_images_is_the_test_itself(
    settings: dict[str, Any], cache: FeatureCache
) -> None:
    fed, _ = prepared(configured(**settings), cache)
    assert fed.validation is fed.test


@pytest.mark.parametrize("cache_features", [True, False])
def test_rows_may_be_had_at_any_positions(cache_features: bool, cache: FeatureCache) -> None:
    fed, _ = prepared(configured(**FROZEN, cache_features=cache_features), cache)
    (whole,) = every(fed.train)
    (some,) = fed.train.rows(np.array([19, 3, 3, 0]))
    np.testing.assert_allclose(some, whole[[19, 3, 3, 0]], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_without_the_cache_rows_are_the_same_and_nothing_is_kept(
    precision: str, cache: FeatureCache
) -> None:
    kept, _ = prepared(configured(**FROZEN), cache, THREE, precision=precision)
    cache.clear()
    off = configured(**FROZEN, cache_features=False)
    live, told = prepared(off, cache, THREE, precision=precision)
    for ours, theirs in ((live.train, kept.train), (live.test, kept.test)):
        assert_same(every(ours), every(theirs))
    assert told == []
    assert cache.use().entries == 0


def test_large_batches_go_through_the_frozen_layers_in_parts(cache: FeatureCache) -> None:
    large = FROZEN | {"side": 224}  # of which 11 are run at once
    kept, _ = prepared(configured(**large), cache)
    live, _ = prepared(configured(**large, cache_features=False), cache)
    assert_same(every(live.train), every(kept.train))


# --- variations of images that pass through frozen layers -------------------------------------


def test_so_many_variations_are_kept_and_taken_in_turn(cache: FeatureCache) -> None:
    config = configured(**FROZEN, **VARIED, **{"augmentation.passes": 3})
    fed, told = prepared(config, cache)
    assert phases(told) == [
        ("features of training images, variation 1 of 3", TRAIN),
        ("features of training images, variation 2 of 3", TRAIN),
        ("features of training images, variation 3 of 3", TRAIN),
        ("features of test images", TEST),
    ]
    passes = [every(fed.train, number)[0] for number in range(1, 8)]
    for number, rows in enumerate(passes):
        np.testing.assert_array_equal(rows, passes[number % 3])
    assert (passes[0] != passes[1]).any()
    assert (passes[1] != passes[2]).any()


def test_a_further_variation_is_all_that_has_to_be_computed(cache: FeatureCache) -> None:
    prepared(configured(**FROZEN, **VARIED, **{"augmentation.passes": 2}), cache)
    _, told = prepared(configured(**FROZEN, **VARIED, **{"augmentation.passes": 3}), cache)
    assert phases(told) == [("features of training images, variation 3 of 3", TRAIN)]


def test_variations_without_end_run_through_the_frozen_layers_in_every_epoch(
    cache: FeatureCache,
) -> None:
    fed, told = prepared(configured(**FROZEN, **VARIED), cache)
    assert phases(told) == [("features of test images", TEST)]
    kept, _ = prepared(configured(**FROZEN, **VARIED, **{"augmentation.passes": 5}), cache)
    for number in (1, 5):
        assert_same(every(fed.train, number), every(kept.train, number))
    assert (every(fed.train, 6)[0] != every(fed.train, 1)[0]).any()


# --- the limit of the cache -------------------------------------------------------------------


def test_what_the_cache_may_just_hold_is_kept(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, limit=PER_IMAGE * (TRAIN + TEST))
    _, told = prepared(configured(**FROZEN), cache)
    assert len(phases(told)) == len(told) == 2


def test_what_is_too_large_for_the_cache_runs_in_every_epoch_and_is_told_of(
    tmp_path: Path,
) -> None:
    cache = FeatureCache(tmp_path / "features", limit=PER_IMAGE * (TRAIN + TEST) - 1)
    live, told = prepared(configured(**FROZEN), cache, epoch=4)
    assert told == [
        Note(
            4,
            "The output of the frozen layers would take 0.0 GiB and the cache may hold 0.0: they "
            "run in every epoch instead. A smaller side, fewer images or a larger limit would make "
            "it fit.",
        )
    ]
    assert not cache.folder.exists()
    kept, _ = prepared(configured(**FROZEN), FeatureCache(tmp_path / "larger", 2**40))
    assert_same(every(live.train), every(kept.train))


def test_every_variation_counts_towards_the_limit(tmp_path: Path) -> None:
    limit = PER_IMAGE * (3 * TRAIN + VALIDATION + TEST)
    for passes, notes in ((3, 0), (4, 1)):
        cache = FeatureCache(tmp_path / str(passes), limit)
        config = configured(**FROZEN, **VARIED, **{"augmentation.passes": passes})
        _, told = prepared(config, cache, THREE)
        assert sum(isinstance(event, Note) for event in told) == notes


def test_variations_without_end_do_not_count_towards_the_limit(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, limit=PER_IMAGE * TEST)
    _, told = prepared(configured(**FROZEN, **VARIED), cache)
    assert phases(told) == [("features of test images", TEST)]


def test_with_the_cache_switched_off_there_is_nothing_to_tell(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path, limit=0)
    _, told = prepared(configured(**FROZEN, cache_features=False), cache)
    assert told == []


def test_a_stop_between_two_splits_keeps_the_first(cache: FeatureCache) -> None:
    config, told = configured(**FROZEN), list[Event]()
    model = build(config.network, 10, seed=1).parts(config.network.frozen_count).frozen
    assert model is not None
    layers = FrozenLayers(model, config.network, "here", "float32", cache)
    with pytest.raises(Stopped):
        inputs.prepare(config, TWO, layers, 0, told.append, lambda: len(told) == 1)
    assert phases(told) == [("features of training images", TRAIN)]
    assert cache.use().entries == 1
