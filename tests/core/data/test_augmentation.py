import json
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.data.augmentation import Floats, Variations, draw, matrices, recolour, vary_few, warp
from core.data.data_config import AugmentationConfig, Fill
from core.data.preprocessing import Pixels

COUNT = 24
ALL_ON: dict[str, Any] = {
    "rotation": 20.0,
    "zoom": 0.2,
    "shift": 0.1,
    "shear": 0.15,
    "horizontal_flip": True,
    "vertical_flip": True,
    "brightness": 0.2,
    "contrast": 0.3,
    "noise": 0.05,
}
CONFIG = AugmentationConfig(**ALL_ON)
NOISE = np.random.default_rng(0).integers(0, 256, size=(COUNT, 20, 30, 3), dtype=np.uint8)
"""The most demanding images to resample: no pixel tells anything of the next."""
WHITE = np.full((1, 20, 30, 1), 255, np.uint8)


def varied(
    positions: Any, number: int = 1, config: AugmentationConfig = CONFIG, seed: int = 1
) -> Pixels:
    """The noise at `positions`, by variations made for this one call."""
    return Variations(config, seed, COUNT).apply(NOISE[positions], np.array(positions), number)


def move(
    rotation: float = 0,
    zoom: float = 1,
    right: float = 0,
    down: float = 0,
    slant: float = 0,
    across: int = 1,
    upright: int = 1,
) -> Floats:
    """What moves one image: one row of `draw`."""
    return np.array([[rotation, zoom, right, down, slant, across, upright]], np.float64)


def recoloured(images: Pixels, contrast: float = 1, brightness: float = 0) -> Pixels:
    """Images, all recoloured alike."""
    return recolour(images, np.full((len(images), 2), [contrast, brightness]))


def moved(images: Pixels, moves: Floats, fill: Fill = "constant") -> Pixels:
    """Images, all moved alike."""
    every = np.repeat(moves, len(images), axis=0)
    return warp(images, matrices(every, *images.shape[1:3]), fill)


EVERY = range(COUNT)
ORIGINAL = varied(EVERY)


# --- what decides the pixels ------------------------------------------------------------------


def test_the_same_pass_gives_the_same_pixels() -> None:
    np.testing.assert_array_equal(varied(EVERY), ORIGINAL)


@given(st.permutations(EVERY), st.integers(1, COUNT))
def test_neither_the_order_of_images_nor_their_batches_matter(order: list[int], size: int) -> None:
    variations = Variations(CONFIG, 1, COUNT)
    for start in range(0, COUNT, size):
        batch = np.array(order[start : start + size])
        found = variations.apply(NOISE[batch], batch, number=1)
        np.testing.assert_array_equal(found, ORIGINAL[batch])


@given(st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_passes_may_come_in_any_order(numbers: list[int]) -> None:
    variations = Variations(CONFIG, 1, COUNT)
    for number in numbers:
        found = variations.apply(NOISE[:4], np.arange(4), number)
        np.testing.assert_array_equal(found, varied(range(4), number))


def test_an_image_is_varied_alike_in_a_split_of_any_size() -> None:
    for few, many in zip(draw(CONFIG, 1, 1, 10), draw(CONFIG, 1, 1, 1000), strict=True):
        np.testing.assert_array_equal(few, many[:10])


@given(st.integers(0, 10**9), st.integers(1, 5))
def test_what_is_drawn_for_an_image_needs_nothing_of_those_before(first: int, count: int) -> None:
    together = np.hstack(draw(CONFIG, 1, 2, count, first))
    alone = [np.hstack(draw(CONFIG, 1, 2, 1, first + place)) for place in range(count)]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    if first + count <= len(DRAWN):
        np.testing.assert_array_equal(
            np.hstack(draw(CONFIG, 1, 1, count, first)), DRAWN[first : first + count]
        )


def test_few_images_are_varied_as_among_all() -> None:
    few = np.array([7, 3, 23])
    for number in (1, 2):
        found = vary_few(NOISE[few], few, CONFIG, 1, number)
        np.testing.assert_array_equal(found, varied(few, number))


def test_what_moves_an_image_is_what_it_always_was_for_a_seed_and_a_pass() -> None:
    """Runs from before there were colours go on with the very same pictures."""
    moves, _ = draw(CONFIG, 5, 3, 100)
    before = np.random.default_rng([5, 3, 1]).uniform(-1, 1, (100, 6))
    np.testing.assert_array_equal(moves[:, 0], 20 * before[:, 0])
    np.testing.assert_array_equal(moves[:, 1], 1 + 0.2 * before[:, 1])
    np.testing.assert_array_equal(moves[:, 2:5], before[:, 2:5] * [0.1, 0.1, 0.15])
    np.testing.assert_array_equal(moves[:, 5], np.where(before[:, 5] < 0, -1, 1))


@pytest.mark.parametrize(("seed", "number"), [(1, 2), (2, 1)])
def test_another_pass_or_seed_gives_every_image_other_pixels(seed: int, number: int) -> None:
    other = varied(EVERY, number, seed=seed)
    assert (other != ORIGINAL).any(axis=(1, 2, 3)).all()


def test_one_image_is_varied_differently_at_each_position() -> None:
    alike = np.repeat(NOISE[:1], COUNT, axis=0)
    found = Variations(CONFIG, 1, COUNT).apply(alike, np.arange(COUNT), number=1)
    assert len(np.unique(found, axis=0)) == COUNT


def test_images_stay_as_they_are_where_nothing_is_on() -> None:
    np.testing.assert_array_equal(varied(EVERY, config=AugmentationConfig()), NOISE)


@pytest.mark.parametrize("name", ALL_ON)
def test_each_setting_alone_changes_pixels(name: str) -> None:
    config = AugmentationConfig(**{name: ALL_ON[name]})
    assert (varied(EVERY, config=config) != NOISE).any()


# --- the key of a pass ------------------------------------------------------------------------


def key(seed: int = 1, number: int = 1, **changed: Any) -> str:
    config = AugmentationConfig(**(ALL_ON | changed))
    return json.dumps(Variations(config, seed, COUNT).key(number))


def test_the_key_of_a_pass_does_not_depend_on_how_many_passes_there_are() -> None:
    assert key(passes=3) == key(passes=5)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 2},
        {"number": 2},
        {"rotation": 10.0},
        {"zoom": 0.1},
        {"shift": 0.2},
        {"shear": 0.1},
        {"horizontal_flip": False},
        {"vertical_flip": False},
        {"brightness": 0.1},
        {"contrast": 0.1},
        {"noise": 0.1},
        {"fill": "nearest"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_the_key_of_a_pass_tells_all_else_apart(changed: dict[str, Any]) -> None:
    assert key(**changed) != key()


# --- what is drawn ----------------------------------------------------------------------------

DRAWN = np.hstack(draw(CONFIG, 1, 1, 10_000))
RANGES = {
    "rotation": (0, -20, 20),
    "zoom": (1, 0.8, 1.2),
    "right": (2, -0.1, 0.1),
    "down": (3, -0.1, 0.1),
    "slant": (4, -0.15, 0.15),
    "contrast": (7, 0.7, 1.3),
    "brightness": (8, -0.2, 0.2),
}
FLIPS = pytest.mark.parametrize(
    ("column", "name"), [(5, "horizontal_flip"), (6, "vertical_flip")], ids=["across", "down"]
)


@pytest.mark.parametrize(("column", "low", "high"), RANGES.values(), ids=RANGES)
def test_what_is_drawn_fills_its_range_evenly(column: int, low: float, high: float) -> None:
    found = DRAWN[:, column]
    assert found.min() >= low
    assert found.max() <= high
    in_tenths = np.histogram(found, bins=10, range=(low, high))[0]
    np.testing.assert_allclose(in_tenths, 1000, atol=150)  # 5 standard deviations


@FLIPS
def test_half_of_the_images_are_mirrored(column: int, name: str) -> None:
    assert set(DRAWN[:, column]) == {-1, 1}
    assert abs(DRAWN[:, column].mean()) < 0.05


@FLIPS
def test_no_image_is_mirrored_where_that_is_off(column: int, name: str) -> None:
    config = AugmentationConfig(**(ALL_ON | {name: False}))
    assert set(draw(config, 1, 1, 1000)[0][:, column]) == {1}


def test_what_is_drawn_for_an_image_is_independent_of_one_another() -> None:
    correlations = np.corrcoef(DRAWN, rowvar=False)
    np.testing.assert_allclose(correlations, np.eye(9), atol=0.05)


# --- the same as Keras does, but all at once --------------------------------------------------

FILLS = pytest.mark.parametrize("fill", ["constant", "nearest", "reflect", "wrap"])
SIGNS = pytest.mark.parametrize("sign", [1, -1])


def assert_same(found: Pixels, by_keras: Any, without: Any = False) -> None:
    """Keras leaves fractions; half a level of 255 is lost where they are rounded.

    without: pixels, (height, width), that are left out.
    """
    apart = np.abs(found - np.asarray(by_keras)).max(axis=(0, 3))
    assert np.where(without, 0, apart).max() < ROUNDED


ROUNDED = 0.51
"""Half a level, and what single precision leaves."""


def seam(moves: Floats, fill: Fill) -> Any:
    """Pixels, (height, width), that come from between the last and the first pixel of an axis.

    There TensorFlow's `wrap` takes one of the two, where ours blends them.
    """
    if fill != "wrap":
        return False
    height, width = NOISE.shape[1:3]
    y, x = np.mgrid[:height, :width]
    sources = np.einsum("ij,jyx->iyx", matrices(moves, height, width)[0], [x, y, np.ones_like(x)])
    between = [
        source % side > side - 1 + 1e-4
        for source, side in zip(sources, (width, height), strict=True)
    ]
    assert np.mean(between[0] | between[1]) < 0.2
    return between[0] | between[1]


def assert_moved_as(by_keras: Any, fill: Fill, moves: Floats) -> None:
    assert_same(moved(NOISE, moves, fill), by_keras, seam(moves, fill))


@FILLS
@SIGNS
def test_a_rotation_is_that_of_keras(sign: int, fill: Fill) -> None:
    turns = sign * 17 / 360
    layer = keras.layers.RandomRotation((turns, turns), fill_mode=fill)
    assert_moved_as(layer(NOISE, training=True), fill, move(rotation=sign * 17))


@FILLS
@SIGNS
def test_a_zoom_is_that_of_keras(sign: int, fill: Fill) -> None:
    """A factor of Keras above 0 shrinks: it says how much more of the image is seen."""
    seen = sign * 0.3
    layer = keras.layers.RandomZoom((seen, seen), fill_mode=fill)
    assert_moved_as(layer(NOISE, training=True), fill, move(zoom=1 / (1 + seen)))


@FILLS
@SIGNS
def test_a_shift_is_that_of_keras(sign: int, fill: Fill) -> None:
    right, down = sign * 0.13, -sign * 0.07
    layer = keras.layers.RandomTranslation((down, down), (right, right), fill_mode=fill)
    assert_moved_as(layer(NOISE, training=True), fill, move(right=right, down=down))


@FILLS
@SIGNS
def test_a_slant_is_that_of_keras_about_the_centre(sign: int, fill: Fill) -> None:
    """Keras slants about the top left corner, so that the centre moves; shifting puts it back."""
    height, width = NOISE.shape[1:3]
    back = -sign * 0.2 * (height - 1) / 2 / width
    layer = keras.layers.RandomShear(0.2, fill_mode=fill)
    factors = np.full((COUNT, 2), [sign * 0.2, 0])
    by_keras = layer.transform_images(NOISE, {"shear_factor": factors})
    assert_moved_as(by_keras, fill, move(slant=sign * 0.2, right=back))


@FILLS
@pytest.mark.parametrize(
    ("mode", "moves"),
    [
        ("horizontal", move(across=-1)),
        ("vertical", move(upright=-1)),
        ("horizontal_and_vertical", move(across=-1, upright=-1)),
    ],
)
def test_a_flip_is_that_of_keras(mode: str, moves: Floats, fill: Fill) -> None:
    flips = {"flips": np.ones((COUNT, 1, 1, 1), bool)}
    by_keras = keras.layers.RandomFlip(mode).transform_images(NOISE, flips)
    np.testing.assert_array_equal(moved(NOISE, moves, fill), np.asarray(by_keras))


@pytest.mark.parametrize("channels", [1, 3])
@SIGNS
def test_a_contrast_is_that_of_keras(sign: int, channels: int) -> None:
    images = NOISE[..., :channels] // 2 + 90  # whose channels have means of their own
    factor = 1 + sign * 0.6
    layer = keras.layers.RandomContrast(0.6)
    factors = {"contrast_factor": np.full((COUNT, 1, 1, 1), factor, np.float32)}
    by_keras = layer.transform_images(images.astype(np.float32), factors)
    assert_same(recoloured(images, contrast=factor), by_keras)


@SIGNS
def test_a_brightness_is_that_of_keras(sign: int) -> None:
    layer = keras.layers.RandomBrightness((sign * 0.37, sign * 0.37))
    found = recoloured(NOISE, brightness=sign * 0.37)
    assert_same(found, layer(NOISE.astype(np.float32), training=True))


def test_noise_spreads_as_that_of_keras() -> None:
    """Of images from 0 to 1, as its layer takes them; noise is another with every generator."""
    grey = np.full((400, 28, 28, 1), 128, np.uint8)
    layer = keras.layers.GaussianNoise(0.1, seed=0)
    by_keras = 255 * (np.asarray(layer(grey / np.float32(255), training=True)) - 128 / 255)
    variations = Variations(AugmentationConfig(noise=0.1), 0, len(grey))
    found = variations.apply(grey, np.arange(len(grey)), 1).astype(float) - 128
    assert abs(found.mean()) < 0.3  # 6 standard deviations
    assert found.std() == pytest.approx(by_keras.std(), rel=0.01)
    quantiles = np.linspace(0.01, 0.99, 30)
    np.testing.assert_allclose(
        np.quantile(found, quantiles), np.quantile(by_keras, quantiles), atol=1.5
    )


def test_all_at_once_is_what_keras_makes_in_turn() -> None:
    """On a smooth image, which tells little of how often it was resampled."""
    y, x = np.mgrid[:64, :64]
    wave = (128 + 60 * np.sin(x / 9) * np.cos(y / 7)).round().astype(np.uint8)
    images = wave[np.newaxis, ..., np.newaxis]
    in_turn = keras.Sequential(
        [
            keras.layers.RandomZoom((-0.2, -0.2), fill_mode="nearest"),
            keras.layers.RandomRotation((0.03, 0.03), fill_mode="nearest"),
            keras.layers.RandomTranslation((0.1, 0.1), (-0.1, -0.1), fill_mode="nearest"),
            keras.layers.RandomBrightness((0.1, 0.1)),
        ]
    )
    by_keras = in_turn(images, training=True)
    moves = move(zoom=1 / 0.8, rotation=0.03 * 360, right=-0.1, down=0.1)
    found = recoloured(moved(images, moves, "nearest"), brightness=0.1)
    inside = np.s_[:, 12:-12, 12:-12]  # Keras fills after each layer
    np.testing.assert_allclose(found[inside], np.asarray(by_keras)[inside], rtol=0, atol=2)


@given(
    st.floats(-180, 180),
    st.floats(0.1, 1.9),
    st.floats(-0.9, 0.9),
    st.floats(-0.9, 0.9),
    st.floats(-0.9, 0.9),
    st.sampled_from([-1, 1]),
    st.sampled_from([-1, 1]),
)
def test_an_image_is_mirrored_then_zoomed_slanted_turned_and_shifted(
    rotation: float,
    zoom: float,
    right: float,
    down: float,
    slant: float,
    across: int,
    upright: int,
) -> None:
    def matrix(**moves: Any) -> Floats:
        return np.vstack([matrices(move(**moves), 20, 30)[0], [0, 0, 1]])

    one_by_one = [
        matrix(across=across, upright=upright),
        matrix(zoom=zoom),
        matrix(slant=slant),
        matrix(rotation=rotation),
        matrix(right=right, down=down),
    ]  # from where a pixel comes: the last is undone first
    together = matrix(
        rotation=rotation,
        zoom=zoom,
        right=right,
        down=down,
        slant=slant,
        across=across,
        upright=upright,
    )
    np.testing.assert_allclose(together, np.linalg.multi_dot(one_by_one), atol=1e-9)


# --- pixels -----------------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [1, 3])
def test_shape_and_type_are_kept(channels: int) -> None:
    found = Variations(CONFIG, 1, COUNT).apply(NOISE[..., :channels], np.arange(COUNT), 1)
    assert found.shape == (COUNT, 20, 30, channels)
    assert found.dtype == np.uint8


def test_each_channel_is_varied_as_it_would_be_alone() -> None:
    together = moved(NOISE, move(rotation=10))
    for channel in range(3):
        alone = moved(NOISE[..., channel : channel + 1], move(rotation=10))
        np.testing.assert_array_equal(together[..., channel], alone[..., 0])


def test_the_images_themselves_stay_as_they_were() -> None:
    images = NOISE.copy()
    Variations(CONFIG, 1, COUNT).apply(images, np.arange(COUNT), number=1)
    np.testing.assert_array_equal(images, NOISE)


def test_a_place_that_an_image_was_moved_away_from_is_black() -> None:
    found = moved(WHITE, move(right=0.5), "constant")
    assert set(found[:, :, :15].flat) == {0}
    assert set(found[:, :, 15:].flat) == {255}


def test_a_place_that_an_image_was_moved_away_from_repeats_the_edge() -> None:
    found = moved(NOISE, move(right=0.5), "nearest")
    edge = np.repeat(NOISE[:, :, :1], 15, axis=2)
    np.testing.assert_array_equal(found[:, :, :15], edge)


@pytest.mark.parametrize(("brightness", "level"), [(0.9, 255), (-0.9, 0)])
def test_pixels_that_grow_too_light_or_too_dark_end_at_white_or_black(
    brightness: float, level: int
) -> None:
    images = np.full((1, 4, 4, 1), 128, np.uint8)
    assert set(recoloured(images, brightness=brightness).flat) == {level}


def test_noise_ends_at_white_and_black() -> None:
    variations = Variations(AugmentationConfig(noise=0.5), 1, 1)
    grained = variations.apply(WHITE, np.arange(1), 1)
    assert 0.4 < (grained == 255).mean() < 0.6


def test_each_channel_has_noise_of_its_own() -> None:
    grey = np.full((1, 50, 50, 3), 128, np.uint8)
    grained = Variations(AugmentationConfig(noise=0.1), 1, 1).apply(grey, np.arange(1), 1)
    correlations = np.corrcoef(grained.reshape(-1, 3), rowvar=False)
    np.testing.assert_allclose(correlations, np.eye(3), atol=0.1)


def test_each_image_has_noise_of_its_own() -> None:
    grey = np.full((40, 30, 30, 1), 128, np.uint8)
    variations = Variations(AugmentationConfig(noise=0.1), 1, len(grey))
    grained = variations.apply(grey, np.arange(len(grey)), 1).reshape(len(grey), -1)
    apart = np.corrcoef(grained) - np.eye(len(grey))
    assert np.abs(apart).max() < 0.2  # 6 standard deviations
